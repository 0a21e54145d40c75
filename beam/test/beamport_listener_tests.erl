%% @doc The listener with clients, and with peers that speak frame by frame.
-module(beamport_listener_tests).

-include_lib("eunit/include/eunit.hrl").

-define(C, beamport_client).

path() ->
    Name = "beamport-" ++ os:getpid() ++ "-" ++ integer_to_list(erlang:unique_integer([positive])) ++ ".sock",
    filename:join(os:getenv("TMPDIR", "/tmp"), Name).

listener(Options) ->
    Given = maps:merge(#{listen => {tcp, {127, 0, 0, 1}, 0}, callback => link_callback}, Options),
    {ok, Listener} = beamport_listener:start_link(Given),
    {Listener, maps:get(address, beamport_listener:info(Listener))}.

client(Address) -> client(Address, #{}).

client(Address, Options) ->
    {ok, Client} = ?C:start(Options#{connect => Address}),
    Client.

each(Options, Tests) ->
    [{Title, {timeout, 60, fun() ->
                                   Before = lists:sort(processes()),
                                   {Listener, Address} = listener(Options()),
                                   Test(Listener, Address),
                                   connections(Listener, 0),
                                   ok = beamport_listener:stop(Listener),
                                   none_left(Before)
                           end}} || {Title, Test} <- Tests].

%% Waits until there are as many connections; the test's time is the limit.
connections(Listener, N) ->
    case beamport_listener:info(Listener) of
        #{connections := N} -> ok;
        _ -> erlang:yield(), connections(Listener, N)
    end.

none_left(Before) ->
    case processes() -- Before of
        [] -> ok;
        _ -> erlang:yield(), none_left(Before)
    end.

tcp_test_() ->
    each(fun() -> #{} end,
         [{"terms", fun terms/2}, {"many clients", fun many/2}, {"streams", fun streams/2},
          {"a connection's end ends its calls", fun ends/2}, {"a stop closes", fun stops/2},
          {"frames that are none", fun violations/2}, {"pings", fun pings/2},
          {"one that does not read", fun deaf/2}, {"large terms", fun large/2},
          {"what is printed", fun prints/2}, {"a killed connection", fun killed/2},
          {"a listener's end ends all", fun listener_ends/2}]).

unix_test_() ->
    each(fun() -> #{listen => {unix, path()}} end,
         [{"terms", fun terms/2}, {"many clients", fun many/2}, {"large terms", fun large/2}]).

terms(_, Address) ->
    Client = client(Address),
    _ = [?assertEqual({ok, Term}, ?C:call(Client, {echo, Term})) || Term <- [1, 1.5, <<>>, #{<<"a">> => [{}]}]],
    ok = ?C:cast(Client, {raise, badkey}),
    ?assertMatch({error, {failed, #{type := <<"badmatch">>}}}, ?C:call(Client, {raise, error, {badmatch, 1}})),
    ok = ?C:stop(Client).

many(Listener, Address) ->
    Self = self(),
    Clients = [client(Address, #{max_in_flight => 7}) || _ <- lists:seq(1, 10)],
    connections(Listener, 10),
    Pids = [spawn_link(fun() ->
                               _ = [?assertEqual({ok, {self(), I}}, ?C:call(Client, {echo, {self(), I}}, infinity)) ||
                                       I <- lists:seq(1, 50)],
                               Self ! {self(), done}
                       end) || Client <- Clients, _ <- lists:seq(1, 10)],
    _ = [receive {Pid, done} -> ok end || Pid <- Pids],
    _ = [begin
             ?assertMatch(#{calls := 500, unknown := 0, late := 0}, ?C:info(Client)),
             ok = ?C:stop(Client)
         end || Client <- Clients],
    ok.

streams(_, Address) ->
    Client = client(Address),
    Add = fun(Part, Size) -> Size + byte_size(Part) end,
    ?assertEqual({ok, head, done, 3000000}, ?C:fold(Client, {stream_made, part, 3000000}, Add, 0, [{window, 5000}])),
    {ok, _, Stream} = ?C:stream(Client, stream_forever, []),
    {ok, _} = ?C:read(Stream),
    ok = ?C:close(Stream),
    ?assertEqual({ok, 1}, ?C:call(Client, {echo, 1})),
    ok = ?C:stop(Client).

%% A peer of a few lines.
peer({tcp, Address, Port}) ->
    {ok, Socket} = gen_tcp:connect(Address, Port, [binary, {packet, 4}, {active, false}]),
    {ready, 1, _} = recv(Socket),
    Socket.

recv(Socket) ->
    {ok, Frame} = gen_tcp:recv(Socket, 0),
    binary_to_term(Frame).

send(Socket, Term) ->
    ok = gen_tcp:send(Socket, beamport_peer:encode(Term)).

ends(Listener, Address) ->
    Socket = peer(Address),
    _ = [send(Socket, {call, Id, spin}) || Id <- lists:seq(1, 5)],
    send(Socket, {call, 6, {wait_until_told, waits}}),
    Other = peer(Address),
    send(Other, {call, 1, {await, waits}}),
    {reply, 1, there} = recv(Other),
    Ref = monitor(process, waits),
    ok = gen_tcp:close(Socket),
    ended(Ref),
    connections(Listener, 1),
    send(Other, {call, 2, {echo, 1}}),
    ?assertEqual({reply, 2, 1}, recv(Other)),
    ok = gen_tcp:close(Other).

stops(_, Address) ->
    Socket = peer(Address),
    send(Socket, {call, 1, forever}),
    send(Socket, {stop, normal}),
    ?assertEqual({error, closed}, gen_tcp:recv(Socket, 0)).

violations(_, Address) ->
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    _ = [begin
             Socket = peer(Address),
             ok = gen_tcp:send(Socket, Bytes),
             ?assertEqual({error, closed}, closed(gen_tcp:recv(Socket, 0)))
         end || Bytes <- [<<"nonsense">>, <<>>, beamport_peer:encode({call, 0, x}),
                          beamport_peer:encode({reply, 1, x}),
                          <<(beamport_peer:encode({call, 1, atoms}))/binary, 0>>,
                          <<131, 104, 3, 119, 4, "call", 97, 1, 104, 2, 119, 20, "never seen before :)">>]],
    %% A length alone that is over the maximum.
    {tcp, Ip, Port} = Address,
    {ok, Raw} = gen_tcp:connect(Ip, Port, [binary, {active, false}]),
    ok = gen_tcp:send(Raw, <<16#7fffffff:32>>),
    ?assertEqual({error, closed}, drained(Raw)),
    ok = logger:set_primary_config(level, Level),
    terms(none, Address).

%% A monitor that reaches a process together with the signal that kills it may find
%% nobody.
ended(Ref) ->
    receive {'DOWN', Ref, process, _, Reason} -> ?assert(Reason =:= killed orelse Reason =:= noproc) end.

%% What was sent and not read may reset a connection.
closed({error, econnreset}) -> {error, closed};
closed(Result) -> Result.

drained(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, _} -> drained(Socket);
        Error -> closed(Error)
    end.

pings(_, Address) ->
    Socket = peer(Address),
    send(Socket, {call, 1, spin}),
    _ = [begin
             send(Socket, {ping, N}),
             ?assertEqual({pong, N}, recv(Socket))
         end || N <- lists:seq(1, 20)],
    ok = gen_tcp:close(Socket).

%% Whoever does not read holds up neither others nor the end of its own calls.
deaf(Listener, Address) ->
    Socket = peer(Address),
    _ = [send(Socket, {call, Id, {binary, 1000000}}) || Id <- lists:seq(1, 50)],
    send(Socket, {call, 51, {wait_until_told, waits}}),
    _ = [send(Socket, {ping, N}) || N <- lists:seq(1, 50)],
    Other = peer(Address),
    send(Other, {call, 1, {await, waits}}),
    {reply, 1, there} = recv(Other),
    Ref = monitor(process, waits),
    send(Socket, {cancel, 51}),
    ended(Ref),
    %% A stop ends it, whatever waits to be written.
    send(Socket, {stop, normal}),
    connections(Listener, 1),
    ok = gen_tcp:close(Socket),
    ok = gen_tcp:close(Other).

large(_, Address) ->
    Client = client(Address),
    Size = 20000000,
    ?assertEqual({ok, Size}, ?C:call(Client, {size, binary:copy(<<"y">>, Size)}, 30000)),
    {ok, Reply} = ?C:call(Client, {binary, Size}, 30000),
    ?assertEqual(Size, byte_size(Reply)),
    ok = ?C:stop(Client).

prints(_, Address) ->
    Socket = peer(Address),
    send(Socket, {call, 1, {print, <<"hello\n">>}}),
    ?assertMatch({log, info, _, 1, <<"hello">>, #{stream := stdout}}, recv(Socket)),
    ?assertEqual({reply, 1, ok}, recv(Socket)),
    ok = gen_tcp:close(Socket).

killed(_, Address) ->
    Socket = peer(Address),
    send(Socket, {call, 1, {wait_until_told, waits}}),
    send(Socket, {call, 2, {await, waits}}),
    {reply, 2, there} = recv(Socket),
    Ref = monitor(process, waits),
    {connected, Connection} = erlang:port_info(socket_of(Socket), connected),
    exit(Connection, kill),
    ended(Ref),
    ?assertEqual({error, closed}, gen_tcp:recv(Socket, 0)).

%% The socket at the other end, in this same emulator.
socket_of(Socket) ->
    {ok, Ours} = inet:sockname(Socket),
    [Other] = [Port || Port <- erlang:ports(), {name, "tcp_inet"} =:= erlang:port_info(Port, name),
                       {ok, Ours} =:= inet:peername(Port)],
    Other.

listener_ends(_, _) ->
    {Listener, Address} = listener(#{}),
    Socket = peer(Address),
    send(Socket, {call, 1, spin}),
    send(Socket, {ping, 1}),
    {pong, 1} = recv(Socket),
    ok = beamport_listener:stop(Listener),
    ?assertEqual({error, closed}, gen_tcp:recv(Socket, 0)).

max_connections_test_() ->
    {timeout, 30,
     fun() ->
             {Listener, {tcp, Ip, Port} = Address} = listener(#{max_connections => 2}),
             [First, Second] = [peer(Address) || _ <- [1, 2]],
             {ok, Third} = gen_tcp:connect(Ip, Port, [binary, {packet, 4}, {active, false}]),
             ?assertEqual({error, timeout}, gen_tcp:recv(Third, 0, 10)),
             ok = gen_tcp:close(First),
             ?assertMatch({ready, 1, _}, recv(Third)),
             _ = [gen_tcp:close(Socket) || Socket <- [Second, Third]],
             ok = beamport_listener:stop(Listener)
     end}.

socket_file_test() ->
    Path = path(),
    %% One that is left behind, one that is in use, and a file that is no socket.
    {ok, Left} = gen_tcp:listen(0, [local, {ip, {local, Path}}]),
    ok = gen_tcp:close(Left),
    {Listener, Address} = listener(#{listen => {unix, Path}}),
    terms(none, Address),
    process_flag(trap_exit, true),
    Given = #{listen => {unix, Path}, callback => link_callback},
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    ?assertEqual({error, {not_listening, eaddrinuse}}, beamport_listener:start_link(Given)),
    terms(none, Address),
    ok = beamport_listener:stop(Listener),
    ?assertEqual({error, enoent}, file:read_file_info(Path)),
    ok = file:write_file(Path, <<"mine">>),
    ?assertMatch({error, {not_listening, _}}, beamport_listener:start_link(Given)),
    ok = logger:set_primary_config(level, Level),
    ?assertEqual({ok, <<"mine">>}, file:read_file(Path)),
    ok = file:delete(Path).

options_test_() ->
    Good = #{listen => {tcp, {127, 0, 0, 1}, 0}, callback => link_callback},
    [?_assertEqual({error, {option, Key}}, beamport_listener:start_link(Options)) ||
        {Key, Options} <- [{listen, maps:remove(listen, Good)}, {callback, maps:remove(callback, Good)},
                           {callback, Good#{callback => no_such_module}}, {listen, Good#{listen => x}},
                           {wrong, Good#{wrong => 1}}, {max_packet, Good#{max_packet => 3}},
                           {max_connections, maps:to_list(Good#{max_connections => 0})}]].
