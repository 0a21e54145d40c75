%% @doc The options of a client, checked and made complete.
-module(beamport_client_options).

-export([check/1]).
-export_type([options/0]).

-type options() :: #{max_packet := pos_integer(), max_in_flight := pos_integer(),
                     max_in_flight_bytes := pos_integer(), start_timeout := timeout(),
                     stop_timeout := non_neg_integer(), heartbeat := non_neg_integer(),
                     log := logger | none, name => term(),
                     command => file:filename(), port_options => [term()],
                     connect => {inet:socket_address() | string(), inet:port_number(), local | inet | inet6}}.

%% What is taken from the caller, and what becomes of it.
-define(DEFAULTS, #{max_packet => 67108864, max_in_flight => 1024, max_in_flight_bytes => 67108864,
                    start_timeout => 10000, stop_timeout => 5000, heartbeat => 10000, log => logger}).
-define(KNOWN, [max_packet, max_in_flight, max_in_flight_bytes, start_timeout, stop_timeout, heartbeat, log,
                name, command, args, env, cd, fds, connect]).

%% @doc Checks what {@link beamport_client:start_link/1} was given. The error names the
%% option.
-spec check(map() | [{atom(), term()}]) -> {ok, options()} | {error, {option, atom()}}.
check(List) when is_list(List) ->
    try maps:from_list(List) of
        Map -> check(Map)
    catch
        error:badarg -> {error, {option, options}}
    end;
check(Given) when is_map(Given) ->
    try
        _ = [fail(Key) || Key <- maps:keys(Given), not lists:member(Key, ?KNOWN)],
        Common = maps:with([name | maps:keys(?DEFAULTS)], maps:merge(?DEFAULTS, Given)),
        _ = [valid(Key, Value) orelse fail(Key) || {Key, Value} <- maps:to_list(Common)],
        {ok, maps:merge(Common, target(Given))}
    catch
        throw:{?MODULE, Key} -> {error, {option, Key}}
    end;
check(_) ->
    {error, {option, options}}.

-spec fail(atom()) -> no_return().
fail(Key) ->
    throw({?MODULE, Key}).

valid(max_packet, N) -> is_integer(N) andalso N >= 1024 andalso N < 16#80000000;
valid(max_in_flight, N) -> is_integer(N) andalso N > 0;
valid(max_in_flight_bytes, N) -> is_integer(N) andalso N > 0;
valid(start_timeout, infinity) -> true;
valid(start_timeout, N) -> is_integer(N) andalso N >= 0;
valid(stop_timeout, N) -> is_integer(N) andalso N >= 0;
valid(heartbeat, N) -> is_integer(N) andalso N >= 0;
valid(log, Log) -> Log =:= logger orelse Log =:= none;
valid(name, _) -> true.

target(#{command := _, connect := _}) -> fail(connect);
target(#{command := Command} = Given) -> command(string(command, Command), Given);
target(#{connect := To}) -> #{connect => address(To)};
target(_) -> fail(command).

command(Command, Given) ->
    Path = case lists:member($/, Command) of
               true -> Command;
               false -> os:find_executable(Command)
           end,
    Path =:= false andalso fail(command),
    Fds = case maps:get(fds, Given, stdio) of
              stdio -> use_stdio;
              nouse -> nouse_stdio;
              _ -> fail(fds)
          end,
    Cd = case Given of
             #{cd := Dir} -> [{cd, string(cd, Dir)}];
             _ -> []
         end,
    %% There is no use in the option `eof': with `exit_status', it tells of a closed output
    %% only when the program ends.
    #{command => Path,
      port_options => [stream, binary, exit_status, Fds, {args, args(maps:get(args, Given, []))},
                       {env, env(maps:get(env, Given, []))} | Cd]}.

args(Args) when is_list(Args) -> [string(args, Arg) || Arg <- Args];
args(_) -> fail(args).

env(Env) when is_map(Env) -> env(maps:to_list(Env));
env(Env) when is_list(Env) -> [variable(Variable) || Variable <- Env];
env(_) -> fail(env).

variable({Name, Unset}) when Unset =:= false; Unset =:= nil -> {string(env, Name), false};
variable({Name, Value}) -> {string(env, Name), string(env, Value)};
variable(_) -> fail(env).

address({unix, Path}) ->
    {{local, string(connect, Path)}, 0, local};
address({tcp, Host, Port}) when is_integer(Port), Port > 0, Port < 65536 ->
    case Host of
        {_, _, _, _} -> {Host, Port, inet};
        {_, _, _, _, _, _, _, _} -> {Host, Port, inet6};
        _ -> {string(connect, Host), Port, inet}
    end;
address(_) ->
    fail(connect).

string(Key, Text) when is_binary(Text); is_list(Text) ->
    try unicode:characters_to_list(Text) of
        String when is_list(String) ->
            lists:member(0, String) andalso fail(Key),
            String;
        _ ->
            fail(Key)
    catch
        error:badarg -> fail(Key)
    end;
string(Key, _) ->
    fail(Key).
