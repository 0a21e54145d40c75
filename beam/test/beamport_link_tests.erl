-module(beamport_link_tests).

-include_lib("eunit/include/eunit.hrl").

-define(MAX, 200000).

start() -> start([]).

start(Flags) ->
    beamport_peer:start(#{flags => ["-beamport_callback", "link_callback" | Flags]}).

stop(Peer) ->
    ?assertEqual({0, <<>>}, beamport_peer:stop(Peer)).

%% One emulator for tests that leave it as it was.
shared_test_() ->
    {setup, fun start/0, fun stop/1,
     fun(Peer) ->
             [{Title, {timeout, 120, fun() -> Test(Peer) end}} ||
                 {Title, Test} <- [{"terms come back", fun echo/1},
                                   {"ids in any encoding", fun ids/1},
                                   {"calls do not wait for one another", fun concurrent/1},
                                   {"failures", fun failures/1},
                                   {"processes that end", fun ends/1},
                                   {"cancel", fun cancel/1},
                                   {"cancel of nothing", fun cancel_nothing/1},
                                   {"a busy loop is cancelled", fun cancel_spin/1},
                                   {"cancel while it prints", fun cancel_flood/1},
                                   {"one final frame each, whatever is cancelled", fun races/1},
                                   {"no process is left", fun leaks/1},
                                   {"casts", fun casts/1},
                                   {"pings", fun pings/1},
                                   {"signals and junk for guardian and link", fun junk/1},
                                   {"frames are in order", fun order/1},
                                   {"what is printed is a log", fun prints/1},
                                   {"the I/O protocol", fun io_protocol/1},
                                   {"a process that a call leaves", fun left_printer/1},
                                   {"what calls leave behind has their ids", fun left_ids/1},
                                   {"a killed group leader", fun killed_guardian/1},
                                   {"events of the logger", fun logs/1},
                                   {"keys are no atoms", fun keys/1},
                                   {"atoms and functions that do not exist", fun unknown/1},
                                   {"large terms", fun large/1}]]
     end}.

echo(Peer) ->
    _ = [?assertEqual({{reply, Term}, []}, beamport_peer:call(Peer, {echo, Term})) ||
            Term <- [1, 1.5, true, <<>>, [], #{}, {}, [1 | 2], 1 bsl 100, #{<<"a">> => [<<"b">>]}, <<5:3>>]],
    ok.

ids(Peer) ->
    _ = [begin
             beamport_peer:send_raw(Peer, [<<131, 104, 3, 119, 4, "call">>, Bytes, <<119, 5, "atoms">>]),
             ?assertMatch({{reply, _}, []}, beamport_peer:final(Peer, Id))
         end || {Id, Bytes} <- [{200, <<97, 200>>}, {201, <<98, 201:32>>}, 
                                {1 bsl 58, <<110, 8, 0, (1 bsl 58):64/little>>},
                                {300, <<110, 8, 0, 300:64/little>>},
                                {301, <<111, 2:32, 0, 301:16/little>>}]],
    %% Other encodings of the tuple and the atom.
    beamport_peer:send_raw(Peer, <<131, 105, 3:32, 100, 4:16, "call", 97, 9, 115, 5, "atoms">>),
    ?assertMatch({{reply, _}, []}, beamport_peer:final(Peer, 9)),
    beamport_peer:send_raw(Peer, <<131, 104, 3, 118, 4:16, "call", 97, 10, 118, 5:16, "atoms">>),
    ?assertMatch({{reply, _}, []}, beamport_peer:final(Peer, 10)).

concurrent(Peer) ->
    beamport_peer:send(Peer, {call, 1001, {wait_until_told, waits}}),
    ?assertEqual({{reply, told}, []}, beamport_peer:call(Peer, {tell, waits})),
    ?assertEqual({{reply, waits}, []}, beamport_peer:final(Peer, 1001)).

failures(Peer) ->
    Fail = fun(Class, Reason) ->
                   {{error, C, #{type := T, message := M}, Stack}, []} =
                       beamport_peer:call(Peer, {raise, Class, Reason}),
                   ?assert(is_binary(M)),
                   ?assert(lists:all(fun is_binary/1, Stack)),
                   {C, T, M}
           end,
    ?assertMatch({error, <<"badarg">>, _}, Fail(error, badarg)),
    ?assertMatch({error, <<"badmatch">>, <<"no match of the value 5">>}, Fail(error, {badmatch, 5})),
    ?assertMatch({throw, <<"throw">>, _}, Fail(throw, 1)),
    ?assertMatch({exit, <<"exit">>, <<"the handler's process exited with reason normal">>}, Fail(exit, normal)),
    ?assertEqual({{error, returned, #{type => <<"T">>, message => <<"said so">>}, [<<"x:y/1">>]}, []},
                 beamport_peer:call(Peer, {returned, <<"T">>})),
    ?assertMatch({{error, error, #{type := <<"Runtime.BadAnswer">>}, []}, []}, beamport_peer:call(Peer, wrong)).

ends(Peer) ->
    ?assertMatch({{error, exit, #{type := <<"killed">>}, []}, []}, beamport_peer:call(Peer, kill_self)),
    ?assertMatch({{error, exit, #{type := <<"exit">>, message := <<"the handler's process exited with reason over">>}, []}, []},
                 beamport_peer:call(Peer, {link_crash, over})),
    ?assertMatch({{error, exit, #{message := <<"the handler's process exited with reason shutdown: x">>}, []}, []},
                 beamport_peer:call(Peer, {link_crash, {shutdown, x}})).

cancel(Peer) ->
    beamport_peer:send(Peer, {call, 2001, {wait_until_told, cancelled}}),
    {{reply, there}, []} = beamport_peer:call(Peer, {await, cancelled}),
    beamport_peer:send(Peer, {cancel, 2001}),
    ?assertMatch({{error, exit, #{type := <<"cancelled">>, message := _}, []}, []},
                 beamport_peer:final(Peer, 2001)),
    %% Its process is gone.
    beamport_peer:send(Peer, {call, 2002, {wait_until_told, cancelled}}),
    {{reply, told}, []} = beamport_peer:call(Peer, {tell, cancelled}),
    ?assertMatch({{reply, cancelled}, []}, beamport_peer:final(Peer, 2002)).

cancel_nothing(Peer) ->
    beamport_peer:send(Peer, {cancel, 3001}),
    echo(Peer),
    beamport_peer:no_frame(Peer).

cancel_spin(Peer) ->
    beamport_peer:send(Peer, {call, 4001, spin}),
    beamport_peer:send(Peer, {cancel, 4001}),
    ?assertMatch({{error, exit, #{type := <<"cancelled">>}, []}, []}, beamport_peer:final(Peer, 4001)).

cancel_flood(Peer) ->
    beamport_peer:send(Peer, {call, 4101, flood}),
    {log, info, _, 4101, _, _} = beamport_peer:frame(Peer),
    beamport_peer:send(Peer, {cancel, 4101}),
    ?assertMatch({{error, exit, #{type := <<"cancelled">>}, []}, _}, beamport_peer:final(Peer, 4101)).

races(Peer) ->
    N = 4000,
    First = 10000,
    Ids = lists:seq(First, First + N - 1),
    _ = rand:seed(exsss, {1, 2, 3}),
    %% Cancels come at once, a few calls later, twice, or not at all.
    _ = [begin
             beamport_peer:send(Peer, {call, Id, request(rand:uniform(3))}),
             _ = [beamport_peer:send(Peer, {cancel, Id - rand:uniform(4) + 1}) ||
                     _ <- lists:seq(1, rand:uniform(3) - 1)],
             ok
         end || Id <- Ids],
    _ = [beamport_peer:send(Peer, {cancel, Id}) || Id <- Ids],
    Finals = beamport_peer:finals(Peer, N),
    ?assertEqual(Ids, lists:sort([element(2, Final) || Final <- Finals])),
    Kinds = lists:usort([kind(Final) || Final <- Finals]),
    ?assertEqual([cancelled, reply], Kinds),
    echo(Peer),
    beamport_peer:no_frame(Peer).

request(1) -> forever;
request(2) -> {echo, 1};
request(3) -> {binary, 1000}.

kind({reply, _, _}) -> reply;
kind({error, _, exit, #{type := <<"cancelled">>}, []}) -> cancelled.

leaks(Peer) ->
    {{reply, Before}, []} = beamport_peer:call(Peer, processes),
    _ = [echo(Peer) || _ <- lists:seq(1, 200)],
    {{reply, After}, []} = beamport_peer:call(Peer, processes),
    %% Group leaders stay for a while.
    ?assert(After =< Before + 2 * 256).

casts(Peer) ->
    beamport_peer:send(Peer, {cast, 5001, {print, <<"cast\n">>}}),
    ?assertMatch({log, info, _, 5001, <<"cast">>, #{stream := stdout}}, beamport_peer:frame(Peer)),
    ?assertEqual({ack, 5001}, beamport_peer:frame(Peer)),
    beamport_peer:send(Peer, {cast, 5002, {raise, {badkey, x}}}),
    ?assertMatch({log, error, _, 5002, <<"badkey: the map has no key x", _/binary>>, _}, beamport_peer:frame(Peer)),
    ?assertEqual({ack, 5002}, beamport_peer:frame(Peer)),
    beamport_peer:send(Peer, {call, 5003, {wait_until_told, cast}}),
    beamport_peer:send(Peer, {cast, 5004, {tell, cast}}),
    ?assertEqual([{ack, 5004}, {reply, 5003, cast}], lists:sort(beamport_peer:finals(Peer, 2))),
    %% One that has been killed, or cancelled, or whose group leader is gone.
    _ = [begin
             beamport_peer:send(Peer, {cast, Id, What}),
             _ = [beamport_peer:send(Peer, {cancel, Id}) || What =:= forever],
             ?assertMatch({log, error, _, Id, <<Type:Size/binary, _/binary>>, _} when Size > 0,
                          beamport_peer:frame(Peer)),
             ?assertEqual({ack, Id}, beamport_peer:frame(Peer))
         end || {Id, What, Type} <- [{5005, kill_self, <<"killed">>}, {5006, forever, <<"cancelled">>},
                                     {5007, kill_guardian, <<"killed">>}],
                Size <- [byte_size(Type)]].

pings(Peer) ->
    beamport_peer:send(Peer, {call, 5101, spin}),
    _ = [begin
             beamport_peer:send(Peer, {ping, N}),
             ?assertEqual({pong, N}, beamport_peer:frame(Peer))
         end || N <- [0, 1, 1 bsl 40, (1 bsl 63) - 1]],
    beamport_peer:send(Peer, {cancel, 5101}),
    ?assertMatch({{error, exit, _, []}, []}, beamport_peer:final(Peer, 5101)).

junk(Peer) ->
    _ = [?assertEqual({{reply, alive}, []}, beamport_peer:call(Peer, {exit_guardian, Reason})) ||
            Reason <- [x, shutdown, normal]],
    _ = [?assertEqual({{reply, alive}, []}, beamport_peer:call(Peer, {link_guardian, Reason})) ||
            Reason <- [x, shutdown, normal]],
    ?assertEqual({{reply, sent}, []}, beamport_peer:call(Peer, junk)),
    echo(Peer).

order(Peer) ->
    N = 300,
    {{reply, done}, Logs} = beamport_peer:call(Peer, {lines, N}),
    Expected = [<<Kind, (integer_to_binary(I))/binary>> || I <- lists:seq(1, N), Kind <- "pls"],
    ?assertEqual(Expected, [Text || {log, _, _, _, Text, _} <- Logs]),
    [Id] = lists:usort([Id || {log, _, _, Id, _, _} <- Logs]),
    ?assert(is_integer(Id)).

prints(Peer) ->
    Printed = fun(Text) ->
                      {{reply, ok}, Logs} = beamport_peer:call(Peer, {print, Text}),
                      [T || {log, info, Time, _, T, #{stream := stdout}} <- Logs, is_integer(Time)]
              end,
    ?assertEqual([], Printed(<<>>)),
    ?assertEqual([<<"a">>], Printed("a\n")),
    ?assertEqual([<<"a">>], Printed("a")),
    ?assertEqual([<<>>], Printed("\n")),
    ?assertEqual([<<"a">>, <<>>, <<"b">>], Printed("a\n\nb")),
    ?assertEqual([<<"ünï"/utf8>>], Printed([$ü, <<"nï"/utf8>>])),
    Long = binary:copy(<<"ü"/utf8>>, 300000),
    Parts = Printed(Long),
    ?assertEqual(Long, iolist_to_binary(Parts)),
    ?assert(length(Parts) > 1),
    _ = [?assert(is_list(unicode:characters_to_list(Part))) || Part <- Parts],
    %% What is printed before a cancellation is not lost.
    beamport_peer:send(Peer, {call, 6001, {print_and_wait, <<"whole\npart">>}}),
    ?assertMatch({log, info, _, 6001, <<"whole">>, _}, beamport_peer:frame(Peer)),
    beamport_peer:send(Peer, {cancel, 6001}),
    ?assertMatch({{error, exit, #{type := <<"cancelled">>}, []}, [{log, info, _, 6001, <<"part">>, _}]},
                 beamport_peer:final(Peer, 6001)).

io_protocol(Peer) ->
    Ask = fun(Request) ->
                  {{reply, Reply}, Logs} = beamport_peer:call(Peer, {io, Request}),
                  {Reply, [Text || {log, _, _, _, Text, _} <- Logs]}
          end,
    ?assertEqual({ok, [<<"x 1">>]}, Ask({put_chars, unicode, io_lib, format, ["x ~p", [1]]})),
    ?assertEqual({ok, [<<"ü"/utf8>>]}, Ask({put_chars, latin1, <<"ü">>})),
    ?assertEqual({ok, [<<"a">>, <<"b">>]},
                 Ask({requests, [{put_chars, unicode, <<"a">>}, {put_chars, unicode, <<"\nb">>}]})),
    ?assertEqual({eof, []}, Ask({get_line, unicode, <<"> ">>})),
    ?assertMatch({[_ | _], []}, Ask(getopts)),
    ?assertEqual({{error, request}, []}, Ask(forever)).

left_printer(Peer) ->
    ?assertEqual({{reply, ok}, []}, beamport_peer:call(Peer, {leave_printer, left})),
    {{reply, there}, []} = beamport_peer:call(Peer, {await, left}),
    ?assertMatch({{reply, ok}, [{log, info, _, _, <<"still here">>, _}]},
                 beamport_peer:call(Peer, {printer, left, <<"still here\n">>})).

%% Whatever is under way by then, and however many calls have been.
left_ids(Peer) ->
    First = 1000000,
    Leave = fun(N) ->
                    beamport_peer:send(Peer, {call, First + N, {leave, N}}),
                    ?assertEqual({{reply, left}, []}, beamport_peer:final(Peer, First + N))
            end,
    Tell = fun(N) ->
                   {{reply, normal}, Logs} = beamport_peer:call(Peer, {tell_left, N}),
                   ?assertEqual([{First + N, <<"printed, ">>}, {First + N, <<"and by a child">>}, {First + N, <<"logged">>}],
                                [{Id, Text} || {log, _, _, Id, Text, _} <- Logs])
           end,
    Leave(0),
    Tell(0),
    _ = [Leave(N) || N <- lists:seq(1, 600)],
    _ = [echo(Peer) || _ <- lists:seq(1, 30)],
    _ = [Tell(N) || N <- lists:seq(1, 600)],
    ok.

killed_guardian(Peer) ->
    ?assertMatch({{error, exit, #{type := <<"killed">>}, []}, []}, beamport_peer:call(Peer, kill_guardian)),
    echo(Peer).

logs(Peer) ->
    {{reply, ok}, [{log, warning, Time, Id, Text, Meta}]} =
        beamport_peer:call(Peer, {log, warning, "line ~~ ~n", #{stream => <<"s">>, type => 1.5, message => {no, tuple},
                                                               file => "f.erl", line => 3,
                                                               mfa => {link_callback, handle_call, 1},
                                                               domain => [error, exit]}}),
    ?assert(is_integer(Id)),
    ?assert(abs(Time - os:system_time(microsecond)) < 60000000),
    ?assertEqual(<<"line ~ ">>, Text),
    ?assertMatch(#{stream := <<"s">>, type := 1.5, file := <<"f.erl">>, line := 3, pid := <<"<", _/binary>>,
                   mfa := <<"link_callback:handle_call/1">>, domain := <<"error.exit">>}, Meta),
    ?assertEqual(false, is_map_key(message, Meta)),
    %% Metadata may be anything.
    _ = [begin
             {{reply, ok}, [{log, warning, Now, _, <<"odd">>, Kept}]} = beamport_peer:call(Peer, {log, warning, "odd", Odd}),
             ?assert(abs(Now - os:system_time(microsecond)) < 60000000),
             ?assertMatch(#{pid := _}, Kept)
         end || Odd <- [#{time => 1 bsl 70}, #{time => -(1 bsl 63) - 1}, #{time => x}, #{domain => [<<"x">>]},
                        #{domain => [error | exit]}, #{mfa => x}, #{1 => 2}]],
    ?assertEqual({{reply, [beamport]}, []}, beamport_peer:call(Peer, handlers)).

keys(Peer) ->
    {{reply, Before}, []} = beamport_peer:call(Peer, atoms),
    N = list_to_integer(os:getenv("BEAMPORT_TEST_KEYS", "100000")),
    Size = 10000,
    _ = [begin
             Map = maps:from_list([{<<"key ", (integer_to_binary(Start + I))/binary>>, true} || I <- lists:seq(1, Size)]),
             ?assertEqual({{reply, Size}, []}, beamport_peer:call(Peer, {keys, Map}))
         end || Start <- lists:seq(0, N - Size, Size)],
    {{reply, After}, []} = beamport_peer:call(Peer, atoms),
    ?assert(After - Before < 10).

%% Only the request that names them fails, and none is made.
unknown(Peer) ->
    unknowns(Peer, 60000), % the modules that it takes are loaded
    {{reply, Before}, []} = beamport_peer:call(Peer, atoms),
    unknowns(Peer, 60100),
    ?assertEqual({{reply, Before}, []}, beamport_peer:call(Peer, atoms)).

unknowns(Peer, Id) ->
    beamport_peer:send(Peer, {call, Id, {wait_until_told, waits}}),
    Atom = <<119, 20, "never seen before :)">>,
    Unknown = {{error, error, #{type => <<"Runtime.UnknownAtom">>,
                                message => <<"the request names the atom never seen before :), which does not exist here">>},
                []}, []},
    _ = [begin
             beamport_peer:send_raw(Peer, Frame),
             ?assertEqual(Unknown, beamport_peer:final(Peer, N))
         end || {N, Frame} <-
                    [{Id + 1, <<131, 104, 3, 119, 4, "call", 98, (Id + 1):32, Atom/binary>>},
                     %% With credit, within a term, and in other encodings.
                     {Id + 2, <<131, 104, 4, 119, 4, "call", 98, (Id + 2):32, 116, 1:32, 97, 1, Atom/binary, 97, 100>>},
                     {Id + 3, <<131, 105, 3:32, 100, 4:16, "call", 111, 2:32, 0, (Id + 3):16/little, 115, 20, "never seen before :)">>}]],
    beamport_peer:send_raw(Peer, <<131, 104, 3, 119, 4, "call", 98, (Id + 4):32, 113, 119, 5, "lists", 119, 3, "map", 97, 99>>),
    ?assertMatch({{error, error, #{type := <<"Runtime.UnknownFunction">>}, []}, []}, beamport_peer:final(Peer, Id + 4)),
    beamport_peer:send_raw(Peer, <<131, 104, 3, 119, 4, "cast", 98, (Id + 5):32, Atom/binary>>),
    {ack, [{log, error, _, Cast, <<"Runtime.UnknownAtom: ", _/binary>>, _}]} = beamport_peer:final(Peer, Id + 5),
    ?assertEqual(Id + 5, Cast),
    ?assertEqual({{reply, told}, []}, beamport_peer:call(Peer, {tell, waits})),
    ?assertEqual({{reply, waits}, []}, beamport_peer:final(Peer, Id)).

large(Peer) ->
    Size = 5000000,
    ?assertEqual({{reply, Size}, []}, beamport_peer:call(Peer, {size, binary:copy(<<"y">>, Size)})),
    {{reply, Reply}, []} = beamport_peer:call(Peer, {binary, Size}),
    ?assertEqual(Size, byte_size(Reply)).

%% Frames and their maximum.

limit_test_() ->
    {setup, fun() -> start(["-beamport_max_packet", integer_to_list(?MAX)]) end, fun stop/1,
     fun(Peer) ->
             [{"a reply that is too large", fun() -> too_large(Peer) end},
              {"an error that is too large", fun() -> error_too_large(Peer) end},
              {"a log that is too large", fun() -> log_too_large(Peer) end},
              {"exactly the maximum", fun() -> exact(Peer) end}]
     end}.

too_large(Peer) ->
    {{error, error, #{type := Type, message := Message}, []}, []} = beamport_peer:call(Peer, {binary, ?MAX}),
    ?assertEqual(<<"Function.ResponseSizeTooLarge">>, Type),
    ?assertMatch({match, _}, re:run(Message, integer_to_list(?MAX))),
    ?assertMatch({match, _}, re:run(Message, "takes 2000[0-9][0-9] bytes")),
    echo(Peer).

error_too_large(Peer) ->
    {{error, error, #{type := Type, message := Message}, []}, []} =
        beamport_peer:call(Peer, {long_message, ?MAX}),
    ?assert(byte_size(Type) + byte_size(Message) < ?MAX),
    ?assert(is_list(unicode:characters_to_list(Message))),
    echo(Peer).

log_too_large(Peer) ->
    {{reply, ok}, [{log, error, _, _, Text, _}]} =
        beamport_peer:call(Peer, {log_long, 190000}),
    ?assert(byte_size(Text) < ?MAX),
    ?assertEqual(<<"…"/utf8>>, binary:part(Text, byte_size(Text), -3)),
    ?assertMatch({{reply, ok}, [{log, info, _, _, _, _}]}, beamport_peer:call(Peer, {print_long, 120000})).

exact(Peer) ->
    %% {reply, Id, Binary} with an id of five bytes.
    Id = 100000,
    Head = byte_size(beamport_peer:encode({reply, Id, <<>>})),
    beamport_peer:send(Peer, {call, Id, {binary, ?MAX - Head}}),
    {{reply, Reply}, []} = beamport_peer:final(Peer, Id),
    ?assertEqual(?MAX - Head, byte_size(Reply)),
    beamport_peer:send(Peer, {call, Id + 1, {binary, ?MAX - Head + 1}}),
    ?assertMatch({{error, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []}, []},
                 beamport_peer:final(Peer, Id + 1)).

%% Ends.

bad_frames_test_() ->
    [{Title, {timeout, 60, fun() -> bad_frame(Bytes, Text) end}} ||
        {Title, Bytes, Text} <-
            [{"no term", <<"nonsense">>, "none of the protocol's"},
             {"empty", <<>>, "none of the protocol's"},
             {"another tuple", beamport_peer:encode({hello, 1}), "none of the protocol's"},
             {"another size", beamport_peer:encode({call, 1}), "none of the protocol's"},
             {"an id of zero", beamport_peer:encode({call, 0, atoms}), "none of the protocol's"},
             {"a cast without an id", beamport_peer:encode({cast, atoms}), "none of the protocol's"},
             {"a credit of nothing", beamport_peer:encode({credit, 1, 0}), "none of the protocol's"},
             {"a credit that is none", beamport_peer:encode({call, 1, atoms, x}), "not a term"},
             {"a negative id", beamport_peer:encode({call, -1, atoms}), "none of the protocol's"},
             {"an id that is none", beamport_peer:encode({cancel, x}), "none of the protocol's"},
             {"a reply", beamport_peer:encode({reply, 1, x}), "none of the protocol's"},
             {"bytes behind the term", <<(beamport_peer:encode({call, 1, atoms}))/binary, 0>>, "not a term"},
             {"a term that ends early", binary:part(beamport_peer:encode({call, 1, {echo, <<"abc">>}}), 0, 20), "not a term"},
             {"an unknown atom, and too little behind it",
              <<131, 104, 3, 119, 4, "call", 97, 1, 104, 2, 119, 20, "never seen before :)">>, "not a term"},
             {"an unknown frame", <<131, 104, 2, 119, 20, "never seen before :)", 97, 1>>, "none of the protocol's"},
             {"compressed", term_to_binary({cancel, 1 bsl 4000}, [compressed]), "none of the protocol's"},
             {"an id again", [{call, 7, forever}, {call, 7, forever}], "call 7 came twice"},
             {"an id of a call for a cast", [{call, 7, forever}, {cast, 7, forever}], "cast 7 came twice"},
             {"over the maximum", <<0:(?MAX * 8), 0>>, "200001 bytes came; the maximum is 200000"}]].

bad_frame(Frames, Text) ->
    Peer = start(["-beamport_max_packet", integer_to_list(?MAX)]),
    case Frames of
        [_ | _] -> [beamport_peer:send(Peer, Frame) || Frame <- Frames];
        _ -> beamport_peer:send_raw(Peer, Frames)
    end,
    ?assertEqual(1, beamport_peer:await_exit(Peer)),
    ?assertMatch({match, _}, re:run(beamport_peer:output(Peer), ["^beamport: .*", Text, ".*\n$"])).

end_of_stream_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(),
             beamport_peer:send(Peer, {call, 1, spin}),
             beamport_peer:send(Peer, {call, 2, flood}),
             {log, info, _, 2, _, _} = beamport_peer:frame(Peer),
             Pid = beamport_peer:os_pid(Peer),
             beamport_peer:close(Peer),
             gone(Pid)
     end}.

%% The other side reads no more, but holds what it writes to: that is the end as well.
end_of_output_test_() ->
    {timeout, 60,
     fun() ->
             Peer = beamport_peer:start(#{flags => ["-beamport_callback", "link_callback"], gate => shut}),
             beamport_peer:send(Peer, {call, 1, flood}),
             Pid = beamport_peer:emulator(Peer),
             beamport_peer:open_gate(Peer),
             gone(Pid),
             beamport_peer:close(Peer)
     end}.

%% Waits for the end of a process; the test's time is the limit.
gone(Pid) ->
    case beamport_peer:is_alive(Pid) of
        true -> gone(Pid);
        false -> ok
    end.

killed_link_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(),
             beamport_peer:send(Peer, {call, 1, kill_link}),
             ?assertEqual(1, beamport_peer:await_exit(Peer)),
             ?assertEqual(<<"beamport: the link ended: killed\n">>, beamport_peer:output(Peer))
     end}.

stop_test_() ->
    [{"the callback is told", {timeout, 60, fun stop_told/0}},
     {"a stop that does not end", {timeout, 60, fun stop_hangs/0}},
     {"calls that run", {timeout, 60, fun stop_busy/0}}].

stop_told() ->
    Peer = start(),
    {{reply, ok}, []} = beamport_peer:call(Peer, {after_stop, <<"bye">>}),
    beamport_peer:send(Peer, {stop, normal}),
    ?assertMatch({log, error, _, nil, <<"bye normal">>, _}, beamport_peer:frame(Peer)),
    ?assertEqual(0, beamport_peer:await_exit(Peer)).

stop_hangs() ->
    Peer = start(),
    {{reply, ok}, []} = beamport_peer:call(Peer, hang_on_stop),
    stop(Peer).

stop_busy() ->
    Peer = start(),
    beamport_peer:send(Peer, {call, 1, forever}),
    beamport_peer:send(Peer, {call, 2, spin}),
    stop(Peer).

stdout_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(),
             ?assertEqual({{reply, ok}, []}, beamport_peer:call(Peer, {print_to_user, <<"noise">>})),
             ?assertMatch({{reply, ok}, [_]}, beamport_peer:call(Peer, {log, error, "not there", #{}})),
             ?assertEqual({0, <<"noise">>}, beamport_peer:stop(Peer))
     end}.

flags_test_() ->
    [{string:join(Flags, " "), {timeout, 60, fun() -> bad_flags(Flags, Text) end}} ||
        {Flags, Text} <- [{["-beamport_max_packet", "x"], "beamport_max_packet has no usable value"},
                          {["-beamport_max_packet", "1023"], "beamport_max_packet has no usable value"},
                          {["-beamport_max_packet"], "beamport_max_packet has no usable value"},
                          {["-beamport_fds", "3"], "beamport_fds has no usable value"},
                          {["-beamport_callback", "not_there"], "there is no callback module not_there"}]].

bad_flags(Flags, Text) ->
    Peer = beamport_peer:start(#{flags => Flags, ready => false}),
    ?assertEqual(1, beamport_peer:await_exit(Peer)),
    ?assertMatch({match, _}, re:run(beamport_peer:output(Peer), Text)).
