%% @doc A handler of the logger that sends what the client logs to a test.
-module(link_log_handler).

-export([log/2]).

log(#{meta := #{domain := [beamport]}} = Event, #{config := Pid}) ->
    Pid ! {log, Event};
log(_, _) ->
    ok.
