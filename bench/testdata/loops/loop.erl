%% The least that answers frames, for what erl and elixir need to start by themselves.
-module(loop).
-export([start/0]).

start() ->
    Port = open_port({fd, 3, 4}, [binary, eof, {packet, 4}]),
    port_command(Port, <<"ready">>),
    loop(Port).

loop(Port) ->
    receive
        {Port, {data, Event}} -> port_command(Port, Event), loop(Port);
        {Port, eof} -> halt(0)
    end.
