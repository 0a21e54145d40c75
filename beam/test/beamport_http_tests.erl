-module(beamport_http_tests).

-include_lib("eunit/include/eunit.hrl").

prelude(Status, Headers) -> #{<<"statusCode">> => Status, <<"headers">> => Headers}.

response_test_() ->
    Type = fun(T) -> #{<<"content-type">> => T} end,
    Text = Type(<<"text/plain; charset=utf-8">>),
    [?_assertEqual(Want, Got) ||
        {Want, Got} <-
            [{{http, prelude(200, Text), <<"é"/utf8>>}, beamport_http:response(<<"é"/utf8>>)},
             {{http, prelude(201, Type(<<"application/octet-stream">>)), <<255>>}, beamport_http:response(201, <<255>>)},
             {{http, prelude(204, #{}), <<>>}, beamport_http:response(204, nil)},
             {{http, prelude(204, #{}), <<>>}, beamport_http:response(204, #{}, <<>>)},
             {{http, prelude(200, Type(<<"application/json">>)), {json, #{a => 1}}}, beamport_http:response(#{a => 1})},
             {{http, prelude(200, Type(<<"application/json">>)), {json, [1]}}, beamport_http:response([1])},
             {{http, prelude(200, #{<<"Content-Type">> => <<"text/html">>}), <<"<p>">>},
              beamport_http:response(200, #{<<"Content-Type">> => "text/html"}, ["<", [$p], <<">">>])},
             {{http, prelude(200, Type(<<"application/problem+json">>)), {json, [1]}},
              beamport_http:response(200, [{'content-type', "application/problem+json"}], [1])},
             {{http, prelude(302, #{<<"location">> => <<"/x">>}), <<>>}, beamport_http:redirect("/x")},
             {{http, (prelude(200, Text))#{<<"cookies">> => [<<"a=1">>, <<"b=2">>]}, <<"x">>},
              beamport_http:response(200, [{<<"set-cookie">>, "a=1"}, {'Set-Cookie', "b=2"}], <<"x">>)},
             {{http, prelude(200, Text#{<<"x">> => <<"5">>}), <<"x">>}, beamport_http:response(200, [{x, 5}], <<"x">>)}]].

bad_response_test_() ->
    [?_assertError({bad_response, _}, beamport_http:response(Status, Headers, <<"x">>)) ||
        {Status, Headers} <- [{0, []}, {1000, []}, {ok, []}, {200, [{x, "a\r\nb"}]}, {200, [{x, {}}]},
                              {200, [{<<"set-cookie">>, <<"a\nb">>}]}, {200, x}, {200, [x]}, {200, [{"x", <<"y">>}]},
                              {200, [{<<"content-type">>, {}}]}, {200, [{<<"content-type">>, <<255>>}]}
                              | [{200, #{Name => <<"y">>}} ||
                                    Name <- [<<"a\r\nEvil: 1">>, <<0>>, <<"a b">>, <<"a:">>, <<>>, '', <<"Ã©">>, 'a b']]]].

bad_body_test_() ->
    [?_assertError({bad_response, <<"the response has a ", _/binary>>}, beamport_http:response(200, Headers, Body)) ||
        {Headers, Body} <- [{#{}, 5}, {#{}, {a}}, {#{<<"content-type">> => <<"text/html">>}, [a]}]].

%% Each sender of events has its own way to be told of cookies.
cookies_test_() ->
    Text = #{<<"content-type">> => <<"text/plain; charset=utf-8">>},
    Response = fun(Cookies, Event) ->
                       {http, Prelude, <<"x">>} =
                           beamport_http:response(201, [{<<"Set-Cookie">>, C} || C <- Cookies], <<"x">>, Event),
                       Prelude
               end,
    Two = [<<"a=1">>, <<"b=2">>],
    Single = maps:remove(<<"multiValueHeaders">>, elb()),
    [?_assertEqual((prelude(201, Text))#{<<"cookies">> => Two}, Response(Two, v2())),
     ?_assertEqual((prelude(201, Text))#{<<"cookies">> => Two}, Response(Two, #{})),
     ?_assertEqual((prelude(201, Text))#{<<"multiValueHeaders">> => #{<<"set-cookie">> => Two}}, Response(Two, v1())),
     ?_assertEqual((prelude(201, Text))#{<<"multiValueHeaders">> => #{<<"set-cookie">> => Two}},
                   Response(Two, (v1())#{<<"version">> => <<"1.0">>})),
     ?_assertEqual(prelude(201, Text), Response([], v1())),
     ?_assertEqual(#{<<"statusCode">> => 201,
                     <<"multiValueHeaders">> => #{<<"set-cookie">> => Two,
                                                  <<"content-type">> => [<<"text/plain; charset=utf-8">>]}},
                   Response(Two, elb())),
     ?_assertEqual(#{<<"statusCode">> => 201,
                     <<"multiValueHeaders">> => #{<<"content-type">> => [<<"text/plain; charset=utf-8">>]}},
                   Response([], elb())),
     ?_assertEqual(prelude(201, Text#{<<"set-cookie">> => <<"a=1">>}), Response([<<"a=1">>], Single)),
     ?_assertError({bad_response, <<"the response has several cookies", _/binary>>}, Response(Two, Single))].

elb() ->
    (balanced())#{<<"requestContext">> => #{<<"elb">> => #{<<"targetGroupArn">> => <<"arn">>}}}.

cookie_test_() ->
    [?_assertEqual({<<"set-cookie">>, <<"a=1; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax">>},
                   beamport_http:cookie("a", <<"1">>, 60)),
     ?_assertEqual({<<"set-cookie">>, <<"a=1; Path=/x">>}, beamport_http:cookie("a", "1", session, "Path=/x"))
     | [?_assertError(badarg, beamport_http:cookie("a", Value, session)) || Value <- ["a b", "a;b", "a\n", "\"", "é"]]].

%% The two formats of requests, and what they may lack.
v1() ->
    #{<<"httpMethod">> => <<"POST">>, <<"path">> => <<"/a">>, <<"headers">> => #{<<"X-One">> => <<"1">>},
      <<"multiValueHeaders">> => #{<<"X-One">> => [<<"1">>], <<"X-Two">> => [<<"1">>, <<"2">>]},
      <<"queryStringParameters">> => #{<<"q">> => <<"v">>}, <<"body">> => <<"AP8=">>, <<"isBase64Encoded">> => true}.

v2() ->
    #{<<"version">> => <<"2.0">>, <<"rawPath">> => <<"/b">>, <<"headers">> => #{<<"x-one">> => <<"1">>},
      <<"requestContext">> => #{<<"http">> => #{<<"method">> => <<"GET">>}}, <<"isBase64Encoded">> => false}.

balanced() ->
    #{<<"httpMethod">> => <<"GET">>, <<"path">> => <<"/c">>, <<"multiValueHeaders">> => #{<<"x-one">> => [<<"1">>]},
      <<"multiValueQueryStringParameters">> => #{<<"q">> => [<<"u">>, <<"v">>]}, <<"body">> => <<"text">>,
      <<"isBase64Encoded">> => false}.

request_test_() ->
    [?_assertEqual([<<"POST">>, <<"GET">>, <<"GET">>], [beamport_http:method(E) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual([<<"/a">>, <<"/b">>, <<"/c">>], [beamport_http:path(E) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual([<<"1">>, <<"1">>, <<"1">>], [beamport_http:header(<<"X-one">>, E) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual([<<"1,2">>, nil, nil], [beamport_http:header(<<"x-two">>, E) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual([<<"v">>, none, <<"v">>], [beamport_http:query(<<"q">>, E, none) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual(nil, beamport_http:query(<<"r">>, v1())),
     ?_assertEqual(nil, beamport_http:query(<<"r">>, balanced())),
     ?_assertEqual(d, beamport_http:header(<<"x">>, #{<<"headers">> => nil}, d)),
     ?_assertEqual([<<0, 255>>, <<>>, <<"text">>], [beamport_http:body(E) || E <- [v1(), v2(), balanced()]]),
     ?_assertEqual(<<>>, beamport_http:body(#{<<"body">> => nil, <<"isBase64Encoded">> => false}))].
