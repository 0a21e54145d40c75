%% @doc The terms that the benchmarks decode and encode. They are the same in
%% each run and on each release.
-module(bench_terms).

-export([all/0]).

%% @doc The workloads: a name, what it is, and the term.
-spec all() -> [{atom(), unicode:chardata(), term()}].
all() ->
    [
        {invocation, "a small event and its context", invocation()},
        {event, "an API Gateway v2 event, binary keys", event()},
        {event_atoms, "the same event, atom keys", atom_keys(event())},
        {sqs, "an SQS batch of ten messages", sqs()},
        {records, "a list of 6,500 maps with atom keys", [record(I) || I <- lists:seq(1, 6500)]},
        {numbers, "100,000 integers of all sizes and floats", numbers(100000)},
        {binary, "a binary of 5 MB", blob(5 * 1024 * 1024)},
        {atoms, "1,000 tuples and maps of atoms", [atoms(I) || I <- lists:seq(1, 1000)]},
        {deep, "500 containers, one in the other", deep(500, leaf)}
    ].

invocation() ->
    #{
        event => #{<<"name">> => <<"Ada">>, <<"count">> => 3},
        request_id => <<"8476a536-e9f4-11e8-9739-2dfe598c3fcd">>,
        function_arn => <<"arn:aws:lambda:eu-west-1:123456789012:function:hello">>,
        trace_id => <<"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419">>,
        function_name => <<"hello">>,
        function_version => <<"$LATEST">>,
        content_type => <<"application/json">>,
        client_context => nil,
        tenant_id => nil,
        deadline => 1735689603000,
        memory_limit => 512,
        remaining_ms => 2998
    }.

event() ->
    #{
        <<"version">> => <<"2.0">>,
        <<"routeKey">> => <<"POST /orders/{id}">>,
        <<"rawPath">> => <<"/prod/orders/17">>,
        <<"rawQueryString">> => <<"lang=pt&tag=beam&tag=lambda">>,
        <<"cookies">> => [<<"session=8f14e45fceea167a">>, <<"theme=dark">>, <<"consent=1">>],
        <<"headers">> => #{
            <<"accept">> => <<"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8">>,
            <<"accept-encoding">> => <<"gzip, deflate, br, zstd">>,
            <<"accept-language">> => <<"pt-PT,pt;q=0.9,en;q=0.8">>,
            <<"authorization">> => jwt(),
            <<"cache-control">> => <<"max-age=0">>,
            <<"content-length">> => <<"1042">>,
            <<"content-type">> => <<"application/json; charset=utf-8">>,
            <<"host">> => <<"a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com">>,
            <<"origin">> => <<"https://example.org">>,
            <<"referer">> => <<"https://example.org/orders/17?with=query">>,
            <<"sec-ch-ua-mobile">> => <<"?0">>,
            <<"sec-ch-ua-platform">> => <<"\"Linux\"">>,
            <<"sec-fetch-dest">> => <<"document">>,
            <<"sec-fetch-mode">> => <<"navigate">>,
            <<"sec-fetch-site">> => <<"none">>,
            <<"upgrade-insecure-requests">> => <<"1">>,
            <<"user-agent">> => user_agent(),
            <<"x-amzn-trace-id">> => <<"Root=1-692287a3-1f2e3d4c5b6a79880a1b2c3d">>,
            <<"x-forwarded-for">> => <<"203.0.113.42">>,
            <<"x-forwarded-port">> => <<"443">>,
            <<"x-forwarded-proto">> => <<"https">>
        },
        <<"queryStringParameters">> => #{<<"lang">> => <<"pt">>, <<"tag">> => <<"beam,lambda">>},
        <<"pathParameters">> => #{<<"id">> => <<"17">>},
        <<"stageVariables">> => #{<<"table">> => <<"orders">>, <<"region">> => <<"eu-west-1">>},
        <<"requestContext">> => #{
            <<"accountId">> => <<"123456789012">>,
            <<"apiId">> => <<"a1b2c3d4e5">>,
            <<"authorizer">> => #{
                <<"jwt">> => #{
                    <<"claims">> => #{
                        <<"aud">> => <<"4example7client9id0">>,
                        <<"client_id">> => <<"4example7client9id0">>,
                        <<"exp">> => <<"1795410000">>,
                        <<"iat">> => <<"1795406400">>,
                        <<"iss">> => <<"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01">>,
                        <<"jti">> => <<"0b1c2d3e-4f50-4161-8273-9495a6b7c8d9">>,
                        <<"scope">> => <<"orders/read orders/write">>,
                        <<"sub">> => <<"5f4e3d2c-1b0a-4988-8776-655443322110">>,
                        <<"token_use">> => <<"access">>,
                        <<"username">> => <<"jose">>
                    },
                    <<"scopes">> => [<<"orders/read">>, <<"orders/write">>]
                }
            },
            <<"domainName">> => <<"a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com">>,
            <<"domainPrefix">> => <<"a1b2c3d4e5">>,
            <<"http">> => #{
                <<"method">> => <<"POST">>,
                <<"path">> => <<"/prod/orders/17">>,
                <<"protocol">> => <<"HTTP/1.1">>,
                <<"sourceIp">> => <<"203.0.113.42">>,
                <<"userAgent">> => user_agent()
            },
            <<"requestId">> => <<"UexAmPle1doEJZg=">>,
            <<"routeKey">> => <<"POST /orders/{id}">>,
            <<"stage">> => <<"prod">>,
            <<"time">> => <<"23/Nov/2026:04:05:07 +0000">>,
            <<"timeEpoch">> => 1795406707123
        },
        <<"body">> => order_text(28),
        <<"isBase64Encoded">> => false
    }.

