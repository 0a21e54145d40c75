%% A module with the behaviour, whose init/1 does what the environment says.
-module(stateful).

-behaviour(beamport_handler).

-export([init/1, handle/3, terminate/2, before_snapshot/1, after_restore/1]).

init(#{initialization_type := Type, concurrency := Concurrency}) ->
    case os:getenv("STATEFUL") of
        "raise" -> error(no_database);
        "nonsense" -> nonsense;
        "halt" -> halt(5);
        "options" ->
            {ok, #{initialization_type => Type, concurrency => Concurrency,
                   trace_id => list_to_binary(os:getenv("_X_AMZN_TRACE_ID", "none"))}};
        _ -> {ok, started}
    end.

before_snapshot(started) ->
    case os:getenv("STATEFUL") of
        "before" -> error(not_now);
        _ -> {ok, frozen}
    end.

after_restore(frozen) ->
    case os:getenv("STATEFUL") of
        "after" -> {error, no_connection};
        "gone" -> halt(6);
        _ -> {ok, thawed}
    end.

handle(#{<<"do">> := <<"state">>}, _, State) -> {ok, #{state => State}}.

terminate(_, _) ->
    logger:warning("terminated"),
    ok.
