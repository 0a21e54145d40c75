%% A module that cannot be loaded.
-module(crashing).

-export([handle/2]).
-on_load(init/0).

init() -> error(not_today).

handle(Event, _) -> {ok, Event}.
