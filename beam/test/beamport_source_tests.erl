-module(beamport_source_tests).

-include_lib("eunit/include/eunit.hrl").

%% A task root of source, compiled into a directory of the test's own.
with(Files, Test) ->
    Root = beamport_fixtures:empty(),
    Temporary = beamport_fixtures:empty(),
    _ = [beamport_fixtures:file(filename:join(Root, File), Text) || {File, Text} <- Files],
    Before = os:getenv("TMPDIR"),
    os:putenv("TMPDIR", Temporary),
    try Test(Root, Temporary)
    after
        case Before of
            false -> os:unsetenv("TMPDIR");
            _ -> os:putenv("TMPDIR", Before)
        end,
        beamport_fixtures:delete(Root),
        beamport_fixtures:delete(Temporary)
    end.

-define(GOOD, [{"src/source_good.erl", "-module(source_good).\n-export([f/0]).\nf() -> 1.\n"}]).

none_test() ->
    with([{"README", ""}, {"test/a.erl", ""}, {"deps/a/src/a.erl", ""}, {"a.exs", ""}],
         fun(Root, Temporary) ->
                 ?assertEqual(none, beamport_source:compile(Root)),
                 ?assertEqual({ok, []}, file:list_dir(Temporary))
         end).

%% What was compiled before is used again: as long as it is ours.
again_test_() ->
    {timeout, 60,
     fun() ->
             with(?GOOD,
                  fun(Root, Temporary) ->
                          {ok, #{directories := [Ebin], config := []}} = beamport_source:compile(Root),
                          {ok, [Name]} = file:list_dir(Temporary),
                          Beam = filename:join(Ebin, "source_good.beam"),
                          {ok, _} = file:read_file_info(Beam),
                          ok = file:write_file(Beam, "marked"),
                          ?assertMatch({ok, #{directories := [Ebin]}}, beamport_source:compile(Root)),
                          ?assertEqual({ok, <<"marked">>}, file:read_file(Beam)),
                          ?assertEqual({ok, [Name]}, file:list_dir(Temporary)),
                          %% Others could have written to it.
                          ok = file:change_mode(filename:join(Temporary, Name), 8#777),
                          {ok, #{directories := [Other]}} = beamport_source:compile(Root),
                          ?assertNotEqual(Ebin, Other),
                          {ok, Compiled} = file:read_file(filename:join(Other, "source_good.beam")),
                          ?assertNotEqual(<<"marked">>, Compiled)
                  end)
     end}.

%% A failure leaves nothing behind, and is found again.
failure_test_() ->
    {timeout, 60,
     fun() ->
             with([{"a.erl", "-module(a).\n-export([f/0]).\n"}, {"src/b.erl", "-module(b).\nf( -> 1.\n"}],
                  fun(Root, Temporary) ->
                          {error, Why} = beamport_source:compile(Root),
                          ?assertEqual(<<"a.erl:2:2: function f/0 undefined\nsrc/b.erl:2:4: syntax error before: '->'">>,
                                       unicode:characters_to_binary(Why)),
                          ?assertEqual({ok, []}, file:list_dir(Temporary)),
                          ?assertMatch({error, _}, beamport_source:compile(Root))
                  end)
     end}.

%% What stands in a directory that is linked to itself is read once.
links_test_() ->
    {timeout, 60,
     fun() ->
             with(?GOOD,
                  fun(Root, _) ->
                          ok = file:make_symlink(".", filename:join(Root, "loop")),
                          ?assertMatch({ok, #{directories := [_]}}, beamport_source:compile(Root))
                  end)
     end}.
