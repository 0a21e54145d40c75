%% @doc The stand-in for the code server, where no kernel runs.
%%
%% What was not loaded by the boot script is loaded when it is called for the first time:
%% by `init', which does that as long as it boots. So the boot does not end. This process
%% answers those who ask the code server for a module, and has the real one started for
%% modules that `init' does not find, and for whatever else they ask. The logger is started when its module is called: those who call
%% it find it ready. The server of files and that of standard error have stand-ins too.
-module(beamport_loader).

-export([start/2, logger/1]).
-export([init/2, await/2]).

-record(state, {late :: [module()],
                level :: logger:level(),
                %% The logger: not started, being started by a process while others wait for it,
                %% or started.
                logger = off :: off | {reference(), [pid()]} | on}).

%% @doc Starts the process, under the name of the code server. Modules that are `Late' it
%% leaves to the real one.
-spec start(Late :: [module()], logger:level()) -> ok.
start(Late, Level) ->
    true = register(code_server, spawn(?MODULE, init, [Late, Level])),
    true = register(file_server_2, spawn(?MODULE, await, [file_server_2, file_server])),
    true = register(standard_error, spawn(?MODULE, await, [standard_error, standard_error])),
    ok.

%% @doc Starts the logger, with the link as where its events go.
-spec logger(logger:level()) -> ok.
logger(Level) ->
    case whereis(logger) of
        undefined ->
            {ok, _} = logger_server:start_link(),
            ok = logger:set_primary_config(level, Level),
            ok = beamport:logs(),
            _ = logger:remove_handler(simple),
            ok;
        _ ->
            ok
    end.

%% @private
-spec init(Late :: [module()], logger:level()) -> no_return().
init(Late, Level) ->
    loop(#state{late = Late, level = Level}).

loop(#state{late = Late} = State) ->
    receive
        {code_call, From, {Request, Module}} = Call
          when Request =:= ensure_loaded; Request =:= get_object_code_for_loading ->
            case lists:member(Module, Late) orelse load(Module, From, State) of
                #state{} = Next -> loop(Next);
                _ -> replaced(Call, State)
            end;
        {code_call, _, _} = Call ->
            replaced(Call, State);
        {'DOWN', Ref, process, _, _} ->
            loop(started(Ref, State))
    end.

load(logger, From, #state{logger = off, level = Level} = State) ->
    %% It has to be there for the one that starts the server, which has to go on meanwhile.
    _ = init:ensure_loaded(logger),
    {_, Ref} = spawn_monitor(fun() ->
                                     ok = logger(Level),
                                     %% The server is linked to this process.
                                     unlink(whereis(logger))
                             end),
    State#state{logger = {Ref, [From]}};
load(logger, From, #state{logger = {Ref, Waiting}} = State) ->
    State#state{logger = {Ref, [From | Waiting]}};
load(Module, From, State) ->
    case init:ensure_loaded(Module) of
        {module, Module} ->
            loaded(From, Module),
            State;
        _ ->
            none
    end.

started(Ref, #state{logger = {Ref, Waiting}} = State) ->
    _ = [loaded(From, logger) || From <- Waiting],
    State#state{logger = on};
started(_, State) ->
    State.

loaded(From, Module) ->
    From ! {code_server, {module, Module}},
    ok.

%% The modules that the code server needs are loaded first: there is none for a moment. Once
%% erl_features is there, `init' asks it, and that asks proplists, whether a module may be
%% loaded.
replaced(Call, State) ->
    _ = [init:ensure_loaded(M) || M <- [code_server, beam_lib, binary, ets, filename, gb_sets, gb_trees, lists, os,
                                        unicode, erl_posix_msg, proc_lib, proplists, erl_features]],
    true = unregister(code_server),
    {ok, Server} = code:start_link(),
    Server ! Call,
    forward(Server, State).

%% Those who asked before watch this process.
forward(Server, State) ->
    receive
        {'DOWN', Ref, process, _, _} -> forward(Server, started(Ref, State));
        Next -> Server ! Next, forward(Server, State)
    end.

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

%% Who asked watches this process.
pass(Server) ->
    receive Message -> Server ! Message, pass(Server) end.
