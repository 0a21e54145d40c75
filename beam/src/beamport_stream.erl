%% @doc Results that come in parts.
%%
%% A source is one of
%% <ul>
%% <li>a binary or an iolist,</li>
%% <li>a function of one argument, which is called with a function `Send': each
%% `Send(IoData)' is a part, in order, and returns `ok'; only the process that runs the
%% function may call it,</li>
%% <li>anything that Elixir's `Enum' can run through, whose elements are iodata.</li>
%% </ul>
%%
%% Metadata is a map or a property list. `content_type' is the content type,
%% `application/octet-stream' unless given. With one of `status' (or `statusCode'),
%% `headers' (a map or property list) and `cookies' (a list), the source is the body of
%% an HTTP response. Keys are atoms or binaries.
%%
%% The parts are collected, and sent as one body when the source has ended; an HTTP
%% response then has the form that function URLs and API Gateway take: an object of
%% `statusCode', `headers', `cookies', `body' and `isBase64Encoded'.
-module(beamport_stream).

-export([collect/2]).

%% What Lambda takes as a response that is not streamed.
-define(MAX_BYTES, 6291556).

-type reply() :: {body, ContentType :: binary(), Body :: binary()} | {json, map()}.

%% @doc Runs through a source, and makes a reply of it. An error is the rest of a
%% sentence. What the source's own code raises, this does.
-spec collect(Metadata :: term(), Source :: term()) -> {ok, reply()} | {error, Message :: iodata()}.
collect(Metadata, Source) ->
    try
        Map = metadata(Metadata),
        {ok, reply(Map, body(Source))}
    catch
        throw:{?MODULE, Message} -> {error, Message}
    end.

metadata(Metadata) when is_map(Metadata) -> pairs(maps:to_list(Metadata));
metadata(Metadata) when is_list(Metadata) -> pairs(Metadata);
metadata(_) -> fail("has metadata that is neither a map nor a property list").

pairs(Pairs) ->
    maps:from_list([pair(Pair) || Pair <- Pairs]).

pair({Key, Value}) when is_atom(Key) -> {atom_to_binary(Key), Value};
pair({Key, Value}) when is_binary(Key) -> {Key, Value};
pair(_) -> fail("has metadata with a key that is neither an atom nor a binary").

-spec fail(iodata()) -> no_return().
fail(Message) ->
    throw({?MODULE, Message}).

body(Source) when is_binary(Source) ->
    part(Source, {0, []}, fun binary_of/1);
body(Source) when is_function(Source, 1) ->
    function(Source);
body(Source) when is_list(Source) ->
    try iolist_size(Source) of
        _ -> part(Source, {0, []}, fun binary_of/1)
    catch
        error:badarg -> enumerable(Source)
    end;
body(Source) ->
    enumerable(Source).

binary_of({_, Parts}) ->
    iolist_to_binary(lists:reverse(Parts)).

part(Part, {Size, Parts}, Then) ->
    Bytes = try iolist_to_binary(Part)
            catch error:badarg -> fail("has a part that is not iodata")
            end,
    case Size + byte_size(Bytes) of
        Total when Total =< ?MAX_BYTES -> Then({Total, [Bytes | Parts]});
        _ -> fail(["is longer than ", integer_to_list(?MAX_BYTES), " bytes"])
    end.

%% The parts are kept in the process's dictionary: the function is called once, and
%% any of its frames may send.
function(Source) ->
    Key = {?MODULE, make_ref()},
    put(Key, {0, []}),
    Send = fun(Part) ->
                   _ = put(Key, part(Part, get(Key), fun(Parts) -> Parts end)),
                   ok
           end,
    _ = Source(Send),
    binary_of(erase(Key)).

enumerable(Source) ->
    beamport_elixir:available() orelse fail("is not one that can be run through without Elixir"),
    case beamport_elixir:call('Elixir.Enumerable', impl_for, [Source]) of
        nil -> fail("is nothing that can be run through");
        _ ->
            Add = fun(Part, Parts) -> part(Part, Parts, fun(More) -> More end) end,
            binary_of(beamport_elixir:call('Elixir.Enum', reduce, [Source, {0, []}, Add]))
    end.

reply(Metadata, Body) ->
    Status = first([<<"status">>, <<"statusCode">>, <<"status_code">>], Metadata),
    case {Status, Metadata} of
        {none, #{<<"headers">> := _}} -> http(200, Metadata, Body);
        {none, #{<<"cookies">> := _}} -> http(200, Metadata, Body);
        {none, _} -> {body, content_type(Metadata), Body};
        {Code, _} when is_integer(Code), Code >= 100, Code =< 999 -> http(Code, Metadata, Body);
        _ -> fail("has a status that is not a number of three digits")
    end.

first([], _) -> none;
first([Key | Keys], Map) ->
    case Map of
        #{Key := Value} -> Value;
        _ -> first(Keys, Map)
    end.

content_type(#{<<"content_type">> := Type}) ->
    text(Type, "has a content type that is not text");
content_type(_) ->
    <<"application/octet-stream">>.

http(Code, Metadata, Body) ->
    Given = headers(maps:get(<<"headers">>, Metadata, #{})),
    Headers = case [Name || Name <- maps:keys(Given), string:lowercase(Name) =:= <<"content-type">>] of
                  [] -> Given#{<<"content-type">> => content_type(Metadata)};
                  _ -> Given
              end,
    Cookies = case Metadata of
                  #{<<"cookies">> := List} when is_list(List) ->
                      #{<<"cookies">> => [text(Cookie, "has a cookie that is not text") || Cookie <- List]};
                  #{<<"cookies">> := _} -> fail("has cookies that are not a list");
                  _ -> #{}
              end,
    {json, maps:merge(Cookies, maps:merge(encoded(Body), #{<<"statusCode">> => Code,
                                                           <<"headers">> => Headers}))}.

headers(Headers) when is_map(Headers); is_list(Headers) ->
    maps:map(fun(_, Value) -> text(Value, "has a header that is not text") end, metadata(Headers));
headers(_) ->
    fail("has headers that are neither a map nor a property list").

text(Text, _) when is_binary(Text) -> Text;
text(Number, _) when is_integer(Number) -> integer_to_binary(Number);
text(Text, Message) ->
    case is_list(Text) andalso unicode:characters_to_binary(Text) of
        Binary when is_binary(Binary) -> Binary;
        _ -> fail(Message)
    end.

encoded(Body) ->
    case unicode:characters_to_binary(Body) of
        Body -> #{<<"body">> => Body, <<"isBase64Encoded">> => false};
        _ -> #{<<"body">> => base64:encode(Body), <<"isBase64Encoded">> => true}
    end.
