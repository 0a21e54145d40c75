%% @doc A supervisor of the children that it is given.
-module(link_supervisor).
-behaviour(supervisor).

-export([init/1]).

init(Children) ->
    {ok, {#{intensity => 5, period => 10}, Children}}.
