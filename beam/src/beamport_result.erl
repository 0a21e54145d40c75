%% @doc What a handler may return, and what becomes of it.
%%
%% <table>
%% <tr><td>`{ok, Map | List}'</td><td>JSON</td></tr>
%% <tr><td>`{ok, Binary}'</td><td>the bytes, as `text/plain'</td></tr>
%% <tr><td>`{ok, Number | Atom}'</td><td>JSON: `true', `false' and `nil' are themselves
%% (`null' and `undefined' are `nil'), another atom is a string</td></tr>
%% <tr><td>`{ok, ContentType, Body}'</td><td>`ContentType' is a binary or a string. A binary
%% is sent as it is. With a content type of JSON (`application/json', `…/…+json'), everything
%% else is sent as JSON, lists too; with another one, an iolist as its bytes, and a number
%% as its digits.</td></tr>
%% <tr><td>`{error, Message}'</td><td>a failure of type `RuntimeException'; an atom is its own
%% type, an exception of Elixir has its own type and message</td></tr>
%% <tr><td>`{error, Map}'</td><td>a failure whose type is under `errorType' or `type', and its
%% message under `errorMessage' or `message'; the keys are atoms or binaries</td></tr>
%% <tr><td>`{stream, Source}', `{stream, Metadata, Source}'</td><td>see {@link
%% beamport_stream}</td></tr>
%% <tr><td>what {@link beamport_http:response/4} makes</td><td>an HTTP response</td></tr>
%% <tr><td>a map, a list, a binary</td><td>as `{ok, It}'</td></tr>
%% </table>
%%
%% Anything else is a failure of type `Function.BadResult' that shows it. Structs of
%% Elixir become what {@link beamport_plain} says. Whether all of a term has a form in
%% JSON is told by the other side, which names the place that has none.
-module(beamport_result).

-export([answer/2, is_json/1]).

