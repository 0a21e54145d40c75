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
                %% What each guardian does.
                guardians = #{} :: #{pid() => job() | free | retiring},
                free = [] :: [pid()],
                spare = 0 :: non_neg_integer(), % the length of free
                retire = 0 :: non_neg_integer(), % how many there are when some are let go
                %% Whether a guardian writes a pong, and the frame of the newest ping since.
                pong = idle :: idle | writes | {writes, Next :: iodata()}}).

-opaque state() :: #state{}.

%% Frames of this size and more are let go of at once, not at the next collection.
-define(LARGE, 65536).
%% How many guardians that have nothing to do are kept in any case.
-define(SPARE, 64).

%% @doc The state of the calling process, which owns the stream.
-spec new(Callback :: module(), beamport_sink:sink()) -> state().
new(Callback, Sink) ->
    #state{stream = #{owner => self(), callback => Callback, sink => Sink, calls => beamport_calls:new()},
           retire = 2 * ?SPARE}.

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
start(Kind, Id, Frame, State) ->
    {Guardian, #state{busy = Busy} = Next} = guardian({Kind, Id}, State),
    Guardian ! {Kind, Id, Frame},
    byte_size(Frame) >= ?LARGE andalso erlang:garbage_collect(),
    {ok, Next#state{busy = Busy#{Id => Guardian}}}.

tell(Id, Message, #state{busy = Busy} = State) ->
    _ = case Busy of
            #{Id := Guardian} -> Guardian ! Message;
            _ -> not_open
        end,
    State.

%% A port takes the frame at once or not at all; then the other side has frames to
%% read that prove life as well. For a socket, a guardian writes it, one at a time; of
%% the pings that come meanwhile, the newest is answered.
pong(Frame, #state{stream = #{sink := Sink}, pong = Pong} = State) ->
    case {beamport_sink:is_socket(Sink), Pong} of
        {true, idle} ->
            {Guardian, Next} = guardian(pong, State),
            Guardian ! {write, Frame},
            Next#state{pong = writes};
        {true, _} ->
            State#state{pong = {writes, Frame}};
        {false, _} ->
            _ = beamport_sink:offer(Sink, Frame),
            State
    end.

%% A guardian is used for one call after another: a process that a call leaves behind
%% can go on printing to it.
guardian(Job, #state{free = [Guardian | Free], spare = Spare, guardians = Guardians} = State) ->
    {Guardian, State#state{free = Free, spare = Spare - 1, guardians = Guardians#{Guardian := Job}}};
guardian(Job, #state{stream = Stream, guardians = Guardians} = State) ->
    {Guardian, _} = spawn_opt(beamport_guardian, init, [Stream],
                              [{monitor, [{tag, guardian_down}]}, {fullsweep_after, 0}]),
    {Guardian, State#state{guardians = Guardians#{Guardian => Job}}}.

%% @doc Takes any other message of the owner.
-spec message(term(), state()) -> {ok, state()} | {violation, iodata()}.
message({free, Guardian}, #state{guardians = Guardians} = State) ->
    case Guardians of
        #{Guardian := free} -> {ok, State};
        #{Guardian := retiring} -> {ok, needed(Guardian, State)};
        #{Guardian := Job} -> {ok, retire(free(Guardian, ended(Job, State)))};
        _ -> {ok, State}
    end;
message({guardian_down, _, process, Guardian, _}, State) ->
    {ok, lost(Guardian, State)};
message({violation, Text}, _) ->
    {violation, Text};
message(_, State) ->
    {ok, State}.

ended({_, Id}, #state{busy = Busy} = State) -> State#state{busy = maps:remove(Id, Busy)};
ended(pong, #state{pong = {writes, Frame}} = State) -> pong(Frame, State#state{pong = idle});
ended(pong, State) -> State#state{pong = idle}.

free(Guardian, #state{free = Free, spare = Spare, guardians = Guardians} = State) ->
    State#state{free = [Guardian | Free], spare = Spare + 1, guardians = Guardians#{Guardian := free}}.

%% After many calls at once, guardians that nothing needs any more are let go of. To
%% find out which takes a look at all processes, which is not for this one to do.
retire(#state{spare = Spare, retire = Retire} = State) when Spare < Retire ->
    State;
retire(#state{free = Free, guardians = Guardians} = State) ->
    {Kept, Surplus} = lists:split(?SPARE, Free),
    _ = spawn(beamport_guardian, retire, [self(), Surplus]),
    Retiring = maps:from_list([{Guardian, retiring} || Guardian <- Surplus]),
    State#state{free = Kept, spare = ?SPARE, guardians = maps:merge(Guardians, Retiring),
                retire = 2 * ?SPARE}.

%% One that is the group leader of some process, and comes back. The next look is
%% taken when there are twice as many again.
needed(Guardian, #state{retire = Retire} = State) ->
    free(Guardian, State#state{retire = Retire + 2}).

%% Code of a call can kill its group leader. Its call is answered nevertheless.
lost(Guardian, #state{stream = #{calls := Calls, sink := Sink}, guardians = Guardians} = State) ->
    beamport_calls:abandon(Calls, Guardian),
    case maps:take(Guardian, Guardians) of
        {{Kind, Id} = Job, Rest} ->
            _ = spawn(beamport_guardian, lost, [Sink, Kind, Id]),
            ended(Job, State#state{guardians = Rest});
        {pong, Rest} ->
            ended(pong, State#state{guardians = Rest});
        {retiring, Rest} ->
            State#state{guardians = Rest};
        {free, Rest} ->
            Free = lists:delete(Guardian, State#state.free),
            State#state{guardians = Rest, free = Free, spare = length(Free)};
        error ->
            State
    end.
