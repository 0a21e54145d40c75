%% @doc Streamed answers, over a link.
-module(beamport_stream_call_tests).

-include_lib("eunit/include/eunit.hrl").

-define(MAX, 200000).

shared_test_() ->
    {setup,
     fun() ->
             beamport_peer:start(#{flags => ["-beamport_callback", "link_callback",
                                             "-beamport_max_packet", integer_to_list(?MAX)]})
     end,
     fun(Peer) -> ?assertEqual({0, <<>>}, beamport_peer:stop(Peer)) end,
     fun(Peer) ->
             [{Title, {timeout, 60, fun() -> Test(Peer) end}} ||
                 {Title, Test} <- [{"parts within the credit", fun within/1},
                                   {"a part is split at the credit", fun split/1},
                                   {"no credit at first", fun no_credit/1},
                                   {"credit before the call has begun", fun early_credit/1},
                                   {"chunks fit a frame", fun large/1},
                                   {"every division of credit", fun divisions/1},
                                   {"a stream of nothing", fun nothing/1},
                                   {"a head and a done that are too large", fun too_large/1},
                                   {"failures within a stream", fun failures/1},
                                   {"a cancel interrupts who waits for credit", fun cancel_waiting/1},
                                   {"a cancel interrupts who emits without end", fun cancel_endless/1},
                                   {"a slow reader holds up nobody else", fun slow_reader/1},
                                   {"other processes may emit", fun helper/1},
                                   {"code that takes all messages", fun rude/1},
                                   {"a plain reply to a call with credit", fun plain/1},
                                   {"collected for a call without credit", fun collected/1},
                                   {"too much to collect", fun collected_too_large/1},
                                   {"credit for what is not open", fun credit_unknown/1},
                                   {"a killed guardian within a stream", fun killed/1}]]
     end}.

%% The frames of a call until its final one, which is the last.
frames(Peer, Id) ->
    case beamport_peer:frame(Peer) of
        {Kind, Id, _} = Frame when Kind =:= head; Kind =:= chunk -> [Frame | frames(Peer, Id)];
        Final when element(2, Final) =:= Id -> [Final]
    end.

