%% @doc Stack traces for people: where, and in which function. No arguments: they are
%% the data of a call.
-module(beamport_stack).

-export([lines/1, mfa/3, elixir/1]).

-define(MAX_LINES, 64).
-define(MAX_LINE, 1024).

%% @doc A line for each call, innermost first: `file:line: Module.function/arity' for
%% a module of Elixir, `file:line: module:function/arity' for another, without the
%% place when it is not known. Calls of the runtime itself are left out, but for those of
%% what functions call. Whatever is no
%% stack trace has no lines.
-spec lines(term()) -> [binary()].
lines(Stack) ->
    lines(Stack, ?MAX_LINES).

lines([Call | Stack], Left) when Left > 0 ->
    case line(Call) of
        none -> lines(Stack, Left);
        Line -> [beamport_text:cut(Line, ?MAX_LINE) | lines(Stack, Left - 1)]
    end;
lines(_, _) ->
    [].

line({M, F, Args, Place}) when is_list(Args) ->
    line({M, F, length(Args), Place});
line({M, F, Arity, Place}) when is_atom(M), is_atom(F), is_integer(Arity) ->
    case own(M) of
        true -> none;
        false -> <<(place(Place))/binary, (mfa(M, F, Arity))/binary>>
    end;
line({Fun, Args, Place}) when is_function(Fun) ->
    {module, M} = erlang:fun_info(Fun, module),
    {name, F} = erlang:fun_info(Fun, name),
    line({M, F, Args, Place});
line(_) ->
    none.

%% With a tail call, they are all that there is to be seen of a function.
own(M) when M =:= beamport_http; M =:= beamport_handler; M =:= beamport_client ->
    false;
own(M) ->
    case atom_to_binary(M) of
        <<"beamport_", _/binary>> -> true;
        Name -> Name =:= <<"beamport">>
    end.

place([{file, File} | More]) when is_list(File); is_binary(File) ->
    place(beamport_text:utf8(File), More);
place([_ | More]) ->
    place(More);
place(_) ->
    <<>>.

place(File, [{line, Line} | _]) when is_integer(Line) ->
    <<File/binary, $:, (integer_to_binary(Line))/binary, ": ">>;
place(File, [_ | More]) ->
    place(File, More);
place(File, _) ->
    <<File/binary, ": ">>.

%% @doc A function's name as its language writes it: `sums:add/2', `My.Sums.add/2'.
-spec mfa(module(), atom(), arity()) -> binary().
mfa(M, F, Arity) ->
    Count = integer_to_binary(Arity),
    case atom_to_binary(M) of
        <<"Elixir.", Module/binary>> ->
            Name = atom_to_binary(F),
            case origin(Name) of
                {anonymous, Within} ->
                    <<"anonymous fn/", Count/binary, " in ", Module/binary, $., Within/binary>>;
                {part, Within} ->
                    <<Module/binary, $., Within/binary>>;
                none ->
                    <<Module/binary, $., Name/binary, $/, Count/binary>>
            end;
        Module ->
            <<Module/binary, $:, (quoted(F))/binary, $/, Count/binary>>
    end.

%% The function that the compiler has made this one from: '-map/2-fun-0-' is an
%% anonymous function in map/2, '-map/2-lists^map/1-0-' a loop that is a part of it.
origin(<<$-, Name/binary>>) ->
    case binary:split(Name, <<"-">>) of
        [Within, <<"fun-", _/binary>>] -> {anonymous, Within};
        [Within, _] -> {part, Within};
        _ -> none
    end;
origin(_) ->
    none.

%% Most names need no quotes, and then io_lib is not needed either, which a boot of one
%% function has not loaded.
quoted(F) ->
    Name = atom_to_binary(F),
    case is_plain(Name) andalso not is_reserved(Name) of
        true -> Name;
        false -> iolist_to_binary(io_lib:write_atom_as_latin1(F))
    end.

is_plain(<<First, Rest/binary>>) when First >= $a, First =< $z ->
    [] =:= [C || <<C>> <= Rest, not (C >= $a andalso C =< $z orelse C >= $A andalso C =< $Z
                                     orelse C >= $0 andalso C =< $9 orelse C =:= $_ orelse C =:= $@)];
is_plain(_) ->
    false.

is_reserved(Name) ->
    lists:member(Name, [<<"after">>, <<"and">>, <<"andalso">>, <<"band">>, <<"begin">>, <<"bnot">>, <<"bor">>, <<"bsl">>,
                        <<"bsr">>, <<"bxor">>, <<"case">>, <<"catch">>, <<"cond">>, <<"div">>, <<"else">>, <<"end">>,
                        <<"fun">>, <<"if">>, <<"let">>, <<"maybe">>, <<"not">>, <<"of">>, <<"or">>, <<"orelse">>,
                        <<"receive">>, <<"rem">>, <<"try">>, <<"when">>, <<"xor">>]).

%% @doc Whether a stack trace begins in code of Elixir, apart from what the emulator
%% itself adds on top.
-spec elixir(term()) -> boolean().
elixir([{M, _, _, _} | Stack]) when is_atom(M) ->
    case atom_to_binary(M) of
        <<"Elixir.", _/binary>> -> true;
        <<"beamport", _/binary>> -> false;
        _ -> elixir(Stack)
    end;
elixir(_) ->
    false.
