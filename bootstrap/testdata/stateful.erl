%% A module with the behaviour, whose init/1 does what the environment says.
-module(stateful).

-behaviour(beamport_handler).

-export([init/1, handle/3, terminate/2]).

init(_) ->
    case os:getenv("STATEFUL") of
        "raise" -> error(no_database);
        "nonsense" -> nonsense;
        "halt" -> halt(5);
        _ -> {ok, started}
    end.

handle(#{<<"do">> := <<"state">>}, _, State) -> {ok, #{state => State}}.

terminate(_, _) ->
    logger:warning("terminated"),
    ok.
