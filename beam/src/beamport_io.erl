%% @doc Erlang's I/O protocol, for a device that can be written to and has nothing to
%% be read.
-module(beamport_io).

-export([request/1, lines/2]).

%% What is longer goes on in the next line.
-define(MAX_LINE, 262144).
%% How long a function that makes the text may take. io_lib's are trusted.
-define(MAKE_MS, 5000).

%% @doc What to answer to an I/O request, and the text that it prints.
-spec request(Request :: term()) -> {Reply :: term(), Text :: binary()}.
request({put_chars, Encoding, Chars}) -> put_chars(Encoding, Chars);
request({put_chars, Encoding, M, F, A}) -> put_chars(Encoding, M, F, A);
request({put_chars, Chars}) -> put_chars(latin1, Chars);
request({put_chars, M, F, A}) -> put_chars(latin1, M, F, A);
request({requests, Requests}) when is_list(Requests) -> requests(Requests, ok, <<>>);
request({setopts, Options}) when is_list(Options) -> {setopts(Options), <<>>};
request(getopts) -> {[{binary, true}, {encoding, unicode}], <<>>};
request({get_geometry, _}) -> {{error, enotsup}, <<>>};
request({get_chars, _, _}) -> {eof, <<>>};
request({get_chars, _, _, _}) -> {eof, <<>>};
request({get_line, _}) -> {eof, <<>>};
request({get_line, _, _}) -> {eof, <<>>};
request({get_until, _, _, _, _}) -> {eof, <<>>};
request({get_until, _, _, _, _, _}) -> {eof, <<>>};
request({get_password, _}) -> {eof, <<>>};
request({get_password, _, _}) -> {eof, <<>>};
request(_) -> {{error, request}, <<>>}.

put_chars(Encoding, Chars) ->
    try unicode:characters_to_binary(Chars, Encoding, unicode) of
        Text when is_binary(Text) -> {ok, Text};
        _ -> {{error, {no_translation, Encoding, unicode}}, <<>>}
    catch
        error:badarg -> {{error, put_chars}, <<>>}
    end.

put_chars(Encoding, io_lib, F, A) ->
    try apply(io_lib, F, A) of
        Chars -> put_chars(Encoding, Chars)
    catch
        _:_ -> {{error, F}, <<>>}
    end;
put_chars(Encoding, M, F, A) ->
    case beamport_bounded:run(fun() -> apply(M, F, A) end, ?MAKE_MS) of
        {ok, Chars} -> put_chars(Encoding, Chars);
        error -> {{error, F}, <<>>}
    end.

%% As many as go well; the first that does not is the answer.
requests([Request | Requests], ok, Before) ->
    {Reply, Text} = request(Request),
    requests(Requests, Reply, <<Before/binary, Text/binary>>);
requests([Request | Requests], Reply, Before) when not is_tuple(Reply); element(1, Reply) =/= error ->
    requests([Request | Requests], ok, Before);
requests(_, Reply, Text) ->
    {Reply, Text}.

%% Text is always sent as UTF-8, whatever it came as.
setopts(Options) ->
    Known = fun(binary) -> true;
               (list) -> true;
               ({binary, _}) -> true;
               ({encoding, _}) -> true;
               ({echo, _}) -> true;
               (_) -> false
            end,
    case lists:all(Known, Options) of
        true -> ok;
        false -> {error, enotsup}
    end.

%% @doc The lines that are complete when `Text' comes after `Rest', which was left
%% from before, and what is left now. A line of more than 256 KiB comes in parts.
-spec lines(Rest :: binary(), Text :: binary()) -> {[binary()], Rest :: binary()}.
lines(Rest, <<>>) ->
    {[], Rest};
lines(Rest, Text) ->
    split(binary:split(<<Rest/binary, Text/binary>>, <<"\n">>, [global])).

split([Rest]) ->
    parts(Rest);
split([Line | More]) ->
    {Parts, Last} = parts(Line),
    {Lines, Rest} = split(More),
    {Parts ++ [Last | Lines], Rest}.

parts(Line) when byte_size(Line) =< ?MAX_LINE ->
    {[], Line};
parts(Line) ->
    Size = boundary(Line, ?MAX_LINE),
    <<Part:Size/binary, More/binary>> = Line,
    {Parts, Last} = parts(More),
    {[Part | Parts], Last}.

%% Where the character begins that the byte at Size is a part of.
boundary(Line, Size) ->
    case Line of
        <<_:Size/binary, 2#10:2, _:6, _/binary>> -> boundary(Line, Size - 1);
        _ -> Size
    end.
