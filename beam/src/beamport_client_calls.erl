%% @doc The calls of a client: which are under way, which wait, and whose they are.
%%
%% Answers go to the aliases of those who wait for them, so that none is ever seen by
%% another process or by a later call of the same one:
%% <ul>
%% <li>`{Ref, {frame, Frame}}' holds a final frame, or the head of a stream,</li>
%% <li>`{Ref, {chunk, Bytes}}' a part of a stream,</li>
%% <li>`{Ref, sent}' says that a cast is on its way,</li>
%% <li>`{Ref, {failed, Reason}}' that there will be no answer.</li>
%% </ul>
%%
%% Functions return the frames that are to be written, in order.
-module(beamport_client_calls).

-export([new/3, request/3, answer/3, cancel/2, down/2, credit/3, fail/2, stats/1]).
-export_type([calls/0, request/0]).

-record(waiting, {kind :: call | cast,
                  ref :: reference(),
                  monitor :: reference(),
                  body :: [binary()],
                  credit :: non_neg_integer() | none}).

-record(open, {kind :: call | cast,
               ref :: reference() | none, % none: nobody waits any more
               monitor :: reference() | none,
               size :: non_neg_integer(),
               %% Of a call whose answer may be streamed: how much, and how much of it is
               %% left; what was read since credit was last sent.
               window :: non_neg_integer() | none,
               credit = 0 :: non_neg_integer(),
               read = 0 :: non_neg_integer(),
               headed = false :: boolean()}).

