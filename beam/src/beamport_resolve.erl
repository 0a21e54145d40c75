%% @doc From a handler's name to a function that can be called: finds the module,
%% starts its application, and looks for the function.
-module(beamport_resolve).

-export([handler/2, stop_application/1]).
-export_type([handler/0]).

-type handler() :: #{module := module(),
                     call := {function, Function :: atom(), 1 | 2} | {behaviour, 2 | 3},
                     language := beamport_error:language()}.

-type failure() :: {error, Type :: binary(), Message :: unicode:chardata()}.

%% @doc Finds a handler in a task root, which is put on the code path. The application
%% that the module belongs to is started, and Elixir's where the module is Elixir's.
%% Messages of failures name the handler.
-spec handler(Name :: binary(), TaskRoot :: binary()) -> {ok, handler()} | failure().
handler(Name, TaskRoot) ->
    case beamport_handler_name:parse(Name) of
        {ok, Parsed} ->
            Module = element(1, Parsed),
            Root = unicode:characters_to_list(TaskRoot),
            Directories = beamport_task_root:add(Root),
            Steps = [fun() -> load(Module, Name, Root, Directories) end,
                     fun() -> start_elixir(Module, Name) end,
                     fun() -> start_application(Module, Name, Directories) end],
            case steps(Steps) of
                ok -> find(Parsed, Name);
                {error, _, _} = Failure -> Failure
            end;
        {error, Why} ->
            {error, <<"Runtime.BadHandler">>,
             [about(Name), "this is not a handler's name: ", Why,
              "; one looks like Module.function (Elixir), module:function (Erlang), "
              "dir/module.function (Gleam) or, for a module with the behaviour beamport_handler, Module"]}
    end.

steps([]) ->
    ok;
steps([Step | Steps]) ->
    case Step() of
        ok -> steps(Steps);
        Failure -> Failure
    end.

about(Name) ->
    ["handler \"", Name, "\": "].

load(Module, Name, Root, Directories) ->
    case beamport_code:load(Module) of
        ok ->
            ok;
        {error, nofile} ->
            {error, <<"Runtime.NoSuchModule">>,
             [about(Name), "there is no module ", beamport_elixir:name(Module), ": ",
              searched(Module, Root, Directories)]};
        {error, on_load_failure} ->
            load_failed(Module, Name, "its on_load function failed");
        {error, badfile} ->
            load_failed(Module, Name, ["its file is damaged, or was compiled for a later release than OTP ",
                                       erlang:system_info(otp_release)]);
        {error, Reason} ->
            load_failed(Module, Name, beamport_text:show(Reason))
    end.

load_failed(Module, Name, Why) ->
    {error, <<"Runtime.HandlerLoadFailed">>,
     [about(Name), "the module ", beamport_elixir:name(Module), " could not be loaded: ", Why]}.

searched(_, Root, []) ->
    ["no compiled code was found in ", Root, " (neither lib/*/ebin nor ebin nor *.beam)"];
searched(Module, _, Directories) ->
    ["no ", atom_to_binary(Module), ".beam in ", lists:join(", ", some(Directories)),
     " or in Erlang's own libraries"].

some(Directories) when length(Directories) =< 5 ->
    Directories;
some(Directories) ->
    {First, More} = lists:split(4, Directories),
    First ++ [[integer_to_list(length(More)), " more directories"]].

%% Modules of Elixir may need its applications where none of their own is found.
start_elixir(Module, Name) ->
    case beamport_elixir:is_module(Module) andalso beamport_elixir:start() of
        {error, Reason} -> start_failed(Name, Reason);
        _ -> ok
    end.

start_application(Module, Name, Directories) ->
    case beamport_task_root:application_of(Module, Directories) of
        {ok, App} ->
            case needs_elixir(App) andalso beamport_elixir:start() of
                {error, Reason} -> start_failed(Name, Reason);
                _ -> started(application:ensure_all_started(App), Name)
            end;
        none ->
            ok
    end.

started({ok, _}, _) -> ok;
started({error, Reason}, Name) -> start_failed(Name, Reason).

%% An application of another language can have dependencies in Elixir, whose logger
%% must not print.
needs_elixir(App) ->
    needs_elixir([App], []).

needs_elixir([], _) -> false;
needs_elixir([elixir | _], _) -> true;
needs_elixir([App | Apps], Seen) ->
    case lists:member(App, Seen) of
        true -> needs_elixir(Apps, Seen);
        false -> needs_elixir(dependencies(App) ++ Apps, [App | Seen])
    end.

