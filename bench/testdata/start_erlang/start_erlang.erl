%% A handler of Erlang's that does a little with its event.
-module(start_erlang).
-export([handle/2]).

handle(#{} = Event, _Context) ->
    Words = binary:split(maps:get(<<"text">>, Event, <<>>), <<" ">>, [global, trim_all]),
    {ok, #{words => length(Words), longest => lists:max([0 | [byte_size(W) || W <- Words]])}}.
