%% A handler that answers with its event.
-module(bench_hello).

-export([handle/2]).

handle(Event, _Context) -> {ok, Event}.
