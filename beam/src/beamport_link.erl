%% @doc The owner of the ports: one process between the file descriptors and the
%% processes of the calls.
%%
%% It reads frames and passes them on. It runs no code but its own and never waits
%% for a port, so that it sees a cancellation, a stop and the end of the stream
%% whatever calls do. Answers and logs are written to a port by the processes that
%% have them ({@link beamport_guardian}, {@link beamport_log}); the port suspends
%% those when the other side does not read.
%%
%% The emulator lives no longer than the link: it halts with status 0 when the stream
%% ends or the other side is gone, and with status 1 and a line on stderr when a frame
%% is none of the protocol's or the link itself fails.
%%
%% There are two ports, one that reads and one that writes. An `fd' port has a thread
%% write to a pipe, which takes twice as long as all the rest of a small call's way,
%% and whose news the emulator misses now and then: with many calls at a time nothing
%% was written any more until the next input came (OTP 25). A port that is named by a
%% path writes without blocking and by itself; the path of an open descriptor is
%% `/dev/fd/N'. Where there is no such path, an `fd' port has to do.
-module(beamport_link).

-export([watch/2, logs/0, init/3, stopping/2]).
-export_type([settings/0]).

-type settings() :: #{fds := {In :: non_neg_integer(), Out :: non_neg_integer()},
                      max_packet := pos_integer(),
                      callback := module()}.

-record(state, {in :: port(),
                out :: port(),
                watcher :: reference(),
                callback :: module(),
                dispatch :: beamport_dispatch:state()}).

%% How long a callback's stop/1 may take; and that with what is to be written then.
-define(STOP_MS, 150).
-define(END_MS, 200).

%% @doc Starts a link and waits for its end, which is the emulator's. Sends `{beamport_link,
%% started}' to `Starter' when there is one that reads.
-spec watch(Starter :: pid(), settings()) -> no_return().
watch(Starter, Settings) ->
    %% Frames are passed on by reference: what little is on this heap must not keep
    %% them alive.
    {_, Ref} = spawn_opt(?MODULE, init, [Starter, self(), Settings],
                         [monitor, {priority, high}, {message_queue_data, off_heap},
                          {fullsweep_after, 0}]),
    receive
        {'DOWN', Ref, process, _, Reason} ->
            beamport_halt:fatal(["the link ended: ", beamport_text:show(tag(Reason))])
    end.

%% Of a reason, what cannot quote data.
tag({Reason, [{M, F, A, _} | _]}) when is_integer(A) -> {tag(Reason), {M, F, A}};
tag({Reason, [{M, F, A, _} | _]}) when is_list(A) -> {tag(Reason), {M, F, length(A)}};
tag(Reason) when is_atom(Reason) -> Reason;
tag(Reason) when is_tuple(Reason), is_atom(element(1, Reason)) -> element(1, Reason);
tag(_) -> unknown.

%% @doc Has the logger send its events over the link: for a link that was started
%% before the logger was.
-spec logs() -> ok.
logs() ->
    Ref = monitor(process, ?MODULE),
    ?MODULE ! {logs, self(), Ref},
    receive
        {Ref, Sink, Calls} ->
            demonitor(Ref, [flush]),
            beamport_log:install(Sink, Calls)
    end.

%% @private
-spec init(Starter :: pid(), Watcher :: pid(), settings()) -> no_return().
init(Starter, Watcher, #{fds := {In, Out}, max_packet := Max, callback := Callback}) ->
    process_flag(trap_exit, true),
    register(?MODULE, self()),
    %% The atoms of requests have to exist before the first one is decoded.
    try Callback:module_info(module)
    catch
        _:_ -> beamport_halt:fatal(["there is no callback module ", atom_to_list(Callback)])
    end,
    Reads = open_port({fd, In, In}, [in, {packet, 4}, binary, eof]),
    Writes = output(Out),
    Sink = beamport_sink:port(Writes, Max),
    %% Nothing has been written before, so it fits.
    ok = beamport_sink:write(Sink, beamport_frame:ready()),
    Dispatch = beamport_dispatch:new(Callback, Sink),
    beamport_log:install(Sink, beamport_dispatch:calls(Dispatch)),
    _ = beamport_reports:start(),
    Starter ! {?MODULE, started},
    loop(#state{in = Reads, out = Writes, watcher = monitor(process, Watcher), callback = Callback,
                dispatch = Dispatch}).

%% The type of open_port/2 leaves names out.
-dialyzer({nowarn_function, output/1}).
-spec output(non_neg_integer()) -> port().
output(Fd) ->
    try open_port("/dev/fd/" ++ integer_to_list(Fd), [out, {packet, 4}, binary])
    catch
        error:_ -> open_port({fd, Fd, Fd}, [out, {packet, 4}, binary])
    end.

loop(#state{in = In, out = Out, watcher = Watcher, dispatch = Dispatch} = State) ->
    receive
        {In, {data, Frame}} ->
            next(beamport_dispatch:frame(Frame, Dispatch), State);
        {In, eof} ->
            beamport_halt:quiet();
        {'EXIT', Port, _} when Port =:= In; Port =:= Out ->
            beamport_halt:quiet();
        {logs, From, Ref} ->
            From ! {Ref, beamport_dispatch:sink(Dispatch), beamport_dispatch:calls(Dispatch)},
            loop(State);
        {'DOWN', Watcher, process, _, _} ->
            beamport_halt:fatal("the process that watches the link ended");
        Message ->
            next(beamport_dispatch:message(Message, Dispatch), State)
    end.

next({ok, Dispatch}, State) -> loop(State#state{dispatch = Dispatch});
next({stop, Reason}, State) -> loop(stop(Reason, State));
next({violation, Text}, _) -> beamport_halt:fatal(Text).

%% The link goes on meanwhile: the other side may read, write and go.
stop(Reason, #state{callback = Callback} = State) ->
    _ = spawn(?MODULE, stopping, [Callback, Reason]),
    State.

%% @private
-spec stopping(module(), atom()) -> no_return().
stopping(Callback, Reason) ->
    Begin = erlang:monotonic_time(millisecond),
    _ = beamport_bounded:run(fun() -> Callback:stop(Reason) end, ?STOP_MS),
    beamport_halt:orderly(?END_MS - (erlang:monotonic_time(millisecond) - Begin)).
