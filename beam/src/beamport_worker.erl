%% @doc The process that runs a call: it decodes the request, calls the callback
%% module, and encodes the answer. All that a call costs is its own, and is gone when
%% it is killed.
-module(beamport_worker).

-export([run/3]).

%% @doc Runs a call or a cast, and hands `{final, self(), Frame}' to the guardian. A
%% request of atoms that do not exist is answered with an error; a frame that is no term
%% is reported to the owner of the stream.
-spec run(Guardian :: pid(), beamport_guardian:stream(), beamport_guardian:job()) -> ok.
run(Guardian, #{owner := Owner, calls := Calls} = Stream, {Kind, Id, Frame}) ->
    group_leader(Guardian, self()),
    true = beamport_calls:enter(Calls, Guardian, Id, self()),
    case beamport_frame:request(Frame) of
        {ok, Request, Credit} ->
            Final = case Kind of
                        call -> call(Guardian, Stream, Id, Request, Credit);
                        cast -> cast(Stream, Id, Request)
                    end,
            Guardian ! {final, self(), Final},
            ok;
        {refused, Reason} ->
            Guardian ! {final, self(), refused(Kind, Stream, Id, Reason)},
            ok;
        error ->
            %% The stream ends, and this with it: there is nothing to answer.
            Owner ! {violation, "a frame came that is not a term of the protocol"},
            receive after infinity -> ok end
    end.

refused(call, #{sink := Sink}, Id, Reason) ->
    beamport_frame:final({error, Id, error, Reason, []}, beamport_sink:max(Sink));
refused(cast, #{sink := Sink}, Id, Reason) ->
    beamport_guardian:log_failure(Sink, Id, Reason, []),
    beamport_frame:ack(Id).

cast(#{callback := Callback, sink := Sink}, Id, Message) ->
    try Callback:handle_cast(Message) of
        _ -> ok
    catch
        Class:Reason:Stack ->
            {_, Map, Lines} = beamport_error:format(Class, Reason, Stack),
            beamport_guardian:log_failure(Sink, Id, Map, Lines)
    end,
    beamport_frame:ack(Id).

call(Guardian, #{callback := Callback, sink := Sink}, Id, Request, Credit) ->
    Max = beamport_sink:max(Sink),
    try answer(Callback:handle_call(Request), Guardian, Id, Credit, Max) of
        {encoded, Frame} -> Frame;
        Final -> beamport_frame:final(Final, Max)
    catch
        Class:Reason:Trace ->
            {Class, Map, Stack} = beamport_error:format(Class, Reason, Trace),
            beamport_frame:final({error, Id, Class, Map, Stack}, Max)
    end.

answer({reply, Term}, _, Id, _, _) ->
    {reply, Id, Term};
answer({error, Class, #{type := _, message := _} = Map, Stack}, _, Id, _, _) ->
    {error, Id, Class, Map, Stack};
answer({stream, Head, Fun}, Guardian, Id, none, _) when is_function(Fun, 1) ->
    ok = beamport_guardian:collect(Guardian, Id),
    case Fun(emit(Guardian, Id)) of
        {error, _, #{type := _, message := _}, _} = Error ->
            answer(Error, Guardian, Id, none, none);
        Done ->
            Body = beamport_guardian:collected(Guardian, Id),
            {reply, Id, {streamed, Head, Body, Done}}
    end;
answer({stream, Head, Fun}, Guardian, Id, Credit, Max) when is_function(Fun, 1) ->
    case beamport_frame:stream_head(Id, Head, Max) of
        {ok, Frame} ->
            ok = beamport_guardian:stream(Guardian, Id, Frame, Credit),
            case Fun(emit(Guardian, Id)) of
                {error, _, #{type := _, message := _}, _} = Error ->
                    answer(Error, Guardian, Id, none, none);
                Done ->
                    {done, Id, Done}
            end;
        {too_large, Final} ->
            {encoded, Final}
    end;
answer(_, _, Id, _, _) ->
    {error, Id, error, #{type => <<"Runtime.BadAnswer">>,
                         message => <<"the callback module's answer is none">>}, []}.

emit(Guardian, Id) ->
    fun(Data) -> beamport_guardian:emit(Guardian, Id, Data) end.
