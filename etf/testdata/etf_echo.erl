%% @doc A process, registered as echo, that sends each term back to who sent it.
-module(etf_echo).
-export([main/0]).

-spec main() -> no_return().
%% @doc Says that it is ready, and serves until the emulator is stopped.
main() ->
    true = register(echo, self()),
    io:format("ready~n"),
    serve().

-spec serve() -> no_return().
serve() ->
    receive
        {From, Term} -> From ! Term
    end,
    serve().
