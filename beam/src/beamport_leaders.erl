%% @doc Which group leaders are still needed.
-module(beamport_leaders).

-export([retire/1]).

%% How often it is looked for more processes, if some have ended meanwhile.
-define(ROUNDS, 8).

%% @doc Of the guardians whose calls are over, tells those to `retire' that are no process's
%% group leader any more, and cannot become one.
-spec retire(beamport_calls:table()) -> ok.
retire(Calls) ->
    Over = maps:from_list([{Guardian, []} || Guardian <- beamport_calls:over(Calls)]),
    _ = [Guardian ! retire || Guardian <- unneeded(Over, #{}, ?ROUNDS)],
    ok.

%% A process that ended before it was looked at may have passed its group leader on, to one
%% that has come meanwhile: then there has to be another round, with those that are new. Only
%% what processes pass on faster than can be looked is let go of although it is needed.
unneeded(Guardians, _, 0) ->
    maps:keys(Guardians);
unneeded(Guardians, Seen, Rounds) ->
    New = [Pid || Pid <- processes(), not is_map_key(Pid, Seen)],
    case look(New, Guardians, false) of
        {false, Left} -> maps:keys(Left);
        {true, Left} -> unneeded(Left, maps:merge(Seen, maps:from_list([{Pid, []} || Pid <- New])), Rounds - 1)
    end.

look([Pid | Pids], Left, Gone) ->
    case process_info(Pid, group_leader) of
        {group_leader, Leader} -> look(Pids, maps:remove(Leader, Left), Gone);
        undefined -> look(Pids, Left, true)
    end;
look([], Left, Gone) ->
    {Gone, Left}.
