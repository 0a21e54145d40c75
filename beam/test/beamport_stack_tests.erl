-module(beamport_stack_tests).

-include_lib("eunit/include/eunit.hrl").

%% Names are quoted as Erlang quotes them, without the module that knows how where that is
%% plain.
names_test() ->
    Words = ['after', 'and', 'andalso', 'band', 'begin', 'bnot', 'bor', 'bsl', 'bsr', 'bxor', 'case', 'catch', 'cond', 'div',
             'else', 'end', 'fun', 'if', 'let', 'maybe', 'not', 'of', 'or', 'orelse', 'receive', 'rem', 'try', 'when', 'xor'],
    Names = [a, ab_C1, 'a@b', 'A', '_a', '', 'a b', 'ä', 'a\'b', 'a\nb', '1a', handle_call, ends | Words],
    _ = [?assertEqual(<<"m:", (iolist_to_binary(io_lib:write_atom_as_latin1(Name)))/binary, "/1">>, beamport_stack:mfa(m, Name, 1))
         || Name <- Names, Name =/= 'maybe', Name =/= 'else'],
    ok.

elixir_test_() ->
    [?_assertEqual(Text, beamport_stack:mfa(M, F, 1)) ||
        {M, F, Text} <- [{'Elixir.My.Mod', run, <<"My.Mod.run/1">>},
                         {'Elixir.My.Mod', '-run/2-fun-0-', <<"anonymous fn/1 in My.Mod.run/2">>},
                         {'Elixir.My.Mod', '-run/2-lists^map/1-0-', <<"My.Mod.run/2">>}]].
