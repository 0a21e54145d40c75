-module(beamport_log_tests).

-include_lib("eunit/include/eunit.hrl").

-export([words/4, silence/4, fails/4]).

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

%% Translators as Elixir has them.
words(_, error, format, {"a ~p", [1]}) -> {ok, "formatted"};
words(_, _, report, {{gen_server, terminate}, [x]}) -> {ok, "labelled", [{key, value}]};
words(_, _, report, {logger, #{a := 1}}) -> {ok, "plain"};
words(_, _, _, _) -> none.

silence(_, debug, _, _) -> skip;
silence(_, _, _, _) -> none.

fails(_, _, _, _) -> error(fails).

translate_test_() ->
    Translators = [{?MODULE, Name} || Name <- [fails, silence, words]],
    Told = fun(Level, Message) ->
                   case beamport_log:translate(#{level => Level, msg => Message, meta => #{}}, Translators) of
                       #{level := Level, msg := {string, Text}} -> Text;
                       Other -> Other
                   end
           end,
    [?_assertEqual("formatted", Told(error, {"a ~p", [1]})),
     ?_assertEqual("formatted", Told(error, {report, #{label => {error_logger, error_msg}, format => "a ~p", args => [1]}})),
     ?_assertEqual("labelled", Told(error, {report, #{label => {gen_server, terminate}, report => [x]}})),
     ?_assertEqual("plain", Told(error, {report, #{a => 1}})),
     ?_assertEqual(ignore, Told(error, {string, "a"})),
     ?_assertEqual(ignore, Told(info, {"a ~p", [1]})),
     ?_assertEqual(stop, Told(debug, {"a ~p", [1]}))].
