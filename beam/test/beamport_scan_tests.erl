%% @doc Terms that the decoder refuses, and bytes that are none.
-module(beamport_scan_tests).

-include_lib("eunit/include/eunit.hrl").

-define(UNKNOWN, 119, 20, "never seen before :(").

terms() ->
    [1, -1, 256, 1 bsl 70, -(1 bsl 3000), 1.5, atom, 'ünï', '', <<>>, <<"bytes">>, <<5:3>>, [], "text", [1, 2], [1 | 2], {}, {1},
     list_to_tuple(lists:seq(1, 300)), #{}, #{a => #{b => c}}, self(), make_ref(), hd(erlang:ports()),
     fun lists:map/2, fun() -> terms() end, [lists:duplicate(70000, $x)]].

%% Each kind of term is read to its end: behind it there is an atom that does not exist.
known_test() ->
    _ = [begin
             <<131, Bytes/binary>> = term_to_binary(Term, [{minor_version, Version}]),
             ?assertEqual({Term, {atom, <<"never seen before :(">>}},
                          {Term, beamport_scan:refused(<<131, 104, 2, Bytes/binary, ?UNKNOWN>>)}),
             ?assertEqual({Term, malformed}, {Term, beamport_scan:refused(<<131, 104, 2, Bytes/binary, ?UNKNOWN, 106>>)}),
             ?assertEqual({Term, malformed}, {Term, beamport_scan:refused(<<131, 104, 3, Bytes/binary, ?UNKNOWN>>)})
         end || Term <- terms(), Version <- [0, 1, 2]],
    ok.

%% Old encodings, which no emulator writes any more.
old_test() ->
    Node = <<100, 4:16, "atom">>,
    _ = [?assertEqual({atom, <<"never seen before :(">>}, beamport_scan:refused(<<131, 104, 2, Bytes/binary, ?UNKNOWN>>)) ||
            Bytes <- [<<103, Node/binary, 0:72>>, <<102, Node/binary, 0:40>>, <<101, Node/binary, 0:40>>,
                      <<114, 2:16, Node/binary, 0:72>>, <<89, Node/binary, 0:64>>, <<120, Node/binary, 0:96>>]],
    ok.

atoms_test() ->
    Names = [<<119, 3, "n", 195, 188>>, <<118, 3:16, "n", 195, 188>>, <<115, 2, "n", 252>>, <<100, 2:16, "n", 252>>],
    _ = [?assertEqual({atom, <<"nü"/utf8>>}, beamport_scan:refused(<<131, Name/binary>>)) || Name <- Names],
    ?assertEqual({atom, binary:copy(<<"ü"/utf8>>, 255)},
                 beamport_scan:refused(<<131, 118, 510:16, (binary:copy(<<"ü"/utf8>>, 255))/binary>>)),
    _ = [?assertEqual(malformed, beamport_scan:refused(Bytes)) ||
            Bytes <- [<<131, 119, 2, "n", 252>>, <<131, 118, 256:16, (binary:copy(<<"x">>, 256))/binary>>]],
    %% The first one is told.
    ?assertEqual({atom, <<"never 1">>}, beamport_scan:refused(<<131, 104, 2, 119, 7, "never 1", 119, 7, "never 2">>)).

malformed_test() ->
    Whole = term_to_binary(lists:droplast(terms()), [{minor_version, 2}]),
    _ = [?assertEqual(malformed, beamport_scan:refused(binary:part(Whole, 0, Size))) || Size <- lists:seq(0, byte_size(Whole) - 1, 7)],
    _ = [?assertEqual(malformed, beamport_scan:refused(Bytes)) ||
            Bytes <- [<<>>, <<130, 106>>, <<131>>, <<131, 0>>, <<131, 80, 1:32, 0>>, <<131, 108, 16#ffffffff:32, 106>>,
                      <<131, 116, 16#ffffffff:32, 97, 1>>, <<131, 109, 16#ffffffff:32, 1>>]],
    ok.

%% Depth costs nothing.
deep_test() ->
    N = 1000000,
    ?assertEqual({atom, <<"never seen before :(">>},
                 beamport_scan:refused(<<131, (binary:copy(<<104, 1>>, N))/binary, ?UNKNOWN>>)).
