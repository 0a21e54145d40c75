%% @doc The calling side of the protocol: a program, such as a worker written in Go,
%% that an application starts and calls, or one that it connects to.
%%
%% ```
%% {ok, Client} = beamport_client:start_link(#{command => "priv/worker"}),
%% {ok, Sum} = beamport_client:call(Client, {add, 1, 2}).
%% '''
%%
%% As a child of a supervisor, in Elixir:
%%
%% ```
%% children = [{:beamport_client, name: MyApp.Worker, command: "priv/worker"}]
%% Supervisor.start_link(children, strategy: :one_for_one)
%% {:ok, sum} = :beamport_client.call(MyApp.Worker, {:add, 1, 2})
%% '''
%%
%% Options are a map or a property list; text is a string or a binary.
%% <dl>
%% <dt>`command'</dt><dd>the program; without a slash, it is looked for in `PATH'.</dd>
%% <dt>`args', `env', `cd'</dt><dd>its arguments, a list; variables that are added to the
%% environment, a map or a list of pairs (`false' takes one away); its directory.</dd>
%% <dt>`fds'</dt><dd>`stdio' (the default): frames are read from its stdout and written to its
%% stdin. `nouse': they are read from its descriptor 4 and written to 3; its stdin and
%% stdout are the emulator's.</dd>
%% <dt>`connect'</dt><dd>instead of `command': `{unix, Path}' or `{tcp, Host, Port}'.</dd>
%% <dt>`name'</dt><dd>an atom, `{local, Name}', `{global, Name}' or `{via, Module, Name}'.</dd>
%% <dt>`max_packet'</dt><dd>the longest frame in bytes, both ways; 67108864.</dd>
%% <dt>`max_in_flight', `max_in_flight_bytes'</dt><dd>how many calls and casts may be without an
%% answer, and the bytes of their requests; 1024 and 67108864. Others wait for their turn.</dd>
%% <dt>`start_timeout'</dt><dd>the time until the program has to be ready; 10000 ms.</dd>
%% <dt>`stop_timeout'</dt><dd>the time that it has to end, after which it is killed; 5000 ms.</dd>
%% <dt>`heartbeat'</dt><dd>so often a sign of life is asked for; 10000 ms, 0 is never. Without a
%% byte in three of these times, nor one that was read of what waits to be written, the client
%% ends with `unresponsive'. Nothing else tells of a program that has closed its output and
%% lives on.</dd>
%% <dt>`log'</dt><dd>`logger' (the default) hands log frames to the logger, with the domain
%% `[beamport]' and the worker's own metadata under `beamport'; `none' drops them.</dd>
%% </dl>
%%
%% The client ends when the program does, with the reason `{port_exit, Status}' (128 and
%% the signal's number, if it was killed) or `{port_closed, epipe}' (if that was seen first, by
%% writing to it), or with `closed', or with `{protocol, Text}' when the other side breaks the
%% protocol. All calls fail then, once each; none is sent again.
%% To start anew is for the supervisor.
%%
%% A process that dies while it waits, or stops to wait because the time is over, cancels
%% its call. An answer that comes late reaches nobody.
-module(beamport_client).
-behaviour(gen_server).

-export([start_link/1, start/1, child_spec/1, stop/1, stop/2]).
-export([call/2, call/3, cast/2, cast/3, stream/3, read/1, read/2, close/1, fold/5, info/1]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2, terminate/2, format_status/1]).
-export_type([client/0, reason/0, stream/0]).

-type client() :: pid() | atom() | {global, term()} | {via, module(), term()}.

-type reason() :: {failed, beamport_answer:failure()}
                | timeout
                | {too_large, Size :: pos_integer(), Max :: pos_integer()}
                | undecodable
                | {down, Reason :: term()}.
%% Why there is no answer: the other side says that the call has failed; the time is over;
%% the frame would be longer than `max_packet'; the answer is no term, or one with atoms that
%% do not exist here; the client has ended, or there is none (`noproc').

-record(stream, {client :: pid(), ref :: reference()}).
-opaque stream() :: #stream{}.
%% An answer that is being read, by the process that has made the call.

-record(state, {options :: beamport_client_options:options(),
                transport :: beamport_transport:transport(),
                calls :: beamport_client_calls:calls(),
                ready :: map(),
                logger :: beamport_client_log:logger(),
                %% Ticks of the heartbeat since the last sign of life.
                silent = 0 :: non_neg_integer()}).

-define(TIMEOUT, 5000).
-define(STREAM_WINDOW, 262144).
%% Ticks without a sign of life that a heartbeat allows.
-define(MAX_SILENT, 3).
%% Frames of this size and more are let go of at once, not at the next collection.
-define(LARGE, 65536).

%% @doc Starts a client; returns when the other side is ready. Fails with the reasons that
%% the client ends with, and with `{option, Name}', `{not_started, Why}', `{not_connected,
%% Why}', `start_timeout' or `{version, Number}'.
-spec start_link(map() | [{atom(), term()}]) -> gen_server:start_ret().
start_link(Options) -> start(Options, start_link).

%% @doc As {@link start_link/1}, without a link.
-spec start(map() | [{atom(), term()}]) -> gen_server:start_ret().
start(Options) -> start(Options, start).

start(Options, Start) ->
    case beamport_client_options:check(Options) of
        {ok, Checked} -> start(Start, maps:get(name, Checked, undefined), Checked);
        {error, Reason} -> {error, Reason}
    end.

start(start_link, undefined, Options) -> gen_server:start_link(?MODULE, Options, []);
start(start, undefined, Options) -> gen_server:start(?MODULE, Options, []);
start(Start, Name, Options) when is_atom(Name) -> start(Start, {local, Name}, Options);
start(start_link, Name, Options) -> gen_server:start_link(Name, ?MODULE, Options, []);
start(start, Name, Options) -> gen_server:start(Name, ?MODULE, Options, []).

%% @doc A supervisor's child, whose id is its name.
-spec child_spec(map() | [{atom(), term()}]) -> supervisor:child_spec().
child_spec(Options) when is_list(Options) ->
    child_spec(maps:from_list(Options));
child_spec(Options) ->
    #{id => maps:get(name, Options, ?MODULE),
      start => {?MODULE, start_link, [Options]},
      shutdown => maps:get(stop_timeout, Options, 5000) + 2000}.

%% @doc Ends the client, and the program with it: in order, if that goes in `stop_timeout'.
-spec stop(client()) -> ok.
stop(Client) -> stop(Client, infinity).

%% @doc As {@link stop/1}; exits with `timeout' when it takes longer.
-spec stop(client(), timeout()) -> ok.
stop(Client, Timeout) -> gen_server:stop(Client, normal, Timeout).

%% @doc Makes a call with a time of 5 seconds.
-spec call(client(), Request :: term()) -> {ok, term()} | {error, reason()}.
call(Client, Request) -> call(Client, Request, ?TIMEOUT).

%% @doc Makes a call and waits for its answer, which includes the time that it waits for
%% its turn. An answer that the other side streams comes as a whole, as `{streamed, Head,
%% Body, Done}'.
-spec call(client(), Request :: term(), timeout()) -> {ok, term()} | {error, reason()}.
call(Client, Request, Timeout) ->
    case request(call, Client, Request, none, [{alias, reply_demonitor}], Timeout) of
        {answer, {frame, Frame}, _} -> term(Frame);
        {answer, {failed, Reason}, _} -> {error, Reason};
        {error, Reason} -> {error, Reason}
    end.

%% @doc Sends a message with a time of 5 seconds.
-spec cast(client(), Message :: term()) -> ok | {error, reason()}.
cast(Client, Message) -> cast(Client, Message, ?TIMEOUT).

%% @doc Sends a message that is not answered. Returns when it is on its way, for which it
%% may have to wait for its turn.
-spec cast(client(), Message :: term(), timeout()) -> ok | {error, reason()}.
cast(Client, Message, Timeout) ->
    case request(cast, Client, Message, none, [{alias, reply_demonitor}], Timeout) of
        {answer, sent, _} -> ok;
        {answer, {failed, Reason}, _} -> {error, Reason};
        {error, Reason} -> {error, Reason}
    end.

%% @doc Makes a call whose answer may be streamed, and waits for its head. An answer that is
%% not streamed is `{reply, Term}'. Options are `timeout' (until the head comes, 5000 ms) and
%% `window' (bytes that may be under way before they are read, 262144).
%%
%% The stream belongs to the process that has made the call: it reads until there is no
%% more, or closes it. When it dies, the call is cancelled.
-spec stream(client(), Request :: term(), map() | [{atom(), term()}]) ->
          {ok, Head :: term(), stream()} | {reply, term()} | {error, reason()}.
stream(Client, Request, Options) when is_list(Options) ->
    stream(Client, Request, maps:from_list(Options));
stream(Client, Request, Options) ->
    Window = maps:get(window, Options, ?STREAM_WINDOW),
    case request(call, Client, Request, Window, [{alias, explicit_unalias}], maps:get(timeout, Options, ?TIMEOUT)) of
        {answer, {frame, Frame}, Stream} ->
            head(beamport_answer:head(Frame), term(Frame), Stream);
        {answer, {failed, Reason}, Stream} ->
            ended(Stream),
            {error, Reason};
        {error, Reason} ->
            {error, Reason}
    end.

head({head, _}, {ok, Head}, Stream) -> {ok, Head, Stream};
head({head, _}, Error, Stream) -> close(Stream), Error;
head(_, {ok, Term}, Stream) -> ended(Stream), {reply, Term};
head(_, Error, Stream) -> ended(Stream), Error.

%% @doc Reads a part of a stream with a time of 5 seconds.
-spec read(stream()) -> {ok, binary()} | {done, term()} | {error, reason()}.
read(Stream) -> read(Stream, ?TIMEOUT).

%% @doc Reads the next part of a stream, which is not empty. With `{done, Term}' and with an
%% error the stream is over: it may not be read again, and need not be closed. When the
%% time is over, the call is cancelled.
-spec read(stream(), timeout()) -> {ok, binary()} | {done, term()} | {error, reason()}.
read(#stream{client = Client, ref = Ref} = Stream, Timeout) ->
    receive
        {Ref, {chunk, Bytes}} ->
            gen_server:cast(Client, {credit, Ref, byte_size(Bytes)}),
            {ok, Bytes};
        {Ref, {frame, Frame}} ->
            ended(Stream),
            case term(Frame) of
                {ok, Term} -> {done, Term};
                Error -> Error
            end;
        {Ref, {failed, Reason}} ->
            ended(Stream),
            {error, Reason};
        {'DOWN', Ref, process, _, Reason} ->
            ended(Stream),
            {error, {down, Reason}}
    after Timeout ->
            close(Stream),
            {error, timeout}
    end.

%% @doc Ends a stream that may not be over: its call is cancelled. Does nothing for one
%% that is over.
-spec close(stream()) -> ok.
close(#stream{client = Client, ref = Ref} = Stream) ->
    gen_server:cast(Client, {cancel, Ref}),
    ended(Stream).

%% Nothing comes under a stream's reference any more, nor is anything of it left.
ended(#stream{ref = Ref} = Stream) ->
    _ = unalias(Ref),
    demonitor(Ref, [flush]),
    flush(Stream).

flush(#stream{ref = Ref} = Stream) ->
    receive
        {Ref, _} -> flush(Stream)
    after 0 -> ok
    end.

%% @doc Makes a call and calls `Fun(Part, Acc)' for each part of the streamed answer, in the
%% process that calls this. The options are those of {@link stream/3}; the time is also
%% that of each part.
-spec fold(client(), Request :: term(), fun((binary(), Acc) -> Acc), Acc, map() | [{atom(), term()}]) ->
          {ok, Head :: term(), Done :: term(), Acc} | {reply, term()} | {error, reason()}.
fold(Client, Request, Fun, Acc, Options) when is_list(Options) ->
    fold(Client, Request, Fun, Acc, maps:from_list(Options));
fold(Client, Request, Fun, Acc, Options) ->
    case stream(Client, Request, Options) of
        {ok, Head, Stream} ->
            try parts(Stream, Fun, Acc, maps:get(timeout, Options, ?TIMEOUT)) of
                {done, Done, Result} -> {ok, Head, Done, Result};
                {error, Reason} -> {error, Reason}
            catch
                Class:Reason:Stack ->
                    close(Stream),
                    erlang:raise(Class, Reason, Stack)
            end;
        Other ->
            Other
    end.

parts(Stream, Fun, Acc, Timeout) ->
    case read(Stream, Timeout) of
        {ok, Bytes} -> parts(Stream, Fun, Fun(Bytes, Acc), Timeout);
        {done, Done} -> {done, Done, Acc};
        {error, Reason} -> {error, Reason}
    end.

%% @doc What is known of the other side and of the calls so far: a map of `ready' (what the
%% other side said of itself), `os_pid', `calls', `casts', `streams' and `cancelled' (numbers
%% since the start), `late' and `unknown' (answers that were dropped: for calls that nobody
%% waited for, and for none), `logs_dropped', `in_flight', `bytes_in_flight' and `waiting'.
-spec info(client()) -> #{atom() => term()}.
info(Client) -> gen_server:call(Client, info).

%% The answer comes to an alias that is taken back when nobody waits any more.
request(Kind, Client, Request, Credit, Alias, Timeout) ->
    case whereis_client(Client) of
        undefined ->
            {error, {down, noproc}};
        Pid ->
            Body = beamport_answer:body(Request),
            Ref = monitor(process, Pid, Alias),
            gen_server:cast(Pid, {Kind, self(), Ref, Body, Credit}),
            Stream = #stream{client = Pid, ref = Ref},
            receive
                {Ref, Answer} ->
                    {answer, Answer, Stream};
                {'DOWN', Ref, process, _, Reason} ->
                    ended(Stream),
                    {error, {down, Reason}}
            after Timeout ->
                    close(Stream),
                    {error, timeout}
            end
    end.

whereis_client(Pid) when is_pid(Pid) -> Pid;
whereis_client(Name) when is_atom(Name) -> whereis(Name);
whereis_client({global, Name}) -> global:whereis_name(Name);
whereis_client({via, Module, Name}) -> Module:whereis_name(Name).

term(Frame) ->
    case beamport_answer:term(Frame) of
        {ok, Term} -> {ok, Term};
        {failed, Failure} -> {error, {failed, Failure}};
        error -> {error, undecodable}
    end.

%% @private
-spec init(beamport_client_options:options()) -> {ok, #state{}, {continue, [binary()]}} | {stop, term()}.
init(#{start_timeout := Timeout, max_packet := Max, max_in_flight := Count, max_in_flight_bytes := Bytes,
       log := Log, heartbeat := Heartbeat} = Options) ->
    process_flag(trap_exit, true),
    process_flag(message_queue_data, off_heap),
    _ = beamport_answer:known_atoms(),
    case beamport_transport:open(Options, Timeout) of
        {ok, Transport} ->
            case ready(Transport, Timeout) of
                {ok, Ready, Next} ->
                    beat(Heartbeat),
                    {Early, Rest} = beamport_transport:early(Next),
                    {ok, #state{options = Options, transport = Rest, ready = Ready,
                                calls = beamport_client_calls:new(Max, Count, Bytes),
                                logger = beamport_client_log:new(Log)}, {continue, Early}};
                {error, Reason} ->
                    ok = beamport_transport:close(Transport, 0),
                    {stop, Reason}
            end;
        {error, Reason} ->
            {stop, Reason}
    end.

%% What the other side says of itself, or why it does not.
ready(Transport, Timeout) ->
    case beamport_transport:first(Transport, Timeout) of
        {frame, Frame, Next} ->
            case beamport_answer:ready(Frame) of
                error -> {error, {protocol, <<"the first frame is not ready">>}};
                {version, Version} -> {error, {version, Version}};
                {ok, Info} -> {ok, Info, Next}
            end;
        {closed, Reason} -> {error, Reason};
        timeout -> {error, start_timeout}
    end.

beat(0) -> ok;
beat(Heartbeat) -> _ = erlang:send_after(Heartbeat, self(), heartbeat), ok.

%% @private
-spec handle_continue([binary()], #state{}) -> {noreply, #state{}} | {stop, term(), #state{}}.
handle_continue(Early, State) -> frames(Early, State).

%% @private
-spec handle_call(info | term(), gen_server:from(), #state{}) -> {reply, map(), #state{}} | {noreply, #state{}}.
handle_call(info, _, #state{calls = Calls, ready = Ready, transport = Transport, logger = Logger} = State) ->
    Stats = beamport_client_calls:stats(Calls),
    {reply, Stats#{ready => Ready, os_pid => beamport_transport:os_pid(Transport),
                   logs_dropped => beamport_client_log:dropped(Logger)}, State};
handle_call(_, _, State) ->
    {noreply, State}.

%% @private
-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast({Kind, _, _, Body, _} = Request, #state{calls = Calls} = State) when Kind =:= call; Kind =:= cast ->
    {noreply, write(beamport_client_calls:request(Request, iolist_size(Body), Calls), State)};
handle_cast({cancel, Ref}, #state{calls = Calls} = State) ->
    {noreply, write(beamport_client_calls:cancel(Ref, Calls), State)};
handle_cast({credit, Ref, Bytes}, #state{calls = Calls} = State) ->
    {noreply, write(beamport_client_calls:credit(Ref, Bytes, Calls), State)};
handle_cast(_, State) ->
    {noreply, State}.

write({Frames, Calls}, #state{transport = Transport} = State) ->
    State#state{calls = Calls, transport = lists:foldl(fun beamport_transport:write/2, Transport, Frames)}.

%% @private
-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, term(), #state{}}.
handle_info(Message, #state{transport = Transport} = State) ->
    case beamport_transport:message(Message, Transport) of
        {frames, Frames, Next} -> frames(Frames, State#state{silent = 0, transport = Next});
        {ok, Next} -> {noreply, State#state{transport = Next}};
        {last, Frames, Reason} -> last(Reason, frames(Frames, State));
        {closed, Reason} -> {stop, Reason, State};
        other -> other(Message, State)
    end.

frames([], State) ->
    {noreply, State};
frames([Frame | More], State) ->
    byte_size(Frame) >= ?LARGE andalso erlang:garbage_collect(),
    case frame(Frame, State) of
        {noreply, Next} -> frames(More, Next);
        Stop -> Stop
    end.

last(Reason, {noreply, State}) -> {stop, Reason, State};
last(_, Stop) -> Stop.

frame(Frame, #state{calls = Calls, logger = Logger} = State) ->
    case beamport_answer:head(Frame) of
        {_, _} = Head ->
            case beamport_client_calls:answer(Head, Frame, Calls) of
                {ok, Frames, Next} -> {noreply, write({Frames, Next}, State)};
                {violation, Text} -> violation(Text, State)
            end;
        log -> {noreply, State#state{logger = beamport_client_log:frame(Frame, Logger)}};
        pong -> {noreply, State};
        ready -> violation("ready came twice", State);
        bad -> violation("a frame came that is none of the protocol's", State)
    end.

violation(Text, State) ->
    {stop, {protocol, iolist_to_binary(Text)}, State}.

other({'DOWN', Monitor, process, _, _}, #state{calls = Calls} = State) ->
    {noreply, write(beamport_client_calls:down(Monitor, Calls), State)};
other(heartbeat, #state{options = #{heartbeat := Heartbeat}, transport = Transport} = State) ->
    beat(Heartbeat),
    case beamport_transport:moves(Transport) of
        {true, Next} -> {noreply, State#state{silent = 0, transport = Next}};
        {false, Next} -> silence(State#state{transport = Next})
    end;
other(Message, #state{logger = Logger} = State) ->
    {noreply, State#state{logger = beamport_client_log:message(Message, Logger)}}.

%% Nothing has come, and nothing of what waits was read, since the last tick.
silence(#state{silent = ?MAX_SILENT} = State) ->
    {stop, unresponsive, State};
silence(#state{silent = 0, transport = Transport} = State) ->
    {noreply, State#state{silent = 1, transport = beamport_transport:ping(beamport_answer:ping(0), Transport)}};
silence(#state{silent = Silent} = State) ->
    {noreply, State#state{silent = Silent + 1}}.

%% @private
-spec terminate(term(), #state{}) -> ok.
terminate(Reason, #state{calls = Calls, transport = Transport, options = #{stop_timeout := Timeout}}) ->
    beamport_client_calls:fail({down, Reason}, Calls),
    beamport_transport:close(Transport, case Reason of
                                            {port_exit, _} -> 0;
                                            unresponsive -> 0;
                                            {protocol, _} -> 0;
                                            _ -> Timeout
                                        end).

%% @doc What reports of crashes say: nothing of requests and answers.
-spec format_status(gen_server:format_status()) -> gen_server:format_status().
format_status(Status) ->
    maps:map(fun(state, #state{calls = Calls}) -> beamport_client_calls:stats(Calls);
                (message, _) -> hidden;
                (log, _) -> [];
                (_, Value) -> Value
             end, Status).
