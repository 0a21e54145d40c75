%% @doc AWS Lambda's calls: `{init, Options}' finds the handler, `{invoke, Event,
%% Context}' calls it, and `{snapshot, before | 'after'}' tells it of a snapshot.
%%
%% What handlers may return is described in {@link beamport_result}, their names in
%% {@link beamport_handler_name}, their context in {@link beamport_handler}.
-module(beamport_lambda).
-behaviour(beamport_callback).

-export([handle_call/1, handle_cast/1, stop/1, context_keys/0, option_keys/0]).

%% How long all that takes at most: a link waits a little longer.
-define(STOP_MS, 140).

%% @doc The keys of a context. The atoms exist since this module is loaded, which
%% decoding depends on.
-spec context_keys() -> [atom()].
context_keys() ->
    [request_id, deadline, remaining_ms, function_arn, function_name, function_version,
     memory_limit, log_group, log_stream, trace_id, tenant_id, content_type, client_context,
     cognito_identity].

%% @doc The keys of the options of an init request, for the same reason.
-spec option_keys() -> [atom()].
option_keys() ->
    [handler, task_root, concurrency, initialization_type, log_level].

%% @doc Answers a request.
-spec handle_call(term()) -> beamport_callback:answer().
handle_call({invoke, Event, Context}) ->
    case persistent_term:get(?MODULE, none) of
        none -> failure(<<"Runtime.NotInitialized">>, "an invocation came before the init request");
        {#{traced := Traced} = Handler, State} ->
            Traced andalso trace(Context),
            invoke(Handler, State, Event, Context)
    end;
handle_call({init, #{handler := Name, task_root := TaskRoot} = Options})
  when is_binary(Name), is_binary(TaskRoot) ->
    ok = started(),
    beamport_log:level(maps:get(log_level, Options, nil)),
    case beamport_resolve:handler(Name, TaskRoot) of
        {ok, Handler} -> init(Handler, Name, Options);
        {error, Type, Message} -> failure(Type, Message)
    end;
handle_call({snapshot, Side}) when Side =:= before; Side =:= 'after' ->
    case persistent_term:get(?MODULE, none) of
        none -> failure(<<"Runtime.NotInitialized">>, "a snapshot came before the init request");
        {Handler, State} -> snapshot(Side, Handler, State)
    end;
handle_call(_) ->
    failure(<<"Runtime.BadRequest">>, "a request came that the runtime does not know").

%% @doc Takes no messages.
-spec handle_cast(term()) -> ok.
handle_cast(_) ->
    ok.

%% @doc Lets the handler's state end, and then the applications that were started for it.
-spec stop(atom()) -> ok.
stop(Reason) ->
    Begin = erlang:monotonic_time(millisecond),
    ok = beamport_keeper:stop(Reason),
    beamport_applications:stop(?STOP_MS - (erlang:monotonic_time(millisecond) - Begin)).

%% The link may have come up before the kernel has.
started() ->
    case init:notify_when_started(self()) of
        started -> ok;
        ok -> init:wait_until_started()
    end.

failure(Type, Message) ->
    {error, error, beamport_error:returned(Type, Message), []}.

init(#{module := Module, call := Call, language := Language} = Handler, Name, Options) ->
    %% Elixir's logger has set a level of its own when it was started.
    beamport_log:level(maps:get(log_level, Options, nil)),
    case state(Module, Call, Options, Language) of
        {ok, State} ->
            persistent_term:put(?MODULE, {Handler#{traced => maps:get(concurrency, Options, 1) =:= 1}, State}),
            {reply, #{handler => described(Handler)}};
        {error, Returned} ->
            init_failed(Name, ["init/1 returned ", show(Returned, Language)], []);
        {failed, {_, #{type := Type, message := Message}, Stack}} ->
            init_failed(Name, ["init/1 failed: ", Type, ": ", Message], Stack)
    end.

state(Module, {behaviour, _}, Options, Language) ->
    case erlang:function_exported(Module, init, 1) of
        true -> beamport_keeper:start(Module, Options, Language);
        false -> {ok, undefined}
    end;
state(_, _, _, _) ->
    {ok, undefined}.

init_failed(Name, Why, Stack) ->
    Message = ["handler \"", Name, "\": " | Why],
    {error, error, beamport_error:returned(<<"Runtime.HandlerInitFailed">>, Message), Stack}.

show(Term, elixir) -> beamport_elixir:inspect(Term);
show(Term, erlang) -> beamport_text:show(Term).

described(#{module := Module, call := {function, Function, Arity}}) ->
    beamport_stack:mfa(Module, Function, Arity);
described(#{module := Module, call := {behaviour, Arity}}) ->
    beamport_stack:mfa(Module, handle, Arity).

%% Where one invocation is under way at a time, the environment says which: it is where
%% the SDKs of AWS look.
trace(#{trace_id := Id}) when is_binary(Id) ->
    os:putenv("_X_AMZN_TRACE_ID", binary_to_list(Id));
trace(_) ->
    os:unsetenv("_X_AMZN_TRACE_ID").

snapshot(Side, #{module := Module, call := {behaviour, _}, language := Language} = Handler, State) ->
    Function = case Side of
                   before -> before_snapshot;
                   'after' -> after_restore
               end,
    case erlang:function_exported(Module, Function, 1) andalso
        beamport_keeper:hook(Module, Function, State, Language) of
        false ->
            {reply, ok};
        {ok, Next} ->
            persistent_term:put(?MODULE, {Handler, Next}),
            {reply, ok};
        {error, Returned} ->
            Text = [beamport_stack:mfa(Module, Function, 1), " returned ", show(Returned, Language)],
            {error, error, beamport_error:returned(<<"Function.BadResult">>, Text), []};
        {failed, {Class, Reason, Stack}} ->
            {error, Class, Reason, Stack}
    end;
snapshot(_, _, _) ->
    {reply, ok}.

%% What the handler returns can run code of its own too, as a stream does; it fails
%% as the handler does.
invoke(#{module := Module, call := Call, language := Language}, State, Event, Context) ->
    try beamport_result:answer(call(Module, Call, State, Event, Context), Language)
    catch
        Class:Reason:Stack ->
            {Class, Map, Lines} = beamport_error:format(Class, Reason, Stack, Language),
            {error, Class, Map, Lines}
    end.

call(Module, {function, Function, 2}, _, Event, Context) -> Module:Function(Event, Context);
call(Module, {function, Function, 1}, _, Event, _) -> Module:Function(Event);
call(Module, {behaviour, 3}, State, Event, Context) -> Module:handle(Event, Context, State);
call(Module, {behaviour, 2}, _, Event, Context) -> Module:handle(Event, Context).
