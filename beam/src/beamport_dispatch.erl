%% @doc The calls of one stream: which guardian serves which.
%%
%% This is the part that a link and the connections of a listener have in common: the
%% state of the process that reads the frames. No function here waits for anything.
-module(beamport_dispatch).

-export([new/2, sink/1, calls/1, frame/2, message/2]).
-export_type([state/0]).

-type job() :: {beamport_guardian:kind(), beamport_calls:id()} | pong.

-record(state, {stream :: beamport_guardian:stream(),
                %% Those that have no final frame yet.
                busy = #{} :: #{beamport_calls:id() => Guardian :: pid()},
                %% What each guardian of these does, and the process that writes a pong.
                guardians = #{} :: #{pid() => job()},
                %% One for the next call: the call does not wait for it to be made.
                spare :: pid() | none,
                %% After how many calls a look is taken.
                every :: pos_integer(),
                %% How many calls have ended since it was looked for guardians that nothing
                %% needs any more, and whether somebody looks.
                ended = 0 :: non_neg_integer(),
                looking = false :: boolean(),
                %% Whether a pong is being written, and the frame of the newest ping since.
                pong = idle :: idle | writes | {writes, Next :: iodata()}}).

-opaque state() :: #state{}.

%% Frames of this size and more are let go of at once, not at the next collection.
-define(LARGE, 65536).
%% A look for guardians that nothing needs any more goes through the table of processes,
%% and asks each process. It is taken after so many calls at least, and at most, and after
%% one for so many places in the table, and for so many processes.
-define(CALLS, 64).
-define(MOST_CALLS, 512).
-define(PLACES, 1024).
-define(PROCESSES, 16).

%% @doc The state of the calling process, which owns the stream.
-spec new(Callback :: module(), beamport_sink:sink()) -> state().
new(Callback, Sink) ->
    Stream = #{owner => self(), callback => Callback, sink => Sink, calls => beamport_calls:new()},
    Places = erlang:system_info(process_limit),
    #state{stream = Stream, spare = spare(Stream), every = min(max(?CALLS, Places div ?PLACES), ?MOST_CALLS)}.

spare(Stream) ->
    {Guardian, _} = spawn_opt(beamport_guardian, init, [Stream], [{monitor, [{tag, guardian_down}]}, {fullsweep_after, 0}]),
    Guardian.