%% @doc The answer that a result stands for: `{reply, {json, Term}}', `{reply, {json,
%% ContentType, Term}}', `{reply, {body, ContentType, Body}}', `{reply, {http, Prelude,
%% Body}}' with `{json, Term}' or a binary for body, a stream that begins with a {@link
%% beamport_stream:head()}, or a failure.
-spec answer(Result :: term(), beamport_error:language()) -> beamport_callback:answer().
answer({ok, Body}, Language) -> ok(Body, Language);
answer({ok, ContentType, Body}, Language) -> ok(ContentType, Body, Language);
answer({error, Reason}, Language) -> failure(Reason, Language);
answer({stream, Source}, Language) -> stream(#{}, Source, Language);
answer({stream, Metadata, Source}, Language) -> stream(Metadata, Source, Language);
answer({http, #{<<"statusCode">> := _} = Prelude, Body}, Language) -> http(Prelude, Body, Language);
answer(Bare, Language) when is_map(Bare); is_list(Bare); is_binary(Bare) -> ok(Bare, Language);
answer(Other, Language) ->
    bad(["the handler returned ", show(Other, Language), ", which is none of ",
         [[form(Form, Language), ", "] || Form <- [ok, ok_type, error, stream]], "a map, a list or a binary"]).

form(ok, erlang) -> "{ok, Body}";
form(ok, elixir) -> "{:ok, body}";
form(ok_type, erlang) -> "{ok, ContentType, Body}";
form(ok_type, elixir) -> "{:ok, content_type, body}";
form(error, erlang) -> "{error, Reason}";
form(error, elixir) -> "{:error, reason}";
form(stream, erlang) -> "{stream, Source}";
form(stream, elixir) -> "{:stream, source}".

ok(Binary, _) when is_binary(Binary) ->
    {reply, {body, <<"text/plain">>, Binary}};
ok(Term, _) when is_map(Term); is_list(Term) ->
    json(Term, fun(Plain) -> {json, Plain} end);
ok(Term, _) when is_number(Term); is_atom(Term) ->
    {reply, {json, Term}};
ok(Other, Language) ->
    bad(["the handler returned ", form(ok, Language), " whose body is ", show(Other, Language),
         ", which is neither a map, a list, a binary, a number nor an atom"]).

ok(ContentType, Body, Language) ->
    case content_type(ContentType) of
        {ok, Type} when is_binary(Body) ->
            {reply, {body, Type, Body}};
        {ok, Type} ->
            case is_json(Type) of
                true -> json(Body, fun(Plain) when Type =:= <<"application/json">> -> {json, Plain};
                                      (Plain) -> {json, Type, Plain}
                                   end);
                false -> bytes(Type, Body, Language)
            end;
        error ->
            bad(["the handler returned ", form(ok_type, Language), " whose content type is ",
                 show(ContentType, Language), ", which is none"])
    end.

bytes(Type, Number, _) when is_integer(Number) ->
    {reply, {body, Type, integer_to_binary(Number)}};
bytes(Type, Number, _) when is_float(Number) ->
    {reply, {body, Type, float_to_binary(Number, [short])}};
bytes(Type, Body, Language) ->
    try {reply, {body, Type, iolist_to_binary(Body)}}
    catch
        error:badarg ->
            bad(["the handler returned ", form(ok_type, Language), " with the content type ", Type,
                 ", whose body is ", show(Body, Language), ", which is neither a binary nor an iolist"])
    end.

json(Term, Reply) ->
    case beamport_plain:term(Term) of
        {ok, Plain} -> {reply, Reply(Plain)};
        {error, Message} -> bad(["the handler's result ", Message])
    end.

%% Header fields hold no control characters.
content_type(Type) when is_binary(Type), Type =/= <<>> ->
    case << <<C>> || <<C>> <= Type, C >= 32, C =/= 127 >> of
        Type -> {ok, Type};
        _ -> error
    end;
content_type([_ | _] = Type) ->
    try content_type(list_to_binary(Type))
    catch
        error:badarg -> error
    end;
content_type(_) ->
    error.

%% @doc Whether a content type stands for JSON.
-spec is_json(binary()) -> boolean().
is_json(Type) ->
    [Media | _] = binary:split(Type, <<";">>),
    Name = beamport_text:lowercase(<< <<C>> || <<C>> <= Media, C > $\s >>),
    Name =:= <<"application/json">> orelse Name =:= <<"text/json">> orelse suffix(Name, <<"+json">>).

suffix(Name, Suffix) ->
    Size = byte_size(Name) - byte_size(Suffix),
    case Name of
        <<_:Size/binary, Suffix/binary>> when Size >= 0 -> true;
        _ -> false
    end.

stream(Metadata, Source, Language) ->
    case beamport_stream:answer(Metadata, Source, Language) of
        {ok, Answer} -> Answer;
        {error, Message} -> bad(["the handler's stream ", Message, ": ", show(Source, Language)])
    end.

http(Prelude, {json, Term}, _) ->
    json(Term, fun(Plain) -> {http, Prelude, {json, Plain}} end);
http(Prelude, Body, _) when is_binary(Body) ->
    {reply, {http, Prelude, Body}};
http(_, Other, Language) ->
    bad(["the handler returned an HTTP response whose body is ", show(Other, Language),
         ", which beamport_http does not make"]).

bad(Message) ->
    {error, error, beamport_error:returned(<<"Function.BadResult">>, Message), []}.

show(Term, elixir) -> beamport_elixir:inspect(Term);
show(Term, erlang) -> beamport_text:show(Term).

failure(#{'__exception__' := true} = Exception, Language) ->
    {_, Reason, _} = beamport_error:format(error, Exception, [], Language),
    {error, returned, Reason, []};
failure(#{} = Map, Language) ->
    Type = first([errorType, type], Map),
    Message = first([errorMessage, message], Map),
    returned(text(Type, <<"RuntimeException">>), text(Message, fun() -> show(Map, Language) end));
failure(Message, _) when is_binary(Message) ->
    returned(<<"RuntimeException">>, Message);
failure(Atom, _) when is_atom(Atom) ->
    returned(atom_to_binary(Atom), atom_to_binary(Atom));
failure(Reason, Language) ->
    case io_lib:printable_unicode_list(Reason) of
        true -> returned(<<"RuntimeException">>, Reason);
        false -> returned(<<"RuntimeException">>, show(Reason, Language))
    end.

returned(Type, Message) ->
    {error, returned, beamport_error:returned(Type, Message), []}.

first([], _) -> none;
first([Key | Keys], Map) ->
    Name = atom_to_binary(Key),
    case Map of
        #{Key := Value} -> {value, Value};
        #{Name := Value} -> {value, Value};
        _ -> first(Keys, Map)
    end.

text({value, Value}, _) when is_binary(Value) -> Value;
text({value, Value}, _) when is_atom(Value), Value =/= nil -> beamport_elixir:name(Value);
text({value, [_ | _] = Value}, _) -> beamport_text:utf8(Value);
text({value, Value}, _) when Value =/= nil -> beamport_text:show(Value);
text(_, Default) when is_function(Default) -> Default();
text(_, Default) -> Default.