user_agent() ->
    <<"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0">>.

%% Three parts of base64url, of the length that such tokens have.
jwt() ->
    Part = fun(Seed, N) -> base64:encode(text(Seed, N)) end,
    iolist_to_binary(["Bearer ", Part(1, 27), ".", Part(2, 330), ".", Part(3, 256)]).

order_text(N) ->
    Lines = [
        io_lib:format("{\"sku\":\"BX-~4..0b\",\"quantity\":~b,\"price\":\"~b.50\",\"note\":null}", [I * 37, I rem 4 + 1, 9 + I])
     || I <- lists:seq(1, N)
    ],
    iolist_to_binary(["{\"orders\":[", lists:join(",", Lines), "]}"]).

sqs() ->
    #{<<"Records">> => [message(I) || I <- lists:seq(1, 10)]}.

message(I) ->
    Digits = integer_to_binary(100000 + I),
    #{
        <<"messageId">> => <<"3d6f0c1a-52f4-4e0b-9a57-0e1f6a", Digits/binary>>,
        <<"receiptHandle">> => <<"AQEB", (base64:encode(text(I, 90)))/binary>>,
        <<"body">> => order_text(2 + I rem 3),
        <<"attributes">> => #{
            <<"ApproximateReceiveCount">> => integer_to_binary(I rem 3 + 1),
            <<"AWSTraceHeader">> => <<"Root=1-692287a3-0a1b2c3d4e5f607182", Digits/binary, ";Sampled=1">>,
            <<"SentTimestamp">> => <<"1795406", Digits/binary>>,
            <<"SenderId">> => <<"AROAEXAMPLEROLEID0001:orders">>,
            <<"ApproximateFirstReceiveTimestamp">> => <<"1795407", Digits/binary>>
        },
        <<"messageAttributes">> => #{
            <<"source">> => #{<<"stringValue">> => <<"web">>, <<"dataType">> => <<"String">>},
            <<"priority">> => #{<<"stringValue">> => integer_to_binary(I rem 9), <<"dataType">> => <<"Number">>}
        },
        <<"md5OfBody">> => <<"c49a52c5a95b5d43e1523400db", Digits/binary>>,
        <<"eventSource">> => <<"aws:sqs">>,
        <<"eventSourceARN">> => <<"arn:aws:sqs:eu-west-1:123456789012:orders">>,
        <<"awsRegion">> => <<"eu-west-1">>
    }.

record(I) ->
    #{
        id => I,
        name => iolist_to_binary(io_lib:format("record number ~b", [I])),
        active => I rem 3 =:= 0,
        score => I / 7,
        tags => [<<"alpha">>, <<"beta">>],
        parent => nil,
        description => <<"a few words on this one">>
    }.

numbers(N) ->
    numbers(N, 88172645463325252, []).

numbers(0, _, Acc) ->
    Acc;
numbers(N, X0, Acc) ->
    X = xorshift(X0),
    numbers(N - 1, X, [number(N rem 20, X) | Acc]).

number(K, X) when K < 7 -> X band 255;
number(K, X) when K < 12 -> (X band 16#ffffffff) - 16#80000000;
number(K, X) when K < 16 -> ((X band 16#fffffffffffff) - 16#8000000000000) / 4096;
number(K, X) when K < 19 -> X - 16#8000000000000000;
number(_, X) -> X bor 16#8000000000000000.

xorshift(X0) ->
    Mask = 16#ffffffffffffffff,
    X1 = X0 bxor (X0 bsl 13) band Mask,
    X2 = X1 bxor (X1 bsr 7),
    X2 bxor (X2 bsl 17) band Mask.

blob(N) ->
    blob(N div 8, 88172645463325252, []).

blob(0, _, Acc) ->
    iolist_to_binary(Acc);
blob(N, X0, Acc) ->
    X = xorshift(X0),
    blob(N - 1, X, [<<X:64>> | Acc]).

text(Seed, N) ->
    binary:part(blob(N + 8, Seed * 7919 + 88172645463325252, []), 0, N).

atoms(I) ->
    At = fun(K) -> element((I * 7 + K * 13) rem 40 + 1, names()) end,
    {At(0), At(1), #{At(2) => At(3), status => element(I rem 4 + 1, {ok, error, undefined, running})}, [At(4), At(5), At(6)]}.

names() ->
    {
        ok, error, true, false, undefined, nil, infinity, normal, shutdown, kill,
        noproc, timeout, badarg, badmatch, function_clause, undef, enoent, econnrefused, stdlib, kernel,
        gen_server, gen_statem, supervisor, application_controller, one_for_one, rest_for_one, permanent, transient, temporary, worker,
        'Elixir.Enum', 'Elixir.GenServer', 'Elixir.Phoenix.PubSub', 'Elixir.Ecto.Adapters.SQL.Sandbox', 'Elixir.MyApp.Orders.Supervisor',
        'orders@host-1.example.org', 'with space', handle_info, terminate, code_change
    }.

deep(0, X) -> X;
deep(N, X) when N rem 3 =:= 0 -> deep(N - 1, {level, N, X});
deep(N, X) when N rem 3 =:= 1 -> deep(N - 1, [N, X]);
deep(N, X) -> deep(N - 1, #{level => N, next => X}).

atom_keys(Map) when is_map(Map) ->
    maps:from_list([{binary_to_atom(K, utf8), atom_keys(V)} || {K, V} <- maps:to_list(Map)]);
atom_keys(List) when is_list(List) ->
    [atom_keys(E) || E <- List];
atom_keys(Other) ->
    Other.
