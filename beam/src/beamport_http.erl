%% @doc HTTP for handlers behind API Gateway, a function URL or a load balancer: what
%% a response is made of, and what an event says of its request, whichever of the
%% formats it has (REST API and load balancer, "1.0"; HTTP API and function URL, "2.0").
%%
%% ```
%% hello(Event, _Context) ->
%%     Name = beamport_http:query(<<"name">>, Event, <<"world">>),
%%     beamport_http:response(200, #{}, #{hello => Name}).
%% '''
%% ```
%% def hello(event, _context) do
%%   name = :beamport_http.query("name", event, "world")
%%   :beamport_http.response(200, %{}, %{hello: name})
%% end
%% '''
-module(beamport_http).

-export([response/1, response/2, response/3, response/4, redirect/1, cookie/3, cookie/4]).
-export([method/1, path/1, header/2, header/3, query/2, query/3, body/1]).
-export_type([response/0, headers/0, body/0]).

-type headers() :: #{atom() | binary() => iodata() | integer()} | [{atom() | binary(), iodata() | integer()}].
%% Names in any case. `set-cookie' may be there several times in a list: see {@link
%% cookie/3}.

-type body() :: binary() | iodata() | map() | list() | nil | undefined.
%% A map is sent as JSON. So is a list, unless `headers()' has a content type that is none
%% of JSON's, when it is an iolist. A binary is sent as it is, in base64 where it is not
%% UTF-8. `nil' and `undefined' are an empty body.

-type response() :: {http, beamport_stream:prelude(), {json, map() | list()} | binary()}.
%% A result for a handler to return.

%% @doc A response with status 200.
-spec response(body()) -> response().
response(Body) -> response(200, #{}, Body).

%% @doc A response without headers of its own: the content type is `application/json' for
%% maps and lists, `text/plain; charset=utf-8' for text, and `application/octet-stream' for
%% other binaries.
-spec response(Status :: 100..999, body()) -> response().
response(Status, Body) -> response(Status, #{}, Body).

%% @doc A response. It fails with `{bad_response, Why}', where `Why' is a sentence, when the
%% status is none, a header's name is not a token (RFC 9110), its value is not text or has
%% a control character in it, or the body is none.
%%
%% Cookies are written as HTTP APIs with the payload format 2.0 and function URLs take them,
%% and nobody else does: REST APIs refuse such a response. {@link response/4} knows the other
%% forms.
-spec response(Status :: 100..999, headers(), body()) -> response().
response(Status, Headers, Body) -> response(Status, Headers, Body, #{}).

%% @doc The same for whoever has sent the event: cookies are written as that one takes them.
%% <ul>
%% <li>HTTP APIs with the payload format 2.0 and function URLs: `cookies'</li>
%% <li>REST APIs, and HTTP APIs with the payload format 1.0: `multiValueHeaders'</li>
%% <li>load balancers with multi-value headers: `multiValueHeaders', with all other headers</li>
%% <li>other load balancers: among the `headers', where there is room for one cookie; more of
%% them are a `{bad_response, Why}'</li>
%% </ul>
-spec response(Status :: 100..999, headers(), body(), Event :: map()) -> response().
response(Status, Headers, Body, Event) ->
    try make(Status, Headers, Body, format(Event))
    catch
        throw:{?MODULE, Message} -> error({bad_response, iolist_to_binary(["the response " | Message])})
    end.

make(Status, Headers, Body, Format) ->
    {Cookies, Others} = lists:partition(fun({Name, _}) -> is_cookie(Name) end, pairs(Headers)),
    Type = content_type(Others),
    {Default, Content} = content(Type, Body),
    Typed = case {Type, Default} of
                {none, none} -> Others;
                {none, _} -> [{<<"content-type">>, Default} | Others];
                _ -> Others
            end,
    Metadata = [{status, Status}, {headers, Typed}, {cookies, [Cookie || {_, Cookie} <- Cookies]}],
    case beamport_stream:prelude(Metadata) of
        {ok, Prelude} -> {http, cookies(Format, without_type(Default, Type, Prelude)), Content};
        {error, Message} -> bad(Message)
    end.

-spec bad(iodata()) -> no_return().
bad(Message) -> throw({?MODULE, Message}).

%% The format of the responses that the sender of an event takes.
format(#{<<"requestContext">> := #{<<"elb">> := _}, <<"multiValueHeaders">> := _}) -> all_multiple;
format(#{<<"requestContext">> := #{<<"elb">> := _}}) -> single;
format(#{<<"version">> := <<"2.0">>}) -> cookies;
format(#{<<"httpMethod">> := _}) -> multiple;
format(_) -> cookies.

cookies(all_multiple, #{<<"headers">> := Headers} = Prelude) ->
    Multiple = maps:map(fun(_, Value) -> [Value] end, Headers),
    (maps:without([<<"headers">>, <<"cookies">>], Prelude))#{<<"multiValueHeaders">> => multiple(Prelude, Multiple)};
cookies(multiple, #{<<"cookies">> := _} = Prelude) ->
    (maps:remove(<<"cookies">>, Prelude))#{<<"multiValueHeaders">> => multiple(Prelude, #{})};
cookies(single, #{<<"cookies">> := [Cookie], <<"headers">> := Headers} = Prelude) ->
    (maps:remove(<<"cookies">>, Prelude))#{<<"headers">> := Headers#{<<"set-cookie">> => Cookie}};
cookies(single, #{<<"cookies">> := _}) ->
    bad("has several cookies, and the load balancer takes one, without multi-value headers");
cookies(_, Prelude) ->
    Prelude.

multiple(#{<<"cookies">> := Cookies}, Headers) -> Headers#{<<"set-cookie">> => Cookies};
multiple(_, Headers) -> Headers.

%% A response without a body has no type but the one that it is given.
without_type(none, none, #{<<"headers">> := Headers} = Prelude) ->
    Prelude#{<<"headers">> := maps:remove(<<"content-type">>, Headers)};
without_type(_, _, Prelude) ->
    Prelude.

pairs(Headers) when is_map(Headers) -> maps:to_list(Headers);
pairs(Headers) ->
    is_list(Headers) andalso lists:all(fun(Pair) -> is_tuple(Pair) andalso tuple_size(Pair) =:= 2 end, Headers)
        orelse bad("has headers that are neither a map nor a property list"),
    Headers.

is_cookie(Name) -> name(Name) =:= <<"set-cookie">>.

name(Name) when is_atom(Name) -> beamport_text:lowercase(atom_to_binary(Name));
name(Name) when is_binary(Name) -> beamport_text:lowercase(Name);
name(_) -> bad("has a header whose name is neither an atom nor a binary").

content_type(Headers) ->
    case [Value || {Name, Value} <- Headers, name(Name) =:= <<"content-type">>] of
        [Value | _] -> text(Value);
        [] -> none
    end.

%% What is none is found when the headers are looked at.
text(Value) ->
    try unicode:characters_to_binary(Value) of
        Text when is_binary(Text) -> Text;
        _ -> <<>>
    catch
        error:badarg -> <<>>
    end.

content(_, Empty) when Empty =:= nil; Empty =:= undefined; Empty =:= <<>> ->
    {none, <<>>};
content(_, Body) when is_binary(Body) ->
    case is_text(Body) of
        true -> {<<"text/plain; charset=utf-8">>, Body};
        false -> {<<"application/octet-stream">>, Body}
    end;
content(none, Body) when is_map(Body); is_list(Body) ->
    {<<"application/json">>, {json, Body}};
content(Type, Body) when is_list(Body) ->
    case beamport_result:is_json(Type) of
        true -> {Type, {json, Body}};
        false -> {Type, bytes(Body)}
    end;
content(Type, Body) when is_map(Body) ->
    {Type, {json, Body}};
content(_, _) ->
    bad("has a body that is neither a map, a list nor a binary").

bytes(Body) ->
    try iolist_to_binary(Body)
    catch
        error:badarg -> bad("has a list for a body that is no iolist, and no content type of JSON's")
    end.

is_text(Body) -> unicode:characters_to_binary(Body) =:= Body.

%% @doc A response that sends the caller elsewhere, with status 302.
-spec redirect(Location :: iodata()) -> response().
redirect(Location) -> response(302, #{<<"location">> => Location}, nil).

%% @doc A header that sets a cookie for the whole site, out of reach of scripts and sent
%% over TLS only. Names and values are those of RFC 6265; others are a `badarg'.
-spec cookie(Name :: iodata(), Value :: iodata(), MaxAge :: non_neg_integer() | session) -> {binary(), binary()}.
cookie(Name, Value, MaxAge) -> cookie(Name, Value, MaxAge, <<"Path=/; HttpOnly; Secure; SameSite=Lax">>).

%% @doc The same with other attributes.
-spec cookie(Name :: iodata(), Value :: iodata(), MaxAge :: non_neg_integer() | session, Attributes :: iodata()) ->
          {binary(), binary()}.
cookie(Name, Value, MaxAge, Attributes) ->
    Age = case MaxAge of
              session -> [];
              Seconds when is_integer(Seconds), Seconds >= 0 -> ["; Max-Age=", integer_to_list(Seconds)]
          end,
    {<<"set-cookie">>, iolist_to_binary([octets(Name), $=, octets(Value), Age, "; ", Attributes])}.

octets(Text) ->
    Bytes = iolist_to_binary(Text),
    case [C || <<C>> <= Bytes, C =< 32 orelse C >= 127 orelse lists:member(C, "\",;\\")] of
        [] -> Bytes;
        _ -> error(badarg, [Text])
    end.

%% @doc The request's method, such as `<<"GET">>'.
-spec method(Event :: map()) -> binary().
method(#{<<"requestContext">> := #{<<"http">> := #{<<"method">> := Method}}}) -> Method;
method(#{<<"httpMethod">> := Method}) -> Method.

%% @doc The request's path as it was sent, without the query.
-spec path(Event :: map()) -> binary().
path(#{<<"rawPath">> := Path}) -> Path;
path(#{<<"path">> := Path}) -> Path.

%% @doc A header of the request, `nil' if there is none. The name is compared without
%% regard to case.
-spec header(Name :: binary(), Event :: map()) -> binary() | nil.
header(Name, Event) -> header(Name, Event, nil).

%% @doc A header of the request, or a default.
-spec header(Name :: binary(), Event :: map(), Default) -> binary() | Default.
header(Name, #{<<"headers">> := Headers} = Event, Default) when is_map(Headers) ->
    Lower = beamport_text:lowercase(Name),
    case Headers of
        #{Lower := Value} -> Value;
        _ -> other_case(Lower, maps:to_list(Headers), Event, Default)
    end;
header(Name, Event, Default) ->
    other_case(beamport_text:lowercase(Name), [], Event, Default).

other_case(Lower, Headers, Event, Default) ->
    case [Value || {Name, Value} <- Headers, beamport_text:lowercase(Name) =:= Lower] of
        [Value | _] -> Value;
        [] -> several(Lower, maps:get(<<"multiValueHeaders">>, Event, nil), Default)
    end.

several(Lower, Headers, Default) when is_map(Headers) ->
    case [Values || {Name, [_ | _] = Values} <- maps:to_list(Headers), beamport_text:lowercase(Name) =:= Lower] of
        [Values | _] -> iolist_to_binary(lists:join(<<",">>, Values));
        [] -> Default
    end;
several(_, _, Default) ->
    Default.

%% @doc A parameter of the request's query, decoded; `nil' if there is none.
-spec query(Name :: binary(), Event :: map()) -> binary() | nil.
query(Name, Event) -> query(Name, Event, nil).

%% @doc A parameter of the request's query, or a default.
-spec query(Name :: binary(), Event :: map(), Default) -> binary() | Default.
query(Name, #{<<"queryStringParameters">> := #{} = Parameters}, Default) -> maps:get(Name, Parameters, Default);
query(Name, #{<<"multiValueQueryStringParameters">> := #{} = Parameters}, Default) ->
    case Parameters of
        #{Name := [_ | _] = Values} -> lists:last(Values);
        _ -> Default
    end;
query(_, _, Default) -> Default.

%% @doc The request's body, out of base64 where it came so; empty if there is none.
-spec body(Event :: map()) -> binary().
body(#{<<"body">> := Body, <<"isBase64Encoded">> := true}) when is_binary(Body) -> base64:decode(Body);
body(#{<<"body">> := Body}) when is_binary(Body) -> Body;
body(_) -> <<>>.
