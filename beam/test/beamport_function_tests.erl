-module(beamport_function_tests).

-include_lib("eunit/include/eunit.hrl").

packaged_test() ->
    Settings = #{handler => <<"m:f">>, parsed => {m, f}, applications => [], elixir => false, environment => [], late => [],
                 needed => [], log_level => notice, logs => false},
    ?assertEqual(none, beamport_function:handler(<<"m:f">>)),
    try
        ok = beamport_function:packaged(Settings),
        ?assertEqual({ok, Settings}, beamport_function:handler(<<"m:f">>)),
        ?assertEqual(none, beamport_function:handler(<<"m:g">>))
    after
        persistent_term:erase(beamport_function)
    end.

lean_test() ->
    ?assertNot(beamport_function:is_lean()).

%% What Elixir's application keeps, and a boot without applications has made.
config_test() ->
    case ets:whereis(elixir_config) of
        undefined ->
            ok = beamport_elixir:new_config(),
            ?assertEqual([{{uri, <<"https">>}, 443}], ets:lookup(elixir_config, {uri, <<"https">>})),
            true = ets:delete(elixir_config);
        _ ->
            %% Another test has started Elixir, and this is what the table is made to be.
            ?assertEqual([{{uri, <<"https">>}, 443}], ets:lookup(elixir_config, {uri, <<"https">>}))
    end.

runs_test_() ->
    [?_assertEqual(Runs, beamport_applications:runs(App)) ||
        {App, Runs} <- [{stdlib, false}, {kernel, false}, {ssl, true}, {inets, true}, {eunit, false},
                        {no_such_application, false}]].
