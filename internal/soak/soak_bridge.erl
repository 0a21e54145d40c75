%% @doc An application between a run and others: it has a program in Go answer what it
%% is asked, under beamport_client and a supervisor, or it listens, so that the run can
%% connect to it.
-module(soak_bridge).
-behaviour(beamport_callback).
-behaviour(supervisor).

-export([handle_call/1, handle_cast/1, stop/1, init/1, keep/2, known/0]).

%% How much of a stream is under way from the program.
-define(WINDOW, 65536).

%% What requests are passed on: no atom is made for them.
-spec known() -> [atom()].
known() ->
    [echo, hold, late, lie, dup, exit, oom, header, oversize, half, malformed, noise, line, slow, log, casts, cast].

-spec handle_call(term()) -> beamport_callback:answer().
handle_call({control, What}) ->
    {reply, control(What)};
handle_call({stream, _, _, _} = Request) ->
    case beamport_client:stream(soak_worker, Request, #{timeout => infinity, window => ?WINDOW}) of
        {ok, Head, Stream} -> {stream, Head, fun(Emit) -> pass(Stream, Emit) end};
        {reply, Reply} -> {reply, Reply};
        {error, Reason} -> failure(Reason)
    end;
handle_call(Request) ->
    case beamport_client:call(soak_worker, Request, infinity) of
        {ok, Reply} -> {reply, Reply};
        {error, Reason} -> failure(Reason)
    end.

-spec handle_cast(term()) -> ok.
handle_cast(Message) ->
    ok = beamport_client:cast(soak_worker, Message, infinity).

-spec stop(atom()) -> ok.
stop(_) -> ok.

pass(Stream, Emit) ->
    case beamport_client:read(Stream, infinity) of
        {ok, Bytes} -> ok = Emit(Bytes), pass(Stream, Emit);
        {done, Done} -> Done;
        {error, Reason} -> failure(Reason)
    end.

failure({failed, #{class := Class, type := Type, message := Message}}) ->
    {error, Class, #{type => Type, message => Message}, []};
failure(Reason) ->
    {error, returned, #{type => type(Reason), message => iolist_to_binary(io_lib:format("~0p", [Reason]))}, []}.

type({Type, _}) -> atom_to_binary(Type);
type({Type, _, _}) -> atom_to_binary(Type);
type(Type) -> atom_to_binary(Type).

%% With a program: its options, and what is known of it (its process id, the calls that
%% are under way, answers that were nobody's).
control({start, Options}) ->
    kept({supervisor, start_link, [{local, soak_supervisor}, ?MODULE, options(Options)]});
control(worker) ->
    try beamport_client:info(soak_worker) of
        #{os_pid := Pid, in_flight := InFlight, unknown := Unknown} -> {Pid, InFlight, Unknown}
    catch
        exit:_ -> {0, 0, 0} % it is being started anew
    end;
%% With a socket: its path, and how many there are that have connected.
control({listen, Path}) ->
    kept({beamport_listener, start_link, [#{listen => {unix, Path}, callback => soak_callback, name => soak_listener,
                                            max_packet => soak_callback:max_packet()}]});
control(connections) ->
    #{connections := N} = beamport_listener:info(soak_listener),
    N.

options({Target, Heartbeat}) ->
    maps:merge(#{name => soak_worker, heartbeat => Heartbeat, max_packet => soak_callback:max_packet(), log => none},
               target(Target)).

target({Command, Env, Fds}) -> #{command => Command, env => Env, fds => fds(Fds)};
target(Path) -> #{connect => {unix, Path}}.

fds(<<"nouse">>) -> nouse;
fds(<<"stdio">>) -> stdio.

%% Who has started it must not end.
kept(Start) ->
    Ref = make_ref(),
    _ = spawn(?MODULE, keep, [{self(), Ref}, Start]),
    receive {Ref, Result} -> Result end.

-spec keep({pid(), reference()}, {module(), atom(), [term()]}) -> no_return().
keep({From, Ref}, {Module, Function, Args}) ->
    {ok, _} = apply(Module, Function, Args),
    From ! {Ref, ok},
    receive after infinity -> ok end.

-spec init(map()) -> {ok, {map(), [supervisor:child_spec()]}}.
init(Options) ->
    {ok, {#{intensity => 1000000, period => 1}, [beamport_client:child_spec(Options)]}}.
