%% @doc The client with a program of its own, whose other side is the link.
-module(beamport_client_tests).

-include_lib("eunit/include/eunit.hrl").

-export([known/0]).

-define(C, beamport_client).

%% What the program's answers hold: atoms are not made for them.
known() -> [waits, told, streamed, killed, done].

each(Options, Tests) ->
    [{Title, {timeout, 60, fun() ->
                                   {ok, Client} = ?C:start(beamport_worker_program:options(Options)),
                                   #{os_pid := OsPid} = ?C:info(Client),
                                   Test(Client),
                                   idle(Client),
                                   ok = ?C:stop(Client),
                                   ?assert(beamport_worker_program:is_gone(OsPid)),
                                   ?assertEqual([], messages())
                           end}} || {Title, Test} <- Tests].

messages() ->
    receive Message -> [Message | messages()]
    after 0 -> []
    end.

%% Nothing is left of any call, as soon as the other side has said its last word.
idle(Client) ->
    case ?C:info(Client) of
        #{in_flight := 0, bytes_in_flight := 0, waiting := 0} -> ok;
        _ -> {ok, 1} = ?C:call(Client, {echo, 1}), idle(Client)
    end.

stdio_test_() ->
    each(#{}, [{"terms", fun terms/1},
               {"failures", fun failures/1},
               {"many callers", fun many/1},
               {"casts", fun casts/1},
               {"a time that is over", fun timeouts/1},
               {"a caller that dies", fun caller_dies/1},
               {"streams", fun streams/1},
               {"a stream that is collected", fun collected/1},
               {"a stream that is closed", fun closed_stream/1},
               {"a stream whose reader dies", fun reader_dies/1},
               {"a slow reader", fun slow_reader/1},
               {"a fold", fun folds/1},
               {"large terms", fun large/1},
               {"no atom is made", fun atoms/1},
               {"what was counted", fun counted/1}]).

