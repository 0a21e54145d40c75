%% @doc The process that runs a call: it decodes the request, calls the callback
%% module, and encodes the answer. All that a call costs is its own, and is gone when
%% it is killed.
-module(beamport_worker).

-export([run/4]).

%% @doc Runs a call, or with the id `nil' a cast, and hands `{final, self(), Frame}'
%% to the guardian. A cast's frame is empty, or a log frame that says what failed.
-spec run(Guardian :: pid(), Callback :: module(), Id :: non_neg_integer() | nil, Frame :: binary()) -> ok.
run(Guardian, Callback, Id, Frame) ->
    group_leader(Guardian, self()),
    case beamport_frame:request(Frame) of
        {ok, Request} ->
            Guardian ! {final, self(), answer(Callback, Id, Request)},
            ok;
        error ->
            beamport_halt:fatal("a frame came that is not a term, or that names an unknown atom")
    end.

answer(Callback, nil, Message) ->
    try Callback:handle_cast(Message) of
        _ -> []
    catch
        Class:Reason:Stack ->
            {_, #{type := Type, message := Text}, Lines} = beamport_error:format(Class, Reason, Stack),
            Whole = iolist_to_binary([Type, ": ", Text | [["\n    ", Line] || Line <- Lines]]),
            beamport_frame:log(error, os:system_time(microsecond), nil, Whole, #{},
                               beamport_link:max_packet())
    end;
answer(Callback, Id, Request) ->
    Final = try Callback:handle_call(Request) of
                {reply, Term} -> {reply, Id, Term};
                {error, Class, #{type := _, message := _} = Map, Stack} -> {error, Id, Class, Map, Stack};
                _ -> {error, Id, error, #{type => <<"Runtime.BadAnswer">>,
                                          message => <<"the callback module's answer is none">>}, []}
            catch
                Class:Reason:Trace ->
                    {Class, Map, Stack} = beamport_error:format(Class, Reason, Trace),
                    {error, Id, Class, Map, Stack}
            end,
    beamport_frame:final(Final, beamport_link:max_packet()).