within(Peer) ->
    beamport_peer:send(Peer, {call, 9001, {stream, #{<<"a">> => 1}, [<<"one">>, ["t", <<"wo">>], <<>>, []], 2}, 1000}),
    ?assertEqual([{head, 9001, #{<<"a">> => 1}}, {chunk, 9001, <<"one">>}, {chunk, 9001, <<"two">>}, {done, 9001, 2}],
                 frames(Peer, 9001)).

split(Peer) ->
    beamport_peer:send(Peer, {call, 9002, {stream, 0, [<<"0123456789">>, <<"ab">>], 0}, 4}),
    {head, 9002, 0} = beamport_peer:frame(Peer),
    ?assertEqual({chunk, 9002, <<"0123">>}, beamport_peer:frame(Peer)),
    quiet(Peer),
    beamport_peer:send(Peer, {credit, 9002, 1}),
    ?assertEqual({chunk, 9002, <<"4">>}, beamport_peer:frame(Peer)),
    quiet(Peer),
    beamport_peer:send(Peer, {credit, 9002, 6}),
    ?assertEqual({chunk, 9002, <<"56789">>}, beamport_peer:frame(Peer)),
    ?assertEqual({chunk, 9002, <<"a">>}, beamport_peer:frame(Peer)),
    beamport_peer:send(Peer, {credit, 9002, 1}),
    ?assertEqual([{chunk, 9002, <<"b">>}, {done, 9002, 0}], frames(Peer, 9002)).

%% A call after which nothing else has come.
quiet(Peer) ->
    ?assertEqual({{reply, 1}, []}, beamport_peer:call(Peer, {echo, 1})),
    beamport_peer:no_frame(Peer).

no_credit(Peer) ->
    beamport_peer:send(Peer, {call, 9003, {stream, 0, [<<"a">>], 0}, 0}),
    {head, 9003, 0} = beamport_peer:frame(Peer),
    quiet(Peer),
    beamport_peer:send(Peer, {credit, 9003, 100}),
    ?assertEqual([{chunk, 9003, <<"a">>}, {done, 9003, 0}], frames(Peer, 9003)).

early_credit(Peer) ->
    _ = [beamport_peer:send(Peer, Frame) || Frame <- [{call, 9004, {stream, 0, [<<"abc">>], 0}, 1}, {credit, 9004, 1},
                                                      {credit, 9004, 1}]],
    {head, 9004, 0} = beamport_peer:frame(Peer),
    Chunks = [Bytes || {chunk, 9004, Bytes} <- frames(Peer, 9004)],
    ?assertEqual(<<"abc">>, iolist_to_binary(Chunks)).

large(Peer) ->
    Size = 5 * ?MAX,
    beamport_peer:send(Peer, {call, 9005, {stream_made, part, Size}, 1 bsl 40}),
    [{head, 9005, head} | More] = frames(Peer, 9005),
    Chunks = [Bytes || {chunk, 9005, Bytes} <- More],
    ?assertEqual(Size, iolist_size(Chunks)),
    ?assert(lists:all(fun(Bytes) -> byte_size(Bytes) > 0 end, Chunks)),
    ?assert(lists:all(fun(Frame) -> byte_size(beamport_peer:encode(Frame)) =< ?MAX end, More)).

%% Whatever the parts and the grants are: the bytes come in order, and never more of
%% them than was granted.
divisions(Peer) ->
    _ = rand:seed(exsss, {3, 1, 4}),
    _ = [division(Peer, 1000 + I) || I <- lists:seq(1, 200)],
    ok.

division(Peer, Id) ->
    Parts = [rand:bytes(rand:uniform(50) - 1) || _ <- lists:seq(1, rand:uniform(8))],
    Body = iolist_to_binary(Parts),
    First = rand:uniform(30) - 1,
    beamport_peer:send(Peer, {call, Id, {stream, 0, Parts, 0}, First}),
    {head, Id, 0} = beamport_peer:frame(Peer),
    ?assertEqual(Body, granted(Peer, Id, First, byte_size(Body), <<>>)).

granted(Peer, Id, 0, Left, Sofar) when Left > 0 ->
    More = rand:uniform(40),
    beamport_peer:send(Peer, {credit, Id, More}),
    granted(Peer, Id, More, Left, Sofar);
granted(Peer, Id, Credit, Left, Sofar) ->
    case beamport_peer:frame(Peer) of
        {chunk, Id, Bytes} ->
            ?assert(byte_size(Bytes) > 0 andalso byte_size(Bytes) =< Credit),
            granted(Peer, Id, Credit - byte_size(Bytes), Left - byte_size(Bytes), <<Sofar/binary, Bytes/binary>>);
        {done, Id, 0} ->
            Sofar
    end.

nothing(Peer) ->
    beamport_peer:send(Peer, {call, 9006, {stream, 0, [<<>>], 1}, 0}),
    ?assertEqual([{head, 9006, 0}, {done, 9006, 1}], frames(Peer, 9006)).

too_large(Peer) ->
    Term = lists:duplicate(20000, 1.5),
    beamport_peer:send(Peer, {call, 9007, {stream_made, head, ?MAX}, 0}),
    ?assertMatch([{error, 9007, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []}], frames(Peer, 9007)),
    beamport_peer:send(Peer, {call, 9008, {stream_made, done, ?MAX}, 0}),
    ?assertMatch([{head, 9008, _}, {error, 9008, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []}],
                 frames(Peer, 9008)),
    ?assertEqual({{reply, Term}, []}, beamport_peer:call(Peer, {echo, Term})).

failures(Peer) ->
    beamport_peer:send(Peer, {call, 9009, {stream_raise, [<<"a">>]}, 100}),
    ?assertMatch([{head, 9009, _}, {chunk, 9009, <<"a">>}, {error, 9009, error, #{type := <<"raised">>}, [_ | _]}],
                 frames(Peer, 9009)),
    beamport_peer:send(Peer, {call, 9010, {stream_bad, [nothing]}, 100}),
    ?assertMatch([{head, 9010, _}, {error, 9010, error, #{type := <<"badarg">>}, _}], frames(Peer, 9010)),
    ?assertMatch({{error, error, #{type := <<"raised">>}, [_ | _]}, []},
                 beamport_peer:call(Peer, {stream_raise, [<<"a">>]})).

cancel_waiting(Peer) ->
    beamport_peer:send(Peer, {call, 9011, {stream, 0, [<<"abc">>], 0}, 1}),
    {head, 9011, 0} = beamport_peer:frame(Peer),
    {chunk, 9011, <<"a">>} = beamport_peer:frame(Peer),
    beamport_peer:send(Peer, {cancel, 9011}),
    ?assertMatch([{error, 9011, exit, #{type := <<"cancelled">>}, []}], frames(Peer, 9011)),
    beamport_peer:send(Peer, {credit, 9011, 100}),
    quiet(Peer).

cancel_endless(Peer) ->
    beamport_peer:send(Peer, {call, 9012, stream_forever, 1 bsl 60}),
    {head, 9012, _} = beamport_peer:frame(Peer),
    {chunk, 9012, _} = beamport_peer:frame(Peer),
    beamport_peer:send(Peer, {cancel, 9012}),
    ?assertMatch({error, 9012, exit, #{type := <<"cancelled">>}, []}, lists:last(frames(Peer, 9012))).

slow_reader(Peer) ->
    _ = [beamport_peer:send(Peer, {call, Id, {stream, 0, [<<"abc">>], 0}, 1}) || Id <- lists:seq(2000, 2099)],
    ?assertEqual(200, length([beamport_peer:frame(Peer) || _ <- lists:seq(1, 200)])),
    _ = [quiet(Peer) || _ <- lists:seq(1, 10)],
    _ = [beamport_peer:send(Peer, {credit, Id, 2}) || Id <- lists:seq(2000, 2099)],
    Frames = [beamport_peer:frame(Peer) || _ <- lists:seq(1, 200)],
    ?assertEqual(100, length([Id || {done, Id, 0} <- Frames])),
    ?assertEqual(100, length([Id || {chunk, Id, <<"bc">>} <- Frames])).

helper(Peer) ->
    beamport_peer:send(Peer, {call, 9013, {stream_helper, [<<"a">>, <<"b">>]}, 100}),
    ?assertMatch([{head, 9013, _}, {chunk, 9013, <<"a">>}, {chunk, 9013, <<"b">>}, {done, 9013, normal}], frames(Peer, 9013)).

rude(Peer) ->
    beamport_peer:send(Peer, {call, 9014, {stream_rude, left, <<"abc">>}, 1}),
    {head, 9014, _} = beamport_peer:frame(Peer),
    beamport_peer:send(Peer, {credit, 9014, 2}),
    %% The credit may come before the first byte has gone.
    Frames = frames(Peer, 9014),
    ?assertEqual(<<"abc">>, iolist_to_binary([Data || {chunk, 9014, Data} <- Frames])),
    ?assertEqual({done, 9014, done}, lists:last(Frames)),
    %% The call is over, whoever still emits.
    {{reply, there}, []} = beamport_peer:call(Peer, {await, left}),
    ?assertEqual({{reply, {'EXIT', {shutdown, closed}}}, []}, beamport_peer:call(Peer, {stream_rude_result, left})).

plain(Peer) ->
    beamport_peer:send(Peer, {call, 9015, {echo, 5}, 100}),
    ?assertEqual([{reply, 9015, 5}], frames(Peer, 9015)).

collected(Peer) ->
    ?assertEqual({{reply, {streamed, x, <<"onetwo">>, over}}, []},
                 beamport_peer:call(Peer, {stream, x, [<<"one">>, ["two"], <<>>], over})),
    ?assertEqual({{reply, {streamed, x, <<>>, over}}, []}, beamport_peer:call(Peer, {stream, x, [], over})).

collected_too_large(Peer) ->
    ?assertMatch({{error, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []}, []},
                 beamport_peer:call(Peer, stream_forever)),
    %% All parts fit, but not together with what is around them.
    ?assertMatch({{error, error, #{type := <<"Function.ResponseSizeTooLarge">>}, []}, []},
                 beamport_peer:call(Peer, {stream_made, part, ?MAX})),
    quiet(Peer).

credit_unknown(Peer) ->
    beamport_peer:send(Peer, {credit, 9077, 5}),
    beamport_peer:send(Peer, {call, 9016, {wait_until_told, waits}}),
    beamport_peer:send(Peer, {credit, 9016, 5}),
    {{reply, told}, []} = beamport_peer:call(Peer, {tell, waits}),
    ?assertEqual([{reply, 9016, waits}], frames(Peer, 9016)).

killed(Peer) ->
    beamport_peer:send(Peer, {call, 9017, {stream_wait, waits, <<"abc">>}, 3}),
    {head, 9017, _} = beamport_peer:frame(Peer),
    {chunk, 9017, <<"abc">>} = beamport_peer:frame(Peer),
    {{reply, there}, []} = beamport_peer:call(Peer, {await, waits}),
    {{reply, true}, []} = beamport_peer:call(Peer, {kill_leader_of, waits}),
    ?assertMatch([{error, 9017, exit, #{type := <<"killed">>}, []}], frames(Peer, 9017)),
    quiet(Peer).
