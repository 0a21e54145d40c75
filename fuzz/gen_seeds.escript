#!/usr/bin/env escript
%% Writes terms as the BEAM encodes them, one a line in base64, to the file named.
%% A term is written once for each encoding that differs.
-mode(compile).

-spec main([string()]) -> ok.
main([File]) ->
    Lines = lists:append([lines(Name, Term) || {Name, Term} <- terms()]),
    Head = "# Terms as the BEAM encodes them, in base64; go generate ./fuzz writes this file.\n",
    ok = file:write_file(File, [Head | unique(Lines, [])]).

lines(Name, Term) ->
    [[base64:encode(Encoded), " ", Name, "\n"] || Encoded <- encodings(Term)].

encodings(Term) ->
    Options = [[{minor_version, 0}], [{minor_version, 1}], [{minor_version, 2}], [compressed, {minor_version, 2}]],
    [term_to_binary(Term, O) || O <- Options].

unique([Line | Rest], Seen) ->
    Bytes = iolist_to_binary(Line),
    case lists:member(Bytes, Seen) of
        true -> unique(Rest, Seen);
        false -> unique(Rest, [Bytes | Seen])
    end;
unique([], Seen) ->
    lists:reverse(Seen).

terms() ->
    [{"atoms", [ok, nil, undefined, true, '', 'with space', 'é', '😀', 'Elixir.Foo']},
     {"long atom", list_to_atom(lists:duplicate(255, $a))},
     {"long wide atom", list_to_atom(lists:duplicate(255, 16#20AC))},
     {"small integers", [0, 1, 127, 128, 255]},
     {"integers", [256, -1, -256, 16#7FFFFFFF, -16#80000000]},
     {"bignums", [16#80000000, -16#80000001, 1 bsl 63, -(1 bsl 63), (1 bsl 64) - 1, 1 bsl 64, -(1 bsl 64)]},
     {"small bignum of 255 bytes", (1 bsl (8 * 255)) - 1},
     {"large bignum of 256 bytes", 1 bsl (8 * 255)},
     {"floats", [0.0, -0.0, 1.0, -1.5, 0.1, 5.0e-324, 1.7976931348623157e308, 1.0e21]},
     {"binaries", [<<>>, <<"abc">>, <<"é€😀"/utf8>>, <<0, 255, 128>>]},
     {"bit strings", [<<1:1>>, <<5:3>>, <<255, 1:7>>]},
     {"empty list", []},
     {"strings", ["abc", [0, 255], lists:seq(1, 20)]},
     {"no strings", [[256], [-1], [1, a], [1.0]]},
     {"improper lists", [[1 | 2], [a, b | c], [<<"io">> | <<"list">>]]},
     {"tuples", [{}, {ok}, {ok, {error, [1, {2}]}}]},
     {"large tuple", list_to_tuple(lists:seq(0, 255))},
     {"maps", [#{}, #{a => 1}, #{<<"a">> => 1, "a" => 2, a => 3, 1 => 4, 1.0 => 5, {} => 6}]},
     {"map of maps", #{k => #{k => #{k => []}}}},
     {"large map", maps:from_list([{integer_to_binary(N), N} || N <- lists:seq(1, 40)])},
     {"pids", [list_to_pid("<0.0.0>"), list_to_pid("<0.42.7>")]},
     {"port", list_to_port("#Port<0.42>")},
     {"reference", list_to_ref("#Ref<0.1.2.3>")},
     {"export", fun lists:map/2},
     {"fun", eval("fun(X) -> X + 1 end.")},
     {"fun with variables", eval("A = <<\"a\">>, B = 1.5, fun(C, D) -> {A, B, C, D} end.")},
     {"nested", nested(100)},
     {"Elixir struct", #{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', day => 1, month => 2, year => 2026}},
     {"Elixir keywords", [{a, 1}, {b, <<"two">>}]},
     {"an invocation", #{request_id => <<"8476a536-e9f4-11e8-9739-2dfe598c3fcd">>, deadline => 1542409706888,
                         client_context => nil, event => #{<<"items">> => [#{<<"id">> => 1, <<"price">> => 19.9}, #{<<"id">> => 2}],
                                                           <<"body">> => <<"{\"a\": [1, 2]}">>, <<"isBase64Encoded">> => false}}},
     {"a reply", {reply, 7, {json, #{<<"statusCode">> => 200, body => [ok, null, 1 bsl 70]}}}},
     {"an error", {error, 8, error, #{type => <<"ErlangError">>, message => <<"bad">>}, [<<"lib/a.ex:3: A.b/1">>]}},
     {"compressible", [<<"the same again and again ">> || _ <- lists:seq(1, 30)]}].

%% A fun of this script would carry the name that the script was compiled under,
%% another one at each run.
eval(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Exprs} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Exprs, []),
    Value.

nested(0) -> [];
nested(N) -> [nested(N - 1)].
