%% @doc Work that may not end or may take all memory: code of others that is called to
%% describe something.
-module(beamport_bounded).

-export([run/2]).

%% 64 MiB on a 64-bit machine.
-define(MAX_HEAP_WORDS, 8388608).

%% @doc Calls `Fun' in a process of its own. The process is killed when `Ms'
%% milliseconds are over or its heap has grown to 64 MiB; nothing is logged of its
%% end. `error' stands for any failure.
-spec run(fun(() -> Value), Ms :: non_neg_integer()) -> {ok, Value} | error.
run(Fun, Ms) ->
    {Pid, Ref} = spawn_opt(fun() -> exit({?MODULE, attempt(Fun)}) end,
                           [monitor, {max_heap_size, #{size => ?MAX_HEAP_WORDS, kill => true,
                                                       error_logger => false}}]),
    receive
        {'DOWN', Ref, process, _, {?MODULE, Outcome}} -> Outcome;
        {'DOWN', Ref, process, _, _} -> error
    after Ms ->
            exit(Pid, kill),
            receive
                {'DOWN', Ref, process, _, {?MODULE, Outcome}} -> Outcome;
                {'DOWN', Ref, process, _, _} -> error
            end
    end.

attempt(Fun) ->
    try {ok, Fun()}
    catch
        _:_ -> error
    end.