dependencies(App) ->
    _ = application:load(App),
    case application:get_key(App, applications) of
        {ok, Needed} -> Needed;
        undefined -> []
    end.

%% @doc Stops the application that a handler's module belongs to, if there is one.
-spec stop_application(module()) -> ok.
stop_application(Module) ->
    case application:get_application(Module) of
        {ok, App} ->
            _ = application:stop(App),
            ok;
        undefined ->
            ok
    end.

start_failed(Name, {App, Reason}) ->
    {error, <<"Runtime.ApplicationStartFailed">>,
     [about(Name), "the application ", atom_to_binary(App), " could not be started: ", why(App, Reason)]}.

why(App, {File, Expected}) when is_list(File) ->
    case {File, Expected} of
        {"no such file or directory", _} -> ["there is no ", atom_to_binary(App), ".app on the code path"];
        _ -> beamport_text:show({File, Expected})
    end;
why(_, {bad_return, {{M, F, _}, {'EXIT', Reason}}}) ->
    [beamport_stack:mfa(M, F, 2), " failed: ", reason(Reason)];
why(_, {bad_return, {{M, F, _}, Returned}}) ->
    [beamport_stack:mfa(M, F, 2), " returned ", beamport_text:show(Returned)];
why(_, {{shutdown, {failed_to_start_child, Child, Reason}}, {M, F, _}}) ->
    ["its supervisor's child ", beamport_text:show(Child), " failed: ", reason(Reason),
     " (in ", beamport_stack:mfa(M, F, 2), ")"];
why(_, {Reason, {M, F, _}}) when is_atom(M), is_atom(F) ->
    [beamport_stack:mfa(M, F, 2), " failed: ", reason(Reason)];
why(_, Reason) ->
    reason(Reason).

reason({shutdown, {failed_to_start_child, Child, Reason}}) ->
    ["child ", beamport_text:show(Child), ": ", reason(Reason)];
reason({'EXIT', Reason}) ->
    reason(Reason);
reason({Reason, [{M, F, A, _} | _] = Stack}) when is_atom(M), is_atom(F), is_integer(A) orelse is_list(A) ->
    {_, #{type := Type, message := Message}, Lines} = beamport_error:format(error, Reason, Stack),
    [Type, ": ", Message | [[" at ", Line] || Line <- lists:sublist(Lines, 1)]];
reason(#{'__exception__' := true} = Exception) ->
    {_, #{type := Type, message := Message}, _} = beamport_error:format(error, Exception, []),
    [Type, ": ", Message];
reason(Reason) ->
    beamport_text:show(Reason).

find({Module}, Name) ->
    case [Arity || Arity <- [3, 2], erlang:function_exported(Module, handle, Arity)] of
        [Arity | _] -> {ok, found(Module, {behaviour, Arity})};
        [] -> no_function(Module, handle, [3, 2], Name)
    end;
find({Module, Function}, Name) ->
    case [Arity || Arity <- [2, 1], erlang:function_exported(Module, Function, Arity)] of
        [Arity | _] -> {ok, found(Module, {function, Function, Arity})};
        [] -> no_function(Module, Function, [2, 1], Name)
    end.

found(Module, Call) ->
    #{module => Module, call => Call, language => language(Module)}.

language(Module) ->
    case beamport_elixir:is_module(Module) of
        true -> elixir;
        false -> erlang
    end.

no_function(Module, Function, Arities, Name) ->
    Exports = [FA || {F, _} = FA <- lists:sort(Module:module_info(exports)), not generated(F)],
    Wanted = names(Module, [{Function, Arity} || Arity <- Arities]),
    {error, <<"Runtime.NoSuchFunction">>,
     [about(Name), "there is no public function ", lists:join(" or ", Wanted), "; ",
      case {[FA || {F, _} = FA <- Exports, F =:= Function],
            [FA || {_, A} = FA <- Exports, lists:member(A, Arities)]} of
          {[], []} -> "the module has no function that could be a handler";
          {[], Others} -> ["the module has ", lists:join(", ", names(Module, lists:sublist(Others, 5)))];
          {Same, _} -> ["the module has ", lists:join(", ", names(Module, Same))]
      end]}.

names(Module, Functions) ->
    [beamport_stack:mfa(Module, F, A) || {F, A} <- Functions].

%% What compilers add to every module.
generated(module_info) -> true;
generated('__info__') -> true;
generated('__struct__') -> true;
generated(behaviour_info) -> true;
generated(F) -> lists:prefix("MACRO-", atom_to_list(F)).
