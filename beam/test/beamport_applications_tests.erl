-module(beamport_applications_tests).

-include_lib("eunit/include/eunit.hrl").

-define(INVOKE(Event), {invoke, Event, #{request_id => <<"r-1">>, remaining_ms => 3000, client_context => nil}}).

start(Handler) ->
    Root = beamport_fixtures:erlang(),
    Peer = beamport_peer:start(),
    {{reply, #{handler := _}}, _} = beamport_peer:init(Peer, Handler, Root),
    {Peer, Root}.

%% good_app was started for slow_app: it is stopped behind it, though slow_app does not
%% end by itself.
slow_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = start("slow_app:handle"),
             ?assertMatch({{reply, {json, [1]}}, []}, beamport_peer:call(Peer, ?INVOKE(1))),
             beamport_peer:send(Peer, {stop, normal}),
             ?assertMatch({log, error, _, nil, <<"stopped">>, _}, beamport_peer:frame(Peer)),
             ?assertEqual(0, beamport_peer:await_exit(Peer)),
             beamport_fixtures:delete(Root)
     end}.

%% The application runs before init/1 and until terminate/2 is over.
terminate_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = start("good_handler"),
             beamport_peer:send(Peer, {stop, normal}),
             ?assertMatch({log, error, _, _, <<"terminate true true">>, _}, beamport_peer:frame(Peer)),
             ?assertMatch({log, error, _, nil, <<"stopped">>, _}, beamport_peer:frame(Peer)),
             ?assertEqual(0, beamport_peer:await_exit(Peer)),
             beamport_fixtures:delete(Root)
     end}.

%% An application that dies has the emulator started anew.
crash_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = start("slow_app:handle"),
             beamport_peer:send(Peer, {call, 9, ?INVOKE(<<"crash">>)}),
             ?assertEqual(1, beamport_peer:await_exit(Peer)),
             ?assertMatch({_, _}, binary:match(beamport_peer:output(Peer), <<"beamport: the application slow_app ended: shutdown">>)),
             beamport_fixtures:delete(Root)
     end}.

%% What is in a release, and what it says.
release_test_() ->
    Root = fun(Files) ->
                   Dir = beamport_fixtures:empty(),
                   _ = [beamport_fixtures:file(filename:join(Dir, File), Text) || {File, Text} <- Files],
                   Dir
           end,
    Find = fun(Files) ->
                   Dir = Root(Files),
                   Found = beamport_release:find(Dir),
                   beamport_fixtures:delete(Dir),
                   Found
           end,
    Error = fun(Part, Files) ->
                    {error, Why} = Find(Files),
                    ?assertMatch({_, _}, binary:match(iolist_to_binary(Why), Part))
            end,
    Data = {"releases/start_erl.data", "13.1 1.0\n"},
    [?_assertEqual(none, Find([])),
     ?_assertEqual(none, Find([{"releases/RELEASES", ""}])),
     ?_test(Error(<<"does not hold a version">>, [{"releases/start_erl.data", "13.1"}])),
     ?_test(Error(<<"there is no .rel file">>, [Data])),
     ?_test(Error(<<"there is no .rel file">>, [Data, {"releases/1.0/start_clean.rel", ""}])),
     ?_test(Error(<<"a.rel cannot be read">>, [Data, {"releases/1.0/a.rel", "{"}])),
     ?_test(Error(<<"a.rel is not what">>, [Data, {"releases/1.0/a.rel", "x."}])),
     fun() ->
             Dir = Root([Data, {"releases/1.0/a.rel", "{release, {\"a\", \"1.0\"}, {erts, \"13.1\"}, [{kernel, \"1\"}, {b, \"2\"},
                            {c, \"3\", temporary}, {d, \"4\", [b]}, {e, \"5\", load}, {f, \"6\", none, []}, {stdlib, \"1\"}]}."},
                         {"lib/b-2/ebin/b.app", ""}, {"lib/b-1/ebin/b.app", ""}, {"lib/e-5/ebin/e.app", ""},
                         {"releases/1.0/consolidated/x", ""}]),
             {ok, Release} = beamport_release:find(Dir),
             ?assertEqual([b, c, d], beamport_release:applications(Release)),
             ?assertEqual([permanent, temporary, permanent, permanent],
                          [beamport_release:type(App, Release) || App <- [b, c, d, other]]),
             ?assertEqual([filename:join(Dir, D) || D <- ["releases/1.0/consolidated", "lib/b-2/ebin", "lib/e-5/ebin"]],
                          beamport_release:directories(Release)),
             beamport_fixtures:delete(Dir)
     end].
