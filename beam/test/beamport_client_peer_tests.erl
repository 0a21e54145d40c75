%% @doc The client with an other side that says what the test tells it to.
-module(beamport_client_peer_tests).

-include_lib("eunit/include/eunit.hrl").

-define(C, beamport_client).

%% A client that is connected to a socket of the test's.
pair(Options) ->
    {ok, Listening} = gen_tcp:listen(0, [binary, {packet, 4}, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listening),
    Self = self(),
    Starter = spawn(fun() -> Self ! {self(), ?C:start(Options#{connect => {tcp, {127, 0, 0, 1}, Port}})} end),
    {ok, Socket} = gen_tcp:accept(Listening),
    ok = gen_tcp:close(Listening),
    send(Socket, {ready, 1, #{}}),
    receive {Starter, {ok, Client}} -> {Client, Socket} end.

send(Socket, Term) ->
    ok = gen_tcp:send(Socket, beamport_peer:encode(Term)).

recv(Socket) ->
    {ok, Frame} = gen_tcp:recv(Socket, 0),
    binary_to_term(Frame).

later(Fun) ->
    Self = self(),
    spawn(fun() -> Self ! {self(), Fun()} end).

result(Pid) ->
    receive {Pid, Result} -> Result end.

%% Crashes are reported to the logger; tests that cause them stay quiet.
quietly(Fun) ->
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    try Fun()
    after ok = logger:set_primary_config(level, Level)
    end.

frames_test() ->
    {Client, Socket} = pair(#{}),
    Call = later(fun() -> ?C:call(Client, {a, 1}) end),
    ?assertEqual({call, 1, {a, 1}}, recv(Socket)),
    ok = ?C:cast(Client, <<"b">>),
    ?assertEqual({cast, 2, <<"b">>}, recv(Socket)),
    Stream = later(fun() -> ?C:stream(Client, c, #{window => 70000}) end),
    ?assertEqual({call, 3, c, 70000}, recv(Socket)),
    %% Out of order, in other encodings, and those that are nobody's.
    send(Socket, {reply, 77, late}),
    send(Socket, {chunk, 77, <<"late">>}),
    send(Socket, {pong, 5}),
    ok = gen_tcp:send(Socket, <<131, 105, 3:32, 100, 5:16, "reply", 111, 1:32, 0, 3, 97, 9>>),
    send(Socket, {ack, 2}),
    send(Socket, {reply, 1, one}),
    ?assertEqual({ok, one}, result(Call)),
    ?assertEqual({reply, 9}, result(Stream)),
    ?assertMatch(#{unknown := 1, in_flight := 0}, ?C:info(Client)),
    ok = ?C:stop(Client),
    ?assertEqual({stop, normal}, recv(Socket)),
    ?assertEqual({error, closed}, gen_tcp:recv(Socket, 0)).

%% A late answer reaches nobody, whatever else is called meanwhile.
late_test() ->
    {Client, Socket} = pair(#{}),
    ?assertEqual({error, timeout}, ?C:call(Client, a, 0)),
    ?assertEqual({call, 1, a}, recv(Socket)),
    ?assertEqual({cancel, 1}, recv(Socket)),
    Next = later(fun() -> {?C:call(Client, b), process_info(self(), messages)} end),
    ?assertEqual({call, 2, b}, recv(Socket)),
    send(Socket, {reply, 1, wrong}),
    send(Socket, {reply, 1, twice}),
    send(Socket, {reply, 2, right}),
    ?assertEqual({{ok, right}, {messages, []}}, result(Next)),
    ?assertMatch(#{late := 1, unknown := 1}, ?C:info(Client)),
    ?assertEqual({messages, []}, process_info(self(), messages)),
    ok = ?C:stop(Client).

%% Credit is granted in halves of the window.
credit_test() ->
    {Client, Socket} = pair(#{}),
    Self = self(),
    Reader = later(fun() ->
                           {ok, h, Stream} = ?C:stream(Client, s, #{window => 10}),
                           receive go -> ok end,
                           Read = [?C:read(Stream) || _ <- lists:seq(1, 4)],
                           Self ! read,
                           receive go -> Read ++ [?C:read(Stream)] end
                   end),
    {call, 1, s, 10} = recv(Socket),
    send(Socket, {head, 1, h}),
    _ = [send(Socket, {chunk, 1, Part}) || Part <- [<<"123">>, <<"45">>, <<"678">>, <<"90">>]],
    Reader ! go,
    ?assertEqual({credit, 1, 5}, recv(Socket)),
    ?assertEqual({credit, 1, 5}, recv(Socket)),
    receive read -> ok end,
    send(Socket, {done, 1, d}),
    Reader ! go,
    ?assertEqual([{ok, <<"123">>}, {ok, <<"45">>}, {ok, <<"678">>}, {ok, <<"90">>}, {done, d}], result(Reader)),
    ok = ?C:stop(Client).

violations_test_() ->
    [{Title, fun() -> quietly(fun() -> violation(Frames, Text) end) end} ||
        {Title, Frames, Text} <-
            [{"no term", [<<"nonsense">>], "none of the protocol's"},
             {"another tuple", [{hello, 1}], "none of the protocol's"},
             {"ready twice", [{ready, 1, #{}}], "ready came twice"},
             {"an ack for a call", [{ack, 1}], "ack came for call 1"},
             {"a head without credit", [{head, 1, x}], "head came for call 1"},
             {"a chunk without credit", [{chunk, 1, <<"x">>}], "chunk came for call 1"},
             {"a done for a call", [{done, 1, x}], "done came for call 1"},
             {"a reply for a cast", [{reply, 2, x}], "reply came for cast 2"},
             {"an error for a cast", [{error, 2, exit, #{type => <<>>, message => <<>>}, []}], "error came for cast 2"},
             {"a chunk before the head", [{chunk, 3, <<"x">>}], "chunk came for stream without a head 3"},
             {"a done without a head", [{done, 3, x}], "done came for stream without a head 3"},
             {"a head twice", [{head, 3, x}, {head, 3, x}], "head came for stream with a head 3"},
             {"a reply after the head", [{head, 3, x}, {reply, 3, x}], "reply came for stream with a head 3"},
             {"a chunk over the credit", [{head, 3, x}, {chunk, 3, <<"12345678901">>}],
              "a chunk of 11 bytes came for call 3 with a credit of 10"},
             {"chunks over the credit", [{head, 3, x}, {chunk, 3, <<"1234567">>}, {chunk, 3, <<"1234">>}],
              "a chunk of 4 bytes came for call 3 with a credit of 3"},
             {"an empty chunk", [{head, 3, x}, {chunk, 3, <<>>}], "a chunk that is none came for call 3"},
             {"a chunk that is no binary", [{head, 3, x}, {chunk, 3, x}], "a chunk that is none came for call 3"},
             {"an id of zero", [{reply, 0, x}], "none of the protocol's"}]].

%% All who wait are told, once.
violation(Frames, Text) ->
    {Client, Socket} = pair(#{log => none}),
    Ref = monitor(process, Client),
    Call = later(fun() -> ?C:call(Client, a, infinity) end),
    {call, 1, a} = recv(Socket),
    ok = ?C:cast(Client, b),
    {cast, 2, b} = recv(Socket),
    Stream = later(fun() ->
                           case ?C:stream(Client, c, [{window, 10}, {timeout, infinity}]) of
                               {ok, _, Opened} -> read_all(Opened);
                               Error -> Error
                           end
                   end),
    {call, 3, c, 10} = recv(Socket),
    _ = [case Frame of
             _ when is_binary(Frame) -> ok = gen_tcp:send(Socket, Frame);
             _ -> send(Socket, Frame)
         end || Frame <- Frames],
    receive
        {'DOWN', Ref, process, _, {protocol, Said} = Reason} ->
            ?assertNotEqual(nomatch, string:find(Said, Text)),
            ?assertEqual({error, {down, Reason}}, result(Call)),
            ?assertEqual({error, {down, Reason}}, result(Stream))
    end,
    ok = gen_tcp:close(Socket),
    ?assertEqual({messages, []}, process_info(self(), messages)).

read_all(Stream) ->
    case ?C:read(Stream, infinity) of
        {ok, _} -> read_all(Stream);
        End -> End
    end.

closed_test() ->
    quietly(fun() ->
                    {Client, Socket} = pair(#{}),
                    Ref = monitor(process, Client),
                    ok = gen_tcp:close(Socket),
                    receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual(closed, Reason) end
            end).

%% A length that is over the maximum is not read; what came before it counts.
oversize_test_() ->
    [{integer_to_list(Size), fun() -> quietly(fun() -> oversize(Size) end) end} || Size <- [10001, 16#7fffffff, 16#80000001]].

oversize(Size) ->
    {Client, Socket} = pair(#{max_packet => 10000}),
    Ref = monitor(process, Client),
    Call = later(fun() -> ?C:call(Client, a) end),
    {call, 1, a} = recv(Socket),
    ok = inet:setopts(Socket, [{packet, raw}]),
    Frame = beamport_peer:encode({reply, 1, b}),
    ok = gen_tcp:send(Socket, [<<(byte_size(Frame)):32>>, Frame, <<Size:32>>]),
    receive {'DOWN', Ref, process, _, {protocol, Text}} -> said(Size, 10000, Text) end,
    ?assertEqual({ok, b}, result(Call)),
    ok = gen_tcp:close(Socket).

said(Size, Max, Text) ->
    ?assertEqual(iolist_to_binary(io_lib:format("a frame of ~b bytes came; the maximum is ~b", [Size, Max])), Text).

%% A program that is its other side: what the script does after the ready frame.
program(Script, Arguments, Options) ->
    Ready = "printf '\\0\\0\\0\\021\\203h\\003w\\005readya\\001t\\0\\0\\0\\0'; ",
    {ok, Client} = ?C:start(Options#{command => "sh", args => ["-c", Ready ++ Script | Arguments]}),
    #{os_pid := OsPid} = ?C:info(Client),
    {Client, OsPid}.

%% The same of a program: nothing waits for what the header claims, or has memory for it.
oversize_program_test_() ->
    [{integer_to_list(Size),
      {timeout, 30, fun() -> quietly(fun() -> oversize_program(Size, Header) end) end}} ||
        {Size, Header} <- [{10001, "\\0\\0\\047\\021"}, {16#7fffffff, "\\177\\377\\377\\377"},
                           {16#80000001, "\\200\\0\\0\\001"}]].

oversize_program(Size, Header) ->
    {Client, OsPid} = program("read x; printf '" ++ Header ++ "abc'; exec sleep 1000", [], #{max_packet => 10000}),
    Ref = monitor(process, Client),
    %% What it reads ends with a line.
    Call = later(fun() -> ?C:call(Client, <<"\n">>, infinity) end),
    receive {'DOWN', Ref, process, _, {protocol, Text} = Reason} -> said(Size, 10000, Text) end,
    ?assertEqual({error, {down, Reason}}, result(Call)),
    ?assert(beamport_worker_program:is_gone(OsPid)).

%% One that closes its output and lives on.
closed_output_test_() ->
    {timeout, 30,
     fun() ->
             quietly(fun() ->
                             {Client, OsPid} = program("exec 1>&-; exec sleep 1000", [], #{heartbeat => 50}),
                             Ref = monitor(process, Client),
                             receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual(unresponsive, Reason) end,
                             ?assert(beamport_worker_program:is_gone(OsPid))
                     end)
     end}.

%% One that closes its input: the client does not wait for a port that is gone.
closed_input_test_() ->
    {timeout, 30,
     fun() ->
             quietly(fun() ->
                             {Client, _} = program("exec 0<&-; printf '\\0\\0\\0\\011\\203h\\002w\\004ponga\\0'; exec sleep 10",
                                                   [], #{stop_timeout => 1000000, heartbeat => 50}),
                             Ref = monitor(process, Client),
                             receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual({port_closed, epipe}, Reason) end
                     end)
     end}.

%% Each part of a frame is a sign of life: here they come in answer to pings.
slow_frame_test_() ->
    {timeout, 60,
     fun() ->
             {Client, Socket} = pair(#{heartbeat => 300}),
             Call = later(fun() -> ?C:call(Client, a, infinity) end),
             {call, 1, a} = recv(Socket),
             Frame = beamport_peer:encode({reply, 1, <<"long">>}),
             <<First:8/binary, Rest/binary>> = <<(byte_size(Frame)):32, Frame/binary>>,
             _ = [begin
                      {ping, _} = recv(Socket),
                      ok = inet:setopts(Socket, [{packet, raw}]),
                      ok = gen_tcp:send(Socket, [Byte]),
                      ok = inet:setopts(Socket, [{packet, 4}])
                  end || <<Byte>> <= First],
             ok = inet:setopts(Socket, [{packet, raw}]),
             ok = gen_tcp:send(Socket, Rest),
             ?assertEqual({ok, <<"long">>}, result(Call)),
             ok = ?C:stop(Client),
             ok = gen_tcp:close(Socket)
     end}.

%% So is each part of a request that is read: here whenever the heart has beaten.
slow_reader_test_() ->
    {timeout, 60,
     fun() ->
             {Client, Socket} = pair(#{heartbeat => 300}),
             Size = 20000000,
             ok = inet:setopts(Socket, [{packet, raw}]),
             Call = later(fun() -> ?C:call(Client, binary:copy(<<"x">>, Size), infinity) end),
             1 = erlang:trace(Client, true, ['receive']),
             _ = [begin
                      beat(Client),
                      {ok, _} = gen_tcp:recv(Socket, 1000000)
                  end || _ <- lists:seq(1, 8)],
             untraced(Client),
             {ok, _} = gen_tcp:recv(Socket, Size - 8000000),
             Answer = beamport_peer:encode({reply, 1, read}),
             ok = gen_tcp:send(Socket, [<<(byte_size(Answer)):32>>, Answer]),
             ?assertEqual({ok, read}, result(Call)),
             ok = ?C:stop(Client),
             ok = gen_tcp:close(Socket)
     end}.

beat(Client) ->
    receive {trace, Client, 'receive', heartbeat} -> ok end.

untraced(Client) ->
    1 = erlang:trace(Client, false, ['receive']),
    Ref = erlang:trace_delivered(Client),
    receive {trace_delivered, Client, Ref} -> flush(Client) end.

flush(Client) ->
    receive {trace, Client, _, _} -> flush(Client)
    after 0 -> ok
    end.

%% A program that reads when it is told to, through a fifo.
slow_program_test_() ->
    {timeout, 60,
     fun() ->
             Fifo = beamport_peer:temporary(".fifo"),
             "" = os:cmd("mkfifo " ++ Fifo),
             {Client, OsPid} = program("exec 5<\"$0\"; while read x <&5; do head -c 300000 >/dev/null; done; exec cat >/dev/null",
                                       [Fifo], #{heartbeat => 300, stop_timeout => 0}),
             {ok, Tell} = file:open(Fifo, [write, raw]),
             ok = file:delete(Fifo),
             Call = later(fun() -> ?C:call(Client, binary:copy(<<"x">>, 10000000), infinity) end),
             1 = erlang:trace(Client, true, ['receive']),
             _ = [begin
                      beat(Client),
                      ok = file:write(Tell, "read\n")
                  end || _ <- lists:seq(1, 8)],
             untraced(Client),
             ok = file:close(Tell),
             exit(Call, kill),
             ok = ?C:stop(Client),
             ?assert(beamport_worker_program:is_gone(OsPid))
     end}.

%% What fits into the pipe, and what waits and is not read, is none.
deaf_program_test_() ->
    [{integer_to_list(Size),
      {timeout, 60,
       fun() ->
               quietly(fun() ->
                               {Client, OsPid} = program("exec sleep 1000", [], #{heartbeat => 50}),
                               Ref = monitor(process, Client),
                               ?assertEqual({error, {down, unresponsive}}, ?C:call(Client, binary:copy(<<"x">>, Size), infinity)),
                               receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual(unresponsive, Reason) end,
                               ?assert(beamport_worker_program:is_gone(OsPid))
                       end)
       end}} || Size <- [100, 10000000]].

%% Nobody reads: what is written waits, the client does not.
deaf_test() ->
    {Client, Socket} = pair(#{max_in_flight_bytes => 5000000}),
    Callers = [later(fun() -> ?C:call(Client, binary:copy(<<"x">>, 1000000), infinity) end) || _ <- lists:seq(1, 20)],
    ?assertEqual({error, timeout}, ?C:call(Client, a, 1)),
    #{in_flight := InFlight, bytes_in_flight := Bytes} = ?C:info(Client),
    ?assert(InFlight =< 5 andalso Bytes =< 5000000),
    _ = [exit(Pid, kill) || Pid <- Callers],
    ok = ?C:stop(Client),
    ok = gen_tcp:close(Socket).

%% Lines that nobody can keep up with are dropped, and counted.
log_flood_test() ->
    ok = logger:add_handler(?MODULE, link_log_handler, #{config => {wait_for, self()}}),
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, all),
    {Client, Socket} = pair(#{}),
    _ = [send(Socket, {log, info, 1700000000000000, nil, <<"line">>, #{}}) || _ <- lists:seq(1, 3000)],
    Call = later(fun() -> ?C:call(Client, a) end),
    {call, 1, a} = recv(Socket),
    send(Socket, {reply, 1, b}),
    ?assertEqual({ok, b}, result(Call)),
    ?assertMatch(#{logs_dropped := 2000}, ?C:info(Client)),
    receive {waits, Logging} -> Logging ! go_on end,
    ok = logger:set_primary_config(level, Level),
    ok = logger:remove_handler(?MODULE),
    ok = ?C:stop(Client),
    ok = gen_tcp:close(Socket).
