%% @doc The process that sees to a call: it starts the process that runs it, is that
%% one's group leader, and writes all frames of the call's answer.
%%
%% A guardian serves one call and no other: processes that the call has left behind
%% have it for a group leader still, and what they print and log belongs to their call,
%% whatever is under way by then. When the call is over the guardian stays for them, until
%% {@link beamport_leaders} has found that there are none.
%%
%% It may wait for the other side to read, so that nothing else waits for it but the
%% processes of its call. Exit signals do not end it, unless it is killed.
-module(beamport_guardian).

-export([init/1, lost/3]).
-export([collect/2, collected/2, stream/4, emit/3, log_failure/4]).
-export_type([stream/0, kind/0, job/0]).

-type stream() :: #{owner := pid(),
                    callback := module(),
                    sink := beamport_sink:sink(),
                    calls := beamport_calls:table()}.
%% What the guardians of one stream share.

-type kind() :: call | cast.
-type job() :: {kind(), beamport_calls:id(), Frame :: binary()}.

-record(state, {stream :: stream(),
                owner :: reference(),
                id :: beamport_calls:id(),
                line = <<>> :: binary()}).

-record(call, {kind :: kind(),
               worker :: pid(),
               ref :: reference(),
               %% What becomes of parts that are emitted: nothing yet, frames, or one reply.
               mode = none :: none | stream | collect,
               %% Bytes of chunks that the other side has room for.
               credit = 0 :: non_neg_integer(),
               %% Of parts that were collected.
               size = 0 :: non_neg_integer(),
               parts = [] :: [binary()],
               %% Parts that have not been written as a whole, the oldest first.
               waiting = queue:new() :: queue:queue({pid(), reference(), binary()})}).

%% Frames of other calls come between the chunks of a stream.
-define(MAX_CHUNK, 262144).
%% Requests of this size and more have a heap that is made for them, of so many words at
%% most.
-define(LARGE, 4096).
-define(MAX_HEAP, 2000000).
%% What a chunk's frame takes besides its bytes, at most.
-define(CHUNK_OVERHEAD, 32).

