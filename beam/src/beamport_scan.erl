%% @doc Why the emulator does not decode some bytes.
%%
%% With `[safe]' the decoder refuses a term that names an atom or a function that does not
%% exist, and says no more of it than of bytes that are no term. Here the bytes are read
%% once, in constant space, and nothing is made of them.
-module(beamport_scan).

-export([refused/1, head/1]).
-export_type([why/0]).

-type why() :: {atom, Name :: binary()} | function | malformed.
%% The term names this atom, which does not exist; or it holds a function that may be the
%% reason; or the bytes are not exactly one term.

-define(TERM, 131).

%% @doc Why the decoder has refused these bytes.
-spec refused(binary()) -> why().
refused(<<?TERM, Bytes/binary>>) -> terms(Bytes, 1, malformed);
refused(_) -> malformed.

%% @doc What a frame of a call or a cast is, however it is encoded, if its request alone is
%% the reason why it was refused.
-spec head(binary()) -> {call | cast, Id :: integer()} | bad.
head(<<?TERM, 104, Arity, Bytes/binary>> = Frame) -> head(Arity, Bytes, Frame);
head(<<?TERM, 105, Arity:32, Bytes/binary>> = Frame) -> head(Arity, Bytes, Frame);
head(_) -> bad.

head(Arity, Bytes, Frame) ->
    maybe_head(Arity, atom(Bytes), refused(Frame)).

maybe_head(_, _, malformed) -> bad;
maybe_head(Arity, {<<"call">>, _, Rest}, _) when Arity =:= 3; Arity =:= 4 -> head(call, integer(Rest));
maybe_head(3, {<<"cast">>, _, Rest}, _) -> head(cast, integer(Rest));
maybe_head(_, _, _) -> bad.

head(_, none) -> bad;
head(Kind, Id) -> {Kind, Id}.

integer(<<97, N, _/binary>>) -> N;
integer(<<98, N:32/signed, _/binary>>) -> N;
integer(<<110, Size, 0, N:Size/little-unit:8, _/binary>>) -> N;
integer(<<111, Size:32, 0, N:Size/little-unit:8, _/binary>>) when Size =< 8 -> N;
integer(_) -> none.

%% So many terms follow, one in another or one behind the other. Each takes at least a
%% byte, so that a count that is a lie ends with the bytes.
terms(<<>>, 0, Why) -> Why;
terms(_, 0, _) -> malformed;
terms(<<97, _, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<98, _:32, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<70, _:64, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<99, _:31/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<110, Size, _, _:Size/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<111, Size:32, _, _:Size/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<109, Size:32, _:Size/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<77, Size:32, _, _:Size/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<107, Size:16, _:Size/binary, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<106, Rest/binary>>, N, Why) -> terms(Rest, N - 1, Why);
terms(<<108, Length:32, Rest/binary>>, N, Why) -> terms(Rest, N + Length, Why);
terms(<<104, Arity, Rest/binary>>, N, Why) -> terms(Rest, N - 1 + Arity, Why);
terms(<<105, Arity:32, Rest/binary>>, N, Why) -> terms(Rest, N - 1 + Arity, Why);
terms(<<116, Pairs:32, Rest/binary>>, N, Why) -> terms(Rest, N - 1 + 2 * Pairs, Why);
terms(<<113, Rest/binary>>, N, Why) -> terms(Rest, N + 2, found(function, Why));
terms(<<112, _Size:32, _Arity, _Uniq:128, _Index:32, Free:32, Rest/binary>>, N, Why) ->
    terms(Rest, N + 3 + Free, found(function, Why));
%% A node's name, and behind it numbers.
terms(<<103, Rest/binary>>, N, Why) -> after_atom(9, Rest, N, Why);
terms(<<88, Rest/binary>>, N, Why) -> after_atom(12, Rest, N, Why);
terms(<<102, Rest/binary>>, N, Why) -> after_atom(5, Rest, N, Why);
terms(<<89, Rest/binary>>, N, Why) -> after_atom(8, Rest, N, Why);
terms(<<120, Rest/binary>>, N, Why) -> after_atom(12, Rest, N, Why);
terms(<<101, Rest/binary>>, N, Why) -> after_atom(5, Rest, N, Why);
terms(<<114, Words:16, Rest/binary>>, N, Why) -> after_atom(1 + 4 * Words, Rest, N, Why);
terms(<<90, Words:16, Rest/binary>>, N, Why) -> after_atom(4 + 4 * Words, Rest, N, Why);
terms(Bytes, N, Why) -> after_atom(0, Bytes, N, Why).

after_atom(Size, Bytes, N, Why) ->
    case atom(Bytes) of
        {Name, Exists, <<_:Size/binary, Rest/binary>>} -> terms(Rest, N - 1, found(Exists, Name, Why));
        _ -> malformed
    end.

%% The first atom that does not exist is what is told.
found(true, _, Why) -> Why;
found(false, _, {atom, _} = First) -> First;
found(false, Name, _) -> {atom, Name}.

found(function, malformed) -> function;
found(function, Why) -> Why.

atom(<<119, Size, Name:Size/binary, Rest/binary>>) -> atom(Name, utf8, Rest);
atom(<<118, Size:16, Name:Size/binary, Rest/binary>>) -> atom(Name, utf8, Rest);
atom(<<115, Size, Name:Size/binary, Rest/binary>>) -> atom(Name, latin1, Rest);
atom(<<100, Size:16, Name:Size/binary, Rest/binary>>) -> atom(Name, latin1, Rest);
atom(_) -> none.

atom(Name, Encoding, Rest) ->
    case unicode:characters_to_list(Name, Encoding) of
        Chars when is_list(Chars), length(Chars) =< 255 ->
            {beamport_text:utf8(Chars), exists(Name, Encoding), Rest};
        _ ->
            none
    end.

exists(Name, Encoding) ->
    try is_atom(binary_to_existing_atom(Name, Encoding))
    catch
        error:badarg -> false
    end.
