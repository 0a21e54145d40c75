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

%% How many reports may be late.
-define(MAX_LATE, 1000).

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
    loop(undefined, []).

%% Logger is whose place was taken last. Late are processes that have failed for us and whose
%% reports have not come in time: they are nobody's business, so the place is kept until they
%% have.
loop(Logger, Late) ->
    receive
        {await, From, Ref} ->
            {Now, Left} = reported(Logger, Late),
            From ! {Ref, logged},
            loop(Now, Left);
        Message ->
            loop(Logger, passed(Message, Logger, Late))
    end.

reported(Before, Late) ->
    Logger = take(Before),
    Probe = spawn(fun() -> error(?MODULE) end),
    Left = give_back(come(Probe, Logger, Late), Logger),
    dealt_with(reporter(Logger)),
    {Logger, Left}.

%% Takes the logger's place, if it is not taken so far.
take(Before) ->
    Self = self(),
    case erlang:system_flag(system_logger, Self) of
        Self -> Before;
        Logger -> Logger
    end.

%% Gives it back when there is nothing more to come.
give_back([], Logger) ->
    case erlang:system_info(system_logger) =:= self() of
        true -> _ = erlang:system_flag(system_logger, Logger), [];
        false -> []
    end;
give_back(Late, _) ->
    lists:sublist(Late, ?MAX_LATE).

come(Probe, Logger, Late) ->
    receive
        {log, _, _, _, #{pid := Probe}} -> Late;
        Report when element(1, Report) =:= log -> come(Probe, Logger, pass(Report, Logger, Late))
    after ?REPORT_MS -> [Probe | Late]
    end.

passed(Message, Logger, Late) ->
    case pass(Message, current(Logger), Late) of
        Late -> Late;
        Left -> give_back(Left, Logger)
    end.

%% Who logs now, whether the place is taken or not.
current(Logger) ->
    Self = self(),
    case erlang:system_info(system_logger) of
        Self -> Logger;
        Current -> Current
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

%% Passes a report on, unless it is one of those that are late.
pass({log, _, _, _, #{pid := Pid}} = Report, Logger, Late) ->
    case lists:member(Pid, Late) of
        true -> lists:delete(Pid, Late);
        false -> forward(Report, Logger), Late
    end;
pass(Report, Logger, Late) when element(1, Report) =:= log ->
    forward(Report, Logger),
    Late;
pass(_, _, Late) ->
    Late.

forward(Report, Logger) ->
    case reporter(Logger) of
        none -> ok;
        Reporter -> Reporter ! Report, ok
    end.

%% The process that logs reports.
reporter(undefined) -> none;
reporter(Pid) when is_pid(Pid), Pid =/= self() -> Pid;
reporter(Name) when is_atom(Name) ->
    case whereis(Name) of
        undefined -> none;
        Pid -> Pid
    end;
reporter(_) -> none.
