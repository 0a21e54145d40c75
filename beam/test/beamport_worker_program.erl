%% @doc A program for tests of the client: an emulator that answers with link_callback.
-module(beamport_worker_program).

-export([options/0, options/1, is_gone/1]).

options() -> options(#{}).

options(#{fds := nouse} = More) -> options(More, []);
options(More) -> options(More, ["-beamport_fds", "0", "1"]).

options(More, Flags) ->
    Ebin = filename:dirname(code:which(beamport)),
    maps:merge(#{command => "erl",
                 args => ["-noinput", "-boot", "start_clean", "-pa", Ebin, "-beamport_callback", "link_callback"]
                     ++ Flags ++ ["-s", "beamport", "boot"],
                 env => #{"ERL_CRASH_DUMP" => "/dev/null"}}, More).

%% Waits for the end of a process; the test's time is the limit.
is_gone(OsPid) ->
    case beamport_peer:is_alive(OsPid) of
        true -> is_gone(OsPid);
        false -> true
    end.
