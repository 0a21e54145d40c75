%% @doc The other side of the protocol, for tests: starts an emulator of its own and
%% speaks with it over two pipes, which are file descriptors 3 and 4 there.
%%
%% A small shell moves the pipes that a port has to these descriptors; what the
%% emulator prints itself goes to a file.
-module(beamport_peer).

-export([encode/1, start/0, start/1, stop/1, output/1, os_pid/1, emulator/1, send/2, send_raw/2, frame/1, no_frame/1, close/1,
         await_exit/1, open_gate/1, temporary/1, call/2, final/2, finals/2, init/3, is_alive/1]).

-record(peer, {owner, port, output, pid}).

-define(TIMEOUT, 30000).

%% @doc Starts an emulator with the runtime and waits for its ready frame.
start() -> start(#{}).

%% @doc `flags' are added to the command line, `paths' to the code path, `boot' is the
%% flags that start the link, `ready' says whether to wait for the first frame, `gate'
%% whether frames of the emulator are to be read only after open_gate/1 (`true'), or are not
%% read, and cannot be from then on (`shut').
start(Options) ->
    Output = temporary(".out"),
    Flags = maps:get(flags, Options, []),
    Paths = [filename:dirname(code:which(beamport)) | maps:get(paths, Options, [])],
    Boot = maps:get(boot, Options, ["-s", "beamport", "boot"]),
    Arguments = ["-noshell", "-noinput"] ++ lists:append([["-pa", P] || P <- Paths]) ++ Flags ++ Boot,
    Script = case maps:get(gate, Options, false) of
                 false ->
                     "exec 3<&0 4>&1 </dev/null >\"$0\" 2>&1; exec erl \"$@\"";
                 Gate ->
                     "mkfifo \"$0.gate\"; exec 3<&0; "
                         "{ " ++ pid(Gate) ++ "exec erl \"$@\" 4>&1 </dev/null >\"$0\" 2>&1; } | "
                         "{ exec 3<&-; read x <\"$0.gate\"; rm \"$0.gate\"; exec " ++ reader(Gate) ++ "; }"
             end,
    Open = fun() ->
                   open_port({spawn_executable, "/bin/sh"},
                             [{args, ["-c", Script, Output | Arguments]}, {packet, 4}, binary, exit_status,
                              {env, [{"ERL_CRASH_DUMP", "/dev/null"}]}])
           end,
    {Owner, Port, Pid} = own(Open),
    Peer = #peer{owner = Owner, port = Port, output = Output, pid = Pid},
    case maps:get(ready, Options, true) andalso maps:get(gate, Options, false) =:= false of
        true ->
            {ready, 1, #{pid := Pid}} = frame(Peer),
            Peer;
        false ->
            Peer
    end.

%% What it says when the test is over is of no interest.
reader(true) -> "cat 2>/dev/null";
reader(shut) -> "true".

%% Where the emulator's end is not the end of all, it is to be known by its number.
pid(true) -> "";
pid(shut) -> "sh -c 'echo $PPID' >\"$0.pid\"; ".

%% Tests run in processes of their own, and a port does not outlive its owner.
own(Open) ->
    Self = self(),
    Owner = spawn(fun() ->
                          process_flag(trap_exit, true),
                          Port = Open(),
                          {os_pid, Pid} = erlang:port_info(Port, os_pid),
                          Self ! {self(), Port, Pid},
                          relay(Port)
                  end),
    receive {Owner, Port, Pid} -> {Owner, Port, Pid} end.

relay(Port) ->
    receive
        {next, From, Ref} ->
            receive
                {Port, Message} -> From ! {Ref, Message}
            end,
            relay(Port);
        {waiting, From, Ref} ->
            receive
                {Port, Message} -> From ! {Ref, {waits, Message}}
            after 0 -> From ! {Ref, nothing}
            end,
            relay(Port);
        {close, From, Ref} ->
            From ! {Ref, try port_close(Port) catch error:badarg -> closed end}
    end.

ask(#peer{owner = Owner}, Question, Timeout) ->
    Ref = make_ref(),
    Owner ! {Question, self(), Ref},
    receive
        {Ref, Answer} -> Answer
    after Timeout -> timeout
    end.

temporary(Suffix) ->
    Name = "beamport-" ++ os:getpid() ++ "-" ++ integer_to_list(erlang:unique_integer([positive])) ++ Suffix,
    filename:join(os:getenv("TMPDIR", "/tmp"), Name).

%% @doc Ends the emulator, kills it if need be, and returns what it has printed.
stop(Peer) ->
    send(Peer, {stop, normal}),
    Status = await_exit(Peer),
    {Status, output(Peer)}.

%% @doc What the emulator has printed itself, to stdout and stderr.
output(#peer{output = Output}) ->
    case get({?MODULE, Output}) of
        undefined ->
            {ok, Text} = file:read_file(Output),
            Text;
        Last ->
            Last
    end.

%% The emulator has ended: what it has printed is kept for the test that asks.
ended(#peer{output = Output} = Peer) ->
    put({?MODULE, Output}, output(Peer)),
    _ = file:delete(Output),
    close(Peer).

os_pid(#peer{pid = Pid}) -> Pid.

%% @doc Closes our ends of both pipes.
close(#peer{output = Output} = Peer) ->
    _ = file:delete(Output),
    ask(Peer, close, ?TIMEOUT).

%% @doc The emulator's process id, where the gate is shut.
emulator(#peer{output = Output} = Peer) ->
    case file:read_file(Output ++ ".pid") of
        {ok, Line} when Line =/= <<>> ->
            ok = file:delete(Output ++ ".pid"),
            binary_to_integer(string:trim(Line));
        _ -> erlang:yield(), emulator(Peer)
    end.

%% @doc Lets frames through, from the first one on.
open_gate(#peer{output = Output}) ->
    ok = file:write_file(Output ++ ".gate", "\n").

%% @doc Waits for the emulator's end and drops the frames that come before it.
await_exit(Peer) ->
    case ask(Peer, next, ?TIMEOUT) of
        {exit_status, Status} ->
            ended(Peer),
            Status;
        {data, _} ->
            await_exit(Peer);
        timeout ->
            _ = os:cmd("kill -9 " ++ integer_to_list(Peer#peer.pid)),
            error({alive, output(Peer)})
    end.

is_alive(Pid) ->
    os:cmd("kill -0 " ++ integer_to_list(Pid) ++ " 2>&1") =:= "".

send(Peer, Term) ->
    send_raw(Peer, encode(Term)).

%% @doc A term as the other side writes it: atoms in UTF-8.
encode(Term) ->
    term_to_binary(Term, [{minor_version, 2}]).

send_raw(#peer{port = Port}, Bytes) ->
    true = port_command(Port, Bytes),
    ok.

%% @doc The next frame.
frame(Peer) ->
    case ask(Peer, next, ?TIMEOUT) of
        {data, Frame} -> binary_to_term(Frame);
        {exit_status, Status} -> error({exited, Status, output(Peer)});
        timeout -> error({no_frame, output(Peer)})
    end.

%% @doc Succeeds when no frame waits.
no_frame(Peer) ->
    case ask(Peer, waiting, ?TIMEOUT) of
        {waits, {data, Frame}} -> error({frame, binary_to_term(Frame)});
        nothing -> ok
    end.

%% @doc Makes a call, and returns its final frame and the log frames before it.
call(Peer, Request) ->
    Id = erlang:unique_integer([positive, monotonic]),
    send(Peer, {call, Id, Request}),
    final(Peer, Id).

%% @doc The final frame of a call, its id left out, and the log frames before it.
final(Peer, Id) ->
    final(Peer, Id, []).

final(Peer, Id, Logs) ->
    case frame(Peer) of
        {reply, Id, Term} -> {{reply, Term}, lists:reverse(Logs)};
        {error, Id, Class, Reason, Stack} -> {{error, Class, Reason, Stack}, lists:reverse(Logs)};
        {ack, Id} -> {ack, lists:reverse(Logs)};
        {log, _, _, _, _, _} = Log -> final(Peer, Id, [Log | Logs])
    end.

%% @doc As many final frames as there are, in the order that they come in; logs are
%% dropped.
finals(_, 0) -> [];
finals(Peer, N) ->
    case frame(Peer) of
        {reply, _, _} = Final -> [Final | finals(Peer, N - 1)];
        {error, _, _, _, _} = Final -> [Final | finals(Peer, N - 1)];
        {ack, _} = Final -> [Final | finals(Peer, N - 1)];
        {log, _, _, _, _, _} -> finals(Peer, N)
    end.

%% @doc Lambda's first call.
init(Peer, Handler, TaskRoot) ->
    call(Peer, {init, #{handler => iolist_to_binary(Handler),
                        task_root => unicode:characters_to_binary(TaskRoot)}}).
