%% @doc Where the frames of a stream are written to: a port with two pipes, or a
%% socket. Any process may write; frames are kept whole.
-module(beamport_sink).

-export([port/2, socket/2, raw/1, is_socket/1, max/1, write/2, offer/2, close/1]).
-export_type([sink/0]).

-opaque sink() :: {port | raw_port, port(), Max :: pos_integer()}
                | {socket | raw_socket, gen_tcp:socket(), Max :: pos_integer()}.

%% @doc A port that was opened with `{packet, 4}'; its frames are at most `Max' bytes.
-spec port(port(), Max :: pos_integer()) -> sink().
port(Port, Max) ->
    {port, Port, Max}.

%% @doc A socket with the option `{packet, 4}'; its frames are at most `Max' bytes.
-spec socket(gen_tcp:socket(), Max :: pos_integer()) -> sink().
socket(Socket, Max) ->
    {socket, Socket, Max}.

%% @doc The same for one without that option: its frames' lengths are written with them.
-spec raw(sink()) -> sink().
raw({port, Port, Max}) -> {raw_port, Port, Max};
raw({socket, Socket, Max}) -> {raw_socket, Socket, Max}.

%% @doc Whether frames go to a socket.
-spec is_socket(sink()) -> boolean().
is_socket({Kind, _, _}) ->
    Kind =:= socket orelse Kind =:= raw_socket.

%% @doc The longest frame in bytes.
-spec max(sink()) -> pos_integer().
max({_, _, Max}) ->
    Max.

%% @doc Writes a frame, and waits while the other side does not read. `closed' says
%% that there is nothing to write to any more.
-spec write(sink(), iodata()) -> ok | closed.
write({port, Port, _}, Frame) ->
    try port_command(Port, Frame) of
        true -> ok
    catch
        error:badarg -> closed
    end;
write({socket, Socket, _}, Frame) ->
    case gen_tcp:send(Socket, Frame) of
        ok -> ok;
        {error, _} -> closed
    end;
write({raw_port, Port, Max}, Frame) ->
    write({port, Port, Max}, framed(Frame));
write({raw_socket, Socket, Max}, Frame) ->
    write({socket, Socket, Max}, framed(Frame)).

framed(Frame) ->
    [<<(iolist_size(Frame)):32>> | Frame].

%% @doc Writes a frame if that can be done without waiting. `waits' says that the
%% frame was not written: the port is busy, or this is a socket, of which that cannot
%% be told.
-spec offer(sink(), iodata()) -> ok | waits | closed.
offer({port, Port, _}, Frame) ->
    try port_command(Port, Frame, [nosuspend]) of
        true -> ok;
        false -> waits
    catch
        error:badarg -> closed
    end;
offer({raw_port, Port, Max}, Frame) ->
    offer({port, Port, Max}, framed(Frame));
offer(_, _) ->
    waits.

%% @doc Closes the sink, without waiting for what the other side has not read.
-spec close(sink()) -> ok.
close({Kind, Port, _}) when Kind =:= port; Kind =:= raw_port ->
    try port_close(Port) of
        true -> ok
    catch
        error:badarg -> ok
    end;
close({_, Socket, _}) ->
    _ = case inet:getstat(Socket, [send_pend]) of
            {ok, [{send_pend, 0}]} -> ok;
            _ -> inet:setopts(Socket, [{linger, {true, 0}}])
        end,
    gen_tcp:close(Socket).