%% @doc Where the answers go.
-spec sink(state()) -> beamport_sink:sink().
sink(#state{stream = #{sink := Sink}}) -> Sink.

%% @doc Which call each guardian serves.
-spec calls(state()) -> beamport_calls:table().
calls(#state{stream = #{calls := Calls}}) -> Calls.

%% @doc Takes a frame of the calling side. `{stop, Reason}' is the frame of that name; a
%% violation of the protocol is described by a sentence.
-spec frame(binary(), state()) -> {ok, state()} | {stop, Reason :: atom()} | {violation, iodata()}.
frame(Frame, #state{stream = #{sink := Sink}} = State) ->
    Max = beamport_sink:max(Sink),
    case byte_size(Frame) of
        Size when Size =< Max -> head(beamport_frame:head(Frame), Frame, State);
        Size -> {violation, ["a frame of ", integer_to_list(Size), " bytes came; the maximum is ",
                             integer_to_list(Max)]}
    end.

head({Kind, Id}, Frame, State) when Kind =:= call; Kind =:= cast ->
    start(Kind, Id, Frame, State);
head({cancel, Id} = Cancel, _, State) ->
    {ok, tell(Id, Cancel, State)};
head({credit, Id, _} = Credit, _, State) ->
    {ok, tell(Id, Credit, State)};
head({ping, N}, _, State) ->
    {ok, pong(beamport_frame:pong(N), State)};
head({stop, Reason}, _, _) ->
    {stop, Reason};
head(bad, _, _) ->
    {violation, "a frame came that is none of the protocol's"}.

start(Kind, Id, _, #state{busy = Busy}) when is_map_key(Id, Busy) ->
    {violation, [atom_to_list(Kind), " ", integer_to_list(Id), " came twice"]};
start(Kind, Id, Frame, #state{stream = Stream, spare = Spare, busy = Busy, guardians = Guardians} = State) ->
    Guardian = case Spare of
                   none -> spare(Stream);
                   _ -> Spare
               end,
    Guardian ! {Kind, Id, Frame},
    byte_size(Frame) >= ?LARGE andalso erlang:garbage_collect(),
    {ok, State#state{spare = none, busy = Busy#{Id => Guardian}, guardians = Guardians#{Guardian => {Kind, Id}}}}.

tell(Id, Message, #state{busy = Busy} = State) ->
    _ = case Busy of
            #{Id := Guardian} -> Guardian ! Message;
            _ -> not_open
        end,
    State.

%% A port takes the frame at once or not at all; then the other side has frames to
%% read that prove life as well. For a socket, a process writes it, one at a time; of
%% the pings that come meanwhile, the newest is answered.
pong(Frame, #state{stream = #{sink := Sink}, guardians = Guardians, pong = Pong} = State) ->
    case {beamport_sink:is_socket(Sink), Pong} of
        {true, idle} ->
            {Writer, _} = spawn_opt(beamport_sink, write, [Sink, Frame], [{monitor, [{tag, guardian_down}]}]),
            State#state{pong = writes, guardians = Guardians#{Writer => pong}};
        {true, _} ->
            State#state{pong = {writes, Frame}};
        {false, _} ->
            _ = beamport_sink:offer(Sink, Frame),
            State
    end.

%% @doc Takes any other message of the owner.
-spec message(term(), state()) -> {ok, state()} | {violation, iodata()}.
message({done, Guardian}, #state{guardians = Guardians, ended = Ended} = State) ->
    case maps:take(Guardian, Guardians) of
        {{_, _} = Job, Rest} -> {ok, look(prepare(ended(Job, State#state{guardians = Rest, ended = Ended + 1})))};
        _ -> {ok, State}
    end;
message({looked, _, process, _, _}, State) ->
    {ok, State#state{looking = false}};
message({guardian_down, _, process, Guardian, _}, State) ->
    {ok, lost(Guardian, State)};
message({violation, Text}, _) ->
    {violation, Text};
message(_, State) ->
    {ok, State}.

ended({_, Id}, #state{busy = Busy} = State) -> State#state{busy = maps:remove(Id, Busy)};
ended(pong, #state{pong = {writes, Frame}} = State) -> pong(Frame, State#state{pong = idle});
ended(pong, State) -> State#state{pong = idle}.

prepare(#state{stream = Stream, spare = none} = State) -> State#state{spare = spare(Stream)};
prepare(State) -> State.

%% Of the guardians whose calls are over, those that nothing needs any more are let go of. To
%% find out which takes a look at all processes, which is not for this one to do.
look(#state{stream = #{calls := Calls}, looking = false, ended = Ended, every = Every} = State) when Ended >= Every ->
    case Ended >= erlang:system_info(process_count) div ?PROCESSES of
        true ->
            _ = spawn_opt(beamport_leaders, retire, [Calls], [{monitor, [{tag, looked}]}, {priority, low}]),
            State#state{ended = 0, looking = true};
        false ->
            State
    end;
look(State) ->
    State.

%% Code of a call can kill its group leader. Its call is answered nevertheless.
lost(Guardian, #state{spare = Guardian} = State) ->
    State#state{spare = none};
lost(Guardian, #state{stream = #{calls := Calls, sink := Sink}, guardians = Guardians} = State) ->
    beamport_calls:abandon(Calls, Guardian),
    case maps:take(Guardian, Guardians) of
        {{Kind, Id} = Job, Rest} ->
            _ = spawn(beamport_guardian, lost, [Sink, Kind, Id]),
            ended(Job, State#state{guardians = Rest});
        {pong, Rest} ->
            ended(pong, State#state{guardians = Rest});
        error ->
            State
    end.
