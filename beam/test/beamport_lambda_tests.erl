-module(beamport_lambda_tests).

-include_lib("eunit/include/eunit.hrl").

-define(INVOKE(Event), {invoke, Event, #{request_id => <<"r-1">>, remaining_ms => 3000, client_context => nil}}).

start() ->
    Root = beamport_fixtures:erlang(),
    {beamport_peer:start(), Root}.

stop({Peer, Root}) ->
    ?assertEqual({0, <<>>}, beamport_peer:stop(Peer)),
    beamport_fixtures:delete(Root).

%% Initialises, and returns the function that was found, or the failure.
init({Peer, Root}, Handler) ->
    case beamport_peer:init(Peer, Handler, Root) of
        {{reply, #{handler := Found}}, _} -> Found;
        {{error, error, #{type := Type, message := Message}, Stack}, _} -> {Type, Message, Stack}
    end.

invoke({Peer, _}, Event) ->
    beamport_peer:call(Peer, ?INVOKE(Event)).

invoke_json(Env, Event) ->
    {{reply, {json, Term}}, []} = invoke(Env, Event),
    Term.

%% A handler for one module of one emulator: what was loaded stays loaded.
shared_test_() ->
    {setup, fun start/0, fun stop/1,
     fun(Env) ->
             [{Title, {timeout, 60, fun() -> Test(Env) end}} ||
                 {Title, Test} <- [{"an invocation before init", fun too_early/1},
                                   {"forms of names", fun names/1},
                                   {"names that are none", fun bad_names/1},
                                   {"no such module", fun no_module/1},
                                   {"no such function", fun no_function/1},
                                   {"a module that does not load", fun no_load/1},
                                   {"the context", fun context/1},
                                   {"results", fun results/1},
                                   {"streams", fun streams/1},
                                   {"snapshots", fun snapshots/1},
                                   {"the trace", fun trace/1},
                                   {"failures", fun failures/1},
                                   {"bad results", fun bad_results/1},
                                   {"errors", fun errors/1},
                                   {"applications", fun applications/1},
                                   {"init/1 that fails", fun bad_init/1},
                                   {"another request", fun unknown/1}]]
     end}.

too_early(Env) ->
    ?assertMatch({{error, error, #{type := <<"Runtime.NotInitialized">>}, []}, []}, invoke(Env, 1)).

names(Env) ->
    ?assertEqual(<<"sums:add/2">>, init(Env, "sums:add")),
    ?assertEqual(#{sum => 3}, invoke_json(Env, #{<<"a">> => 1, <<"b">> => 2})),
    ?assertEqual(<<"sums:add/2">>, init(Env, "sums.add")),
    ?assertEqual(<<"sums:one/1">>, init(Env, "sums:one")),
    ?assertEqual([<<"event">>], invoke_json(Env, <<"event">>)),
    ?assertEqual(<<"sums:both/2">>, init(Env, "sums:both")),
    ?assertEqual(2, invoke_json(Env, 1)),
    ?assertEqual(<<"web@hello:handle/1">>, init(Env, "web/hello.handle")),
    ?assertMatch({{reply, {body, <<"text/plain">>, <<"hello from a nested module">>}}, []}, invoke(Env, 1)),
    ?assertEqual(<<"web@hello:handle/1">>, init(Env, "web@hello:handle")),
    ?assertEqual(<<"stateful:handle/3">>, init(Env, "stateful")),
    ?assertEqual(#{handler => <<"stateful">>}, invoke_json(Env, 1)),
    ?assertEqual(<<"stateless:handle/2">>, init(Env, "stateless")),
    ?assertEqual([7], invoke_json(Env, [7])).

bad_names(Env) ->
    _ = [?assertMatch({<<"Runtime.BadHandler">>, <<"handler \"", _/binary>>, []}, init(Env, Name)) ||
            Name <- ["", "a:b:c", "sums.", "a b.c", "sums:Add"]],
    ok.

no_module(Env) ->
    {Type, Message, []} = init(Env, "not_there:handle"),
    ?assertEqual(<<"Runtime.NoSuchModule">>, Type),
    contains(Message, ["handler \"not_there:handle\"", "no module not_there", "not_there.beam", "/ebin"]),
    {_, Elixir, []} = init(Env, "Not.There.handle"),
    contains(Elixir, ["no module Not.There:", "Elixir.Not.There.beam"]),
    {Peer, _} = Env,
    Empty = beamport_fixtures:empty(),
    {_, Nothing, []} = init({Peer, Empty}, "not_there:handle"),
    beamport_fixtures:delete(Empty),
    contains(Nothing, ["no compiled code was found in " ++ Empty]).

contains(Text, Parts) ->
    _ = [?assertMatch({Part, _, {_, _}}, {Part, Text, binary:match(Text, unicode:characters_to_binary(Part))})
         || Part <- Parts],
    ok.

no_function(Env) ->
    {Type, Message, []} = init(Env, "sums:ad"),
    ?assertEqual(<<"Runtime.NoSuchFunction">>, Type),
    contains(Message, ["handler \"sums:ad\"", "sums:ad/2 or sums:ad/1", "the module has sums:add/2"]),
    {Type, Arity, []} = init(Env, "sums:three"),
    contains(Arity, ["sums:three/2 or sums:three/1; the module has sums:three/3"]),
    {Type, Private, []} = init(Env, "sums:deep"),
    contains(Private, ["no public function sums:deep/2"]),
    {Type, Behaviour, []} = init(Env, "sums"),
    contains(Behaviour, ["sums:handle/3 or sums:handle/2"]).

no_load(Env) ->
    {Type, Message, []} = init(Env, "no_load:handle"),
    ?assertEqual(<<"Runtime.HandlerLoadFailed">>, Type),
    contains(Message, ["handler \"no_load:handle\"", "on_load function failed"]),
    {Peer, Root} = Env,
    {{error, error, #{type := Type, message := Damaged}, []}, Logs} = beamport_peer:init(Peer, "damaged:handle", Root),
    contains(Damaged, ["file is damaged"]),
    reported(Peer, <<"Error loading">>, Logs).

%% The emulator reports such things of its own accord, and they are on their way for a while.
reported(Peer, Text, Logs) ->
    case [T || {log, error, _, _, T, _} <- Logs, binary:match(T, Text) =/= nomatch] of
        [] -> reported(Peer, Text, [beamport_peer:frame(Peer)]);
        [_] -> ok
    end.

context(Env) ->
    <<"sums:context/2">> = init(Env, "sums:context"),
    ?assertEqual(#{request_id => <<"r-1">>, remaining_ms => 3000, client_context => nil}, invoke_json(Env, 1)).

%% What the expression's value becomes.
result(Env, Code) ->
    {{reply, Reply}, []} = invoke(Env, #{<<"code">> => unicode:characters_to_binary([Code, "."])}),
    Reply.

results(Env) ->
    <<"sums:result/2">> = init(Env, "sums:result"),
    Json = fun(Term, Code) -> ?assertEqual({json, Term}, result(Env, Code)) end,
    Body = fun(Type, Bytes, Code) -> ?assertEqual({body, Type, Bytes}, result(Env, Code)) end,
    Json(#{<<"a">> => 1}, "{ok, #{<<\"a\">> => 1}}"),
    Json([1], "{ok, [1]}"),
    Json([], "[]"),
    Json(#{}, "#{}"),
    Json(1.5, "{ok, 1.5}"),
    Json(true, "{ok, true}"),
    Json(nil, "{ok, nil}"),
    Body(<<"text/plain">>, <<"x">>, "{ok, <<\"x\">>}"),
    Body(<<"text/plain">>, <<"x">>, "<<\"x\">>"),
    Body(<<"text/html">>, <<"<p>">>, "{ok, \"text/html\", <<\"<p>\">>}"),
    Body(<<"text/html">>, <<"<p>">>, "{ok, <<\"text/html\">>, [\"<\", $p, [<<\">\">>]]}"),
    Body(<<"application/json">>, <<"{}">>, "{ok, \"application/json\", <<\"{}\">>}"),
    Body(<<"text/plain">>, <<"42">>, "{ok, \"text/plain\", 42}"),
    Body(<<"text/plain">>, <<"0.1">>, "{ok, \"text/plain\", 0.1}"),
    Json(42, "{ok, \"application/json\", 42}"),
    Json([1, 2], "{ok, <<\"application/json\">>, [1, 2]}"),
    ?assertEqual({json, <<"application/json; charset=utf-8">>, #{a => 1}},
                 result(Env, "{ok, <<\"application/json; charset=utf-8\">>, #{a => 1}}")),
    ?assertEqual({json, <<"Application/Problem+JSON">>, #{}},
                 result(Env, "{ok, <<\"Application/Problem+JSON\">>, #{}}")),
    Http = fun(Prelude, Content, Code) -> ?assertEqual({http, Prelude, Content}, result(Env, Code)) end,
    Plain = #{<<"content-type">> => <<"text/plain; charset=utf-8">>},
    Http(#{<<"statusCode">> => 200, <<"headers">> => Plain}, <<"x">>, "beamport_http:response(<<\"x\">>)"),
    Http(#{<<"statusCode">> => 404, <<"headers">> => #{<<"content-type">> => <<"application/json">>}},
         {json, #{a => [1]}}, "beamport_http:response(404, #{a => [1]})").

%% To a call without credit, a stream is collected.
streams(Env) ->
    <<"sums:result/2">> = init(Env, "sums:result"),
    Streamed = fun(Head, Bytes, Code) -> ?assertEqual({streamed, Head, Bytes, ok}, result(Env, Code)) end,
    Octets = {body, <<"application/octet-stream">>},
    Streamed(Octets, <<"abc">>, "{stream, [\"a\", <<\"bc\">>]}"),
    Streamed(Octets, <<"abc">>, "{stream, fun(Send) -> ok = Send(\"a\"), Send(<<\"bc\">>) end}"),
    Streamed({body, <<"image/png">>}, <<1>>, "{stream, #{content_type => \"image/png\"}, <<1>>}"),
    Streamed({http, #{<<"statusCode">> => 404, <<"headers">> => #{<<"x">> => <<"1">>, <<"content-type">> => <<"a/b">>},
                      <<"cookies">> => [<<"c=1">>]}},
             <<"no">>,
             "{stream, [{status, 404}, {headers, #{x => 1, <<\"content-type\">> => \"a/b\"}}, {cookies, [\"c=1\"]}], \"no\"}"),
    Streamed({http, #{<<"statusCode">> => 200, <<"headers">> => #{<<"content-type">> => <<"application/octet-stream">>}}},
             <<255>>, "{stream, #{<<\"headers\">> => []}, <<255>>}"),
    Streamed({http, #{<<"statusCode">> => 200, <<"headers">> => #{<<"content-type">> => <<"a/b">>}, <<"cookies">> => [<<"c">>]}},
             <<>>, "{stream, #{content_type => <<\"a/b\">>, cookies => [\"c\"]}, []}").

failures(Env) ->
    <<"sums:result/2">> = init(Env, "sums:result"),
    Fails = fun(Type, Message, Code) ->
                    ?assertEqual({{error, returned, #{type => Type, message => Message}, []}, []},
                                 invoke(Env, #{<<"code">> => unicode:characters_to_binary([Code, "."])}))
            end,
    Fails(<<"RuntimeException">>, <<"no">>, "{error, <<\"no\">>}"),
    Fails(<<"RuntimeException">>, <<"no">>, "{error, \"no\"}"),
    Fails(<<"RuntimeException">>, <<"{a,1}">>, "{error, {a, 1}}"),
    Fails(<<"timeout">>, <<"timeout">>, "{error, timeout}"),
    Fails(<<"T">>, <<"M">>, "{error, #{errorType => <<\"T\">>, errorMessage => <<\"M\">>}}"),
    Fails(<<"T">>, <<"M">>, "{error, #{<<\"type\">> => \"T\", <<\"message\">> => \"M\"}}"),
    Fails(<<"not_found">>, <<"M">>, "{error, #{type => not_found, message => <<\"M\">>}}"),
    Fails(<<"RuntimeException">>, <<"#{a => 1}">>, "{error, #{a => 1}}").

bad_results(Env) ->
    <<"sums:result/2">> = init(Env, "sums:result"),
    Bad = fun(Part, Code) ->
                  {{error, error, #{type := Type, message := Message}, []}, []} =
                      invoke(Env, #{<<"code">> => unicode:characters_to_binary([Code, "."])}),
                  ?assertEqual(<<"Function.BadResult">>, Type),
                  contains(Message, [Part])
          end,
    Bad("returned ok, which is none of", "ok"),
    Bad("returned {a,b}", "{a, b}"),
    Bad("returned 5", "5"),
    Bad("body is {1,2}", "{ok, {1, 2}}"),
    Bad("content type is 5", "{ok, 5, <<>>}"),
    Bad("content type is", "{ok, <<\"a\\nb\">>, <<>>}"),
    Bad("body is #{}", "{ok, <<\"text/html\">>, #{}}"),
    Bad("a part that is not iodata", "{stream, fun(Send) -> Send(a) end}"),
    Bad("a header that is not text", "{stream, #{headers => #{a => <<\"b\\r\\nc: d\">>}}, <<>>}"),
    Bad("a header that is not text", "{stream, #{headers => #{a => {}}}, <<>>}"),
    Bad("a header whose name is not a token", "{stream, #{headers => #{<<\"a\\r\\nb\">> => <<\"c\">>}}, <<>>}"),
    Bad("a header whose name is not a token", "{stream, #{headers => [{<<\"a\\0\">>, <<\"c\">>}]}, <<>>}"),
    Bad("an HTTP response whose body is 5,", "{http, #{<<\"statusCode\">> => 200}, 5}"),
    Bad("a cookie that is not text", "{stream, #{cookies => [1.5]}, <<>>}"),
    Bad("cookies that are not a list", "{stream, #{cookies => a}, <<>>}"),
    Bad("headers that are neither", "{stream, #{headers => a}, <<>>}"),
    Bad("a key that is neither", "{stream, #{1 => a}, <<>>}"),
    Bad("without Elixir", "{stream, #{a => 1}}"),
    Bad("metadata", "{stream, 1, <<>>}"),
    Bad("status", "{stream, #{status => <<\"x\">>}, <<>>}"),
    Bad("holds a struct My.Thing at /a/0,", "#{a => [#{'__struct__' => 'Elixir.My.Thing'}]}"),
    %% What is shown is bounded.
    {{error, error, #{message := Long}, []}, []} =
        invoke(Env, #{<<"code">> => <<"list_to_tuple(lists:seq(1, 100000)).">>}),
    ?assert(byte_size(Long) < 5000).

errors(Env) ->
    <<"sums:crash/2">> = init(Env, "sums:crash"),
    {{error, error, #{type := Type, message := _}, Stack}, []} =
        invoke(Env, #{<<"secret">> => <<"canary">>}),
    ?assertEqual(<<"case_clause">>, Type),
    ?assertMatch([<<"sums.erl:16: sums:deep/1">>, <<"lists.erl:", _/binary>>, <<"sums.erl:15: sums:crash/2">>],
                 Stack),
    <<"sums:local/2">> = init(Env, "sums:local"),
    {{error, error, #{type := <<"function_clause">>, message := Message}, [<<"sums.erl:19: sums:only/1">> | _] = Trace}, []} =
        invoke(Env, <<"canary">>),
    ?assertEqual(<<"no clause of sums:only/1 matches its arguments">>, Message),
    ?assertEqual(nomatch, binary:match(iolist_to_binary(Trace), <<"canary">>)),
    <<"sums:badarg/2">> = init(Env, "sums:badarg"),
    {{error, error, #{type := <<"badarg">>, message := Detail}, _}, []} = invoke(Env, 1),
    contains(Detail, ["bad argument in erlang:element/2, argument 1: out of range"]),
    %% What functions call of the runtime is to be seen.
    <<"sums:result/2">> = init(Env, "sums:result"),
    {{error, error, #{type := <<"bad_response">>}, Calls}, []} =
        invoke(Env, #{<<"code">> => <<"beamport_http:response(0, <<>>).">>}),
    ?assertMatch([_ | _], [Call || Call <- Calls, binary:match(Call, <<"beamport_http:response/4">>) =/= nomatch]).

applications(Env) ->
    ?assertEqual(<<"good_app:handle/2">>, init(Env, "good_app:handle")),
    ?assertEqual(#{running => true, loaded => true, value => 42}, invoke_json(Env, 1)),
    Failed = fun(Handler, Parts) ->
                     {Type, Message, []} = init(Env, Handler),
                     ?assertEqual(<<"Runtime.ApplicationStartFailed">>, Type),
                     contains(Message, ["handler \"" ++ Handler ++ "\": the application " | Parts])
             end,
    Failed("bad_app:handle", ["bad_app could not be started: bad_app:start/2", "no_network"]),
    Failed("crash_app:handle", ["crash_app could not be started", "child worker", "no_config"]),
    Failed("needs_app:handle", ["not_there could not be started: there is no not_there.app"]).

bad_init(Env) ->
    {Type, Returned, []} = init(Env, "init_error"),
    ?assertEqual(<<"Runtime.HandlerInitFailed">>, Type),
    ?assertEqual(<<"handler \"init_error\": init/1 returned {error,no_database}">>, Returned),
    {Type, Crashed, Stack} = init(Env, "init_crash"),
    contains(Crashed, ["init/1 failed: badmatch: no match of the value 1"]),
    ?assertMatch([<<"init_crash.erl:4: init_crash:init/1">> | _], Stack),
    {Type, Linked, []} = init(Env, "init_link"),
    contains(Linked, ["reason gone"]).

snapshots({Peer, _} = Env) ->
    Snapshot = fun(Side) -> {Answer, []} = beamport_peer:call(Peer, {snapshot, Side}), Answer end,
    <<"sums:add/2">> = init(Env, "sums:add"),
    ?assertEqual({reply, ok}, Snapshot(before)),
    ?assertEqual({reply, ok}, Snapshot('after')),
    <<"stateful:handle/3">> = init(Env, "stateful"),
    ?assertEqual({reply, ok}, Snapshot(before)),
    ?assertEqual(#{handler => <<"stateful">>, before => true}, invoke_json(Env, 1)),
    ?assertEqual({reply, ok}, Snapshot('after')),
    ?assertEqual(#{restored => 1}, invoke_json(Env, 1)),
    {error, error, #{type := <<"badmatch">>}, [<<"stateful.erl:", _/binary>> | _]} = Snapshot('after'),
    ?assertEqual(#{restored => 1}, invoke_json(Env, 1)),
    {error, error, #{type := <<"Function.BadResult">>, message := Message}, []} = Snapshot(before),
    ?assertEqual(<<"stateful:before_snapshot/1 returned {error,again}">>, Message).

%% The environment says which trace an invocation belongs to, where there is one at a time.
trace({Peer, Root} = Env) ->
    Traced = fun(Context) ->
                     {{reply, {json, Id}}, []} =
                         beamport_peer:call(Peer, {invoke, #{<<"code">> => <<"{ok, os:getenv(\"_X_AMZN_TRACE_ID\", nil)}.">>}, Context}),
                     Id
             end,
    <<"sums:result/2">> = init(Env, "sums:result"),
    ?assertEqual("Root=1", Traced(#{trace_id => <<"Root=1">>})),
    ?assertEqual("Root=2", Traced(#{trace_id => <<"Root=2">>})),
    ?assertEqual(nil, Traced(#{trace_id => nil})),
    {{reply, _}, _} = beamport_peer:call(Peer, {init, #{handler => <<"sums:result">>, task_root => list_to_binary(Root),
                                                        concurrency => 2, initialization_type => nil}}),
    ?assertEqual(nil, Traced(#{trace_id => <<"Root=3">>})).

unknown({Peer, _}) ->
    ?assertMatch({{error, error, #{type := <<"Runtime.BadRequest">>}, []}, []}, beamport_peer:call(Peer, {echo, 1})),
    ?assertMatch({{error, error, #{type := <<"Runtime.BadRequest">>}, []}, []},
                 beamport_peer:call(Peer, {init, #{handler => 1, task_root => 2}})).

%% The state of init/1.

terminate_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = Env = start(),
             <<"stateful:handle/3">> = init(Env, "stateful"),
             beamport_peer:send(Peer, {stop, normal}),
             ?assertMatch({log, error, _, _, <<"bye normal 1">>, _}, beamport_peer:frame(Peer)),
             ?assertEqual(0, beamport_peer:await_exit(Peer)),
             beamport_fixtures:delete(Root)
     end}.

stop_application_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = Env = start(),
             <<"good_app:handle/2">> = init(Env, "good_app:handle"),
             beamport_peer:send(Peer, {stop, normal}),
             ?assertMatch({log, error, _, nil, <<"stopped">>, _}, beamport_peer:frame(Peer)),
             ?assertEqual(0, beamport_peer:await_exit(Peer)),
             beamport_fixtures:delete(Root)
     end}.

%% What init/1 has made is lost: so is the emulator, which is started anew.
keeper_test_() ->
    {timeout, 60,
     fun() ->
             {Peer, Root} = Env = start(),
             <<"stateful:handle/3">> = init(Env, "stateful"),
             beamport_peer:send(Peer, {call, 9, ?INVOKE(#{<<"crash">> => true})}),
             ?assertEqual(1, beamport_peer:await_exit(Peer)),
             contains(beamport_peer:output(Peer), ["beamport: the process of the handler's init/1 ended: exit: "]),
             beamport_fixtures:delete(Root)
     end}.
