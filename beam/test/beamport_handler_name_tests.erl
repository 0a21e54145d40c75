-module(beamport_handler_name_tests).

-include_lib("eunit/include/eunit.hrl").

good_test_() ->
    [{Name, ?_assertEqual({ok, Parsed}, beamport_handler_name:parse(unicode:characters_to_binary(Name)))} ||
        {Name, Parsed} <-
            [{"Example.hello", {'Elixir.Example', hello}},
             {"Elixir.My.Mod.fun", {'Elixir.My.Mod', 'fun'}},
             {"My.Mod.fun", {'Elixir.My.Mod', 'fun'}},
             {"My.Mod.ok?", {'Elixir.My.Mod', 'ok?'}},
             {"My.Mod.run!", {'Elixir.My.Mod', 'run!'}},
             {"My.Mod._x1", {'Elixir.My.Mod', '_x1'}},
             {"My.Mod.größe", {'Elixir.My.Mod', 'größe'}},
             {"mod:fun", {mod, 'fun'}},
             {"mod.fun", {mod, 'fun'}},
             {"mod:none", {mod, none}},
             {"Elixir.My.Mod:fun", {'Elixir.My.Mod', 'fun'}},
             {"My.Mod:fun", {'Elixir.My.Mod', 'fun'}},
             {"dir/mod.fun", {'dir@mod', 'fun'}},
             {"dir/sub/mod:fun", {'dir@sub@mod', 'fun'}},
             {"dir/mod", {'dir@mod'}},
             {"dir@mod.fun", {'dir@mod', 'fun'}},
             {"my-mod:handle", {'my-mod', handle}},
             {"my-mod.handle-event", {'my-mod', 'handle-event'}},
             {"my-mod:ok?", {'my-mod', 'ok?'}},
             {"my-mod", {'my-mod'}},
             {"My.Mod", {'Elixir.My.Mod'}},
             {"Elixir.My", {'Elixir.My'}},
             {"My", {'Elixir.My'}},
             {"mod", {mod}},
             {lists:duplicate(255, $a) ++ ".f", {list_to_atom(lists:duplicate(255, $a)), f}}]].

bad_test_() ->
    [{Name, ?_assertMatch({error, <<_, _/binary>>}, beamport_handler_name:parse(unicode:characters_to_binary(Name)))} ||
        Name <- ["", ".", ":", "/", "a:", ":b", "a:b:c", "a.", ".b", "a..b", "a.b.c", "a.b.C", "My.mod.Fun.x", "A-b.c", "My.Mod-x.c", "-a:b", "a:-b",
                 "mod:Fun", "mod:f?x", "mod:9", "9.f", "dir/Mod.f", "dir//mod.f", "/mod.f", "dir/.f", "mod ule:f",
                 "Elixir", "Elixir.f", "Elixir.mod.f", "My.Mod.f()", "&My.f/2", "'my mod':f",
                 lists:duplicate(256, $a) ++ ".f", "a:" ++ lists:duplicate(256, $a)]].

not_utf8_test() ->
    ?assertEqual({error, <<"it is not UTF-8">>}, beamport_handler_name:parse(<<255, ".f">>)).

%% Names that are refused leave nothing behind.
no_atoms_test() ->
    _ = beamport_handler_name:parse(<<"nothing.Of:this.kind">>),
    Before = erlang:system_info(atom_count),
    _ = [{error, _} = beamport_handler_name:parse(<<"refused", (integer_to_binary(N))/binary, ":No", (integer_to_binary(N))/binary>>)
         || N <- lists:seq(1, 1000)],
    ?assertEqual(Before, erlang:system_info(atom_count)).
