%% @doc Serves callers that connect, such as programs written in Go: the serving side of
%% the protocol over sockets, in any application.
%%
%% ```
%% {ok, _} = beamport_listener:start_link(#{listen => {unix, "/run/my_app.sock"},
%%                                          callback => my_callback}).
%% '''
%%
%% Options are a map or a property list; text is a string or a binary.
%% <dl>
%% <dt>`listen'</dt><dd>`{unix, Path}' or `{tcp, Address, Port}', where `Address' is a tuple, such as
%% `{127, 0, 0, 1}', and port 0 stands for any that is free. There is no encryption and
%% nobody is asked who they are: who can connect can call. A socket file that a listener
%% has left behind which is no more is replaced; it is removed in the end.</dd>
%% <dt>`callback'</dt><dd>the {@link beamport_callback} that answers the calls. Its `stop/1' is not
%% called.</dd>
%% <dt>`max_packet'</dt><dd>the longest frame in bytes, both ways; 67108864.</dd>
%% <dt>`max_connections'</dt><dd>how many there may be at a time; 1024. Others wait.</dd>
%% <dt>`name'</dt><dd>an atom, `{local, Name}', `{global, Name}' or `{via, Module, Name}'.</dd>
%% </dl>
%%
%% A connection that ends, that sends `{stop, Reason}' or that breaks the protocol is closed,
%% and the processes of its calls are killed. What the processes of a call print is sent to
%% the caller, as log frames; what they log goes to the logger of this emulator.
-module(beamport_listener).
-behaviour(gen_server).

