%% @doc One connection of a listener: the process that reads its frames.
%%
%% It does for a socket what {@link beamport_link} does for two pipes, but for the end:
%% when the connection ends, for whatever reason, so do its calls, and nothing else.
-module(beamport_connection).

-export([start_link/2, serve/2, init/2]).

%% Messages that the socket sends before it waits to be asked again: frames wait there
%% when they come faster than they are dealt with.
-define(ACTIVE, 100).

%% @doc Starts the process, which waits for its socket.
-spec start_link(Callback :: module(), MaxPacket :: pos_integer()) -> pid().
start_link(Callback, Max) ->
    spawn_link(?MODULE, init, [Callback, Max]).

%% @doc Hands the socket over, which the caller owns.
-spec serve(Connection :: pid(), gen_tcp:socket()) -> ok.
serve(Connection, Socket) ->
    case gen_tcp:controlling_process(Socket, Connection) of
        ok ->
            Connection ! {socket, Socket},
            ok;
        {error, _} ->
            _ = gen_tcp:close(Socket),
            Connection ! closed,
            ok
    end.

%% @private
-spec init(module(), pos_integer()) -> ok.
init(Callback, Max) ->
    %% Frames are passed on by reference: what little is on this heap must not keep
    %% them alive.
    _ = process_flag(message_queue_data, off_heap),
    _ = process_flag(fullsweep_after, 0),
    receive
        closed ->
            ok;
        {socket, Socket} ->
            Sink = beamport_sink:socket(Socket, Max),
            %% Nothing has been written before, so it fits.
            _ = beamport_sink:write(Sink, beamport_frame:ready()),
            active(Socket),
            loop(Socket, beamport_dispatch:new(Callback, Sink))
    end.

active(Socket) ->
    _ = inet:setopts(Socket, [{active, ?ACTIVE}]),
    ok.

loop(Socket, Dispatch) ->
    receive
        {tcp, Socket, Frame} -> next(beamport_dispatch:frame(Frame, Dispatch), Socket);
        {tcp_passive, Socket} -> active(Socket), loop(Socket, Dispatch);
        {tcp_closed, Socket} -> ok;
        {tcp_error, Socket, emsgsize} -> violation("a frame came that is longer than the maximum", Socket);
        {tcp_error, Socket, _} -> ok;
        Message -> next(beamport_dispatch:message(Message, Dispatch), Socket)
    end.

next({ok, Dispatch}, Socket) -> loop(Socket, Dispatch);
next({stop, _}, Socket) -> close(Socket);
next({violation, Text}, Socket) -> violation(Text, Socket).

violation(Text, Socket) ->
    logger:warning("beamport: a connection was closed: ~ts", [Text], #{domain => [beamport]}),
    close(Socket).

close(Socket) ->
    beamport_sink:close(beamport_sink:socket(Socket, 1)).
