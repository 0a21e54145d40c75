%% @doc Loading of modules, with a code server or without.
-module(beamport_code).

-export([load/1, loaded/1]).

%% @doc Loads a module unless it is loaded.
-spec load(module()) -> ok | {error, Reason :: atom()}.
load(Module) ->
    case erlang:module_loaded(Module) of
        true ->
            ok;
        false ->
            case whereis(code_server) of
                undefined -> {error, nofile};
                _ -> ensure(Module)
            end
    end.

ensure(Module) ->
    case code:ensure_loaded(Module) of
        {module, _} -> ok;
        {error, Reason} -> {error, Reason}
    end.

%% @doc Whether a module is loaded, now if not before.
-spec loaded(module()) -> boolean().
loaded(Module) ->
    load(Module) =:= ok.
