-module(beamport_text_tests).

-include_lib("eunit/include/eunit.hrl").

utf8_test_() ->
    [?_assertEqual(Text, beamport_text:utf8(Chars)) ||
        {Chars, Text} <- [{"", <<>>}, {"ä", <<"ä"/utf8>>}, {<<"ä"/utf8>>, <<"ä"/utf8>>}, {<<228>>, <<"ä"/utf8>>},
                          {["a", <<228>>], <<"aä"/utf8>>}, {[[], [$€ | <<"b">>]], <<"€b"/utf8>>}, {atom, <<"atom">>},
                          {{1, 2}, <<"{1,2}">>}, {[1.5], <<"[1.5]">>}]].

cut_test() ->
    Text = <<"aäb€c𝄞"/utf8>>,
    _ = [begin
             Cut = beamport_text:cut(Text, Max),
             ?assert(byte_size(Cut) =< Max),
             ?assert(is_list(unicode:characters_to_list(Cut)))
         end || Max <- lists:seq(0, 20)],
    ?assertEqual(Text, beamport_text:cut(Text, byte_size(Text))),
    ?assertEqual(<<"aäb…"/utf8>>, beamport_text:cut(Text, 7)).

show_test() ->
    ?assertEqual(<<"#{a => \"b\"}">>, beamport_text:show(#{a => "b"})),
    ?assertEqual(<<"{'Elixir.A',\"ä\"}"/utf8>>, beamport_text:show({'Elixir.A', "ä"})),
    ?assert(byte_size(beamport_text:show(lists:duplicate(100000, {some, "term"}))) < 5000),
    ?assert(byte_size(beamport_text:show(binary:copy(<<"ä"/utf8>>, 100000))) < 5000).

bounded_test() ->
    ?assertEqual({ok, 1}, beamport_bounded:run(fun() -> 1 end, 1000)),
    ?assertEqual(error, beamport_bounded:run(fun() -> error(x) end, 1000)),
    ?assertEqual(error, beamport_bounded:run(fun() -> exit(normal) end, 1000)),
    ?assertEqual(error, beamport_bounded:run(fun() -> receive after infinity -> ok end end, 0)),
    ?assertEqual(error, beamport_bounded:run(fun() -> lists:seq(1, 100000000) end, 60000)).

lowercase_test_() ->
    [?_assertEqual(Lower, beamport_text:lowercase(Name)) ||
        {Name, Lower} <- [{<<>>, <<>>}, {<<"Content-Type">>, <<"content-type">>}, {<<"@AZ[`az{">>, <<"@az[`az{">>},
                          {<<"Ä"/utf8>>, <<"Ä"/utf8>>}]].
