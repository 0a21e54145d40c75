-module(beamport_config_tests).

-include_lib("eunit/include/eunit.hrl").

%% The configuration that was packaged is read as it was written.
packaged_test() ->
    Dir = filename:join("/tmp", "beamport-config-" ++ os:getpid()),
    File = filename:join(Dir, "beamport.config"),
    ok = filelib:ensure_dir(File),
    try
        ?assertEqual(none, beamport_config:packaged(Dir)),
        Config = [{shop, [{currency, <<"EUR">>}, {'Elixir.Key', #{a => 1}}]}],
        ok = file:write_file(File, term_to_binary(Config)),
        ?assertEqual({ok, Config}, beamport_config:packaged(Dir)),
        ?assertEqual(ok, beamport_config:read([{beamport_config_tests, [{key, value}]}], filename:join(Dir, "none.exs"), prod)),
        ?assertEqual({ok, value}, application:get_env(beamport_config_tests, key))
    after
        ok = file:del_dir_r(Dir),
        ok = application:unset_env(beamport_config_tests, key, [{persistent, true}])
    end.