-export([start_link/1, child_spec/1, stop/1, info/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-record(state, {socket :: gen_tcp:socket(),
                path :: string() | none,
                callback :: module(),
                max :: pos_integer(),
                max_connections :: pos_integer(),
                acceptor :: pid(),
                accepting = true :: boolean(), % false: the acceptor waits to be told
                accepted = 0 :: non_neg_integer(),
                connections = #{} :: #{pid() => true}}).

-define(DEFAULTS, #{max_packet => 67108864, max_connections => 1024, name => undefined}).

%% @doc Starts a listener. Fails with `{option, Name}' or `{not_listening, Why}'.
-spec start_link(map() | [{atom(), term()}]) -> gen_server:start_ret().
start_link(Options) when is_list(Options) ->
    start_link(maps:from_list(Options));
start_link(Given) ->
    Options = maps:merge(?DEFAULTS, Given),
    case [Key || {Key, Value} <- maps:to_list(Options), not valid(Key, Value)] ++
        [Key || Key <- [listen, callback], not is_map_key(Key, Options)] of
        [] -> start(maps:get(name, Options), Options);
        [Key | _] -> {error, {option, Key}}
    end.

start(undefined, Options) -> gen_server:start_link(?MODULE, Options, []);
start(Name, Options) when is_atom(Name) -> gen_server:start_link({local, Name}, ?MODULE, Options, []);
start(Name, Options) -> gen_server:start_link(Name, ?MODULE, Options, []).

valid(listen, {unix, Path}) -> is_binary(Path) orelse is_list(Path);
valid(listen, {tcp, Address, Port}) ->
    inet:is_ip_address(Address) andalso is_integer(Port) andalso Port >= 0 andalso Port < 65536;
valid(callback, Module) -> is_atom(Module) andalso code:ensure_loaded(Module) =:= {module, Module};
valid(max_packet, N) -> is_integer(N) andalso N >= 1024 andalso N < 16#80000000;
valid(max_connections, N) -> is_integer(N) andalso N > 0;
valid(name, _) -> true;
valid(_, _) -> false.

%% @doc A supervisor's child, whose id is its name.
-spec child_spec(map() | [{atom(), term()}]) -> supervisor:child_spec().
child_spec(Options) when is_list(Options) ->
    child_spec(maps:from_list(Options));
child_spec(Options) ->
    #{id => maps:get(name, Options, ?MODULE), start => {?MODULE, start_link, [Options]}}.

%% @doc Ends the listener and its connections.
-spec stop(gen_server:server_ref()) -> ok.
stop(Listener) -> gen_server:stop(Listener).

%% @doc A map of `address' (`{unix, Path}' or `{tcp, Address, Port}'), `connections' (how many
%% there are) and `accepted' (how many there were so far).
-spec info(gen_server:server_ref()) -> #{atom() => term()}.
info(Listener) -> gen_server:call(Listener, info).

%% @private
-spec init(map()) -> {ok, #state{}} | {stop, term()}.
init(#{listen := Listen, callback := Callback, max_packet := Max, max_connections := Connections}) ->
    process_flag(trap_exit, true),
    case listen(Listen, [binary, {packet, 4}, {packet_size, Max}, {active, false}, {backlog, 128}]) of
        {ok, Socket} ->
            Self = self(),
            Acceptor = spawn_link(fun() -> accept(Self, Socket) end),
            {ok, #state{socket = Socket, path = path(Listen), callback = Callback, max = Max,
                        max_connections = Connections, acceptor = Acceptor}};
        {error, Reason} ->
            {stop, {not_listening, Reason}}
    end.

path({unix, Path}) -> unicode:characters_to_list(Path);
path(_) -> none.

listen({tcp, Address, Port}, Options) ->
    Family = case tuple_size(Address) of
                 4 -> inet;
                 8 -> inet6
             end,
    gen_tcp:listen(Port, [Family, {ip, Address}, {reuseaddr, true}, {nodelay, true} | Options]);
listen({unix, _} = Listen, Options) ->
    Path = path(Listen),
    case gen_tcp:listen(0, [local, {ip, {local, Path}} | Options]) of
        {error, eaddrinuse} -> left_behind(Path, Options);
        Result -> Result
    end.

left_behind(Path, Options) ->
    case {is_socket(Path), gen_tcp:connect({local, Path}, 0, [local])} of
        {true, {error, econnrefused}} ->
            _ = file:delete(Path),
            gen_tcp:listen(0, [local, {ip, {local, Path}} | Options]);
        {_, {ok, Socket}} ->
            _ = gen_tcp:close(Socket),
            {error, eaddrinuse};
        _ ->
            {error, eaddrinuse}
    end.

is_socket(Path) ->
    case file:read_file_info(Path) of
        {ok, Info} -> element(3, Info) =:= other; % #file_info.type
        {error, _} -> false
    end.

accept(Listener, Listening) ->
    case gen_tcp:accept(Listening) of
        {ok, Socket} ->
            Accepted = case gen_tcp:controlling_process(Socket, Listener) of
                           ok -> Socket;
                           {error, _} -> none
                       end,
            Listener ! {accepted, self(), Accepted},
            receive next -> accept(Listener, Listening) end;
        {error, Reason} when Reason =:= econnaborted; Reason =:= emfile; Reason =:= enfile ->
            %% Too many files are open: that passes.
            receive after 100 -> accept(Listener, Listening) end;
        {error, Reason} ->
            exit({accept, Reason})
    end.

%% @private
-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, map(), #state{}} | {noreply, #state{}}.
handle_call(info, _, #state{socket = Socket, connections = Connections, accepted = Accepted} = State) ->
    Address = case inet:sockname(Socket) of
                  {ok, {local, Path}} -> {unix, Path};
                  {ok, {Ip, Port}} -> {tcp, Ip, Port}
              end,
    {reply, #{address => Address, connections => maps:size(Connections), accepted => Accepted}, State};
handle_call(_, _, State) ->
    {noreply, State}.

%% @private
-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_, State) ->
    {noreply, State}.

%% @private
-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, term(), #state{}}.
handle_info({accepted, Acceptor, none}, #state{acceptor = Acceptor} = State) ->
    {noreply, next(State)};
handle_info({accepted, Acceptor, Socket}, #state{acceptor = Acceptor} = State) ->
    #state{callback = Callback, max = Max, connections = Connections, accepted = Accepted} = State,
    Connection = beamport_connection:start_link(Callback, Max),
    ok = beamport_connection:serve(Connection, Socket),
    {noreply, next(State#state{connections = Connections#{Connection => true}, accepted = Accepted + 1})};
handle_info({'EXIT', Acceptor, Reason}, #state{acceptor = Acceptor} = State) ->
    {stop, Reason, State};
handle_info({'EXIT', Pid, _}, #state{connections = Connections, accepting = Accepting} = State) ->
    Left = State#state{connections = maps:remove(Pid, Connections)},
    {noreply, case Accepting of
                  true -> Left;
                  false -> next(Left)
              end};
handle_info(_, State) ->
    {noreply, State}.

next(#state{connections = Connections, max_connections = Max} = State) when map_size(Connections) >= Max ->
    State#state{accepting = false};
next(#state{acceptor = Acceptor} = State) ->
    Acceptor ! next,
    State#state{accepting = true}.

%% @private
-spec terminate(term(), #state{}) -> ok.
terminate(_, #state{socket = Socket, path = Path, connections = Connections}) ->
    _ = [exit(Connection, shutdown) || Connection <- maps:keys(Connections)],
    ok = gen_tcp:close(Socket),
    _ = Path =:= none orelse file:delete(Path),
    ok.
