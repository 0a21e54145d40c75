%% @doc Loading on demand, where no kernel runs.
%%
%% What was not loaded by the boot script is loaded when it is called for the first time:
%% by `init', which does that as long as it boots. So the boot does not end. Without a code
%% server, those who call what is not loaded ask `init' of their own accord. A process takes
%% its name, and passes on what it is asked, but for modules that need more than to be
%% loaded: it has the logger started when its module is called, and the code server for the
%% module `code', for modules that run code when they are loaded, and for those in folders
%% that `init' does not know. Whoever asks is answered when that is done. From then on the
%% code server is asked.
%%
%% The server of files and that of standard error have stand-ins, which start them when
%% there is something for them to do.
-module(beamport_loader).

-export([start/2, logger/1]).
-export([front/1, start_server/1, ask_server/2, await/2]).

-type need() :: logger | code_server.

-record(state, {init :: pid(),
                late :: [module()],
                level :: logger:level(),
                %% What has been started, and what is being started, by whom.
                started = [] :: [need()],
                starting = none :: none | {need(), pid(), reference()},
                %% Who waits for it, and for which module.
                waiting = [] :: [{need(), pid(), module()}]}).

%% What the code server calls before it can load anything itself, and what erl_features
%% does, which it has loaded. The two that others call come last.
-define(SERVER, [beam_lib, binary, ets, filename, gb_sets, gb_trees, lists, os, unicode, erl_posix_msg, proc_lib,
                 proplists, code_server, code]).

%% @doc Has modules loaded on demand. Modules that are `Late' only the code server may
%% load.
-spec start(Late :: [module()], logger:level()) -> ok.
start(Late, Level) ->
    Front = spawn(?MODULE, front, [#state{init = whereis(init), late = [code, code_server | Late], level = Level}]),
    true = unregister(init),
    true = register(init, Front),
    true = register(file_server_2, spawn(?MODULE, await, [file_server_2, file_server])),
    true = register(standard_error, spawn(?MODULE, await, [standard_error, standard_error])),
    ok.

%% @doc Starts the logger, with the link as where its events go.
-spec logger(logger:level()) -> ok.
logger(Level) ->
    case whereis(logger) of
        undefined ->
            {ok, Server} = logger_server:start_link(),
            true = unlink(Server),
            ok = logger:set_primary_config(level, Level),
            ok = beamport:logs(),
            beamport_function:drop_sasl();
        _ ->
            ok
    end.

%% @private
-spec front(#state{}) -> no_return().
front(#state{init = Init} = State) ->
    receive
        {From, {ensure_loaded, Module}} when is_pid(From) ->
            front(advance(wanted(need(Module, State), From, Module, State)));
        {'DOWN', Ref, process, _, Reason} ->
            front(advance(ended(Ref, Reason, State)));
        Message ->
            Init ! Message,
            front(State)
    end.

need(logger, _) ->
    logger;
need(Module, #state{late = Late}) ->
    case lists:member(Module, Late) of
        true -> code_server;
        false -> none
    end.

wanted(none, From, Module, #state{starting = {code_server, Starter, _}, waiting = Waiting} = State) when From =/= Starter ->
    %% The server has erl_features loaded, which then has a say in what is loaded, and until
    %% it has run for the first time asks `init', which would wait for itself.
    State#state{waiting = [{code_server, From, Module} | Waiting]};
wanted(none, From, Module, #state{init = Init} = State) ->
    case load(Init, Module) of
        {module, Module} = Loaded -> From ! {init, Loaded}, State;
        %% Folders of applications that nothing is known to call, the code server knows.
        _ -> wanted(code_server, From, Module, State)
    end;
wanted(Need, From, Module, #state{init = Init, starting = {_, Starter, _}, waiting = Waiting} = State) ->
    %% Those who start it need not wait for it.
    case From =:= Starter orelse From =:= whereis(Need) of
        true -> From ! {init, load(Init, Module)}, State;
        false -> State#state{waiting = [{Need, From, Module} | Waiting]}
    end;
wanted(Need, From, Module, #state{waiting = Waiting} = State) ->
    State#state{waiting = [{Need, From, Module} | Waiting]}.

%% Answers those who need wait no longer, and starts what the others wait for.
advance(#state{starting = none, started = Started, waiting = Waiting} = State) ->
    Rest = [Wanted || {Need, _, _} = Wanted <- Waiting, not lists:member(Need, Started)],
    _ = [answer(Wanted, State) || {Need, _, _} = Wanted <- Waiting, lists:member(Need, Started)],
    case Rest of
        [] -> State#state{waiting = []};
        _ -> start_next(State#state{waiting = Rest})
    end;
advance(State) ->
    State.

%% What the code server loads may log, and from then on nobody asks here any more: the
%% logger comes first.
start_next(#state{started = Started, init = Init, level = Level} = State) ->
    {Need, {Pid, Ref}} =
        case lists:member(logger, Started) of
            false -> {logger, spawn_monitor(?MODULE, logger, [Level])};
            true -> {code_server, spawn_monitor(?MODULE, start_server, [Init])}
        end,
    State#state{starting = {Need, Pid, Ref}}.

ended(Ref, normal, #state{starting = {Need, _, Ref}, started = Started} = State) ->
    State#state{starting = none, started = [Need | Started]};
ended(Ref, _, #state{starting = {_, _, Ref}, waiting = Waiting} = State) ->
    _ = [From ! {init, {error, nofile}} || {_, From, _} <- Waiting],
    State#state{starting = none, waiting = []};
ended(_, _, State) ->
    State.

answer({logger, From, Module}, #state{init = Init}) ->
    From ! {init, load(Init, Module)},
    ok;
answer({code_server, From, Module}, _) ->
    %% Code that runs when the module is loaded may have questions to init.
    _ = spawn(?MODULE, ask_server, [From, Module]),
    ok.

%% @private
-spec start_server(Init :: pid()) -> ok.
start_server(Init) ->
    _ = [load(Init, Module) || Module <- ?SERVER],
    {ok, Server} = code:start_link(),
    true = unlink(Server),
    ok.

%% @private
-spec ask_server(From :: pid(), module()) -> ok.
ask_server(From, Module) ->
    From ! {init, code:ensure_loaded(Module)},
    ok.

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
