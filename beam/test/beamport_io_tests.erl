-module(beamport_io_tests).

-include_lib("eunit/include/eunit.hrl").

request_test_() ->
    [{lists:flatten(io_lib:format("~tp", [Request])), ?_assertEqual(Answer, beamport_io:request(Request))} ||
        {Request, Answer} <-
            [{{put_chars, unicode, <<"ä"/utf8>>}, {ok, <<"ä"/utf8>>}},
             {{put_chars, unicode, [$ä, [<<"b">>]]}, {ok, <<"äb"/utf8>>}},
             {{put_chars, latin1, <<228>>}, {ok, <<"ä"/utf8>>}},
             {{put_chars, <<228>>}, {ok, <<"ä"/utf8>>}},
             {{put_chars, unicode, <<255>>}, {{error, {no_translation, unicode, unicode}}, <<>>}},
             {{put_chars, unicode, atom}, {{error, put_chars}, <<>>}},
             {{put_chars, nonsense, <<"a">>}, {{error, put_chars}, <<>>}},
             {{put_chars, unicode, io_lib, format, ["~ts", ["ä"]]}, {ok, <<"ä"/utf8>>}},
             {{put_chars, io_lib, format, ["~s", ["a"]]}, {ok, <<"a">>}},
             {{put_chars, unicode, io_lib, format, ["~s", []]}, {{error, format}, <<>>}},
             {{put_chars, unicode, lists, duplicate, [3, $a]}, {ok, <<"aaa">>}},
             {{put_chars, unicode, not_there, at_all, []}, {{error, at_all}, <<>>}},
             {{requests, []}, {ok, <<>>}},
             {{requests, [{put_chars, unicode, "a"}, getopts, {put_chars, unicode, "b"}]}, {ok, <<"ab">>}},
             {{requests, [{put_chars, unicode, "a"}, nonsense, {put_chars, unicode, "b"}]}, {{error, request}, <<"a">>}},
             {{requests, [{put_chars, unicode, "a"}, {get_line, ""}]}, {eof, <<"a">>}},
             {{setopts, [binary, {encoding, latin1}]}, {ok, <<>>}},
             {{setopts, [{expand_fun, none}]}, {{error, enotsup}, <<>>}},
             {getopts, {[{binary, true}, {encoding, unicode}], <<>>}},
             {{get_geometry, columns}, {{error, enotsup}, <<>>}},
             {{get_chars, unicode, "", 1}, {eof, <<>>}},
             {{get_line, unicode, ""}, {eof, <<>>}},
             {{get_until, unicode, "", io_lib, collect_line, []}, {eof, <<>>}},
             {{get_password, unicode}, {eof, <<>>}},
             {{get_password, ""}, {eof, <<>>}},
             {nonsense, {{error, request}, <<>>}}]].

lines_test_() ->
    [?_assertEqual(Expected, beamport_io:lines(Rest, Text)) ||
        {Rest, Text, Expected} <-
            [{<<>>, <<>>, {[], <<>>}},
             {<<"a">>, <<>>, {[], <<"a">>}},
             {<<"a">>, <<"b">>, {[], <<"ab">>}},
             {<<"a">>, <<"b\nc">>, {[<<"ab">>], <<"c">>}},
             {<<>>, <<"\n\n">>, {[<<>>, <<>>], <<>>}}]].

%% However text comes in parts, its lines are the same.
parts_test() ->
    Text = unicode:characters_to_binary(["first\n", "ä second\n", "\n", lists:duplicate(400000, $ü), "\nlast"]),
    {Whole, Rest} = beamport_io:lines(<<>>, Text),
    ?assertEqual(binary:replace(Text, <<"\n">>, <<>>, [global]), iolist_to_binary([Whole, Rest])),
    ?assertEqual(3 + 4, length(Whole)),
    _ = [?assert(byte_size(Line) =< 262144) || Line <- Whole],
    _ = [?assertNotMatch({error, _, _}, unicode:characters_to_list(Line)) || Line <- Whole],
    ?assertEqual({Whole, Rest}, feed(Text, 100003)).

feed(Text, Size) -> feed(Text, Size, [], <<>>).

feed(Text, Size, Lines, Rest) when byte_size(Text) > Size ->
    <<Part:Size/binary, More/binary>> = Text,
    {New, Next} = beamport_io:lines(Rest, Part),
    feed(More, Size, Lines ++ New, Next);
feed(Text, _, Lines, Rest) ->
    {New, Next} = beamport_io:lines(Rest, Text),
    {Lines ++ New, Next}.

%% A function that makes text and does not end holds nobody up for ever.
endless_test_() ->
    {timeout, 20, fun() ->
                          ?assertEqual({{error, sleep}, <<>>},
                                       beamport_io:request({put_chars, unicode, timer, sleep, [infinity]}))
                  end}.
