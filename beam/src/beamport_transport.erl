%% @doc The stream of a client: a program that it has started, or a socket.
%%
%% Frames are written without waiting: when the other side does not read, by a process
%% of their own. How much can wait there is bounded by the client's window.
%%
%% The bytes that come are made frames of here rather than by the emulator: see {@link
%% beamport_framer}.
-module(beamport_transport).

-export([open/2, first/2, early/1, write/2, ping/2, message/2, moves/1, close/2, os_pid/1]).
-export_type([transport/0]).

-record(transport, {handle :: port() | gen_tcp:socket(),
                    kind :: port | socket,
                    os_pid :: non_neg_integer() | undefined,
                    sink :: beamport_sink:sink(),
                    framer :: beamport_framer:framer(),
                    %% Frames that came with the first one.
                    early = [] :: [binary()],
                    writer :: pid(),
                    queued = 0 :: non_neg_integer(),
                    %% When it was last asked whether anything moves: the bytes that have
                    %% left the emulator, and whether others waited to.
                    left = 0 :: non_neg_integer(),
                    waits = false :: boolean()}).

-opaque transport() :: #transport{}.

%% The most that a socket reads at a time. The default is good for small frames only.
-define(BUFFER, 262144).
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
            {ok, new(port, Port, OsPid, beamport_sink:raw(beamport_sink:port(Port, Max)))}
    catch
        error:Reason -> {error, {not_started, Reason}}
    end;
open(#{connect := {Address, Port, Family}, max_packet := Max}, Timeout) ->
    Options = [Family, binary, {buffer, ?BUFFER}, {active, ?ACTIVE} | nodelay(Address)],
    case gen_tcp:connect(Address, Port, Options, Timeout) of
        {ok, Socket} -> {ok, new(socket, Socket, undefined, beamport_sink:raw(beamport_sink:socket(Socket, Max)))};
        {error, Reason} -> {error, {not_connected, Reason}}
    end.

nodelay({local, _}) -> [];
nodelay(_) -> [{nodelay, true}].

new(Kind, Handle, OsPid, Sink) ->
    Owner = self(),
    Writer = spawn_link(fun() -> writer(Owner, Sink) end),
    #transport{kind = Kind, handle = Handle, os_pid = OsPid, sink = Sink, writer = Writer,
               framer = beamport_framer:new(beamport_sink:max(Sink))}.

writer(Owner, Sink) ->
    receive
        {write, Frame} ->
            _ = beamport_sink:write(Sink, Frame),
            Owner ! {written, self()},
            writer(Owner, Sink)
    end.

%% @doc Waits for the first frame. Messages that have nothing to do with the stream stay
%% where they are, unless a process that is linked ends.
-spec first(transport(), timeout()) -> {frame, binary(), transport()} | {closed, Reason :: term()} | timeout.
first(Transport, infinity) ->
    first_until(Transport, infinity);
first(Transport, Timeout) ->
    first_until(Transport, erlang:monotonic_time(millisecond) + Timeout).

first_until(#transport{handle = Handle} = Transport, Until) ->
    receive
        {'EXIT', Pid, Reason} when is_pid(Pid) -> {closed, Reason};
        {Handle, {data, Bytes}} -> first_bytes(Bytes, Transport, Until);
        {tcp, Handle, Bytes} -> first_bytes(Bytes, Transport, Until);
        {Handle, {exit_status, Status}} -> {closed, {port_exit, Status}};
        {'EXIT', Handle, Reason} -> {closed, {port_closed, Reason}};
        {tcp_closed, Handle} -> {closed, closed};
        {tcp_error, Handle, Reason} -> {closed, {socket, Reason}}
    after left(Until) ->
            timeout
    end.

first_bytes(Bytes, Transport, Until) ->
    case bytes(Bytes, Transport) of
        {frames, [First | Early], Next} -> {frame, First, Next#transport{early = Early}};
        {frames, [], Next} -> first_until(Next, Until);
        {last, _, Reason} -> {closed, Reason}
    end.

left(infinity) -> infinity;
left(Until) -> max(0, Until - erlang:monotonic_time(millisecond)).

%% @doc Frames that came with the first one.
-spec early(transport()) -> {[binary()], transport()}.
early(#transport{early = Early} = Transport) -> {Early, Transport#transport{early = []}}.

bytes(Bytes, #transport{framer = Framer, sink = Sink} = Transport) ->
    case beamport_framer:bytes(Bytes, Framer) of
        {Frames, {too_long, Size}} ->
            Text = ["a frame of ", integer_to_list(Size), " bytes came; the maximum is ",
                    integer_to_list(beamport_sink:max(Sink))],
            {last, Frames, {protocol, iolist_to_binary(Text)}};
        {Frames, Next} ->
            {frames, Frames, Transport#transport{framer = Next}}
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

%% @doc Asks for a sign of life, unless frames wait to be written: then it is for those to
%% show it.
-spec ping(iodata(), transport()) -> transport().
ping(Frame, #transport{queued = 0} = Transport) -> write(Frame, Transport);
ping(_, Transport) -> Transport.

queue(Frame, #transport{writer = Writer, queued = Queued} = Transport) ->
    Writer ! {write, Frame},
    Transport#transport{queued = Queued + 1}.

%% @doc What a message to the owner says of the stream: frames that have come, the last
%% ones before it has to be closed, that it is closed, or nothing of interest.
-spec message(term(), transport()) ->
          {frames, [binary()], transport()} | {last, [binary()], Reason :: term()} | {ok, transport()} |
          {closed, Reason :: term()} | other.
message({Handle, {data, Bytes}}, #transport{handle = Handle} = Transport) ->
    bytes(Bytes, Transport);
message({tcp, Handle, Bytes}, #transport{handle = Handle} = Transport) ->
    bytes(Bytes, Transport);
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

%% @doc Whether the other side has read since this was last asked, as far as that can be
%% told: bytes that had to wait because it did not have left the emulator. What finds room
%% in the pipe says nothing.
-spec moves(transport()) -> {boolean(), transport()}.
moves(#transport{left = Before, waits = Waited, queued = Queued} = Transport) ->
    {Written, Pending} = written(Transport),
    Left = Written - Pending,
    {Waited andalso Left > Before, Transport#transport{left = Left, waits = Queued + Pending > 0}}.

%% What was given to the driver so far, and how much of that it still has.
written(#transport{kind = port, handle = Port}) ->
    case {erlang:port_info(Port, output), erlang:port_info(Port, queue_size)} of
        {{output, Written}, {queue_size, Pending}} -> {Written, Pending};
        _ -> {0, 0} % it is closed, which is a message of its own
    end;
written(#transport{kind = socket, handle = Socket}) ->
    case inet:getstat(Socket, [send_oct, send_pend]) of
        {ok, [{send_oct, Written}, {send_pend, Pending}]} -> {Written, Pending};
        {error, _} -> {0, 0}
    end.

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
    erlang:port_info(Port) =:= undefined orelse ended_within(Port, Timeout).

ended_within(Port, Timeout) ->
    ended_until(Port, erlang:monotonic_time(millisecond) + Timeout).

ended_until(Port, Until) ->
    receive
        {Port, {exit_status, _}} -> true;
        {'EXIT', Port, _} -> true;
        {Port, {data, _}} -> ended_until(Port, Until)
    after left(Until) ->
            erlang:port_info(Port) =:= undefined
    end.

kill(_, undefined) ->
    ok;
kill(Port, OsPid) ->
    _ = os:cmd("kill -9 " ++ integer_to_list(OsPid)),
    _ = ended(Port, ?KILL_MS),
    ok.
