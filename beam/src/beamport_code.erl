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
                undefined -> ensure(init:ensure_loaded(Module));
                _ -> ensure(code:ensure_loaded(Module))
            end
    end.

ensure({module, _}) -> ok;
ensure({error, Reason}) -> {error, Reason};
ensure(_) -> {error, nofile}.

%% @doc Whether a module is loaded, now if not before.
-spec loaded(module()) -> boolean().
loaded(Module) ->
    load(Module) =:= ok.
