%% @doc The stream of a client: a program that it has started, or a socket.
%%
%% Frames are written without waiting: when the other side does not read, by a process
%% of their own. How much can wait there is bounded by the client's window.
-module(beamport_transport).

-export([open/2, first/2, write/2, message/2, close/2, os_pid/1]).
-export_type([transport/0]).

-record(transport, {handle :: port() | gen_tcp:socket(),
                    kind :: port | socket,
                    os_pid :: non_neg_integer() | undefined,
                    sink :: beamport_sink:sink(),
                    writer :: pid(),
                    queued = 0 :: non_neg_integer()}).

-opaque transport() :: #transport{}.

%% Messages that a socket sends before it waits to be asked again.
-define(ACTIVE, 100).
%% How long it may take to write to a socket that this is the end.
-define(STOP_WRITE_MS, 100).
%% How long a program may take to end that was killed.
-define(KILL_MS, 1000).

%% @doc Starts the program or connects, within `Timeout' milliseconds.
-spec open(beamport_client_options:options(), Timeout :: timeout()) -> {ok, transport()} | {error, term()}.
open(#{command := Command, port_options := Options, max_packet := Max}, _) ->
    try open_port({spawn_executable, Command}, Options) of
        Port ->
            OsPid = case erlang:port_info(Port, os_pid) of
                        {os_pid, Pid} -> Pid;
                        undefined -> undefined
                    end,
            {ok, new(port, Port, OsPid, beamport_sink:port(Port, Max))}
    catch
        error:Reason -> {error, {not_started, Reason}}
    end;
open(#{connect := {Address, Port, Family}, max_packet := Max}, Timeout) ->
    Options = [Family, binary, {packet, 4}, {packet_size, Max}, {active, ?ACTIVE} | nodelay(Address)],
    case gen_tcp:connect(Address, Port, Options, Timeout) of
        {ok, Socket} -> {ok, new(socket, Socket, undefined, beamport_sink:socket(Socket, Max))};
        {error, Reason} -> {error, {not_connected, Reason}}
    end.

nodelay({local, _}) -> [];
nodelay(_) -> [{nodelay, true}].

new(Kind, Handle, OsPid, Sink) ->
    Owner = self(),
    Writer = spawn_link(fun() -> writer(Owner, Sink) end),
    #transport{kind = Kind, handle = Handle, os_pid = OsPid, sink = Sink, writer = Writer}.

writer(Owner, Sink) ->
    receive
        {write, Frame} ->
            _ = beamport_sink:write(Sink, Frame),
            Owner ! {written, self()},
            writer(Owner, Sink)
    end.

%% @doc Waits for the first frame. Messages that have nothing to do with the stream stay
%% where they are, unless a process that is linked ends.
-spec first(transport(), timeout()) -> {frame, binary()} | {closed, Reason :: term()} | timeout.
first(#transport{handle = Handle}, Timeout) ->
    receive
        {'EXIT', Pid, Reason} when is_pid(Pid) -> {closed, Reason};
        {Handle, {data, Frame}} -> {frame, Frame};
        {tcp, Handle, Frame} -> {frame, Frame};
        {Handle, {exit_status, Status}} -> {closed, {port_exit, Status}};
        {'EXIT', Handle, Reason} -> {closed, {port_closed, Reason}};
        {tcp_closed, Handle} -> {closed, closed};
        {tcp_error, Handle, Reason} -> {closed, {socket, Reason}}
    after Timeout ->
            timeout
    end.

%% @doc The program's process id in the operating system.
-spec os_pid(transport()) -> non_neg_integer() | undefined.
os_pid(#transport{os_pid = OsPid}) -> OsPid.

%% @doc Writes a frame, now or when there is room for it.
-spec write(iodata(), transport()) -> transport().
write(Frame, #transport{queued = 0, sink = Sink} = Transport) ->
    case beamport_sink:offer(Sink, Frame) of
        waits -> queue(Frame, Transport);
        _ -> Transport
    end;
write(Frame, Transport) ->
    queue(Frame, Transport).

queue(Frame, #transport{writer = Writer, queued = Queued} = Transport) ->
    Writer ! {write, Frame},
    Transport#transport{queued = Queued + 1}.

%% @doc What a message to the owner says of the stream.
-spec message(term(), transport()) ->
          {frame, binary()} | {ok, transport()} | {closed, Reason :: term()} | other.
message({Handle, {data, Frame}}, #transport{handle = Handle}) ->
    {frame, Frame};
message({tcp, Handle, Frame}, #transport{handle = Handle}) ->
    {frame, Frame};
message({written, Writer}, #transport{writer = Writer, queued = Queued} = Transport) ->
    {ok, Transport#transport{queued = Queued - 1}};
message({tcp_passive, Handle}, #transport{handle = Handle} = Transport) ->
    _ = inet:setopts(Handle, [{active, ?ACTIVE}]),
    {ok, Transport};
message({Handle, {exit_status, Status}}, #transport{handle = Handle}) ->
    {closed, {port_exit, Status}};
message({'EXIT', Handle, Reason}, #transport{handle = Handle, kind = port}) ->
    {closed, {port_closed, Reason}};
message({'EXIT', Writer, Reason}, #transport{writer = Writer}) ->
    {closed, {writer, Reason}};
message({tcp_closed, Handle}, #transport{handle = Handle}) ->
    {closed, closed};
message({tcp_error, Handle, Reason}, #transport{handle = Handle}) ->
    {closed, {socket, Reason}};
message(_, _) ->
    other.

%% @doc Ends the stream. A program is asked to stop and has `Timeout' milliseconds to do
%% so; then it is killed.
-spec close(transport(), Timeout :: non_neg_integer()) -> ok.
close(#transport{kind = socket, handle = Socket, sink = Sink, queued = Queued} = Transport, _) ->
    %% What waits to be written is given up.
    _ = Queued =:= 0 andalso inet:setopts(Socket, [{send_timeout, ?STOP_WRITE_MS}]) =:= ok andalso
        beamport_sink:write(Sink, beamport_answer:stop(normal)),
    end_writer(Transport),
    beamport_sink:close(Sink);
close(#transport{kind = port, handle = Port, os_pid = OsPid, sink = Sink} = Transport, Timeout) ->
    Asked = write(beamport_answer:stop(normal), Transport),
    _ = ended(Port, Timeout) orelse kill(Port, OsPid),
    end_writer(Asked),
    beamport_sink:close(Sink).

end_writer(#transport{writer = Writer}) ->
    unlink(Writer),
    exit(Writer, kill).

%% Frames that come meanwhile are nobody's.
ended(Port, Timeout) ->
    Until = erlang:monotonic_time(millisecond) + Timeout,
    ended_until(Port, Until).

ended_until(Port, Until) ->
    receive
        {Port, {exit_status, _}} -> true;
        {'EXIT', Port, _} -> true;
        {Port, {data, _}} -> ended_until(Port, Until)
    after max(0, Until - erlang:monotonic_time(millisecond)) ->
            erlang:port_info(Port) =:= undefined
    end.

kill(_, undefined) ->
    ok;
kill(Port, OsPid) ->
    _ = os:cmd("kill -9 " ++ integer_to_list(OsPid)),
    _ = ended(Port, ?KILL_MS),
    ok.
