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

%% Reports of crashes are left out for Elixir's handlers alone, unless they have them wanted.
drop_sasl_test_() ->
    [?_assertEqual(Dropped, dropped(Parsed, Environment)) ||
        {Parsed, Environment, Dropped} <- [{{m, f}, [], false},
                                           {{'Elixir.M', f}, [], true},
                                           {{'Elixir.M'}, [{logger, [{handle_sasl_reports, false}]}], true},
                                           {{'Elixir.M'}, [{logger, [{handle_sasl_reports, true}]}], false}]].

dropped(Parsed, Environment) ->
    ok = logger:add_handler(beamport, beamport_log, #{config => #{}}),
    persistent_term:put(beamport_function, {<<"m">>, #{parsed => Parsed, environment => Environment}}),
    try
        ok = beamport_function:drop_sasl(),
        {ok, #{filters := Filters}} = logger:get_handler_config(beamport),
        lists:keymember(sasl, 1, Filters)
    after
        persistent_term:erase(beamport_function),
        ok = logger:remove_handler(beamport),
        ok = beamport_function:drop_sasl()
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
