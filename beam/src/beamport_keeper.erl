%% @doc The process that a handler's init/1 runs in, and that lives on: what init/1
%% links to it or lets it own stays there for the invocations.
-module(beamport_keeper).

-export([start/3, hook/4, stop/1]).

%% How long terminate/2 may take; the callback's stop as a whole has more.
-define(TERMINATE_MS, 100).

%% @doc Calls `Module:init(Options)' in a new process and waits for it.
-spec start(module(), beamport_handler:options(), beamport_error:language()) ->
          {ok, State :: term()} | {error, Returned :: term()} | {failed, beamport_error:formatted()}.
start(Module, Options, Language) ->
    Caller = self(),
    {Pid, Ref} = spawn_monitor(fun() -> init(Caller, Module, Options, Language) end),
    receive
        {?MODULE, Pid, {ok, _} = Made} ->
            demonitor(Ref, [flush]),
            watch(Pid),
            Made;
        {?MODULE, Pid, Failure} ->
            demonitor(Ref, [flush]),
            Failure;
        {'DOWN', Ref, process, _, Reason} ->
            {failed, beamport_error:down(Reason)}
    end.

init(Caller, Module, Options, Language) ->
    Outcome = try Module:init(Options) of
                  {ok, _} = Made -> Made;
                  Returned -> {error, Returned}
              catch
                  Class:Reason:Stack -> {failed, beamport_error:format(Class, Reason, Stack, Language)}
              end,
    case Outcome of
        {ok, State} ->
            keep_registered(),
            Caller ! {?MODULE, self(), Outcome},
            keep(Module, State);
        _ ->
            Caller ! {?MODULE, self(), Outcome}
    end.

%% A second init takes the place of the first.
keep_registered() ->
    case whereis(?MODULE) of
        undefined -> ok;
        _ -> unregister(?MODULE)
    end,
    register(?MODULE, self()).

%% Messages that what init/1 has started sends here are nobody's.
keep(Module, State) ->
    receive
        {hook, From, Ref, Function, Language} ->
            case run(Module, Function, State, Language) of
                {ok, Next} = Made ->
                    From ! {Ref, Made},
                    keep(Module, Next);
                Failure ->
                    From ! {Ref, Failure},
                    keep(Module, State)
            end;
        {stop, From, Ref, Reason} ->
            case erlang:function_exported(Module, terminate, 2) of
                true -> Module:terminate(Reason, State);
                false -> ok
            end,
            From ! {Ref, done};
        _ ->
            keep(Module, State)
    end.

run(Module, Function, State, Language) ->
    try Module:Function(State) of
        {ok, _} = Made -> Made;
        Returned -> {error, Returned}
    catch
        Class:Reason:Stack -> {failed, beamport_error:format(Class, Reason, Stack, Language)}
    end.

%% @doc Calls a function of the handler's with its state, which returns `{ok, State}', in
%% the process that init/1 ran in, if it did.
-spec hook(module(), Function :: atom(), State :: term(), beamport_error:language()) ->
          {ok, State :: term()} | {error, Returned :: term()} | {failed, beamport_error:formatted()}.
hook(Module, Function, State, Language) ->
    case whereis(?MODULE) of
        undefined ->
            run(Module, Function, State, Language);
        Pid ->
            Ref = monitor(process, Pid),
            Pid ! {hook, self(), Ref, Function, Language},
            receive
                {Ref, Outcome} ->
                    demonitor(Ref, [flush]),
                    Outcome;
                {'DOWN', Ref, process, _, Reason} ->
                    {failed, beamport_error:down(Reason)}
            end
    end.

%% What init/1 has set up is gone when the process is. A new emulator sets it up anew.
watch(Pid) ->
    Watch = fun() ->
                    Ref = monitor(process, Pid),
                    receive
                        {'DOWN', Ref, process, _, normal} ->
                            ok;
                        {'DOWN', Ref, process, _, Reason} ->
                            {_, #{type := Type, message := Message}, _} = beamport_error:down(Reason),
                            beamport_halt:fatal(["the process of the handler's init/1 ended: ",
                                                 Type, ": ", Message])
                    end
            end,
    _ = spawn(Watch),
    ok.

%% @doc Calls the handler's terminate/2 where there is a state and a function, and
%% waits about a tenth of a second for it.
-spec stop(Reason :: atom()) -> ok.
stop(Reason) ->
    case whereis(?MODULE) of
        undefined ->
            ok;
        Pid ->
            Ref = monitor(process, Pid),
            Pid ! {stop, self(), Ref, Reason},
            receive
                {Ref, done} -> ok;
                {'DOWN', Ref, process, _, _} -> ok
            after ?TERMINATE_MS -> ok
            end
    end.
