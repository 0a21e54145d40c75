-module(beamport_elixir_tests).

-include_lib("eunit/include/eunit.hrl").

start() ->
    Root = beamport_fixtures:elixir(),
    Flags = lists:append([["-pz", Path] || Path <- beamport_fixtures:elixir_paths()]),
    {beamport_peer:start(#{flags => Flags}), Root}.

stop({Peer, Root}) ->
    ?assertEqual({0, <<>>}, beamport_peer:stop(Peer)),
    beamport_fixtures:delete(Root).

shared_test_() ->
    {timeout, 120,
     {setup, fun start/0, fun stop/1,
      fun(Env) ->
              [{Title, {timeout, 60, fun() -> Test(Env) end}} ||
                  {Title, Test} <- [{"forms of names", fun names/1},
                                    {"exceptions", fun exceptions/1},
                                    {"exits and throws", fun exits/1},
                                    {"a linked process that raises", fun linked/1},
                                    {"what is printed and logged", fun logs/1},
                                    {"structs", fun structs/1},
                                    {"structs without a form", fun no_form/1},
                                    {"streams", fun streams/1},
                                    {"failures", fun failures/1},
                                    {"bad results", fun bad_results/1},
                                    {"a behaviour in Elixir", fun behaviour/1}]]
      end}}.

init({Peer, Root}, Handler) ->
    case beamport_peer:init(Peer, Handler, Root) of
        {{reply, #{handler := Found}}, _} -> Found;
        {{error, error, #{type := Type, message := Message}, _}, _} -> {Type, Message}
    end.

%% Calls a function of My.Handlers.
invoke({Peer, _} = Env, Function, Event) ->
    <<"My.Handlers.", _/binary>> = init(Env, "My.Handlers." ++ Function),
    beamport_peer:call(Peer, {invoke, Event, #{request_id => <<"r-1">>}}).

%% What becomes of a value that Elixir's code stands for.
result(Env, Code) ->
    {Final, []} = invoke(Env, "result", #{<<"code">> => unicode:characters_to_binary(Code)}),
    Final.

names(Env) ->
    ?assertEqual({{reply, {json, [1]}}, []}, invoke(Env, "echo", [1])),
    ?assertEqual({{reply, {json, #{one => 1}}}, []}, invoke(Env, "one", 1)),
    ?assertEqual(<<"My.Handlers.bang!/2">>, init(Env, "Elixir.My.Handlers.bang!")),
    ?assertEqual(<<"My.Handlers.ok?/1">>, init(Env, "My.Handlers.ok?")),
    ?assertEqual(<<"My.Handlers.one/1">>, init(Env, "Elixir.My.Handlers:one")),
    ?assertMatch({<<"Runtime.NoSuchModule">>, _}, init(Env, "My.Nothing.one")),
    {<<"Runtime.NoSuchFunction">>, Message} = init(Env, "My.Handlers.clause"),
    ?assertMatch({_, _}, binary:match(Message, <<"no public function My.Handlers.clause/2 or My.Handlers.clause/1">>)),
    ?assertEqual(nomatch, binary:match(Message, <<"__info__">>)).

raised(Env, Function) ->
    {{error, error, #{type := Type, message := Message}, Stack}, []} = invoke(Env, Function, #{}),
    {Type, Message, Stack}.

exceptions(Env) ->
    ?assertMatch({<<"ArithmeticError">>, <<"bad argument in arithmetic expression">>,
                  [<<"my_handlers.ex:", _/binary>> | _]}, base(raised(Env, "raise_arithmetic"))),
    ?assertMatch({<<"My.Oops">>, <<"oops: it broke">>, _}, raised(Env, "raise_own")),
    ?assertMatch({<<"My.Loop">>, <<"(the exception's message could not be made)">>, _}, raised(Env, "raise_loop")),
    {<<"My.Mute">>, Mute, _} = raised(Env, "raise_mute"),
    ?assertMatch({match, _}, re:run(Mute, "^got ArgumentError with message \"speechless\" while retrieving")),
    ?assertMatch({match, _}, re:run(Mute, "My.Mute.message/1")),
    ?assertEqual({Mute, nomatch}, {Mute, binary:match(Mute, <<"beamport_bounded">>)}),
    ?assertMatch({<<"FunctionClauseError">>, <<"no function clause matching in My.Handlers.clause/1">>, _},
                 raised(Env, "raise_clause")),
    {<<"UndefinedFunctionError">>, <<"function Not.There.at_all/1 is undefined", _/binary>>, Stack} =
        raised(Env, "raise_undefined"),
    ?assertEqual(nomatch, binary:match(iolist_to_binary(Stack), <<"secret">>)),
    {<<"ArithmeticError">>, _, Frames} = raised(Env, "raise_in_fun"),
    Text = iolist_to_binary(lists:join("\n", Frames)),
    ?assertMatch({match, _}, re:run(Text, ": anonymous fn/1 in My.Handlers.raise_in_fun/2\n.*: Enum.map/2")),
    ?assertEqual(nomatch, binary:match(Text, <<"beamport">>)).

%% Without the directory that the fixture was compiled in.
base({Type, Message, Stack}) ->
    {Type, Message, [filename:basename(Line, "") || Line <- [hd(binary:split(L, <<": ">>)) || L <- Stack]]}.

exits(Env) ->
    ?assertMatch({{error, throw, #{type := <<"throw">>, message := <<"a value was thrown and not caught: :ball">>}, _}, []},
                 invoke(Env, "throws", #{})),
    ?assertMatch({{error, exit, #{type := <<"exit">>, message := <<"the handler's process exited with reason :enough">>}, _}, []},
                 invoke(Env, "exits", #{})),
    {{error, exit, #{message := Message}, _}, []} = invoke(Env, "call_nobody", #{}),
    ?assertMatch({_, _}, binary:match(Message, <<"noproc">>)),
    ?assertMatch({_, _}, binary:match(Message, <<"GenServer.call/3">>)),
    ?assertEqual(nomatch, binary:match(Message, <<"secret">>)).

linked({Peer, _} = Env) ->
    <<"My.Handlers.links/2">> = init(Env, "My.Handlers.links"),
    beamport_peer:send(Peer, {call, 77777, {invoke, #{}, #{}}}),
    {{error, exit, #{type := <<"My.Oops">>, message := Message}, Stack}, Logs} = beamport_peer:final(Peer, 77777),
    ?assertMatch({_, _}, binary:match(Message, <<"oops: linked">>)),
    ?assertMatch([_ | _], Stack),
    %% The emulator's own report of that process.
    [{log, error, _, 77777, Report, _}] = Logs,
    ?assertMatch({match, _}, re:run(Report, "^Process #PID<[0-9.]+> raised an exception\n.*\\(My.Oops\\) oops: linked\n")),
    ?assertEqual(nomatch, binary:match(Report, <<"'__exception__'">>)).

logs(Env) ->
    {{reply, {json, nil}}, Printed} = invoke(Env, "prints", #{}),
    ?assertEqual([<<"one">>, <<"two">>, <<"between">>, <<"three – ü"/utf8>>, <<"four">>],
                 [Text || {log, info, _, _, Text, _} <- Printed]),
    ?assertEqual([true, true, false, true, true], [is_map_key(stream, Meta) || {log, _, _, _, _, Meta} <- Printed]),
    {{reply, {json, nil}}, Logged} = invoke(Env, "logs", #{}),
    ?assertMatch([{log, error, _, Id, <<"it failed">>, #{mfa := <<"My.Handlers.logs/2">>, file := _, line := _,
                                                         domain := <<"elixir">>, request := <<"r-1">>, count := 3,
                                                         at := [<<"2020-01-31">>, <<"2020-01-31T10:00:00Z">>]}},
                  {log, warning, _, Id, <<"iolist">>, _},
                  {log, debug, _, Id, <<"    a: 1">>, _}], Logged),
    [{log, error, _, _, _, Meta} | _] = Logged,
    ?assertNot(is_map_key(secret, Meta)).

structs(Env) ->
    _ = [?assertEqual({Code, {reply, {json, Term}}}, {Code, result(Env, Code)}) ||
            {Code, Term} <- [{"[~D[2020-01-31]]", [<<"2020-01-31">>]},
                             {"[~T[10:00:00.5]]", [<<"10:00:00.5">>]},
                             {"%{a: ~N[2020-01-31 10:00:00]}", #{a => <<"2020-01-31T10:00:00">>}},
                             {"%{a: [~U[2020-01-31 10:00:00Z]]}", #{a => [<<"2020-01-31T10:00:00Z">>]}},
                             {"[URI.parse(\"http://a/b?c\")]", [<<"http://a/b?c">>]},
                             {"[Version.parse!(\"1.2.3-rc\")]", [<<"1.2.3-rc">>]},
                             {"[MapSet.new([~D[2020-01-31]])]", [[<<"2020-01-31">>]]},
                             {"[1..3, 3..1//-1, 3..1//1, 1..1, 1..6//2, 5..1//-2, 1..0//1]",
                              [[1, 2, 3], [3, 2, 1], [], [1], [1, 3, 5], [5, 3, 1], []]},
                             {"%{~D[2020-01-31] => 1}", #{<<"2020-01-31">> => 1}},
                             {"{:ok, ~D[2020-01-31]}", <<"2020-01-31">>},
                             {"{:ok, \"application/json\", 1..2}", [1, 2]},
                             {"[%My.Encoded{a: 1}]", [#{<<"shown">> => 1}]},
                             {"%{a: %{b: [%{c: 1}]}}", #{a => #{b => [#{c => 1}]}}}]],
    ok.

no_form(Env) ->
    Fails = fun(Code, Text) ->
                    {error, error, #{type := Type, message := Message}, []} = result(Env, Code),
                    ?assertEqual(<<"Function.BadResult">>, Type),
                    ?assertMatch({Text, _, {_, _}}, {Text, Message, binary:match(Message, Text)})
            end,
    Fails("struct(My.Point)", <<"holds a struct My.Point, which has no form in JSON">>),
    Fails("%{x: [1, %{\"y/z\" => struct(My.Point)}]}", <<"holds a struct My.Point at /x/1/y~1z, which has no form">>),
    Fails("[%{struct(My.Point) => 1}]", <<"holds a struct My.Point at /0, which">>),
    Fails("[1..2_000_000]", <<"holds a Range of more than 1000000 numbers at /0">>).

streams(Env) ->
    Octets = {body, <<"application/octet-stream">>},
    ?assertEqual({reply, {streamed, Octets, <<"123">>, ok}}, result(Env, "{:stream, Stream.map(1..3, &to_string/1)}")),
    ?assertEqual({reply, {streamed, {body, <<"text/csv">>}, <<"a,b">>, ok}},
                 result(Env, "{:stream, [content_type: \"text/csv\"], Stream.concat([\"a\"], [\",\", [\"b\"]])}")),
    ?assertEqual({reply, {streamed, Octets, <<"xy">>, ok}},
                 result(Env, "{:stream, fn send -> :ok = send.(\"x\"); send.([\"y\"]) end}")),
    ?assertMatch({error, error, #{type := <<"Function.ResponseSizeTooLarge">>, message := <<"the streamed reply takes", _/binary>>}, []},
                 result(Env, "{:stream, Stream.cycle([String.duplicate(\"a\", 100_000)])}")),
    ?assertMatch({error, error, #{type := <<"Function.BadResult">>, message := <<"the handler's stream is nothing that", _/binary>>}, []},
                 result(Env, "{:stream, 5}")),
    ?assertEqual({reply, {http, #{<<"statusCode">> => 200, <<"headers">> => #{<<"content-type">> => <<"application/json">>}},
                          {json, #{a => <<"2026-02-28">>}}}},
                 result(Env, ":beamport_http.response(200, %{}, %{a: ~D[2026-02-28]})")),
    ?assertMatch({error, error, #{type := <<"My.Oops">>}, _},
                 result(Env, "{:stream, Stream.map([1], fn _ -> raise My.Oops, detail: 1 end)}")).

failures(Env) ->
    Fails = fun(Type, Message, Code) ->
                    ?assertEqual({error, returned, #{type => Type, message => Message}, []}, result(Env, Code))
            end,
    Fails(<<"RuntimeException">>, <<"no">>, "{:error, \"no\"}"),
    Fails(<<"T">>, <<"M">>, "{:error, %{errorType: \"T\", message: \"M\"}}"),
    Fails(<<"My.Oops">>, <<"M">>, "{:error, %{type: My.Oops, message: \"M\"}}"),
    Fails(<<"My.Oops">>, <<"oops: x">>, "{:error, %My.Oops{detail: :x}}"),
    Fails(<<"RuntimeException">>, <<"{:a, 1}">>, "{:error, {:a, 1}}").

bad_results(Env) ->
    {error, error, #{type := <<"Function.BadResult">>, message := Message}, []} = result(Env, "{:weird, nil}"),
    ?assertMatch(<<"the handler returned {:weird, nil}, which is none of {:ok, body}, ", _/binary>>, Message).

behaviour({Peer, _} = Env) ->
    ?assertEqual(<<"My.Behaviour.handle/3">>, init(Env, "My.Behaviour")),
    ?assertEqual({{reply, {json, #{event => 1, state => <<"made">>}}}, []},
                 beamport_peer:call(Peer, {invoke, 1, #{}})),
    {<<"Runtime.HandlerInitFailed">>, Message} = init(Env, "My.Failing"),
    ?assertMatch({_, _}, binary:match(Message, <<"init/1 failed: My.Oops: oops: no state">>)).