%% @doc Waits for a {@type job()} from the owner, and sees to it. The owner sends `{credit,
%% Id, Bytes}' and `{cancel, Id}' meanwhile, and gets `{done, self()}' when the call is over.
%% `retire' ends the guardian then. The end of the owner is that of the guardian and of its
%% call.
-spec init(stream()) -> no_return().
init(#{owner := Owner} = Stream) ->
    process_flag(trap_exit, true),
    OwnerRef = monitor(process, Owner),
    receive
        {Kind, Id, Frame} = Job when Kind =:= call; Kind =:= cast ->
            {Worker, Ref} = spawn_opt(beamport_worker, run, [self(), Stream, Job], [monitor | heap(byte_size(Frame))]),
            busy(#call{kind = Kind, worker = Worker, ref = Ref}, #state{stream = Stream, owner = OwnerRef, id = Id});
        {'DOWN', OwnerRef, process, _, _} ->
            exit(normal)
    end.

%% A large request's term is built in a heap that has room for it and for what becomes of
%% it, rather than in one that grows and is copied several times meanwhile: a third of
%% what a call of a megabyte takes. A term of text and numbers takes about three words for
%% eight bytes.
heap(Bytes) when Bytes < ?LARGE -> [];
heap(Bytes) -> [{min_heap_size, min(Bytes div 2, ?MAX_HEAP)}].

%% With a part to write and room for it, the next chunk is written when no message
%% waits: a cancellation comes before what is left.
busy(#call{worker = Worker, ref = Ref} = Call, #state{owner = OwnerRef, id = Id} = State) ->
    receive
        {final, Worker, Frame} ->
            done(Frame, Call, State);
        {'DOWN', Ref, process, _, Reason} ->
            ended(Reason, Call, State);
        {cancel, Id} ->
            kill(#{type => <<"cancelled">>, message => <<"the call was cancelled">>}, exit, Call, State);
        {credit, Id, Bytes} ->
            busy(Call#call{credit = Call#call.credit + Bytes}, State);
        {emit, Id, From, EmitRef, Part} ->
            emitted(From, EmitRef, Part, Call, State);
        {emit, _, From, EmitRef, _} ->
            From ! {EmitRef, closed},
            busy(Call, State);
        {stream, Id, From, AskRef, {Head, Credit}} ->
            _ = beamport_sink:write(sink(State), Head),
            From ! {AskRef, ok},
            busy(Call#call{mode = stream, credit = Call#call.credit + Credit}, State);
        {collect, Id, From, AskRef, _} ->
            From ! {AskRef, ok},
            busy(Call#call{mode = collect}, State);
        {collected, Id, From, AskRef, _} ->
            From ! {AskRef, iolist_to_binary(lists:reverse(Call#call.parts))},
            busy(Call#call{parts = []}, State);
        {io_request, From, ReplyAs, Request} ->
            busy(Call, print(From, ReplyAs, Request, State));
        {'DOWN', OwnerRef, process, _, _} ->
            exit(Worker, kill),
            exit(normal);
        _ ->
            busy(Call, State)
    after timeout(Call) ->
            busy(chunk(Call, State), State)
    end.

timeout(#call{credit = 0}) -> infinity;
timeout(#call{waiting = Waiting}) ->
    case queue:is_empty(Waiting) of
        true -> infinity;
        false -> 0
    end.

emitted(From, Ref, Part, #call{mode = stream, waiting = Waiting} = Call, State) ->
    busy(Call#call{waiting = queue:in({From, Ref, Part}, Waiting)}, State);
emitted(From, Ref, Part, #call{mode = collect, size = Size, parts = Parts} = Call, State) ->
    Max = beamport_sink:max(sink(State)),
    case Size + byte_size(Part) of
        Total when Total =< Max ->
            From ! {Ref, ok},
            busy(Call#call{size = Total, parts = [Part | Parts]}, State);
        Total ->
            Text = ["the streamed reply takes at least ", integer_to_list(Total),
                    " bytes; a frame holds at most ", integer_to_list(Max)],
            kill(#{type => <<"Function.ResponseSizeTooLarge">>, message => iolist_to_binary(Text)}, error,
                 Call, State)
    end;
emitted(From, Ref, _, Call, State) ->
    From ! {Ref, closed},
    busy(Call, State).

%% Writes as much of the oldest part as one frame and the credit allow.
chunk(#call{credit = Credit, waiting = Waiting} = Call, #state{id = Id} = State) ->
    Sink = sink(State),
    {{value, {From, Ref, Part}}, Rest} = queue:out(Waiting),
    Room = min(Credit, min(?MAX_CHUNK, beamport_sink:max(Sink) - ?CHUNK_OVERHEAD)),
    case Part of
        <<Now:Room/binary, Later/binary>> when Later =/= <<>> ->
            _ = beamport_sink:write(Sink, beamport_frame:chunk(Id, Now)),
            Call#call{credit = Credit - Room, waiting = queue:in_r({From, Ref, Later}, Rest)};
        _ ->
            _ = beamport_sink:write(Sink, beamport_frame:chunk(Id, Part)),
            From ! {Ref, ok},
            Call#call{credit = Credit - byte_size(Part), waiting = Rest}
    end.

%% Ends a call whose process may still run. A final frame that has been handed over
%% counts as under way.
kill(Reason, Class, #call{worker = Worker, ref = Ref} = Call, State) ->
    exit(Worker, kill),
    receive
        {final, Worker, Frame} -> done(Frame, Call, State);
        {'DOWN', Ref, process, _, _} -> failed(Class, Reason, [], Call, State)
    end.

%% Something that the call's process was linked to may have failed: the emulator's report of
%% that comes before the answer.
ended(Reason, Call, State) ->
    _ = beamport_sink:is_socket(sink(State)) orelse beamport_reports:await(),
    {Class, Map, Stack} = beamport_error:down(Reason),
    failed(Class, Map, Stack, Call, State).

failed(Class, Reason, Stack, #call{kind = Kind} = Call, #state{id = Id} = State) ->
    done(failure(Kind, Id, Class, Reason, Stack, sink(State)), Call, State).

failure(call, Id, Class, Reason, Stack, Sink) ->
    beamport_frame:final({error, Id, Class, Reason, Stack}, beamport_sink:max(Sink));
failure(cast, Id, _, Reason, Stack, Sink) ->
    log_failure(Sink, Id, Reason, Stack),
    beamport_frame:ack(Id).

%% @doc Writes the log line that says that a cast has failed.
-spec log_failure(beamport_sink:sink(), beamport_calls:id(), beamport_callback:reason(), Stack :: [binary()]) -> ok.
log_failure(Sink, Id, #{type := Type, message := Message}, Stack) ->
    Text = iolist_to_binary([Type, ": ", Message | [["\n    ", Line] || Line <- Stack]]),
    log(Sink, error, Id, Text, #{}).

done(Frame, #call{ref = Ref, waiting = Waiting}, #state{stream = #{owner := Owner, calls := Calls}, id = Id} = State) ->
    Next = flush(State),
    _ = beamport_sink:write(sink(State), Frame),
    true = demonitor(Ref, [flush]),
    _ = beamport_calls:leave(Calls, self(), Id),
    _ = [From ! {EmitRef, closed} || {From, EmitRef, _} <- queue:to_list(Waiting)],
    Owner ! {done, self()},
    erlang:garbage_collect(),
    left(Next).

%% The call is over. What is printed now waits for no more to come.
left(#state{owner = OwnerRef} = State) ->
    receive
        {io_request, From, ReplyAs, Request} ->
            left(flush(print(From, ReplyAs, Request, State)));
        {emit, _, From, Ref, _} ->
            From ! {Ref, closed},
            left(State);
        retire ->
            exit(normal);
        {'DOWN', OwnerRef, process, _, _} ->
            exit(normal);
        _ ->
            left(State)
    end.

print(From, ReplyAs, Request, #state{id = Id, line = Line} = State) ->
    {Reply, Text} = beamport_io:request(Request),
    {Lines, Rest} = beamport_io:lines(Line, Text),
    _ = [log(sink(State), info, Id, L, #{stream => stdout}) || L <- Lines],
    %% After the lines have been written: the caller's next frame comes behind them.
    From ! {io_reply, ReplyAs, Reply},
    State#state{line = Rest}.

%% A line that has not been ended, when the call is.
flush(#state{line = <<>>} = State) ->
    State;
flush(#state{id = Id, line = Line} = State) ->
    log(sink(State), info, Id, Line, #{stream => stdout}),
    State#state{line = <<>>}.

log(Sink, Level, Id, Text, Meta) ->
    Time = os:system_time(microsecond),
    _ = beamport_sink:write(Sink, beamport_frame:log(Level, Time, Id, Text, Meta, beamport_sink:max(Sink))),
    ok.

sink(#state{stream = #{sink := Sink}}) -> Sink.

%% @doc Answers a call whose guardian was killed. If that happened after the final
%% frame was written and before the owner heard of it, this one is the second; the
%% other side drops it.
-spec lost(beamport_sink:sink(), kind(), beamport_calls:id()) -> ok | closed.
lost(Sink, Kind, Id) ->
    Reason = #{type => <<"killed">>, message => <<"the call's group leader was killed">>},
    beamport_sink:write(Sink, failure(Kind, Id, exit, Reason, [], Sink)).

%% @doc Begins a streamed answer: called by the call's process.
-spec stream(Guardian :: pid(), beamport_calls:id(), Head :: iodata(), Credit :: non_neg_integer()) -> ok.
stream(Guardian, Id, Head, Credit) ->
    ask(Guardian, stream, Id, {Head, Credit}).

%% @doc Begins a streamed answer that is to be collected: called by the call's process.
-spec collect(Guardian :: pid(), beamport_calls:id()) -> ok.
collect(Guardian, Id) ->
    ask(Guardian, collect, Id, none).

%% @doc What was emitted since {@link collect/2}.
-spec collected(Guardian :: pid(), beamport_calls:id()) -> binary().
collected(Guardian, Id) ->
    ask(Guardian, collected, Id, none).

%% @doc Emits a part of a streamed answer: see {@link beamport_callback:emit()}.
-spec emit(Guardian :: pid(), beamport_calls:id(), iodata()) -> ok.
emit(Guardian, Id, Data) ->
    case iolist_to_binary(Data) of
        <<>> -> ok;
        Part -> ask(Guardian, emit, Id, Part)
    end.

%% Nothing of the answer waits in the mailbox of the process that asks, where code of
%% others could take it out: credit is kept by the guardian.
ask(Guardian, What, Id, Detail) ->
    Ref = monitor(process, Guardian),
    Guardian ! {What, Id, self(), Ref, Detail},
    receive
        {Ref, closed} ->
            demonitor(Ref, [flush]),
            exit({shutdown, closed});
        {Ref, Answer} ->
            demonitor(Ref, [flush]),
            Answer;
        {'DOWN', Ref, process, _, _} ->
            exit({shutdown, closed})
    end.