nouse_stdio_test_() ->
    each(#{fds => nouse}, [{"terms", fun terms/1}, {"large terms", fun large/1}]).

terms(Client) ->
    _ = [?assertEqual({ok, Term}, ?C:call(Client, {echo, Term})) ||
            Term <- [1, 1.5, true, <<>>, [], #{}, {}, [1 | 2], 1 bsl 100, #{<<"a">> => [<<"b">>]}]].

failures(Client) ->
    {error, {failed, #{class := error, type := <<"badmatch">>, message := _, stack := Stack}}} =
        ?C:call(Client, {raise, error, {badmatch, 5}}),
    ?assert(is_list(Stack)),
    ?assertMatch({error, {failed, #{class := returned, type := <<"T">>}}}, ?C:call(Client, {returned, <<"T">>})),
    ?assertMatch({error, {failed, #{class := exit, type := <<"killed">>}}}, ?C:call(Client, kill_self)).

many(Client) ->
    Self = self(),
    Callers = 50,
    Each = 100,
    Pids = [spawn_link(fun() ->
                               _ = [?assertEqual({ok, {N, I}}, ?C:call(Client, {echo, {N, I}}, infinity)) ||
                                       I <- lists:seq(1, Each)],
                               ?assertEqual([], messages()),
                               Self ! {self(), done}
                       end) || N <- lists:seq(1, Callers)],
    _ = [receive {Pid, done} -> ok end || Pid <- Pids],
    ?assertMatch(#{calls := 5000, late := 0, unknown := 0}, ?C:info(Client)).

casts(Client) ->
    Self = self(),
    _ = spawn_link(fun() -> Self ! ?C:call(Client, {wait_until_told, waits}) end),
    ok = ?C:cast(Client, {tell, waits}),
    receive Answer -> ?assertEqual({ok, waits}, Answer) end,
    ok = ?C:cast(Client, {raise, x}).

timeouts(Client) ->
    ?assertEqual({error, timeout}, ?C:call(Client, forever, 0)),
    ?assertEqual({error, timeout}, ?C:call(Client, spin, 1)),
    ?assertEqual({error, timeout}, ?C:stream(Client, forever, [{timeout, 1}])),
    idle(Client),
    ?assertMatch(#{cancelled := 3, late := 3}, ?C:info(Client)).

caller_dies(Client) ->
    Caller = spawn(fun() -> ?C:call(Client, {wait_until_told, waits}, infinity) end),
    {ok, there} = ?C:call(Client, {await, waits}),
    exit(Caller, kill),
    idle(Client),
    ?assertMatch(#{cancelled := 1, late := 1}, ?C:info(Client)).

read_all(Stream) ->
    case ?C:read(Stream) of
        {ok, Bytes} -> {More, Done} = read_all(Stream), {[Bytes | More], Done};
        {done, Done} -> {[], Done}
    end.

streams(Client) ->
    {ok, head, Stream} = ?C:stream(Client, {stream, head, [<<"one">>, <<"two">>], done}, #{}),
    ?assertEqual({[<<"one">>, <<"two">>], done}, read_all(Stream)),
    {ok, head, Small} = ?C:stream(Client, {stream_made, part, 100000}, #{window => 1000}),
    {Parts, done} = read_all(Small),
    ?assertEqual(100000, iolist_size(Parts)),
    ?assert(lists:all(fun(Part) -> byte_size(Part) =< 1000 end, Parts)),
    {ok, head, Tiny} = ?C:stream(Client, {stream, head, [<<"abcde">>], done}, #{window => 1}),
    ?assertEqual({[<<"a">>, <<"b">>, <<"c">>, <<"d">>, <<"e">>], done}, read_all(Tiny)),
    ?assertEqual({reply, 5}, ?C:stream(Client, {echo, 5}, [])),
    ?assertMatch({error, {failed, #{type := <<"badarg">>}}}, ?C:stream(Client, {raise, error, badarg}, [])),
    {ok, <<"head">>, Raises} = ?C:stream(Client, {stream_raise, [<<"a">>]}, []),
    {ok, <<"a">>} = ?C:read(Raises),
    ?assertMatch({error, {failed, #{type := <<"raised">>}}}, ?C:read(Raises)),
    ok = ?C:close(Raises).

collected(Client) ->
    ?assertEqual({ok, {streamed, head, <<"onetwo">>, done}},
                 ?C:call(Client, {stream, head, [<<"one">>, <<"two">>], done})).

closed_stream(Client) ->
    {ok, <<"head">>, Stream} = ?C:stream(Client, stream_forever, []),
    {ok, _} = ?C:read(Stream),
    ok = ?C:close(Stream),
    {ok, <<"head">>, Waits} = ?C:stream(Client, {stream_wait, waits, <<"a">>}, []),
    {ok, <<"a">>} = ?C:read(Waits),
    ?assertEqual({error, timeout}, ?C:read(Waits, 1)),
    ok = ?C:close(Waits).

reader_dies(Client) ->
    Self = self(),
    Reader = spawn(fun() ->
                           {ok, _, Stream} = ?C:stream(Client, stream_forever, []),
                           {ok, _} = ?C:read(Stream),
                           Self ! reads,
                           receive after infinity -> ok end
                   end),
    receive reads -> ok end,
    exit(Reader, kill).

%% One that does not read takes no more than its window, and nobody waits for it.
slow_reader(Client) ->
    {ok, <<"head">>, Stream} = ?C:stream(Client, stream_forever, #{window => 10000}),
    many(Client),
    {message_queue_len, N} = process_info(self(), message_queue_len),
    ?assertEqual(10, N),
    ok = ?C:close(Stream).

folds(Client) ->
    Add = fun(Part, Size) -> Size + byte_size(Part) end,
    ?assertEqual({ok, head, done, 1000000}, ?C:fold(Client, {stream_made, part, 1000000}, Add, 0, [])),
    ?assertEqual({reply, 1}, ?C:fold(Client, {echo, 1}, Add, 0, [])),
    ?assertError(mine, ?C:fold(Client, stream_forever, fun(_, _) -> error(mine) end, 0, [])).

large(Client) ->
    Size = 20000000,
    ?assertEqual({ok, Size}, ?C:call(Client, {size, binary:copy(<<"y">>, Size)}, 30000)),
    {ok, Reply} = ?C:call(Client, {binary, Size}, 30000),
    ?assertEqual(Size, byte_size(Reply)).

atoms(Client) ->
    Before = erlang:system_info(atom_count),
    ?assertEqual({error, undecodable}, ?C:call(Client, {make_atom, <<"an atom that is nowhere else">>})),
    ?assertEqual({error, undecodable}, ?C:stream(Client, {make_atom, <<"nor is this one">>}, [])),
    ?assertEqual(Before, erlang:system_info(atom_count)),
    terms(Client).

counted(Client) ->
    {ok, 1} = ?C:call(Client, {echo, 1}),
    ok = ?C:cast(Client, {echo, 1}),
    {reply, 1} = ?C:stream(Client, {echo, 1}, []),
    ?assertMatch(#{calls := 1, casts := 1, streams := 1, cancelled := 0, late := 0, unknown := 0, logs_dropped := 0,
                   ready := #{otp := _, erts := _, pid := Pid}, os_pid := Pid}, ?C:info(Client)).

%% The window.

window_test_() ->
    each(#{max_in_flight => 2, max_in_flight_bytes => 10000},
         [{"by count", fun window_count/1}, {"by bytes", fun window_bytes/1}, {"in order", fun window_order/1},
          {"many callers", fun many/1}]).

window_count(Client) ->
    Self = self(),
    Start = fun() ->
                    spawn(fun() -> Self ! {self(), ?C:call(Client, forever, infinity)} end)
            end,
    [First, Second, Third] = [Start() || _ <- [1, 2, 3]],
    waiting(Client, 2, 1),
    %% One that waits and gives up is never sent.
    ?assertEqual({error, timeout}, ?C:call(Client, {echo, 1}, 1)),
    ?assertEqual({error, timeout}, ?C:cast(Client, {echo, 1}, 1)),
    exit(Third, kill),
    waiting(Client, 2, 0),
    _ = [exit(Pid, kill) || Pid <- [First, Second]],
    ?assertEqual({ok, 1}, ?C:call(Client, {echo, 1})),
    ?assertMatch(#{calls := 3, cancelled := 2}, ?C:info(Client)).

waiting(Client, InFlight, Waiting) ->
    case ?C:info(Client) of
        #{in_flight := InFlight, waiting := Waiting} -> ok;
        _ -> waiting(Client, InFlight, Waiting)
    end.

window_bytes(Client) ->
    Caller = spawn(fun() -> ?C:call(Client, {wait_until_told, waits}, infinity) end),
    waiting(Client, 1, 0),
    Large = spawn(fun() -> ?C:call(Client, {size, binary:copy(<<"x">>, 20000)}, infinity) end),
    waiting(Client, 1, 1),
    exit(Large, kill),
    waiting(Client, 1, 0),
    exit(Caller, kill),
    %% Alone, it may go.
    ?assertEqual({ok, 20000}, ?C:call(Client, {size, binary:copy(<<"x">>, 20000)})).

window_order(Client) ->
    Self = self(),
    Holders = [spawn(fun() -> ?C:call(Client, forever, infinity) end) || _ <- [1, 2]],
    waiting(Client, 2, 0),
    _ = [begin
             spawn(fun() -> Self ! {I, ?C:call(Client, {echo, I}, infinity)} end),
             waiting(Client, 2, I)
         end || I <- lists:seq(1, 10)],
    exit(hd(Holders), kill),
    _ = [receive {I, Answer} -> ?assertEqual({ok, I}, Answer) end || I <- lists:seq(1, 10)],
    exit(lists:last(Holders), kill).

%% Ends.

options_test_() ->
    [?_assertEqual({error, {option, Name}}, ?C:start(Options)) ||
        {Name, Options} <- [{command, #{}}, {command, #{command => "no such program anywhere"}},
                            {command, #{command => 1}}, {connect, #{command => "erl", connect => {unix, "x"}}},
                            {connect, #{connect => x}}, {connect, #{connect => {tcp, "h", 0}}}, {wrong, #{wrong => 1}},
                            {fds, #{command => "erl", fds => 1}}, {args, #{command => "erl", args => x}},
                            {args, #{command => "erl", args => [[0]]}},
                            {env, #{command => "erl", env => [x]}}, {max_packet, #{command => "erl", max_packet => 1}},
                            {max_in_flight, [{command, "erl"}, {max_in_flight, 0}]},
                            {heartbeat, #{command => "erl", heartbeat => -1}}, {log, #{command => "erl", log => x}},
                            {options, x}, {options, [x]}]].

start_fails_test_() ->
    [{Title, {timeout, 30, fun() ->
                              quietly(fun() -> ?assertEqual({error, Reason}, ?C:start(Options)) end)
                      end}} ||
        {Title, Options, Reason} <-
            [{"it exits", #{command => "sh", args => ["-c", "exit 3"]}, {port_exit, 3}},
             {"it is killed", #{command => "sh", args => ["-c", "kill -9 $$"]}, {port_exit, 137}},
             {"it says nothing", #{command => "sleep", args => ["1000"], start_timeout => 50}, start_timeout},
             {"it says something else", #{command => "sh", args => ["-c", "printf '\\0\\0\\0\\1xxxx'; exec sleep 1000"]},
              {protocol, <<"the first frame is not ready">>}},
             {"it is of another version", #{command => "sh",
                                            args => ["-c", "printf '\\0\\0\\0\\021\\203h\\003w\\005readya\\002t\\0\\0\\0\\0'; exec sleep 1000"]},
              {version, 2}},
             {"nobody listens", #{connect => {unix, "/nonexistent/socket"}}, {not_connected, enoent}},
             {"it is no program", #{command => "/dev/null"}, {not_started, eacces}}]].

%% What waits is told, once.
killed_worker_test_() ->
    {timeout, 30,
     fun() ->
             quietly(fun() ->
                             {ok, Client} = ?C:start(beamport_worker_program:options()),
                             #{os_pid := OsPid} = ?C:info(Client),
                             Self = self(),
                             Pids = [spawn_link(fun() -> Self ! {self(), ?C:call(Client, forever, infinity)} end) ||
                                        _ <- lists:seq(1, 10)],
                             {ok, <<"head">>, Stream} = ?C:stream(Client, {stream_wait, waits, <<"a">>}, []),
                             {ok, <<"a">>} = ?C:read(Stream),
                             waiting(Client, 11, 0),
                             Ref = monitor(process, Client),
                             _ = os:cmd("kill -9 " ++ integer_to_list(OsPid)),
                             _ = [receive {Pid, Answer} -> ?assertEqual({error, {down, {port_exit, 137}}}, Answer) end ||
                                     Pid <- Pids],
                             ?assertEqual({error, {down, {port_exit, 137}}}, ?C:read(Stream)),
                             receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual({port_exit, 137}, Reason) end,
                             ?assertEqual({error, {down, noproc}}, ?C:call(Client, x)),
                             ?assertEqual([], messages())
                     end)
     end}.

%% Crashes are reported to the logger; tests that cause them stay quiet.
quietly(Fun) ->
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, none),
    try Fun()
    after ok = logger:set_primary_config(level, Level)
    end.

%% One that neither stops nor reads is killed.
stubborn_worker_test_() ->
    {timeout, 30,
     fun() ->
             {ok, Client} = ?C:start(beamport_worker_program:options(#{stop_timeout => 100})),
             #{os_pid := OsPid} = ?C:info(Client),
             _ = os:cmd("kill -STOP " ++ integer_to_list(OsPid)),
             ?assertEqual({error, timeout}, ?C:call(Client, {size, binary:copy(<<"x">>, 10000000)}, 10)),
             ?assertEqual({error, timeout}, ?C:call(Client, {echo, 1}, 10)),
             ok = ?C:stop(Client),
             ?assert(beamport_worker_program:is_gone(OsPid))
     end}.

%% The other side lives no longer than the client, however that ends.
killed_client_test_() ->
    {timeout, 30,
     fun() ->
             {ok, Client} = ?C:start(beamport_worker_program:options()),
             #{os_pid := OsPid} = ?C:info(Client),
             exit(Client, kill),
             ?assert(beamport_worker_program:is_gone(OsPid))
     end}.

unresponsive_test_() ->
    {timeout, 30,
     fun() ->
             quietly(fun() ->
                             {ok, Client} = ?C:start(beamport_worker_program:options(#{heartbeat => 300})),
                             #{os_pid := OsPid} = ?C:info(Client),
                             Ref = monitor(process, Client),
                             ?assertEqual({ok, 1}, ?C:call(Client, {echo, 1})),
                             _ = os:cmd("kill -STOP " ++ integer_to_list(OsPid)),
                             receive {'DOWN', Ref, process, _, Reason} -> ?assertEqual(unresponsive, Reason) end,
                             ?assert(beamport_worker_program:is_gone(OsPid))
                     end)
     end}.

too_large_test_() ->
    each(#{max_packet => 10000},
         [{"a request", fun(Client) ->
                                ?assertMatch({error, {too_large, 10014, 10000}},
                                             ?C:call(Client, {size, binary:copy(<<"x">>, 9990)})),
                                terms(Client)
                        end}]).

%% As a child: it is started anew by its supervisor, under its name.
supervised_test_() ->
    {timeout, 60,
     fun() ->
             quietly(fun() ->
                             Spec = ?C:child_spec(maps:to_list(beamport_worker_program:options(#{name => my_worker}))),
                             {ok, Supervisor} = supervisor:start_link({local, client_sup}, link_supervisor, [Spec]),
                             #{os_pid := OsPid} = ?C:info(my_worker),
                             ?assertEqual({ok, 1}, ?C:call(my_worker, {echo, 1})),
                             _ = os:cmd("kill -9 " ++ integer_to_list(OsPid)),
                             New = restarted(OsPid),
                             ?assertEqual({ok, 2}, ?C:call(my_worker, {echo, 2})),
                             unlink(Supervisor),
                             ok = gen_server:stop(Supervisor),
                             ?assert(beamport_worker_program:is_gone(New))
                     end)
     end}.

restarted(OsPid) ->
    try ?C:info(my_worker) of
        #{os_pid := OsPid} -> restarted(OsPid);
        #{os_pid := New} -> New
    catch
        exit:_ -> restarted(OsPid)
    end.

%% Lines come to the logger.
logs_test_() ->
    {timeout, 30,
     fun() ->
             ok = logger:add_handler(?MODULE, link_log_handler, #{config => self()}),
             ok = logger:set_primary_config(level, all),
             try
                 {ok, Client} = ?C:start(beamport_worker_program:options()),
                 {ok, ok} = ?C:call(Client, {print, <<"a line ~p ü\n"/utf8>>}),
                 receive
                     {log, #{level := Level, msg := Message, meta := Meta}} ->
                         ?assertEqual(info, Level),
                         ?assertEqual({"~ts", [<<"a line ~p ü"/utf8>>]}, Message),
                         ?assertMatch(#{domain := [beamport], call := 1, beamport := #{stream := stdout},
                                        pid := Client, time := _}, Meta)
                 end,
                 ok = ?C:stop(Client)
             after
                 ok = logger:set_primary_config(level, notice),
                 ok = logger:remove_handler(?MODULE)
             end
     end}.
