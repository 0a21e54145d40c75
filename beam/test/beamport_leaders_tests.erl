-module(beamport_leaders_tests).

-include_lib("eunit/include/eunit.hrl").

guardian() ->
    Test = self(),
    spawn(fun() -> receive retire -> Test ! {retired, self()} end end).

retired(Guardian) ->
    receive {retired, Guardian} -> ok end.

%% The table of a stream whose calls are over.
calls(Guardians) ->
    Calls = beamport_calls:new(),
    _ = [beamport_calls:leave(Calls, Guardian, Id) || {Id, Guardian} <- lists:zip(lists:seq(1, length(Guardians)), Guardians)],
    Calls.

led(Guardian, Fun) ->
    spawn(fun() -> group_leader(Guardian, self()), Fun() end).

needed_test() ->
    [Needed, Other, Busy] = Guardians = [guardian(), guardian(), guardian()],
    Test = self(),
    Child = led(Needed, fun() -> Test ! there, receive stop -> ok end end),
    receive there -> ok end,
    Calls = calls(Guardians),
    beamport_calls:enter(Calls, Busy, 4, self()),
    ok = beamport_leaders:retire(Calls),
    retired(Other),
    Ref = monitor(process, Child),
    Child ! stop,
    receive {'DOWN', Ref, process, Child, normal} -> ok end,
    ok = beamport_leaders:retire(Calls),
    retired(Needed),
    ?assert(is_process_alive(Busy)).

%% One process after the other has it, each for a moment.
passed_on_test_() ->
    {timeout, 60,
     fun() ->
             Guardian = guardian(),
             Test = self(),
             led(Guardian, fun() -> passes_on(Test) end),
             receive there -> ok end,
             Calls = calls([Guardian]),
             _ = [begin
                      ok = beamport_leaders:retire(Calls),
                      ?assert(is_process_alive(Guardian))
                  end || _ <- lists:seq(1, 400)],
             Guardian ! retire,
             retired(Guardian)
     end}.

passes_on(Test) ->
    Test ! there,
    receive after 3 -> ok end,
    {group_leader, Leader} = process_info(self(), group_leader),
    is_process_alive(Leader) andalso spawn(fun() -> passes_on(Test) end).
