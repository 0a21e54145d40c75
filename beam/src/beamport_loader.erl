%% @doc Loading on demand, where no kernel runs.
%%
%% What was not loaded by the boot script is loaded when it is called for the first time:
%% by `init', which does that as long as it boots. So the boot does not end. Where there is
%% no code server, the emulator asks `init' by itself; this process takes the name of
%% `init', and passes on what it is asked, but for modules that need more than to be
%% loaded. For these it starts a stand-in for the code server.
%%
%% The stand-in answers those who ask the code server for a module, and has the real one
%% started for modules that run code when they are loaded, and for whatever else is asked.
%% The logger is started when its module is called: those who call it find it ready. The
%% server of files and that of standard error have stand-ins too.
-module(beamport_loader).

-export([start/2, logger/1]).
-export([front/1, ask_server/2, init/1, await/2]).

-record(state, {init :: pid(),
                late :: [module()],
                level :: logger:level(),
                %% Whether there has been need of the stand-in, for the process before `init'.
                stands_in = false :: boolean(),
                %% The logger: not started, being started while those in the list wait for
                %% it, with what they asked for, or started.
                logger = off :: off | {reference(), [call()]} | on}).

-type call() :: {code_call, pid(), term()}.
%% The protocol of the code server, whose answers are `{code_server, Reply}'.

%% What the code server calls before it can load anything itself. Once erl_features is
%% there, `init' asks it, and that asks proplists, whether a module may be loaded.
-define(SERVER, [code, code_server]).
-define(SERVER_NEEDS, [beam_lib, binary, ets, filename, gb_sets, gb_trees, lists, os, unicode, erl_posix_msg, proc_lib,
                       proplists, erl_features]).

%% @doc Has modules loaded on demand. Modules that are `Late' only the code server may
%% load. If it is one of them itself, nothing is known to call it.
-spec start(Late :: [module()], logger:level()) -> ok.
start(Late, Level) ->
    State = #state{init = whereis(init), late = Late, level = Level},
    case lists:member(code, Late) of
        true -> stand_before_init(State);
        false -> serve(State)
    end,
    true = register(file_server_2, spawn(?MODULE, await, [file_server_2, file_server])),
    true = register(standard_error, spawn(?MODULE, await, [standard_error, standard_error])),
    ok.

stand_before_init(State) ->
    Front = spawn(?MODULE, front, [State]),
    true = unregister(init),
    true = register(init, Front),
    ok.

serve(#state{init = Init, late = Late} = State) ->
    _ = [load(Init, Module) || Module <- ?SERVER],
    true = register(code_server, spawn(?MODULE, init, [State#state{late = Late -- ?SERVER}])),
    ok.

%% @doc Starts the logger, with the link as where its events go.
-spec logger(logger:level()) -> ok.
logger(Level) ->
    case whereis(logger) of
        undefined ->
            {ok, Server} = logger_server:start_link(),
            unlink(Server),
            ok = logger:set_primary_config(level, Level),
            ok = beamport:logs(),
            _ = logger:remove_handler(simple),
            ok;
        _ ->
            ok
    end.

%% @private
-spec front(#state{}) -> no_return().
front(#state{init = Init} = State) ->
    receive
        {From, {ensure_loaded, Module}} when is_pid(From) ->
            case found(Module, State) of
                true ->
                    From ! {init, {module, Module}},
                    front(State);
                false ->
                    Served = served(State),
                    %% Code that runs when the module is loaded may have questions to init.
                    _ = spawn(?MODULE, ask_server, [From, Module]),
                    front(Served)
            end;
        Message ->
            Init ! Message,
            front(State)
    end.

served(#state{stands_in = true} = State) ->
    State;
served(State) ->
    ok = serve(State),
    State#state{stands_in = true}.

%% @private
-spec ask_server(From :: pid(), module()) -> ok.
ask_server(From, Module) ->
    try code:ensure_loaded(Module) of
        Reply -> From ! {init, Reply}, ok
    catch
        error:badarg ->
            %% The real one takes over, and there is none for a moment.
            receive after 1 -> ask_server(From, Module) end
    end.

%% Whether a module needs no more than to be loaded, and has been. Folders of applications
%% that nothing is known to call are known to the code server alone.
found(Module, #state{init = Init, late = Late}) ->
    not (Module =:= logger orelse lists:member(Module, Late))
        andalso load(Init, Module) =:= {module, Module}.

%% @private
-spec init(#state{}) -> no_return().
init(State) ->
    receive
        {code_call, From, {Request, Module}} = Call
          when Request =:= ensure_loaded; Request =:= get_object_code_for_loading ->
            case found(Module, State) of
                true -> loaded(From, Module), init(State);
                false -> init(with_logger(Call, State))
            end;
        {code_call, _, _} = Call ->
            init(with_logger(Call, State));
        {'DOWN', Ref, process, _, _} ->
            init(logger_started(Ref, State))
    end.

loaded(From, Module) ->
    From ! {code_server, {module, Module}},
    ok.

%% What the real code server loads may log: from then on nobody is asked any more.
with_logger(Call, #state{logger = on} = State) ->
    go_on([Call], State);
with_logger(Call, #state{logger = {Ref, Waiting}} = State) ->
    State#state{logger = {Ref, [Call | Waiting]}};
with_logger(Call, #state{logger = off, init = Init, level = Level} = State) ->
    %% It has to be there for the one that starts the server, which has to go on meanwhile.
    _ = load(Init, logger),
    {_, Ref} = spawn_monitor(fun() -> logger(Level) end),
    State#state{logger = {Ref, [Call]}}.

logger_started(Ref, #state{logger = {Ref, Waiting}} = State) ->
    go_on(lists:reverse(Waiting), State#state{logger = on});
logger_started(_, State) ->
    State.

go_on(Calls, State) ->
    case [Call || Call <- Calls, not is_answered(Call)] of
        [] -> State;
        Rest -> replaced(Rest, State)
    end.

is_answered({code_call, From, {_, logger}}) ->
    loaded(From, logger),
    true;
is_answered(_) ->
    false.

%% The modules that the code server needs are loaded first: there is none for a moment.
replaced(Calls, #state{init = Init}) ->
    _ = [load(Init, Module) || Module <- ?SERVER_NEEDS],
    true = unregister(code_server),
    {ok, Server} = code:start_link(),
    _ = [Server ! Call || Call <- Calls],
    pass(Server).

%% What `init' answers, asked under no name.
load(Init, Module) ->
    Init ! {self(), {ensure_loaded, Module}},
    receive {init, Reply} -> Reply end.

%% @private
-spec await(Name :: atom(), module()) -> no_return().
await(Name, Module) ->
    receive
        Message ->
            true = unregister(Name),
            {ok, _} = Module:start_link(),
            Server = whereis(Name),
            Server ! Message,
            pass(Server)
    end.

%% Who asked before watches this process.
pass(Server) ->
    receive Message -> Server ! Message, pass(Server) end.
