%% @doc Reasons of errors, exits and throws, in words.
-module(beamport_reason).

-export([describe/4]).

-define(DETAIL_MS, 1000).

%% @doc A type and a message. The stack is looked at for the function that failed and
%% for what it has to say about its arguments; the arguments themselves are not shown.
-spec describe(error | exit | throw, Reason :: term(), Stack :: term(), beamport_error:language()) ->
          {Type :: binary(), Message :: binary()}.
describe(throw, Value, _, Language) ->
    {<<"throw">>, text(["a value was thrown and not caught: ", show(Value, Language)])};
describe(exit, Reason, _, Language) ->
    {<<"exit">>, text(["the handler's process exited with reason ", exit_reason(Reason, Language)])};
describe(error, Reason, Stack, _) ->
    {tag(Reason), text([sentence(Reason, Stack), detail(Reason, Stack)])}.

text(Chars) ->
    beamport_text:utf8(Chars).

show(Term, elixir) -> beamport_elixir:inspect(Term);
show(Term, erlang) -> beamport_text:show(Term).

tag(Reason) when is_atom(Reason) -> atom_to_binary(Reason);
tag(Reason) when is_tuple(Reason), is_atom(element(1, Reason)) -> atom_to_binary(element(1, Reason));
tag(_) -> <<"error">>.

%% A call of another process that fails says which; its arguments are data.
exit_reason({Reason, {M, F, Args}}, Language) when is_atom(M), is_atom(F), is_list(Args) ->
    [exit_reason(Reason, Language), " in a call of ", beamport_stack:mfa(M, F, length(Args))];
exit_reason({Reason, [{M, F, A, _} | _] = Stack}, _) when is_atom(M), is_atom(F), is_integer(A) orelse is_list(A) ->
    {_, #{type := Type, message := Message}, _} = beamport_error:format(error, Reason, Stack),
    [Type, ": ", Message];
exit_reason({shutdown, Reason}, Language) ->
    ["shutdown: ", show(Reason, Language)];
exit_reason(noproc, _) ->
    "noproc (there is no such process)";
exit_reason(timeout, _) ->
    "timeout";
exit_reason(Reason, Language) ->
    show(Reason, Language).

sentence(badarg, _) -> "bad argument";
sentence(badarith, _) -> "an operand of an arithmetic expression is no number, or the result is none";
sentence(function_clause, Stack) -> ["no clause of ", callee(Stack), " matches its arguments"];
sentence(undef, Stack) -> ["there is no function ", callee(Stack), missing(Stack)];
sentence(if_clause, _) -> "no branch of an if expression is true";
sentence({badmatch, Value}, _) -> ["no match of the value ", show(Value, erlang)];
sentence({case_clause, Value}, _) -> ["no case clause matches ", show(Value, erlang)];
sentence({try_clause, Value}, _) -> ["no try clause matches ", show(Value, erlang)];
sentence({else_clause, Value}, _) -> ["no else clause matches ", show(Value, erlang)];
sentence({badkey, Key}, _) -> ["the map has no key ", show(Key, erlang)];
sentence({badmap, Value}, _) -> ["not a map: ", show(Value, erlang)];
sentence({badrecord, Value}, _) -> ["not the expected record: ", show(Value, erlang)];
sentence({badfun, Value}, _) -> ["not a function: ", show(Value, erlang)];
sentence({badarity, {Fun, Args}}, _) when is_function(Fun), is_list(Args) ->
    {arity, Arity} = erlang:fun_info(Fun, arity),
    ["a function of ", integer_to_list(Arity), " arguments was called with ", integer_to_list(length(Args))];
sentence({bad_generator, Value}, _) -> ["not what a generator can run through: ", show(Value, erlang)];
sentence({bad_filter, Value}, _) -> ["a filter is neither true nor false: ", show(Value, erlang)];
sentence({nocatch, Value}, _) -> ["a value was thrown and not caught: ", show(Value, erlang)];
sentence(timeout_value, _) -> "a receive expression's timeout is neither a number of milliseconds nor infinity";
sentence(system_limit, _) -> "a limit of the emulator was reached";
sentence(noproc, _) -> "there is no such process";
sentence(Reason, _) -> show(Reason, erlang).

%% The emulator has tried to load the module before it fails.
missing([{M, _, _, _} | _]) when is_atom(M) ->
    case erlang:module_loaded(M) of
        true -> [];
        false -> [" (the module ", beamport_text:show(M), " is not available)"]
    end;
missing(_) ->
    [].

callee([{M, F, Args, _} | _]) when is_atom(M), is_atom(F), is_list(Args) ->
    beamport_stack:mfa(M, F, length(Args));
callee([{M, F, Arity, _} | _]) when is_atom(M), is_atom(F), is_integer(Arity) ->
    beamport_stack:mfa(M, F, Arity);
callee(_) ->
    "a function".

%% What the failed function's module knows about its arguments: "1st argument: not a
%% list".
detail(Reason, [{M, F, Args, Info} | _] = Stack) when is_list(Info) ->
    case lists:keyfind(error_info, 1, Info) of
        {error_info, Map} when is_map(Map) ->
            Module = maps:get(module, Map, M),
            Function = maps:get(function, Map, format_error),
            Details = fun() -> Module:Function(Reason, Stack) end,
            case beamport_bounded:run(Details, ?DETAIL_MS) of
                {ok, #{} = Texts} -> details(callee([{M, F, Args, []}]), Texts);
                _ -> []
            end;
        _ ->
            []
    end;
detail(_, _) ->
    [].

details(Callee, Texts) ->
    Known = [{Key, beamport_text:utf8(Text)} || {Key, Text} <- lists:sort(maps:to_list(Texts)),
                                              is_list(Text) orelse is_binary(Text)],
    Arguments = [[", argument ", integer_to_list(N), ": ", Text] || {N, Text} <- Known, is_integer(N)],
    General = [[", ", Text] || {general, Text} <- Known],
    case Arguments ++ General of
        [] -> [];
        Said -> [" in ", Callee, Said]
    end.
