-module(beamport_error_tests).

-include_lib("eunit/include/eunit.hrl").

-define(CAUGHT(Expression), caught(fun() -> Expression end)).

caught(Fun) ->
    try Fun() of
        Value -> {value, Value}
    catch
        Class:Reason:Stack ->
            {Class, #{type := Type, message := Message}, Lines} = beamport_error:format(Class, Reason, Stack),
            ?assert(lists:all(fun is_binary/1, Lines)),
            {Class, Type, Message}
    end.

%% What the compiler cannot see through.
hide(Term) -> binary_to_term(term_to_binary(Term)).

errors_test_() ->
    [?_assertEqual({error, Type, Message}, ?CAUGHT(Fun())) ||
        {Type, Message, Fun} <-
            [{<<"badarith">>, <<"an operand of an arithmetic expression is no number, or the result is none">>,
              fun() -> hide(a) + 1 end},
             {<<"badmatch">>, <<"no match of the value 2">>, fun() -> 1 = hide(2) end},
             {<<"case_clause">>, <<"no case clause matches 2">>, fun() -> case hide(2) of 1 -> 1 end end},
             {<<"if_clause">>, <<"no branch of an if expression is true">>, fun() -> X = hide(2), if X > 2 -> 1 end end},
             {<<"try_clause">>, <<"no try clause matches 2">>, fun() -> try hide(2) of 1 -> 1 catch _:_ -> 2 end end},
             {<<"undef">>, <<"there is no function not_there:at_all/2 (the module not_there is not available)">>,
              fun() -> apply(not_there, at_all, [1, 2]) end},
             {<<"undef">>, <<"there is no function lists:at_all/1">>, fun() -> apply(lists, at_all, [<<"canary">>]) end},
             {<<"badfun">>, <<"not a function: 2">>, fun() -> (hide(2))(1) end},
             {<<"badarity">>, <<"a function of 0 arguments was called with 1">>, fun() -> (hide(fun() -> 1 end))(<<"canary">>) end},
             {<<"badkey">>, <<"the map has no key a">>, fun() -> (hide(#{}))#{a := 1} end},
             {<<"badmap">>, <<"not a map: 2">>, fun() -> (hide(2))#{a => 1} end},
             {<<"timeout_value">>, <<"a receive expression's timeout is neither a number of milliseconds nor infinity">>,
              fun() -> receive after hide(a) -> 1 end end},
             {<<"function_clause">>, <<"no clause of lists:reverse/1 matches its arguments">>, fun() -> lists:reverse(hide(canary)) end},
             {<<"mine">>, <<"mine">>, fun() -> error(mine) end},
             {<<"mine">>, <<"{mine,1}">>, fun() -> error({mine, 1}) end},
             {<<"error">>, <<"<<\"text\">>">>, fun() -> error(<<"text">>) end}]].

%% Some of these say more in one release than in another.
detail_test() ->
    {error, <<"badarg">>, Message} = ?CAUGHT(binary_to_integer(hide(<<"canary">>))),
    ?assertMatch({0, _}, binary:match(Message, <<"bad argument in erlang:binary_to_integer/1, argument 1: ">>)),
    ?assertEqual(nomatch, binary:match(Message, <<"canary">>)).

other_classes_test_() ->
    [?_assertEqual(Expected, ?CAUGHT(Fun())) ||
        {Expected, Fun} <-
            [{{throw, <<"throw">>, <<"a value was thrown and not caught: ball">>}, fun() -> throw(ball) end},
             {{exit, <<"exit">>, <<"the handler's process exited with reason normal">>}, fun() -> exit(normal) end},
             {{exit, <<"exit">>, <<"the handler's process exited with reason shutdown: x">>}, fun() -> exit({shutdown, x}) end},
             {{exit, <<"exit">>, <<"the handler's process exited with reason noproc (there is no such process) in a call of "
                                   "gen_server:call/2">>},
              fun() -> gen_server:call(hide(nobody), <<"canary">>) end}]].

bounded_test() ->
    {error, #{type := Type, message := Message}, Stack} =
        beamport_error:format(error, {badmatch, lists:duplicate(100000, <<"some text">>)},
                              lists:duplicate(1000, {m, f, 1, [{file, lists:duplicate(5000, $x)}, {line, 1}]})),
    ?assertEqual(<<"badmatch">>, Type),
    ?assert(byte_size(Message) =< 8192),
    ?assertEqual(64, length(Stack)),
    _ = [?assert(byte_size(Line) =< 1024) || Line <- Stack],
    ok.

odd_stacks_test_() ->
    [?_assertMatch({error, #{type := <<"badarg">>}, []}, beamport_error:format(error, badarg, Stack)) ||
        Stack <- [[], nonsense, [nonsense], [{a, b}], [{a, b, c, d}], [{beamport_worker, run, 4, []}]]].

down_test_() ->
    [?_assertMatch({exit, #{type := Type}, Stack}, beamport_error:down(Reason)) ||
        {Reason, Type, Stack} <- [{killed, <<"killed">>, []}, {normal, <<"exit">>, []}, {{shutdown, 1}, <<"exit">>, []},
                                  {{badarg, [{m, f, 1, []}]}, <<"badarg">>, [<<"m:f/1">>]},
                                  {{{badmatch, 1}, [{m, f, [1, 2], []}]}, <<"badmatch">>, [<<"m:f/2">>]}]].

stack_test_() ->
    [?_assertEqual(Line, beamport_stack:lines([Call])) ||
        {Call, Line} <-
            [{{m, f, 1, [{file, "src/m.erl"}, {line, 3}]}, [<<"src/m.erl:3: m:f/1">>]},
             {{m, f, [canary, 2], [{file, "src/m.erl"}, {line, 3}]}, [<<"src/m.erl:3: m:f/2">>]},
             {{m, f, 1, []}, [<<"m:f/1">>]},
             {{m, '-f/1-fun-0-', 1, []}, [<<"m:'-f/1-fun-0-'/1">>]},
             {{'my mod', f, 1, []}, [<<"my mod:f/1">>]},
             {{'Elixir.My.Mod', f, 1, [{file, "lib/m.ex"}, {line, 3}]}, [<<"lib/m.ex:3: My.Mod.f/1">>]},
             {{'Elixir.My.Mod', '-f/2-fun-1-', 3, []}, [<<"anonymous fn/3 in My.Mod.f/2">>]},
             {{'Elixir.Enum', '-map/2-lists^map/1-0-', 2, []}, [<<"Enum.map/2">>]},
             {{'Elixir.My.Mod', '-', 1, []}, [<<"My.Mod.-/1">>]},
             {{fun lists:map/2, [1, 2], []}, [<<"lists:map/2">>]},
             {{beamport_lambda, handle_call, 1, []}, []},
             {{beamport, boot, 0, []}, []},
             {nonsense, []}]].

returned_test() ->
    ?assertEqual(#{type => <<"T">>, message => <<"ä"/utf8>>}, beamport_error:returned(<<"T">>, [<<"ä"/utf8>>])).
