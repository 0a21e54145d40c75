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

-export([watch/1, init/1, stopping/2, port/0, max_packet/0]).
-export_type([settings/0]).

-type settings() :: #{fds := {In :: non_neg_integer(), Out :: non_neg_integer()},
                      max_packet := pos_integer(),
                      callback := module()}.

-record(state, {in :: port(),
                out :: port(),
                max :: pos_integer(),
                callback :: module(),
                busy = #{} :: #{Id :: non_neg_integer() => Guardian :: pid()},
                free = [] :: [Guardian :: pid()]}).

%% How long a callback's stop/1 may take.
-define(STOP_MS, 150).
%% Frames of this size and more are let go of at once, not at the next collection.
-define(LARGE, 65536).

%% @doc Starts a link and waits for its end, which is the emulator's.
-spec watch(settings()) -> no_return().
watch(Settings) ->
    %% Frames are passed on by reference: what little is on this heap must not keep
    %% them alive.
    {_, Ref} = spawn_opt(?MODULE, init, [Settings],
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

%% @private
-spec init(settings()) -> no_return().
init(#{fds := {In, Out}, max_packet := Max, callback := Callback}) ->
    process_flag(trap_exit, true),
    register(?MODULE, self()),
    %% The atoms of requests have to exist before the first one is decoded.
    try Callback:module_info(module)
    catch
        _:_ -> beamport_halt:fatal(["there is no callback module ", atom_to_list(Callback)])
    end,
    beamport_calls:new(),
    Reads = open_port({fd, In, In}, [in, {packet, 4}, binary, eof]),
    Writes = output(Out),
    persistent_term:put(?MODULE, {Writes, Max}),
    %% The one frame that the link writes itself: nothing has been written before, so
    %% it fits.
    ok = beamport_frame:write(beamport_frame:ready()),
    beamport_log:install(),
    loop(#state{in = Reads, out = Writes, max = Max, callback = Callback}).

%% The type of open_port/2 leaves names out.
-dialyzer({nowarn_function, output/1}).
-spec output(non_neg_integer()) -> port().
output(Fd) ->
    try open_port("/dev/fd/" ++ integer_to_list(Fd), [out, {packet, 4}, binary])
    catch
        error:_ -> open_port({fd, Fd, Fd}, [out, {packet, 4}, binary])
    end.

%% @doc The port that frames are written to, by any process. Fails with `badarg' when
%% there is no link.
-spec port() -> port().
port() ->
    element(1, persistent_term:get(?MODULE)).

%% @doc The longest frame in bytes.
-spec max_packet() -> pos_integer().
max_packet() ->
    element(2, persistent_term:get(?MODULE)).

loop(#state{in = In, out = Out} = State) ->
    receive
        {In, {data, Frame}} ->
            loop(frame(Frame, State));
        {In, eof} ->
            beamport_halt:quiet();
        {'EXIT', Port, _} when Port =:= In; Port =:= Out ->
            beamport_halt:quiet();
        {free, Guardian, Id} ->
            loop(free(Guardian, Id, State));
        {guardian_down, _, process, Guardian, _} ->
            loop(lost(Guardian, State));
        _ ->
            loop(State)
    end.

frame(Frame, #state{max = Max}) when byte_size(Frame) > Max ->
    beamport_halt:fatal(["a frame of ", integer_to_list(byte_size(Frame)),
                         " bytes came; the maximum is ", integer_to_list(Max)]);
frame(Frame, State) ->
    case beamport_frame:head(Frame) of
        {call, Id} ->
            call(Id, Frame, State);
        cast ->
            {Guardian, Next} = guardian(State),
            Guardian ! {cast, Frame},
            Next;
        {cancel, Id} ->
            cancel(Id, State);
        {stop, Reason} ->
            stop(Reason, State);
        bad ->
            beamport_halt:fatal("a frame came that is none of the protocol's")
    end.

call(Id, _, #state{busy = Busy}) when is_map_key(Id, Busy) ->
    beamport_halt:fatal(["call ", integer_to_list(Id), " came twice"]);
call(Id, Frame, State) ->
    {Guardian, #state{busy = Busy} = Next} = guardian(State),
    Guardian ! {call, Id, Frame},
    byte_size(Frame) >= ?LARGE andalso erlang:garbage_collect(),
    Next#state{busy = Busy#{Id => Guardian}}.

cancel(Id, #state{busy = Busy} = State) ->
    case Busy of
        #{Id := Guardian} ->
            Guardian ! {cancel, Id},
            State;
        _ ->
            State
    end.

%% A guardian is used for one call after another: a process that a call leaves behind
%% can go on printing to it.
guardian(#state{free = [Guardian | Free]} = State) ->
    {Guardian, State#state{free = Free}};
guardian(#state{callback = Callback} = State) ->
    {Guardian, _} = spawn_opt(beamport_guardian, init, [self(), Callback],
                              [{monitor, [{tag, guardian_down}]}, {fullsweep_after, 0}]),
    {Guardian, State}.

free(Guardian, Id, #state{busy = Busy, free = Free} = State) ->
    State#state{busy = maps:remove(Id, Busy), free = [Guardian | Free]}.

%% Code of a call can kill its group leader. Its call is answered nevertheless.
lost(Guardian, #state{busy = Busy, free = Free} = State) ->
    beamport_calls:abandon(Guardian),
    Ids = [Id || {Id, G} <- maps:to_list(Busy), G =:= Guardian],
    _ = [spawn(beamport_guardian, lost, [Id]) || Id <- Ids],
    State#state{busy = maps:without(Ids, Busy), free = [G || G <- Free, G =/= Guardian]}.

%% The link goes on meanwhile: the other side may read, write and go.
stop(Reason, #state{callback = Callback} = State) ->
    _ = spawn(?MODULE, stopping, [Callback, Reason]),
    State.

%% @private
-spec stopping(module(), atom()) -> no_return().
stopping(Callback, Reason) ->
    _ = beamport_bounded:run(fun() -> Callback:stop(Reason) end, ?STOP_MS),
    beamport_halt:orderly().
