%% @doc What the emulator reports to the logger, such as the end of a process by an error.
%%
%% Such a report is on its way for a while: a thread of the emulator's hands it to a
%% process of the logger's, when whoever has to do with the process that failed may long know
%% of it. They are handed over in turn. So to see those that are on their way come in, a
%% process that fails is made, and the process here takes the logger's place until its report
%% has come. Others are passed on.
-module(beamport_reports).

-export([start/0, await/0, init/0]).

%% How long a report may be on its way, and be logged; and both of them.
-define(REPORT_MS, 500).
-define(AWAIT_MS, 1000).

%% @doc Starts the process.
-spec start() -> pid().
start() ->
    spawn(?MODULE, init, []).

%% @doc Waits until what the emulator has reported so far is logged.
-spec await() -> ok.
await() ->
    case {whereis(?MODULE), reporter(erlang:system_info(system_logger))} of
        {undefined, _} -> ok;
        {_, none} -> ok;
        {Server, _} -> ask(Server)
    end.

ask(Server) ->
    Ref = monitor(process, Server),
    Server ! {await, self(), Ref},
    receive
        {Ref, logged} -> ok;
        {'DOWN', Ref, process, _, _} -> ok
    after ?AWAIT_MS -> ok
    end,
    true = demonitor(Ref, [flush]),
    ok.

%% @private
-spec init() -> no_return().
init() ->
    true = register(?MODULE, self()),
    loop().

loop() ->
    receive
        {await, From, Ref} ->
            reported(),
            From ! {Ref, logged};
        Message ->
            pass(Message, erlang:system_info(system_logger))
    end,
    loop().

reported() ->
    Logger = erlang:system_flag(system_logger, self()),
    {Probe, Ref} = spawn_monitor(fun() -> error(?MODULE) end),
    come(Probe, Logger),
    true = demonitor(Ref, [flush]),
    _ = erlang:system_flag(system_logger, Logger),
    dealt_with(reporter(Logger)).

come(Probe, Logger) ->
    receive
        {log, _, _, _, #{pid := Probe}} ->
            ok;
        Report when element(1, Report) =:= log ->
            pass(Report, Logger),
            come(Probe, Logger)
    after ?REPORT_MS -> ok
    end.

%% The logger's process logs one report after the other. This message is understood by
%% whatever OTP's behaviours make; the module that sends it otherwise is not loaded for that.
dealt_with(none) ->
    ok;
dealt_with(Reporter) ->
    Ref = monitor(process, Reporter),
    Reporter ! {system, {self(), Ref}, get_state},
    receive
        {Ref, _} -> ok;
        {'DOWN', Ref, process, _, _} -> ok
    after ?REPORT_MS -> ok
    end,
    true = demonitor(Ref, [flush]),
    ok.

pass(Report, Logger) when element(1, Report) =:= log ->
    case reporter(Logger) of
        none -> ok;
        Reporter -> Reporter ! Report, ok
    end;
pass(_, _) ->
    ok.

%% The process that logs reports.
reporter(undefined) -> none;
reporter(Pid) when is_pid(Pid), Pid =/= self() -> Pid;
reporter(Name) when is_atom(Name) ->
    case whereis(Name) of
        undefined -> none;
        Pid -> Pid
    end;
reporter(_) -> none.
