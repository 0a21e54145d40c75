%% @doc Ends of the emulator.
%%
%% Nothing here needs the kernel application: a link that has to end may not have
%% one.
-module(beamport_halt).

-export([fatal/1, quiet/0, orderly/1]).

%% How long it may take to write out what waits in ports, at least.
-define(FLUSH_MS, 50).

%% @doc Ends the emulator with status 1, after one line on stderr.
-spec fatal(iodata()) -> no_return().
fatal(Text) ->
    %% A port of its own: there may be no kernel that has one.
    try
        Stderr = open_port({fd, 2, 2}, [out, binary]),
        port_command(Stderr, ["beamport: ", Text, "\n"])
    catch
        _:_ -> ok
    end,
    flushed(1, ?FLUSH_MS).

%% @doc Ends the emulator at once with status 0: the other side is gone, and nobody
%% reads what is left.
-spec quiet() -> no_return().
quiet() ->
    halt(0, [{flush, false}]).

%% @doc Ends the emulator with status 0. What waits in ports is written first, as far
%% as that goes in so many milliseconds, or in a few hundredths of a second.
-spec orderly(Ms :: integer()) -> no_return().
orderly(Ms) ->
    flushed(0, max(Ms, ?FLUSH_MS)).

%% A halt that flushes waits for every port, also for one that nobody reads.
-spec flushed(0 | 1, pos_integer()) -> no_return().
flushed(Status, Ms) ->
    _ = spawn_opt(fun() -> halt(Status, [{flush, true}]) end, [{priority, max}]),
    receive
    after Ms -> halt(Status, [{flush, false}])
    end.