-record(calls, {max :: pos_integer(),
                next = 1 :: beamport_calls:id(),
                open = #{} :: #{beamport_calls:id() => #open{}},
                refs = #{} :: #{reference() => {waiting, beamport_window:ticket(), Monitor :: reference()}
                                             | {open, beamport_calls:id()}},
                monitors = #{} :: #{Monitor :: reference() => reference()},
                window :: beamport_window:window(),
                stats = #{calls => 0, casts => 0, streams => 0, cancelled => 0, late => 0, unknown => 0}
                :: #{atom() => non_neg_integer()}}).

-opaque calls() :: #calls{}.

-type request() :: {call | cast, Caller :: pid(), Alias :: reference(), Body :: [binary()],
                    Credit :: non_neg_integer() | none}.

-type frames() :: [iodata()].

%% @doc No calls yet. Frames are at most `Max' bytes; `Count' calls and casts may be
%% under way, whose requests take up to `Bytes' bytes.
-spec new(Max :: pos_integer(), Count :: pos_integer(), Bytes :: pos_integer()) -> calls().
new(Max, Count, Bytes) ->
    #calls{max = Max, window = beamport_window:new(Count, Bytes)}.

%% @doc Takes a request, whose turn may come later.
-spec request(request(), Size :: non_neg_integer(), calls()) -> {frames(), calls()}.
request({Kind, Caller, Ref, Body, Credit}, Size, #calls{window = Window, refs = Refs, monitors = Monitors} = Calls) ->
    Monitor = monitor(process, Caller),
    Waiting = #waiting{kind = Kind, ref = Ref, monitor = Monitor, body = Body, credit = Credit},
    {Ticket, Next} = beamport_window:wait({Waiting, Size}, Size, Window),
    go(Calls#calls{window = Next, refs = Refs#{Ref => {waiting, Ticket, Monitor}},
                   monitors = Monitors#{Monitor => Ref}}).

go(Calls) -> go(Calls, []).

go(#calls{window = Window} = Calls, Frames) ->
    case beamport_window:next(Window) of
        none ->
            {lists:reverse(Frames), Calls};
        {{Waiting, Size}, Rest} ->
            case open(Waiting, Size, Calls#calls{window = Rest}) of
                {sent, Frame, Next} -> go(Next, [Frame | Frames]);
                {refused, Next} -> go(Next, Frames)
            end
    end.

open(#waiting{kind = Kind, ref = Ref, monitor = Monitor, body = Body, credit = Credit}, Size,
     #calls{max = Max, next = Id, open = Open, refs = Refs} = Calls) ->
    Frame = case Kind of
                call -> beamport_answer:call(Id, Body, Credit);
                cast -> beamport_answer:cast(Id, Body)
            end,
    case iolist_size(Frame) of
        Length when Length > Max ->
            Ref ! {Ref, {failed, {too_large, Length, Max}}},
            #calls{window = Window} = Next = forget(Ref, Monitor, Calls),
            {refused, Next#calls{window = beamport_window:leave(Size, Window)}};
        _ ->
            New = #open{kind = Kind, ref = Ref, monitor = Monitor, size = Size, window = Credit,
                        credit = case Credit of none -> 0; _ -> Credit end},
            Next = Calls#calls{next = Id + 1, open = Open#{Id => New}, refs = Refs#{Ref := {open, Id}}},
            {sent, Frame, sent(New, Id, Next)}
    end.

sent(#open{kind = cast, ref = Ref, monitor = Monitor} = Cast, Id, Calls) ->
    Ref ! {Ref, sent},
    #calls{open = Open} = Next = forget(Ref, Monitor, Calls),
    count(casts, Next#calls{open = Open#{Id := Cast#open{ref = none, monitor = none}}});
sent(#open{window = none}, _, Calls) -> count(calls, Calls);
sent(_, _, Calls) -> count(streams, Calls).

forget(none, none, Calls) ->
    Calls;
forget(Ref, Monitor, #calls{refs = Refs, monitors = Monitors} = Calls) ->
    demonitor(Monitor, [flush]),
    Calls#calls{refs = maps:remove(Ref, Refs), monitors = maps:remove(Monitor, Monitors)}.

count(What, #calls{stats = Stats} = Calls) ->
    #{What := N} = Stats,
    Calls#calls{stats = Stats#{What := N + 1}}.

%% @doc Takes a frame that answers a call. A violation is described by a sentence; what
%% answers no open call is dropped.
-spec answer({beamport_answer:kind(), beamport_calls:id()}, Frame :: binary(), calls()) ->
          {ok, frames(), calls()} | {violation, iodata()}.
answer({Kind, Id}, Frame, #calls{open = Open} = Calls) ->
    case Open of
        #{Id := Call} ->
            case allowed(Kind, Call) of
                true -> answer(Kind, Id, Frame, Call, Calls);
                false -> {violation, [atom_to_list(Kind), " came for ", what(Call), " ", integer_to_list(Id)]}
            end;
        _ when Kind =:= head; Kind =:= chunk ->
            {ok, [], Calls};
        _ ->
            {ok, [], count(unknown, Calls)}
    end.

what(#open{kind = cast}) -> "cast";
what(#open{window = none}) -> "call";
what(#open{headed = false}) -> "stream without a head";
what(#open{}) -> "stream with a head".

allowed(Kind, #open{kind = cast}) -> Kind =:= ack;
allowed(Kind, #open{window = none}) -> Kind =:= reply orelse Kind =:= error;
allowed(Kind, #open{headed = false}) -> Kind =:= head orelse Kind =:= reply orelse Kind =:= error;
allowed(Kind, #open{}) -> Kind =:= chunk orelse Kind =:= done orelse Kind =:= error.

answer(head, Id, Frame, Call, #calls{open = Open} = Calls) ->
    send(Call, {frame, Frame}),
    {ok, [], Calls#calls{open = Open#{Id := Call#open{headed = true}}}};
answer(chunk, Id, Frame, #open{credit = Credit} = Call, #calls{open = Open} = Calls) ->
    case beamport_answer:chunk(Frame, Id) of
        {ok, Bytes} when byte_size(Bytes) =< Credit ->
            send(Call, {chunk, Bytes}),
            {ok, [], Calls#calls{open = Open#{Id := Call#open{credit = Credit - byte_size(Bytes)}}}};
        {ok, Bytes} ->
            {violation, ["a chunk of ", integer_to_list(byte_size(Bytes)), " bytes came for call ",
                         integer_to_list(Id), " with a credit of ", integer_to_list(Credit)]};
        error ->
            {violation, ["a chunk that is none came for call ", integer_to_list(Id)]}
    end;
answer(_, Id, Frame, #open{kind = Kind, ref = Ref, monitor = Monitor, size = Size} = Call,
       #calls{open = Open, window = Window} = Calls) ->
    send(Call, {frame, Frame}),
    Known = case {Kind, Ref} of
                {call, none} -> count(late, Calls);
                _ -> forget(Ref, Monitor, Calls)
            end,
    {Frames, Next} = go(Known#calls{open = maps:remove(Id, Open), window = beamport_window:leave(Size, Window)}),
    {ok, Frames, Next}.

send(#open{ref = none}, _) -> ok;
send(#open{ref = Ref}, Answer) -> Ref ! {Ref, Answer}, ok.

%% @doc Whoever waits under this alias does so no longer. The call counts as under way
%% until its final frame comes.
-spec cancel(reference(), calls()) -> {frames(), calls()}.
cancel(Ref, #calls{refs = Refs, window = Window, open = Open} = Calls) ->
    case Refs of
        #{Ref := {waiting, Ticket, Monitor}} ->
            %% Those behind it may be smaller.
            Next = forget(Ref, Monitor, Calls),
            go(Next#calls{window = beamport_window:withdraw(Ticket, Window)});
        #{Ref := {open, Id}} ->
            #{Id := #open{monitor = Monitor} = Call} = Open,
            Next = count(cancelled, forget(Ref, Monitor, Calls)),
            {[beamport_answer:cancel(Id)], Next#calls{open = Open#{Id := Call#open{ref = none, monitor = none}}}};
        _ ->
            {[], Calls}
    end.

%% @doc A process that was monitored has ended.
-spec down(Monitor :: reference(), calls()) -> {frames(), calls()}.
down(Monitor, #calls{monitors = Monitors} = Calls) ->
    case Monitors of
        #{Monitor := Ref} -> cancel(Ref, Calls);
        _ -> {[], Calls}
    end.

%% @doc So many bytes of a stream have been read. Room for them is given to the other
%% side when half of the stream's window has been read.
-spec credit(reference(), Bytes :: pos_integer(), calls()) -> {frames(), calls()}.
credit(Ref, Bytes, #calls{refs = Refs, open = Open} = Calls) ->
    case Refs of
        #{Ref := {open, Id}} ->
            #{Id := #open{read = Read, window = Window, credit = Credit} = Call} = Open,
            case Read + Bytes of
                Room when 2 * Room >= Window ->
                    Next = Call#open{read = 0, credit = Credit + Room},
                    {[beamport_answer:credit(Id, Room)], Calls#calls{open = Open#{Id := Next}}};
                Room ->
                    {[], Calls#calls{open = Open#{Id := Call#open{read = Room}}}}
            end;
        _ ->
            {[], Calls}
    end.

%% @doc Tells all who wait that there will be no answer.
-spec fail(Reason :: term(), calls()) -> ok.
fail(Reason, #calls{refs = Refs}) ->
    _ = [Ref ! {Ref, {failed, Reason}} || Ref <- maps:keys(Refs)],
    ok.

%% @doc What was counted so far, and what is under way.
-spec stats(calls()) -> #{atom() => non_neg_integer()}.
stats(#calls{stats = Stats, window = Window}) ->
    Stats#{in_flight => beamport_window:count(Window),
           bytes_in_flight => beamport_window:bytes(Window),
           waiting => beamport_window:waiting(Window)}.
