%% @doc A callback for tests of the link: does what the request says.
-module(link_callback).
-behaviour(beamport_callback).

-export([handle_call/1, handle_cast/1, stop/1, names/0]).

%% Atoms that tests send: unknown ones are refused.
names() ->
    [flood1, flood2, flood3, flood4, part, nothing, head, done, badmatch, over, waits, cancelled, cast, left, over, x, shutdown, badkey, warning, mfa, domain].

handle_call({echo, Term}) -> {reply, Term};
handle_call({size, Binary}) -> {reply, byte_size(Binary)};
handle_call({binary, Size}) -> {reply, binary:copy(<<"x">>, Size)};
handle_call({long_message, Size}) ->
    {error, error, #{type => binary:copy(<<"t">>, Size), message => binary:copy(<<"ü"/utf8>>, Size)},
     lists:duplicate(1000, <<"a line">>)};
handle_call({raise, Class, Reason}) -> erlang:raise(Class, Reason, []);
handle_call({returned, Type}) -> {error, returned, #{type => Type, message => <<"said so">>}, [<<"x:y/1">>]};
handle_call(wrong) -> no_answer;
handle_call(forever) -> receive after infinity -> ok end;
handle_call(spin) -> spin(0);
handle_call({wait_until_told, Name}) ->
    true = register(Name, self()),
    receive go_on -> {reply, Name} end;
handle_call({tell, Name}) ->
    case whereis(Name) of
        undefined -> erlang:yield(), handle_call({tell, Name});
        Pid -> Pid ! go_on, {reply, told}
    end;
handle_call({await, Name}) ->
    case whereis(Name) of
        undefined -> erlang:yield(), handle_call({await, Name});
        _ -> {reply, there}
    end;
handle_call(kill_self) -> exit(self(), kill), receive after infinity -> ok end;
handle_call(kill_guardian) -> exit(group_leader(), kill), receive after infinity -> ok end;
handle_call(kill_link) -> exit(whereis(beamport_link), kill), receive after infinity -> ok end;
handle_call({link_crash, Reason}) -> spawn_link(fun() -> exit(Reason) end), receive after infinity -> ok end;
handle_call({print, Text}) -> {reply, io:put_chars(Text)};
handle_call({print_and_wait, Text}) -> io:put_chars(Text), receive after infinity -> ok end;
handle_call({print_to_user, Text}) -> {reply, io:put_chars(user, Text)};
handle_call({io, Request}) -> {reply, io_request(Request)};
handle_call({lines, N}) ->
    _ = [begin
             io:format("p~b~n", [I]),
             logger:error("l~b", [I]),
             Pid = self(),
             spawn(fun() -> logger:error("s~b", [I]), Pid ! done end),
             receive done -> ok end
         end || I <- lists:seq(1, N)],
    {reply, done};
handle_call({leave_printer, Name}) ->
    spawn(fun() -> register(Name, self()), printer() end),
    {reply, ok};
handle_call({printer, Name, Text}) ->
    Name ! {print, self(), Text},
    receive printed -> {reply, ok} end;
%% A process that is left behind as the one number N, and prints and logs when it is told to,
%% and whoever asked has the answer then.
handle_call({leave, N}) ->
    Pid = spawn(fun left/0),
    persistent_term:put({left, N}, Pid),
    {reply, left};
handle_call({tell_left, N}) ->
    Pid = persistent_term:get({left, N}),
    Ref = monitor(process, Pid),
    Pid ! tell,
    receive {'DOWN', Ref, process, Pid, Reason} -> {reply, Reason} end;
handle_call({log, Level, Text, Meta}) -> {reply, logger:log(Level, Text, [], Meta)};
handle_call({log_long, N}) -> {reply, logger:error("~ts", [lists:duplicate(N, $ü)])};
handle_call({print_long, N}) -> {reply, io:put_chars(lists:duplicate(N, $ü))};
handle_call(flood) -> flood();
handle_call(atoms) -> {reply, erlang:system_info(atom_count)};
handle_call({keys, Map}) -> {reply, maps:size(Map)};
handle_call(processes) -> {reply, length(processes())};
handle_call({stream, Head, Parts, Done}) ->
    {stream, Head, fun(Emit) -> _ = [ok = Emit(Part) || Part <- Parts], Done end};
handle_call({stream_made, head, Size}) -> {stream, binary:copy(<<"x">>, Size), fun(_) -> done end};
handle_call({stream_made, part, Size}) ->
    {stream, head, fun(Emit) -> ok = Emit(binary:copy(<<"x">>, Size)), done end};
handle_call({stream_made, done, Size}) -> {stream, head, fun(_) -> binary:copy(<<"x">>, Size) end};
handle_call({kill_leader_of, Name}) ->
    {group_leader, Leader} = process_info(whereis(Name), group_leader),
    {reply, exit(Leader, kill)};
handle_call({stream_wait, Name, Part}) ->
    {stream, <<"head">>, fun(Emit) ->
                                 Emit(Part),
                                 true = register(Name, self()),
                                 receive go_on -> done end
                         end};
handle_call({stream_raise, Parts}) ->
    {stream, <<"head">>, fun(Emit) -> _ = [Emit(Part) || Part <- Parts], error(raised) end};
handle_call({stream_bad, Part}) ->
    {stream, <<"head">>, fun(Emit) -> Emit(Part) end};
handle_call(stream_forever) ->
    {stream, <<"head">>, fun forever/1};
handle_call({stream_helper, Parts}) ->
    {stream, <<"head">>,
     fun(Emit) ->
             {_, Ref} = spawn_monitor(fun() -> _ = [ok = Emit(Part) || Part <- Parts] end),
             receive {'DOWN', Ref, process, _, Reason} -> Reason end
     end};
%% Code that takes messages that are not its own, and a process that goes on emitting
%% after the call; its exit reason becomes known under Name.
handle_call({stream_rude, Name, Part}) ->
    {stream, <<"head">>,
     fun(Emit) ->
             flush(),
             ok = Emit(Part),
             flush(),
             _ = spawn(fun() ->
                               true = register(Name, self()),
                               receive {emit, From} -> From ! {emitted, catch Emit(Part)} end
                       end),
             done
     end};
handle_call({stream_rude_result, Name}) ->
    Name ! {emit, self()},
    receive {emitted, Result} -> {reply, Result} end;
handle_call({exit_guardian, Reason}) ->
    exit(group_leader(), Reason),
    {reply, alive};
handle_call({link_guardian, Reason}) ->
    spawn(fun() -> link(group_leader()), exit(Reason) end),
    {reply, alive};
handle_call({flood_logs, Name}) -> true = register(Name, self()), flood_logs();
handle_call({write_at_end, File}) ->
    Worker = self(),
    {_, Ref} = spawn_monitor(fun() ->
                                     Mine = monitor(process, Worker),
                                     write(File, begun),
                                     receive {'DOWN', Mine, process, _, Reason} -> write(File ++ ".end", Reason) end
                             end),
    receive {'DOWN', Ref, process, _, _} -> {reply, ended} end;
handle_call({report, File, Names}) ->
    {reply, write(File, {os:getpid(), erlang:memory(total), [status(Name) || Name <- Names]})};
handle_call(kill_watcher) ->
    _ = [exit(Pid, kill) || Pid <- processes(), process_info(Pid, initial_call) =:= {initial_call, {beamport_link, watch, 2}}],
    receive after infinity -> ok end;
handle_call({make_atom, Name}) -> {reply, binary_to_atom(Name)};
handle_call(junk) ->
    Guardian = group_leader(),
    _ = [Guardian ! Message || Message <- [junk, {final, self(), <<"x">>, y}, {cancel, x}, {emit, 1, 2},
                                           {'EXIT', self(), killed}, {'DOWN', make_ref(), process, self(), x}]],
    _ = [beamport_link ! Message || Message <- [junk, {free, self()}, {free, Guardian, 1}, {'EXIT', self(), x},
                                                {'DOWN', make_ref(), process, self(), x},
                                                {guardian_down, make_ref(), process, self(), x}]],
    {reply, sent};
handle_call(memory) ->
    _ = [erlang:garbage_collect(Pid) || Pid <- processes()],
    {reply, {length(processes()), erlang:memory(processes_used) + erlang:memory(binary) + erlang:memory(ets)}};
handle_call({after_stop, Text}) -> persistent_term:put(link_callback, Text), {reply, ok};
handle_call(hang_on_stop) -> persistent_term:put(link_callback, hang), {reply, ok};
handle_call(handlers) -> {reply, logger:get_handler_ids()}.

handle_cast({print, Text}) -> io:put_chars(Text);
handle_cast({raise, Reason}) -> error(Reason);
handle_cast(Message) -> handle_call(Message).

stop(Reason) ->
    case persistent_term:get(link_callback, none) of
        none -> ok;
        hang -> receive after infinity -> ok end;
        Text -> logger:error("~ts ~p", [Text, Reason])
    end.

spin(N) -> spin(N + 1).

flood_logs() ->
    logger:error("a line that nobody reads for a while, ~p", [erlang:unique_integer()]),
    flood_logs().

%% A process that writes to a busy port is suspended; one that came while the port was
%% at work for another waits for the port's reply instead.
status(Name) ->
    case whereis(Name) of
        undefined -> none;
        Pid ->
            case process_info(Pid, [status, current_function]) of
                [{status, waiting}, {current_function, {erlang, port_command, _}}] -> suspended;
                [{status, Status}, _] -> Status
            end
    end.

%% Whole or not at all.
write(File, Term) ->
    ok = file:write_file(File ++ ".new", term_to_binary(Term)),
    ok = file:rename(File ++ ".new", File).

forever(Emit) ->
    ok = Emit(binary:copy(<<"x">>, 1000)),
    forever(Emit).

flush() ->
    receive _ -> flush()
    after 0 -> ok
    end.

flood() ->
    io:put_chars("a line that nobody reads for a while, of about a hundred characters, or a few more than a hundred\n"),
    flood().

printer() ->
    receive
        {print, From, Text} ->
            io:put_chars(Text),
            From ! printed,
            printer()
    end.

left() ->
    receive tell -> ok end,
    io:put_chars("printed, "),
    spawn_monitor(fun() -> io:put_chars("and by a child\n"), logger:error("logged") end),
    receive {'DOWN', _, process, _, normal} -> ok end.

io_request(Request) ->
    Ref = make_ref(),
    group_leader() ! {io_request, self(), Ref, Request},
    receive {io_reply, Ref, Reply} -> Reply end.
