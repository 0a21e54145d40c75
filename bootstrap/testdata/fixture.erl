%% A handler that does what its event says.
-module(fixture).

-export([handle/2, only_event/1, three/3, ack/1]).

only_event(Event) -> {ok, #{event => Event}}.

three(Event, _, _) -> {ok, Event}.

ack(_) -> {ok, #{}}.

handle(#{<<"do">> := Do} = Event, Context) -> do(Do, Event, Context);
handle(Event, _) -> {ok, Event}.

%% Results.
do(<<"echo">>, #{<<"value">> := Value}, _) -> {ok, Value};
do(<<"keys">>, _, _) -> {ok, #{atom => 1, <<"binary">> => 2, 3 => null, true => undefined, list => [nil, false, a]}};
do(<<"sum">>, #{<<"n">> := N, <<"values">> := Values, <<"text">> := Text}, #{request_id := Id}) ->
    {ok, #{n => N, sum => lists:sum(Values), text => Text, request_id => Id, pid => list_to_binary(os:getpid())}};
do(<<"context">>, _, Context) -> {ok, Context};
do(<<"text">>, #{<<"value">> := Value}, _) -> {ok, <<"text/html">>, Value};
do(<<"binary">>, #{<<"size">> := Size}, _) -> {ok, <<"application/octet-stream">>, binary:copy(<<1>>, Size)};
do(<<"problem">>, _, _) -> {ok, <<"application/problem+json">>, #{title => <<"x">>}};
do(<<"error">>, _, _) -> {error, #{errorType => <<"Teapot">>, errorMessage => <<"short and stout">>}};
do(<<"error text">>, _, _) -> {error, <<"no tea">>};

do(<<"sleep">>, #{<<"ms">> := Ms}, _) -> io:format("sleeping~n"), timer:sleep(Ms), {ok, slept};

%% What a test has a hand in: it goes on when there is a file of that name.
do(<<"await">>, #{<<"file">> := File}, _) ->
    io:format("waiting~n"),
    await_file(File),
    {ok, #{pid => list_to_integer(os:getpid())}};
do(<<"remaining">>, _, #{deadline := Deadline, remaining_ms := Remaining}) ->
    {ok, #{deadline => Deadline, remaining => Remaining, pid => list_to_integer(os:getpid())}};
do(<<"start a program">>, _, _) ->
    Keeper = spawn(fun() -> receive stop -> ok end end),
    Port = open_port({spawn_executable, "/bin/sleep"}, [{args, ["1000"]}]),
    true = port_connect(Port, Keeper),
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    unlink(Port),
    {ok, Pid};

%% Results that come in parts.
do(<<"stream">>, #{<<"parts">> := Parts}, _) ->
    {stream, #{content_type => <<"text/csv">>}, fun(Send) -> [ok = Send(Part) || Part <- Parts] end};
do(<<"stream http">>, _, _) ->
    {stream, #{status => 201, headers => #{<<"x-a">> => 7}, cookies => ["c=1"]}, ["a", <<"b">>]};
do(<<"stream fails">>, #{<<"by">> := By}, _) ->
    {stream, fun(Send) -> Send("half"), Send(integer_to_list(1 div By)) end};
do(<<"stream bad part">>, _, _) -> {stream, fun(Send) -> Send("half"), Send(atom) end};
do(<<"stream hangs">>, _, _) -> {stream, fun(Send) -> Send("half"), timer:sleep(infinity) end};
do(<<"stream halts">>, _, _) -> {stream, fun(Send) -> Send("half"), timer:sleep(50), halt(3) end};
do(<<"stream size">>, #{<<"bytes">> := Bytes}, _) ->
    Part = binary:copy(<<"x">>, 1 bsl 16),
    {stream, fun(Send) ->
                     [ok = Send(Part) || _ <- lists:seq(1, Bytes bsr 16)],
                     ok = Send(binary:part(Part, 0, Bytes rem (1 bsl 16)))
             end};
do(<<"stream of type">>, #{<<"size">> := Size}, _) ->
    {stream, #{content_type => binary:copy(<<"t">>, Size)}, ["a"]};
do(<<"of type">>, #{<<"size">> := Size}, _) -> {ok, binary:copy(<<"t">>, Size), <<"a">>};
do(<<"stream endless">>, _, _) ->
    Part = binary:copy(<<"x">>, 1 bsl 16),
    {stream, fun(Send) -> endless(Send, Part, 0) end};
do(<<"http">>, #{<<"status">> := Status, <<"body">> := Body}, _) ->
    beamport_http:response(Status, [{<<"X-A">>, <<"b">>}, beamport_http:cookie("c", "1", 60)], Body);
do(<<"http bytes">>, _, _) -> beamport_http:response(<<255, 0>>);

%% Results that are none.
do(<<"nonsense">>, _, _) -> self();
do(<<"tuple">>, _, _) -> {ok, [1, {2, 3}]};
do(<<"pid">>, _, _) -> {ok, #{a => [self()]}};
do(<<"fun">>, _, _) -> {ok, #{f => fun() -> ok end}};
do(<<"latin1">>, _, _) -> {ok, #{text => <<16#E9>>}};
do(<<"float key">>, _, _) -> {ok, #{1.5 => 1}};
do(<<"same keys">>, _, _) -> {ok, #{a => 1, <<"a">> => 2}};
do(<<"improper">>, _, _) -> {ok, [1 | 2]};
do(<<"bits">>, _, _) -> {ok, [<<1:3>>]};
do(<<"deep">>, #{<<"depth">> := Depth}, _) -> {ok, lists:foldl(fun(_, In) -> [In] end, [], lists:seq(2, Depth))};
do(<<"many">>, #{<<"count">> := Count}, _) -> {ok, lists:duplicate(Count, 1)};
do(<<"digits">>, _, _) -> {ok, [1 bsl 10000]};

%% Crashes.
do(<<"badarith">>, #{<<"by">> := By}, _) -> {ok, 1 div By};
do(<<"badmatch">>, Event, _) -> #{<<"none">> := X} = Event, {ok, X};
do(<<"undef">>, _, _) -> no_such_module:call();
do(<<"raise">>, _, _) -> error({my_reason, <<"x">>});
do(<<"exit">>, _, _) -> exit(kaput);
do(<<"exit normal">>, _, _) -> exit(normal);
do(<<"throw">>, _, _) -> throw({ball, 1});
do(<<"killed">>, _, _) -> exit(self(), kill), timer:sleep(infinity);
do(<<"linked">>, _, _) -> spawn_link(fun() -> exit(boom) end), timer:sleep(infinity);
do(<<"heap">>, _, _) -> process_flag(max_heap_size, 100000), {ok, length(lists:seq(1, 10000000))};

%% The end of the VM.
do(<<"halt">>, #{<<"status">> := Status}, _) -> halt(Status);
do(<<"slogan">>, _, _) -> halt("out of tea");
do(<<"signal">>, #{<<"name">> := Name}, _) ->
    os:cmd(["kill -", binary_to_list(Name), " ", os:getpid()]),
    timer:sleep(infinity);
do(<<"allocate">>, _, _) -> {ok, byte_size(binary:copy(<<0>>, 1 bsl 46))};
do(<<"kill link">>, _, _) -> exit(whereis(beamport_link), kill), timer:sleep(infinity);

%% No end.
do(<<"hang">>, _, _) -> io:format("hanging~n"), timer:sleep(infinity);
do(<<"spin">>, _, _) -> io:format("spinning~n"), spin(0);
%% As if inside of native code: what would kill the process cannot.
do(<<"disable">>, _, _) -> erlang:suspend_process(group_leader()), timer:sleep(infinity);
do(<<"trap">>, _, _) -> process_flag(trap_exit, true), io:format("hanging~n"), spin(0);

%% A meeting of as many invocations as are said: each answers when all are there.
do(<<"meet">>, #{<<"count">> := Count}, _) ->
    case ets:whereis(meeting) of
        undefined -> catch ets:new(meeting, [named_table, public, {heir, whereis(init), none}]);
        _ -> ok
    end,
    _ = ets:update_counter(meeting, count, 1, {count, 0}),
    meet(Count);

%% Noise.
do(<<"noise">>, _, _) ->
    Noise = binary:copy(<<16#83, 104, 3, 0, 255, "noise">>, 20000),
    ok = file:write_file("/proc/self/fd/1", Noise),
    ok = file:write_file("/proc/self/fd/2", Noise),
    erlang:display({noise, <<"display">>}),
    io:format(user, "noise ~ts~n", [[16#1F300]]),
    io:format("noise of the call ~ts~n", [[16#1F300]]),
    spawn(fun() -> error(noise) end),
    {ok, #{quiet => true}};
do(<<"to stderr">>, _, _) -> io:format(standard_error, "of another invocation~n", []), {ok, #{}};
do(<<"left behind">>, _, _) ->
    Left = spawn(fun left_behind/0),
    persistent_term:put(left_behind, Left),
    {ok, #{}};
do(<<"tell the one left behind">>, _, _) ->
    Left = persistent_term:get(left_behind),
    Ref = monitor(process, Left),
    Left ! tell,
    receive {'DOWN', Ref, process, Left, normal} -> {ok, #{}} end;
do(<<"crash a server">>, _, _) ->
    {Pid, Ref} = spawn_monitor(fun() -> proc_lib:init_ack(ok), error({secret, <<"canary">>}) end),
    Beside = proc_lib:spawn(fun() -> receive go_on -> error(crashed_beside) end end),
    BesideRef = monitor(process, Beside),
    Beside ! go_on,
    receive {'DOWN', Ref, process, Pid, _} -> ok end,
    receive {'DOWN', BesideRef, process, Beside, _} -> ok end,
    {ok, #{}};
do(<<"linked crash">>, _, _) -> spawn_link(fun() -> error(boom) end), timer:sleep(infinity);
do(<<"levels">>, _, _) ->
    [logger:log(Level, "at ~s", [Level]) || Level <- [debug, info, notice, warning, error]],
    {ok, maps:get(level, logger:get_primary_config())};
do(<<"log">>, _, _) ->
    io:format("printed~nin two "), io:format("lines"),
    logger:warning("warned of ~p", [tea]),
    logger:error(#{what => tea}),
    {ok, nil};
do(<<"environment">>, _, _) ->
    {ok, #{home => list_to_binary(os:getenv("HOME", "")), node => node(), cwd => list_to_binary(element(2, file:get_cwd())),
           epmd => length([P || P <- registered(), P =:= erl_epmd orelse P =:= net_kernel]),
           fd => list_to_binary(os:getenv("_LAMBDA_TELEMETRY_LOG_FD", "")),
           latin1 => file:native_name_encoding() =:= latin1}};
do(<<"trace">>, _, #{trace_id := Id}) ->
    {ok, #{context => Id, environment => list_to_binary(os:getenv("_X_AMZN_TRACE_ID", "none"))}};
do(<<"atoms">>, Event, _) ->
    true = is_map(Event),
    {ok, erlang:system_info(atom_count)}.

left_behind() ->
    receive tell -> ok end,
    io:format("printed "),
    io:format("late~n"),
    logger:error("logged late", #{map => #{a => [1, <<"b">>]}, odd => {x}}).

endless(Send, Part, N) ->
    ok = Send(Part),
    io:format("sent ~b~n", [N]),
    endless(Send, Part, N + 1).

spin(N) -> spin(N + 1).

await_file(File) ->
    case file:read_file_info(File) of
        {ok, _} -> ok;
        {error, enoent} -> timer:sleep(5), await_file(File)
    end.

meet(Count) ->
    case ets:lookup(meeting, count) of
        [{count, N}] when N >= Count -> {ok, #{met => Count}};
        _ -> erlang:yield(), meet(Count)
    end.
