%% @doc Applications of the function: started before its first invocation, stopped in
%% reverse order before the emulator halts.
%%
%% An application that dies later takes the emulator with it, which is started anew:
%% a function whose supervision tree is gone would fail for good. In a release, the
%% type of each application says whether it does. Erlang's own way to that end, to start
%% applications as permanent, ends the emulator for those that fail to start too, before
%% the failure can be told.
-module(beamport_applications).

-export([start/2, stop/1, needs_elixir/1, runs/1]).
-export_type([failure/0]).

-type failure() :: {error, App :: atom(), Why :: unicode:chardata()}.

%% @doc Starts applications, in the order given, each behind what it depends on. The
%% types say what is to happen when one of them ends; what came along as a dependency
%% has a type too.
-spec start([App], fun((App) -> application:restart_type())) -> ok | failure() when App :: atom().
start([], _) ->
    ok;
start([App | Apps], Type) ->
    case application:ensure_all_started(App) of
        {ok, Started} ->
            persistent_term:put(?MODULE, lists:reverse(Started, started())),
            watch([{A, Master, Type(A)} || A <- Started, Master <- [application_controller:get_master(A)],
                                           is_pid(Master), Type(A) =/= temporary]),
            start(Apps, Type);
        {error, {Failed, Reason}} ->
            {error, Failed, why(Failed, Reason)}
    end.

watch([]) ->
    ok;
watch(Watched) ->
    _ = spawn(fun() ->
                      watching(maps:from_list([{monitor(process, Master), {App, Type}} ||
                                                  {App, Master, Type} <- Watched]))
              end),
    ok.

watching(Refs) ->
    receive
        {'DOWN', Ref, process, _, Reason} ->
            #{Ref := {App, Type}} = Refs,
            case persistent_term:get({?MODULE, stopping}, false) orelse Type =:= transient andalso Reason =:= normal of
                true -> watching(Refs);
                false -> beamport_halt:fatal(["the application ", atom_to_binary(App), " ended: ", reason(Reason)])
            end
    end.

%% The last one first.
started() ->
    persistent_term:get(?MODULE, []).

%% @doc Stops what {@link start/2} has started, the last one first. An application that
%% takes more than half of the time that is left, in milliseconds, has its top
%% supervisor killed, so that those behind it have their turn too.
-spec stop(Milliseconds :: integer()) -> ok.
stop(Milliseconds) ->
    persistent_term:put({?MODULE, stopping}, true),
    Until = erlang:monotonic_time(millisecond) + Milliseconds,
    lists:foreach(fun(App) -> stop_one(App, Until) end, started()).

stop_one(App, Until) ->
    case Until - erlang:monotonic_time(millisecond) of
        Left when Left > 1 -> stop_within(App, Left div 2);
        _ -> ok
    end.

%% The controller of applications stops one at a time and waits for it: nothing but
%% the end of the application itself can free it.
stop_within(App, Milliseconds) ->
    Top = top(App),
    {Pid, Ref} = spawn_monitor(fun() -> application:stop(App) end),
    receive
        {'DOWN', Ref, process, Pid, _} -> ok
    after Milliseconds ->
            _ = [exit(Supervisor, kill) || Supervisor <- Top],
            receive
                {'DOWN', Ref, process, Pid, _} -> ok
            after Milliseconds ->
                    demonitor(Ref, [flush]),
                    ok
            end
    end.

%% The process that the application's start/2 returned, if there is one.
top(App) ->
    case application_controller:get_master(App) of
        Master when is_pid(Master) ->
            case beamport_bounded:run(fun() -> application_master:get_child(Master) end, 20) of
                {ok, {Pid, _}} when is_pid(Pid) -> [Pid];
                _ -> []
            end;
        undefined ->
            []
    end.

%% @doc Whether one of the applications is Elixir's, or depends on it. Elixir's logger
%% must not print, which has to be seen to before it starts.
-spec needs_elixir([App :: atom()]) -> boolean().
needs_elixir(Apps) ->
    needs_elixir(Apps, []).

needs_elixir([], _) -> false;
needs_elixir([elixir | _], _) -> true;
needs_elixir([App | Apps], Seen) ->
    case lists:member(App, Seen) of
        true -> needs_elixir(Apps, Seen);
        false -> needs_elixir(dependencies(App) ++ Apps, [App | Seen])
    end.

%% @doc Whether an application, or one of those it depends on, has processes of its own;
%% those that come with Erlang and Elixir and are there for the code alone do not count.
-spec runs(App :: atom()) -> boolean().
runs(App) ->
    runs([App], [kernel, stdlib, compiler, elixir, eex, logger]).

runs([], _) -> false;
runs([App | Apps], Seen) ->
    case lists:member(App, Seen) of
        true -> runs(Apps, Seen);
        false -> has_start(App) orelse runs(dependencies(App) ++ Apps, [App | Seen])
    end.

has_start(App) ->
    _ = application:load(App),
    case application:get_key(App, mod) of
        {ok, {_, _}} -> true;
        _ -> false
    end.

dependencies(App) ->
    _ = application:load(App),
    case application:get_key(App, applications) of
        {ok, Needed} -> Needed;
        undefined -> []
    end.

why(App, {"no such file or directory", _}) when App =:= elixir; App =:= logger; App =:= eex ->
    ["there is no Elixir: take a layer that has it (beamport layer --preset elixir), or set ELIXIR_HOME"];
why(App, {"no such file or directory", _}) ->
    ["there is no ", atom_to_binary(App), ".app on the code path; put the application into the function's "
     "archive, compiled, with what depends on it, or, if it is one of Erlang's, into the layer (beamport layer --with ",
     atom_to_binary(App), ")"];
why(_, {bad_return, {{M, F, _}, {'EXIT', Reason}}}) ->
    [beamport_stack:mfa(M, F, 2), " failed: ", reason(Reason)];
why(_, {bad_return, {{M, F, _}, Returned}}) ->
    [beamport_stack:mfa(M, F, 2), " returned ", beamport_text:show(Returned)];
why(_, {{shutdown, {failed_to_start_child, Child, Reason}}, {M, F, _}}) ->
    ["its supervisor's child ", beamport_text:show(Child), " failed: ", reason(Reason),
     " (in ", beamport_stack:mfa(M, F, 2), ")"];
why(_, {Reason, {M, F, _}}) when is_atom(M), is_atom(F) ->
    [beamport_stack:mfa(M, F, 2), " failed: ", reason(Reason)];
why(_, Reason) ->
    reason(Reason).

reason({shutdown, {failed_to_start_child, Child, Reason}}) ->
    ["child ", beamport_text:show(Child), ": ", reason(Reason)];
reason({'EXIT', Reason}) ->
    reason(Reason);
reason({Reason, [{M, F, A, _} | _] = Stack}) when is_atom(M), is_atom(F), is_integer(A) orelse is_list(A) ->
    {_, #{type := Type, message := Message}, Lines} = beamport_error:format(error, Reason, Stack),
    [Type, ": ", Message | [[" at ", Line] || Line <- lists:sublist(Lines, 1)]];
reason(#{'__exception__' := true} = Exception) ->
    {_, #{type := Type, message := Message}, _} = beamport_error:format(error, Exception, []),
    [Type, ": ", Message];
reason(Reason) ->
    beamport_text:show(Reason).
