%% @doc Frames out of bytes, however those are cut.
-module(beamport_framer_tests).

-include_lib("eunit/include/eunit.hrl").

-define(MAX, 1000).

framed(Frames) -> << <<(byte_size(Frame)):32, Frame/binary>> || Frame <- Frames >>.

all(Parts) -> all(Parts, beamport_framer:new(?MAX), []).

all([], Framer, Frames) -> {Framer, Frames};
all([Part | More], Framer, Frames) ->
    case beamport_framer:bytes(Part, Framer) of
        {Whole, {too_long, Size}} -> {{too_long, Size}, Frames ++ Whole};
        {Whole, Next} -> all(More, Next, Frames ++ Whole)
    end.

cut(Bytes, Size) when byte_size(Bytes) =< Size -> [Bytes];
cut(Bytes, Size) ->
    <<Part:Size/binary, Rest/binary>> = Bytes,
    [Part | cut(Rest, Size)].

pieces_test() ->
    Frames = [<<>>, <<"a">>, <<>>, binary:copy(<<"b">>, ?MAX), <<"cde">>, binary:copy(<<"f">>, 300)],
    Bytes = framed(Frames),
    New = beamport_framer:new(?MAX),
    _ = [?assertEqual({New, Frames}, all(cut(Bytes, Size))) || Size <- lists:seq(1, byte_size(Bytes))],
    ok.

%% The header alone says it, at any of its bytes; frames before it are whole.
too_long_test() ->
    _ = [?assertEqual({{too_long, Long}, [<<"a">>]}, all(cut(<<(framed([<<"a">>]))/binary, Long:32>>, Size))) ||
            Long <- [?MAX + 1, 16#7fffffff, 16#80000000, 16#ffffffff], Size <- lists:seq(1, 9)],
    ok.

%% A small frame does not keep what came with it.
own_test() ->
    {_, [Small, Large]} = all([framed([<<"small">>, binary:copy(<<"l">>, 900)])]),
    ?assert(binary:referenced_byte_size(Small) < 100), % OTP 27 counts the bits of a copy
    ?assert(binary:referenced_byte_size(Large) > 900).
