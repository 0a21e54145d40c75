%% @doc A Lambda function that answers each kind of event in its own way.
%%
%% An event is the JSON that Lambda sends: its objects are maps whose keys are
%% binaries. What a clause returns becomes the answer's JSON, so atoms are
%% welcome as keys there.
-module(hello_erlang).

-export([handle/2, greet/1]).

-include_lib("kernel/include/logger.hrl").

%% @doc The handler `hello_erlang:handle'.
-spec handle(Event :: map(), Context :: map()) -> {ok, map()}.
%% API Gateway's HTTP APIs and function URLs (payload version 2.0).
handle(#{<<"version">> := <<"2.0">>, <<"requestContext">> := #{<<"http">> := Http}} = Event,
       #{remaining_ms := Left}) ->
    #{<<"method">> := Method, <<"path">> := Path} = Http,
    ?LOG_NOTICE("~ts ~ts, ~b ms left", [Method, Path, Left]),
    {ok, #{statusCode => 200,
           headers => #{<<"content-type">> => <<"text/plain; charset=utf-8">>},
           body => hello(maps:get(<<"pathParameters">>, Event, #{}))}};
%% SQS, with ReportBatchItemFailures: only what failed comes again.
handle(#{<<"Records">> := [#{<<"eventSource">> := <<"aws:sqs">>} | _] = Records}, _Context) ->
    ?LOG_NOTICE("~b messages", [length(Records)]),
    {ok, #{batchItemFailures => [#{itemIdentifier => Id}
                                 || #{<<"messageId">> := Id, <<"body">> := <<>>} <- Records]}};
%% S3 notifications. Keys are URL-encoded in them.
handle(#{<<"Records">> := [#{<<"eventSource">> := <<"aws:s3">>} | _] = Records}, _Context) ->
    {ok, #{objects => [object(Record) || Record <- Records]}};
%% EventBridge.
handle(#{<<"detail-type">> := Type, <<"source">> := Source, <<"detail">> := Detail}, _Context) ->
    ?LOG_NOTICE("~ts: ~ts", [Source, Type]),
    {ok, #{source => Source, type => Type, state => maps:get(<<"state">>, Detail, nil)}};
%% Anything else, such as {} or {"name": "Joe"}.
handle(#{} = Event, _Context) ->
    io:format("An event of ~b keys; what is printed is logged too.~n", [map_size(Event)]),
    {ok, #{greeting => hello(Event)}}.

%% @doc The handler `hello_erlang:greet', which needs no context and answers with
%% plain text.
-spec greet(Event :: map()) -> {ok, binary()}.
greet(Event) when is_map(Event) ->
    {ok, hello(Event)}.

hello(#{<<"name">> := Name}) -> <<"Hello, ", Name/binary, "!">>;
hello(#{}) -> <<"Hello, world!">>.

object(#{<<"eventName">> := Event,
         <<"s3">> := #{<<"bucket">> := #{<<"name">> := Bucket},
                       <<"object">> := #{<<"key">> := Encoded, <<"size">> := Size}}}) ->
    Key = uri_string:percent_decode(binary:replace(Encoded, <<"+">>, <<" ">>, [global])),
    ?LOG_NOTICE("~ts s3://~ts/~ts", [Event, Bucket, Key]),
    #{event => Event, bucket => Bucket, key => Key, bytes => Size}.
