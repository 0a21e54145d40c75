-module(beamport_frame_tests).

-include_lib("eunit/include/eunit.hrl").

head_test_() ->
    Last = (1 bsl 59) - 1,
    [?_assertEqual(Head, beamport_frame:head(beamport_peer:encode(Term))) ||
        {Term, Head} <- [{{call, 1, x}, {call, 1}}, {{call, 255, x}, {call, 255}}, {{call, 256, x}, {call, 256}},
                         {{call, 1 bsl 31, x}, {call, 1 bsl 31}}, {{call, Last, x}, {call, Last}},
                         {{call, Last + 1, x}, bad}, {{call, 1 bsl 2000, x}, bad},
                         {{call, 0, x}, bad}, {{call, -1, x}, bad}, {{call, -(1 bsl 40), x}, bad},
                         {{call, 1.0, x}, bad}, {{call, 1}, bad}, {{call, 1, x, 0}, {call, 1}},
                         {{call, 1 bsl 40, x, 9}, {call, 1 bsl 40}}, {{call, 1, x, y, z}, bad},
                         {{cast, 1, x}, {cast, 1}}, {{cast, Last, x}, {cast, Last}}, {{cast, x}, bad},
                         {{cast, 0, x}, bad}, {{cast, 1, x, 0}, bad},
                         {{cancel, 5}, {cancel, 5}}, {{cancel, x}, bad}, {{cancel, -1}, bad}, {{cancel, 0}, bad},
                         {{credit, 5, 1}, {credit, 5, 1}}, {{credit, 5, 0}, bad}, {{credit, 5, -1}, bad},
                         {{credit, 5, x}, bad}, {{credit, 0, 1}, bad}, {{credit, 5, (1 bsl 63) - 1}, {credit, 5, (1 bsl 63) - 1}},
                         {{credit, 5, 1 bsl 63}, bad}, {{ping, 0}, {ping, 0}}, {{ping, 1 bsl 62}, {ping, 1 bsl 62}},
                         {{ping, -1}, bad}, {{ping, x}, bad},
                         {{stop, normal}, {stop, normal}}, {{stop, <<"x">>}, bad}, {{}, bad},
                         {call, bad}, {[call, 1, x], bad}, {{reply, 1, x}, bad}]].

examples_test_() ->
    %% PROTOCOL.md's.
    [?_assertEqual(Head, beamport_frame:head(binary:decode_hex(Hex))) ||
        {Hex, Head} <- [{<<"836803770463616C6C6E050000000000016C00000005610162FFFFFFFF463FF80000000000007704747275656A6A">>,
                         {call, 4294967296}},
                        {<<"8368037704636173746103680277047469636B6101">>, {cast, 3}},
                        {<<"836802770663616E63656C620000012C">>, {cancel, 300}},
                        {<<"836802770473746F7077066E6F726D616C">>, {stop, normal}}]].

request_test() ->
    Request = fun(Term) -> beamport_frame:request(beamport_peer:encode(Term)) end,
    ?assertEqual({ok, [1, <<"a">>], none}, Request({call, 1, [1, <<"a">>]})),
    ?assertEqual({ok, [1, <<"a">>], 70000}, Request({call, 1, [1, <<"a">>], 70000})),
    ?assertEqual({ok, tick, none}, Request({cast, 1, tick})),
    _ = [?assertEqual(error, Request({call, 1, tick, Credit})) || Credit <- [-1, x, 1.5, 1 bsl 63]],
    Frame = beamport_peer:encode({call, 1, {a, <<"some bytes">>, 1.5, [1, 2]}}),
    ?assertEqual(error, beamport_frame:request(<<Frame/binary, 0>>)),
    _ = [?assertEqual(error, beamport_frame:request(binary:part(Frame, 0, Size))) ||
            Size <- lists:seq(0, byte_size(Frame) - 1)],
    ?assertEqual(error, beamport_frame:request(term_to_binary({call, 1, lists:duplicate(1000, 0)}, [compressed]))),
    ?assertMatch({refused, #{type := <<"Runtime.UnknownAtom">>}},
                 beamport_frame:request(<<131, 104, 3, 119, 4, "call", 97, 1, 119, 17, "no atom like this">>)).

%% Whatever the bytes are, something is said of them.
garbage_test() ->
    _ = rand:seed(exsss, {7, 7, 7}),
    Frame = beamport_peer:encode({call, 300, #{<<"key">> => [1.5, <<"value">>, {}]}}),
    _ = [begin
             At = rand:uniform(byte_size(Frame)) - 1,
             <<Before:At/binary, _, After/binary>> = Frame,
             Changed = <<Before/binary, (rand:uniform(256) - 1), After/binary>>,
             case beamport_frame:head(Changed) of
                 {call, Id} -> ?assert(is_integer(Id)), _ = beamport_frame:request(Changed);
                 {cast, Id} -> ?assert(is_integer(Id));
                 bad -> ok
             end
         end || _ <- lists:seq(1, 20000)],
    ok.

sizes_test() ->
    Decode = fun(Frame) -> binary_to_term(iolist_to_binary(Frame)) end,
    Max = 1024,
    ?assertEqual({reply, 1, <<"x">>}, Decode(beamport_frame:final({reply, 1, <<"x">>}, Max))),
    {error, 1, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []} =
        Decode(beamport_frame:final({reply, 1, binary:copy(<<"x">>, Max)}, Max)),
    Long = binary:copy(<<"é"/utf8>>, Max),
    Error = beamport_frame:final({error, 1, exit, #{type => Long, message => Long}, [Long]}, Max),
    ?assert(iolist_size(Error) =< Max),
    {error, 1, exit, #{type := _, message := Cut}, []} = Decode(Error),
    ?assert(is_list(unicode:characters_to_list(Cut))),
    Log = beamport_frame:log(info, 1, nil, Long, #{file => Long}, Max),
    ?assert(iolist_size(Log) =< Max),
    ?assertMatch({log, info, 1, nil, _, #{}}, Decode(Log)),
    ?assertEqual({log, info, 1, 2, <<"t">>, #{line => 3}}, Decode(beamport_frame:log(info, 1, 2, <<"t">>, #{line => 3}, Max))).

ready_test() ->
    {ready, 1, #{otp := Otp, erts := Erts, pid := Pid}} = binary_to_term(iolist_to_binary(beamport_frame:ready())),
    ?assert(binary_to_integer(Otp) >= 25),
    ?assert(is_binary(Erts)),
    ?assertEqual(os:getpid(), integer_to_list(Pid)).
