%% @doc The process that sees to a call: it starts the process that runs it, is that
%% one's group leader, and writes the call's one final frame.
%%
%% A guardian serves one call at a time, and another when that is done. Text that is
%% printed between calls, by processes that a call has left behind, belongs to no
%% call; text that such a process prints later, to the one that the guardian serves
%% then.
-module(beamport_guardian).

-export([init/2, lost/1]).

-record(state, {link :: pid(),
                callback :: module(),
                line = <<>> :: binary()}).

-record(call, {id :: non_neg_integer() | nil, % nil: a cast, which has no final frame
               worker :: pid(),
               ref :: reference()}).

%% @doc Serves calls for ever. The link sends `{call, Id, Frame}', `{cast, Frame}'
%% and `{cancel, Id}', and gets `{free, self(), Id}'.
-spec init(Link :: pid(), Callback :: module()) -> no_return().
init(Link, Callback) ->
    idle(#state{link = Link, callback = Callback}).

idle(State) ->
    receive
        {call, Id, Frame} ->
            busy(start(Id, Frame, State), State);
        {cast, Frame} ->
            busy(start(nil, Frame, State), State);
        {io_request, From, ReplyAs, Request} ->
            idle(flush(nil, print(From, ReplyAs, Request, nil, State)));
        _ ->
            idle(State)
    end.

start(Id, Frame, #state{callback = Callback}) ->
    {Worker, Ref} = spawn_monitor(beamport_worker, run, [self(), Callback, Id, Frame]),
    true = beamport_calls:enter(self(), Id, Worker),
    #call{id = Id, worker = Worker, ref = Ref}.

busy(#call{id = Id, worker = Worker, ref = Ref} = Call, State) ->
    receive
        {final, Worker, Frame} ->
            done(Frame, Call, State);
        {'DOWN', Ref, process, _, Reason} ->
            ended(Reason, Call, State);
        {cancel, Id} ->
            cancel(Call, State);
        {io_request, From, ReplyAs, Request} ->
            busy(Call, print(From, ReplyAs, Request, Id, State));
        _ ->
            busy(Call, State)
    end.

%% A reply that has been handed over counts as under way.
cancel(#call{worker = Worker, ref = Ref} = Call, State) ->
    exit(Worker, kill),
    receive
        {final, Worker, Frame} ->
            done(Frame, Call, State);
        {'DOWN', Ref, process, _, _} ->
            failed(exit, #{type => <<"cancelled">>, message => <<"the call was cancelled">>}, [],
                   Call, State)
    end.

ended(Reason, Call, State) ->
    {Class, Map, Stack} = beamport_error:down(Reason),
    failed(Class, Map, Stack, Call, State).

failed(_, #{type := Type, message := Message}, Stack, #call{id = nil} = Call, State) ->
    Text = iolist_to_binary([Type, ": ", Message | [["\n    ", Line] || Line <- Stack]]),
    done(log(error, nil, Text, #{}), Call, State);
failed(Class, Reason, Stack, #call{id = Id} = Call, State) ->
    done(beamport_frame:final({error, Id, Class, Reason, Stack}, beamport_link:max_packet()),
         Call, State).

%% The frame of a cast that went well is empty, and not written.
done(Frame, #call{id = Id, ref = Ref}, #state{link = Link} = State) ->
    Next = flush(Id, State),
    Frame =:= [] orelse beamport_frame:write(Frame),
    true = demonitor(Ref, [flush]),
    true = beamport_calls:leave(self()),
    Link ! {free, self(), Id},
    erlang:garbage_collect(),
    idle(Next).

print(From, ReplyAs, Request, Id, #state{line = Line} = State) ->
    {Reply, Text} = beamport_io:request(Request),
    {Lines, Rest} = beamport_io:lines(Line, Text),
    _ = [beamport_frame:write(log(info, Id, L, #{stream => stdout})) || L <- Lines],
    %% After the lines have been written: the caller's next frame comes behind them.
    From ! {io_reply, ReplyAs, Reply},
    State#state{line = Rest}.

%% A line that has not been ended, when the call is.
flush(_, #state{line = <<>>} = State) ->
    State;
flush(Id, #state{line = Line} = State) ->
    _ = beamport_frame:write(log(info, Id, Line, #{stream => stdout})),
    State#state{line = <<>>}.

log(Level, Id, Text, Meta) ->
    beamport_frame:log(Level, os:system_time(microsecond), Id, Text, Meta, beamport_link:max_packet()).

%% @doc Answers a call whose guardian was killed. If that happened after the final
%% frame was written and before the link heard of it, this one is the second; the
%% other side drops it.
-spec lost(Id :: non_neg_integer()) -> ok | closed.
lost(Id) ->
    Reason = #{type => <<"killed">>, message => <<"the call's group leader was killed">>},
    beamport_frame:write(beamport_frame:final({error, Id, exit, Reason, []}, beamport_link:max_packet())).
