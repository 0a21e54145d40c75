-module(beamport_event_tests).

-include_lib("eunit/include/eunit.hrl").

text_test_() ->
    [?_assertEqual(Text, beamport_event:text(Message, Meta)) ||
        {Message, Meta, Text} <-
            [{{string, "ä"}, #{}, <<"ä"/utf8>>},
             {{string, [<<"a">>, $b]}, #{}, <<"ab">>},
             {{string, <<255>>}, #{}, <<"ÿ"/utf8>>},
             {{"~ts and ~p~n", ["a", b]}, #{}, <<"a and b">>},
             {{"~p ~p", [1]}, #{}, <<"{\"~p ~p\",[1]}">>},
             {{"two\nlines\n\n", []}, #{}, <<"two\nlines\n">>},
             {{report, #{a => 1}}, #{}, <<"    a: 1">>},
             {{report, [{a, 1}]}, #{report_cb => fun(_) -> {"cb ~p", [1]} end}, <<"cb 1">>},
             {{report, [{a, 1}]}, #{report_cb => fun(_, #{single_line := false}) -> "two" end}, <<"two">>},
             {{report, x}, #{report_cb => fun(_) -> error(x) end}, <<"{report,x}">>}]].

bounded_test() ->
    ?assert(byte_size(beamport_event:text({string, lists:duplicate(1000000, $ä)}, #{})) =< 262144),
    ?assert(byte_size(beamport_event:text({"~p", [lists:seq(1, 1000000)]}, #{})) =< 262144).

meta_test() ->
    Meta = #{time => 1, gl => self(), pid => self(), mfa => {m, f, 2}, file => "m.erl", line => 7,
             domain => [otp, sasl], report_cb => fun(_) -> "" end, error_logger => #{}, request => <<"r">>, count => 1,
             part => 0.5, state => on, bytes => <<255>>, list => [1], map => #{}, tuple => {1}, fn => fun() -> 1 end,
             <<"key">> => 1, crash_reason => {badarg, []}},
    ?assertEqual(#{pid => list_to_binary(pid_to_list(self())), mfa => <<"m:f/2">>, file => <<"m.erl">>, line => 7,
                   domain => <<"otp.sasl">>, request => <<"r">>, count => 1, part => 0.5, state => on,
                   bytes => <<"ÿ"/utf8>>, list => [1], map => #{}}, beamport_event:meta(Meta)).

%% Maps and lists come as they are, unless something in them may hold anything.
nested_meta_test_() ->
    Nested = fun(Value) -> maps:get(key, beamport_event:meta(#{key => Value}), none) end,
    [?_assertEqual(Value, Nested(Value)) ||
        Value <- [#{a => [1, #{<<"b">> => [true, 1.5, nil]}]}, [[[[]]]], "text", [a | []]]] ++
        [?_assertEqual(#{a => <<"ÿ"/utf8>>}, Nested(#{a => <<255>>}))] ++
        [?_assertEqual(none, Nested(Value)) ||
            Value <- [[self()], #{a => {1}}, #{{} => 1}, [a | b], [[[[[[]]]]]], lists:seq(1, 1000), [<<1:3>>],
                      #{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => <<"x">>},
                      #{user => #{'__struct__' => 'Elixir.User', password => <<"x">>}}]].

%% What cannot be understood is left out, and nothing else.
odd_meta_test_() ->
    [?_assertEqual(#{line => 7}, beamport_event:meta(Odd#{line => 7})) ||
        Odd <- [#{domain => [<<"x">>]}, #{domain => [a | b]}, #{domain => [[]]}, #{mfa => {1, 2, 3}},
                #{file => {}}, #{1 => 2}, #{key => [a | b]}, #{key => #{'__struct__' => 1, calendar => 2}}, #{time => x}]].

many_keys_test() ->
    Meta = maps:from_list([{Atom, 1} || Atom <- lists:sublist(erlang:loaded(), 100)]),
    ?assert(map_size(beamport_event:meta(Meta)) =< 64).
