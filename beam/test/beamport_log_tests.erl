-module(beamport_log_tests).

-include_lib("eunit/include/eunit.hrl").

report(Reason) ->
    #{level => notice, meta => #{mfa => {application_controller, info_exited, 3}},
      msg => {report, #{label => {application_controller, exit},
                        report => [{application, app}, {exited, Reason}, {type, temporary}]}}}.

%% As Elixir's logger hands it on since 1.15: an improper list of binaries.
sentence(Reason) ->
    #{level => notice, meta => #{mfa => {application_controller, info_exited, 3}},
      msg => {string, [<<"Application ">>, <<"app">>, <<" exited: ">> | Reason]}}.

noise_test_() ->
    Other = maps:put(meta, #{mfa => {app, run, 1}}, sentence(<<":stopped">>)),
    [?_assertEqual(stop, beamport_log:noise(report(stopped), stop)),
     ?_assertEqual(ignore, beamport_log:noise(report({shutdown, why}), stop)),
     ?_assertEqual(stop, beamport_log:noise(sentence(<<":stopped">>), stop)),
     ?_assertEqual(ignore, beamport_log:noise(sentence(<<"shutdown: :why">>), stop)),
     ?_assertEqual(ignore, beamport_log:noise(Other, stop)),
     ?_assertEqual(ignore, beamport_log:noise(#{level => info, meta => #{}, msg => {"~p", [1]}}, stop))].
