%% @doc The link under load, in crashes, and with an other side that does not read.
-module(beamport_load_tests).

-include_lib("eunit/include/eunit.hrl").

-define(N, 10000).

start(Options) ->
    beamport_peer:start(Options#{flags => ["-beamport_callback", "link_callback"]}).

stop(Peer) ->
    ?assertEqual({0, <<>>}, beamport_peer:stop(Peer)).

many_calls_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(#{}),
             {{reply, Before}, []} = beamport_peer:call(Peer, processes),
             Ids = lists:seq(?N + 1, 2 * ?N),
             _ = [beamport_peer:send(Peer, {call, Id, forever}) || Id <- Ids],
             ?assertEqual({{reply, 1}, []}, beamport_peer:call(Peer, {echo, 1})),
             _ = [beamport_peer:send(Peer, {cancel, Id}) || Id <- Ids],
             Finals = beamport_peer:finals(Peer, ?N),
             ?assertEqual(Ids, lists:sort([Id || {error, Id, exit, #{type := <<"cancelled">>}, []} <- Finals])),
             %% What served them is let go of.
             settled(Peer, Before + 200),
             stop(Peer)
     end}.

settled(Peer, Max) ->
    case beamport_peer:call(Peer, processes) of
        {{reply, N}, []} when N =< Max -> ok;
        _ -> settled(Peer, Max)
    end.

%% Guardians that are still the group leader of some process are kept, and serve it.
kept_guardians_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(#{}),
             Ids = lists:seq(?N + 1, ?N + 1000),
             {{reply, ok}, []} = beamport_peer:call(Peer, {leave_printer, left}),
             {{reply, there}, []} = beamport_peer:call(Peer, {await, left}),
             {{reply, Before}, []} = beamport_peer:call(Peer, processes),
             _ = [beamport_peer:send(Peer, {call, Id, forever}) || Id <- Ids],
             _ = [beamport_peer:send(Peer, {cancel, Id}) || Id <- Ids],
             1000 = length(beamport_peer:finals(Peer, 1000)),
             settled(Peer, Before + 200),
             ?assertMatch({{reply, ok}, [{log, info, _, _, <<"still">>, _}]},
                          beamport_peer:call(Peer, {printer, left, <<"still\n">>})),
             stop(Peer)
     end}.

%% Any number of calls leaves nothing behind.
growth_test_() ->
    {timeout, 120,
     fun() ->
             Peer = start(#{}),
             batches(Peer, 10, 0),
             {{reply, {Processes, Memory}}, []} = beamport_peer:call(Peer, memory),
             batches(Peer, 100, 10),
             ?assertEqual(ok, shrinks(Peer, Processes + 130, Memory + 2000000, 1000)),
             stop(Peer)
     end}.

%% What is on its way out may still be there at first, but not when a thousand more calls
%% have been made.
shrinks(Peer, MaxProcesses, MaxMemory, Left) ->
    case beamport_peer:call(Peer, memory) of
        {{reply, {Processes, Memory}}, []} when Processes =< MaxProcesses, Memory < MaxMemory -> ok;
        {{reply, Grown}, []} when Left =:= 0 -> {grown, Grown};
        _ -> shrinks(Peer, MaxProcesses, MaxMemory, Left - 1)
    end.

%% A thousand calls, casts and streams each.
batches(Peer, N, From) ->
    _ = [begin
             First = (1 bsl 40) + Batch * 1000,
             _ = [beamport_peer:send(Peer, request(Id)) || Id <- lists:seq(First, First + 999)],
             ?assertEqual(1000, finals(Peer, 1000))
         end || Batch <- lists:seq(From + 1, From + N)],
    ok.

request(Id) when Id rem 10 =:= 0 -> {cast, Id, {echo, Id}};
request(Id) when Id rem 10 =:= 1 -> {call, Id, {stream, Id, [<<"a">>, <<"bc">>], done}, 100};
request(Id) when Id rem 10 =:= 2 -> {call, Id, {stream, Id, [<<"a">>, <<"bc">>], done}};
request(Id) when Id rem 10 =:= 3 -> {call, Id, kill_self};
request(Id) -> {call, Id, {echo, {Id, <<"something to carry">>}}}.

finals(_, 0) -> 0;
finals(Peer, N) ->
    case beamport_peer:frame(Peer) of
        {Kind, _, _} when Kind =:= head; Kind =:= chunk -> finals(Peer, N);
        {Kind, Id, What} when Kind =:= reply; Kind =:= done ->
            ?assert(What =:= done orelse element(1, What) =:= Id orelse element(1, What) =:= streamed),
            1 + finals(Peer, N - 1);
        {error, _, exit, #{type := <<"killed">>}, []} -> 1 + finals(Peer, N - 1);
        {ack, _} -> 1 + finals(Peer, N - 1)
    end.

%% Nobody reads: the calls that have something to say wait, and nothing else does.
back_pressure_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(#{gate => true}),
             File = beamport_peer:temporary(".report"),
             _ = [beamport_peer:send(Peer, {call, Id, {binary, 100000}}) || Id <- lists:seq(1, 100)],
             beamport_peer:send(Peer, {call, 200, {write_at_end, File}}),
             beamport_peer:send(Peer, {ping, 7}),
             ?assertEqual(begun, report(File)),
             beamport_peer:send(Peer, {cancel, 200}),
             ?assertEqual(killed, report(File ++ ".end")),
             beamport_peer:open_gate(Peer),
             {ready, 1, _} = beamport_peer:frame(Peer),
             Finals = pongless(Peer, 101),
             ?assertEqual(100, length([Id || {reply, Id, Reply} <- Finals, byte_size(Reply) =:= 100000])),
             ?assertMatch([_], [Id || {error, 200 = Id, exit, #{type := <<"cancelled">>}, []} <- Finals]),
             beamport_peer:send(Peer, {ping, 8}),
             ?assertEqual({pong, 8}, beamport_peer:frame(Peer)),
             beamport_peer:send(Peer, {stop, normal}),
             ?assertEqual(0, beamport_peer:await_exit(Peer))
     end}.

%% Whether a pong is dropped is a matter of when the pipe is full.
pongless(_, 0) -> [];
pongless(Peer, N) ->
    case beamport_peer:frame(Peer) of
        {pong, 7} -> pongless(Peer, N);
        Final -> [Final | pongless(Peer, N - 1)]
    end.

report(File) ->
    case file:read_file(File) of
        {ok, Bytes} -> ok = file:delete(File), binary_to_term(Bytes);
        {error, enoent} -> erlang:yield(), report(File)
    end.

%% Those who log wait as well: what they have to say does not pile up. The end of the
%% stream is seen in the midst of it.
log_flood_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(#{gate => true}),
             File = beamport_peer:temporary(".report"),
             Names = [flood1, flood2, flood3, flood4],
             _ = [beamport_peer:send(Peer, {call, Id, {flood_logs, Name}}) ||
                     {Id, Name} <- lists:zip([1, 2, 3, 4], Names)],
             {OsPid, Memory} = all_suspended(Peer, File, Names, 5),
             ?assert(Memory < 100000000),
             beamport_peer:close(Peer),
             ?assert(beamport_worker_program:is_gone(list_to_integer(OsPid))),
             beamport_peer:open_gate(Peer)
     end}.

all_suspended(Peer, File, Names, Id) ->
    beamport_peer:send(Peer, {call, Id, {report, File, Names}}),
    case report(File) of
        {OsPid, Memory, [suspended, suspended, suspended, suspended]} -> {OsPid, Memory};
        _ -> all_suspended(Peer, File, Names, Id + 1)
    end.

killed_watcher_test_() ->
    {timeout, 60,
     fun() ->
             Peer = start(#{}),
             beamport_peer:send(Peer, {call, 1, kill_watcher}),
             ?assertEqual(1, beamport_peer:await_exit(Peer)),
             ?assertEqual(<<"beamport: the process that watches the link ended\n">>, beamport_peer:output(Peer))
     end}.
