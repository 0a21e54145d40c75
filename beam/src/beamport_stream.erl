%% @doc Results that come in parts.
%%
%% A source is one of
%% <ul>
%% <li>a binary or an iolist,</li>
%% <li>a function of one argument, which is called with a function `Send': each
%% `Send(IoData)' is a part, in order, and returns `ok' when the part is on its way;
%% who receives the response slowly slows this down,</li>
%% <li>anything that Elixir's `Enum' can run through, whose elements are iodata. It is
%% run through once, no faster than the response is received.</li>
%% </ul>
%%
%% Metadata is a map or a property list. `content_type' is the content type,
%% `application/octet-stream' unless given. With one of `status' (or `statusCode'),
%% `headers' (a map or property list) and `cookies' (a list), the source is the body of
%% an HTTP response. Keys are atoms or binaries.
%%
%% What fails when parts have been sent ends the response with an error behind them.
-module(beamport_stream).

-export([answer/3, prelude/1, http/3]).
-export_type([head/0, prelude/0]).

-type head() :: {body, ContentType :: binary()} | {http, prelude()}.
%% What the streamed answer to an invocation begins with.

-type prelude() :: #{binary() => integer() | #{binary() => binary() | [binary()]} | [binary()]}.
%% `statusCode', `headers' and, where there are some, `cookies'; or `multiValueHeaders'
%% besides or instead.

%% @doc The answer that a source stands for. An error is the rest of a sentence. What
%% the source's own code raises is described as code of that language.
-spec answer(Metadata :: term(), Source :: term(), beamport_error:language()) ->
          {ok, beamport_callback:answer()} | {error, Message :: iodata()}.
answer(Metadata, Source, Language) ->
    try {head(metadata(Metadata)), pump(Source)} of
        {Head, Pump} -> {ok, {stream, Head, fun(Emit) -> run(Pump, Emit, Language) end}}
    catch
        throw:{?MODULE, Message} -> {error, Message}
    end.

run(Pump, Emit, Language) ->
    try
        Pump(fun(Part) -> send(Part, Emit) end),
        ok
    catch
        throw:{?MODULE, Message} ->
            Text = ["the handler's stream " | Message],
            {error, error, beamport_error:returned(<<"Function.BadResult">>, Text), []};
        Class:Reason:Stack ->
            {Class, Map, Lines} = beamport_error:format(Class, Reason, Stack, Language),
            {error, Class, Map, Lines}
    end.

send(Part, Emit) ->
    try iolist_size(Part) of
        _ -> Emit(Part)
    catch
        error:badarg -> fail("has a part that is not iodata")
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

%% What runs through a source, given a function that sends a part.
pump(Source) when is_binary(Source) ->
    fun(Send) -> Send(Source) end;
pump(Source) when is_function(Source, 1) ->
    Source;
pump(Source) when is_list(Source) ->
    try iolist_size(Source) of
        _ -> fun(Send) -> Send(Source) end
    catch
        error:badarg -> enumerable(Source)
    end;
pump(Source) ->
    enumerable(Source).

enumerable(Source) ->
    beamport_elixir:available() orelse fail("is not one that can be run through without Elixir"),
    case beamport_elixir:call('Elixir.Enumerable', impl_for, [Source]) of
        nil -> fail("is nothing that can be run through");
        _ -> fun(Send) -> beamport_elixir:call('Elixir.Enum', each, [Source, Send]) end
    end.

head(Metadata) ->
    case {status(Metadata), Metadata} of
        {none, #{<<"headers">> := _}} -> {http, prelude(200, Metadata)};
        {none, #{<<"cookies">> := _}} -> {http, prelude(200, Metadata)};
        {none, _} -> {body, content_type(Metadata)};
        {Code, _} -> {http, prelude(Code, Metadata)}
    end.

status(Metadata) ->
    case first([<<"status">>, <<"statusCode">>, <<"status_code">>], Metadata) of
        none -> none;
        Code when is_integer(Code), Code >= 100, Code =< 999 -> Code;
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

%% @doc The prelude that metadata stands for. An error is the rest of a sentence.
-spec prelude(Metadata :: term()) -> {ok, prelude()} | {error, Message :: iodata()}.
prelude(Metadata) ->
    try
        Map = metadata(Metadata),
        Code = case status(Map) of
                   none -> 200;
                   Given -> Given
               end,
        {ok, prelude(Code, Map)}
    catch
        throw:{?MODULE, Message} -> {error, Message}
    end.

prelude(Code, Metadata) ->
    Given = headers(maps:get(<<"headers">>, Metadata, #{})),
    Headers = case has_content_type(Given) of
                  true -> Given;
                  false -> Given#{<<"content-type">> => content_type(Metadata)}
              end,
    http(Code, Headers, case Metadata of
                            #{<<"cookies">> := List} when is_list(List) ->
                                [text(Cookie, "has a cookie that is not text") || Cookie <- List];
                            #{<<"cookies">> := _} -> fail("has cookies that are not a list");
                            _ -> []
                        end).

has_content_type(Headers) ->
    lists:any(fun(Name) -> string:lowercase(Name) =:= <<"content-type">> end, maps:keys(Headers)).

%% @doc A prelude of parts that are known to be good.
-spec http(Code :: integer(), Headers :: #{binary() => binary()}, Cookies :: [binary()]) -> prelude().
http(Code, Headers, []) ->
    #{<<"statusCode">> => Code, <<"headers">> => Headers};
http(Code, Headers, Cookies) ->
    (http(Code, Headers, []))#{<<"cookies">> => Cookies}.

headers(Headers) when is_map(Headers); is_list(Headers) ->
    maps:map(fun(Name, Value) ->
                     is_token(Name) orelse fail("has a header whose name is not a token"),
                     text(Value, "has a header that is not text")
             end, metadata(Headers));
headers(_) ->
    fail("has headers that are neither a map nor a property list").

%% What a name of HTTP's is made of.
is_token(<<>>) -> false;
is_token(Name) -> [] =:= [C || <<C>> <= Name, not is_token_char(C)].

is_token_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_token_char(C) -> lists:member(C, "!#$%&'*+-.^_`|~").

%% What may stand in a head: text without control characters.
text(Number, _) when is_integer(Number) -> integer_to_binary(Number);
text(Text, Message) ->
    case (is_binary(Text) orelse is_list(Text)) andalso unicode:characters_to_binary(Text) of
        Binary when is_binary(Binary) ->
            _ = << <<(plain(C, Message))>> || <<C>> <= Binary >>,
            Binary;
        _ ->
            fail(Message)
    end.

plain(C, _) when C >= 32, C =/= 127 -> C;
plain($\t, _) -> $\t;
plain(_, Message) -> fail(Message).
