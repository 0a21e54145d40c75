%% @doc A handler of the logger that sends what the client logs to a test, or with
%% `{wait_for, Pid}' holds up whoever logs for the first time until it is told to go on.
-module(link_log_handler).

-export([log/2]).

log(#{meta := #{domain := [beamport]}}, #{config := {wait_for, Pid}}) ->
    case get(?MODULE) of
        undefined ->
            put(?MODULE, held_up),
            Pid ! {waits, self()},
            receive go_on -> ok end;
        held_up ->
            ok
    end;
log(#{meta := #{domain := [beamport]}} = Event, #{config := Pid}) when is_pid(Pid) ->
    Pid ! {log, Event};
log(_, _) ->
    ok.
