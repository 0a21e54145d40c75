%% @doc Answers questions about terms, as terms in {packet, 4} frames on stdin
%% and stdout, until stdin ends.
-module(etf_oracle).
-export([main/0]).

-spec main() -> no_return().
%% @doc Serves stdin and stdout.
main() ->
    serve(open_port({fd, 0, 1}, [{packet, 4}, binary, eof])).

-spec serve(port()) -> no_return().
serve(Port) ->
    receive
        {Port, {data, Request}} ->
            Reply = answer(binary_to_term(Request)),
            port_command(Port, term_to_binary(Reply, [{minor_version, 2}])),
            serve(Port);
        {Port, eof} ->
            halt(0)
    end.

-spec answer(tuple()) -> term().
%% Whether each is accepted.
answer({accepted, Encoded}) ->
    [is_tuple(decode(B)) || B <- Encoded];
%% What each is encoded as again; nil for what is refused.
answer({reencode, Encoded}) ->
    [case decode(B) of
         {ok, T} -> term_to_binary(T, [{minor_version, 2}]);
         refused -> nil
     end || B <- Encoded];
%% What each is encoded as again, and its text; nil for what is refused.
answer({describe, Encoded}) ->
    [case decode(B) of
         {ok, T} -> describe(T);
         refused -> nil
     end || B <- Encoded];
%% What each is encoded as again, with these options.
answer({encode, Encoded, Options}) ->
    [term_to_binary(binary_to_term(B), Options) || B <- Encoded];
answer({release}) ->
    list_to_integer(erlang:system_info(otp_release));
answer({os_pid}) ->
    list_to_integer(os:getpid());
%% What =:= says about each pair.
answer({same, Pairs}) ->
    [decode(A) =:= decode(B) || {A, B} <- Pairs];
%% What <, == and > say about each pair: -1, 0 or 1.
answer({compare, Pairs}) ->
    [compare(binary_to_term(A), binary_to_term(B)) || {A, B} <- Pairs];
%% N random terms, each in all encodings that term_to_binary/2 has, and its text.
answer({random, Seed, N}) ->
    _ = rand:seed(exsss, Seed),
    [begin
         T = random(4),
         {[term_to_binary(T, Options)
           || Options <- [[{minor_version, 2}], [{minor_version, 1}], [{minor_version, 0}], [compressed],
                          [{minor_version, 2}, {compressed, 9}], [deterministic]]],
          text(T)}
     end || _ <- lists:seq(1, N)];
%% The term that each text is, encoded; nil for what is none.
answer({parse, Texts}) ->
    [parse(unicode:characters_to_list(Text)) || Text <- Texts];
%% The text of each term in each format that reads back.
answer({print, Encoded}) ->
    [[unicode:characters_to_binary(io_lib:format(Format, [binary_to_term(B)]))
      || Format <- ["~w", "~tw", "~p", "~tp", "~0tp"]] || B <- Encoded];
%% Microseconds that N calls take, of one of a few rounds: the quickest.
answer({time, decode, B, N}) ->
    quickest(fun() -> times(N, fun() -> binary_to_term(B) end) end);
answer({time, encode, B, N}) ->
    T = binary_to_term(B),
    quickest(fun() -> times(N, fun() -> term_to_binary(T, [{minor_version, 2}]) end) end).

parse(Text) ->
    try
        {ok, Tokens, _} = erl_scan:string(Text ++ "\n."),
        {ok, Term} = erl_parse:parse_term(Tokens),
        term_to_binary(Term)
    catch
        error:_ -> nil
    end.

decode(B) ->
    try
        {ok, binary_to_term(B)}
    catch
        error:badarg -> refused
    end.

describe(T) ->
    {term_to_binary(T, [{minor_version, 2}]), text(T)}.

text(T) ->
    unicode:characters_to_binary(io_lib:format("~0tp", [T])).

compare(A, B) when A < B -> -1;
compare(A, B) when A == B -> 0;
compare(A, B) when A > B -> 1.

quickest(Round) ->
    lists:min([begin
                   garbage_collect(),
                   element(1, timer:tc(Round))
               end || _ <- lists:seq(1, 5)]).

times(0, _) -> ok;
times(N, F) -> F(), times(N - 1, F).

%% A random term, nested at most Depth deep.
random(0) ->
    leaf(rand:uniform(16));
random(Depth) ->
    case rand:uniform(24) of
        17 -> list_to_tuple(elements(Depth));
        18 -> elements(Depth);
        19 -> elements(Depth) ++ random(Depth - 1);
        20 -> maps:from_list([{random(Depth - 1), random(Depth - 1)} || _ <- lists:seq(1, rand:uniform(6))]);
        21 -> maps:from_list([{K, random(0)} || K <- elements(Depth)]);
        22 -> environment(random(Depth - 1), random(Depth - 1));
        23 -> lists:seq(1, rand:uniform(300));
        24 -> list_to_tuple(lists:duplicate(250 + rand:uniform(10), random(0)));
        Leaf -> leaf(Leaf)
    end.

elements(Depth) ->
    [random(Depth - 1) || _ <- lists:seq(1, rand:uniform(5))].

environment(X, Y) ->
    fun(Z) -> {X, Y, Z} end.

leaf(1) -> rand:uniform(512) - 257;
leaf(2) -> rand:uniform(1 bsl 64) - (1 bsl 63);
leaf(3) -> (rand:uniform(1 bsl 200) bsl rand:uniform(3000)) * sign();
leaf(4) -> (1 bsl rand:uniform(80)) * sign() + rand:uniform(3) - 2;
leaf(5) -> rand:normal();
leaf(6) -> sign() * rand:uniform() * math:pow(10, rand:uniform(600) - 300);
leaf(7) -> float(rand:uniform(1 bsl rand:uniform(70)));
leaf(8) -> lists:nth(rand:uniform(8), [ok, 'end', '', 'two words', 'Upper', list_to_atom([955]), list_to_atom([233]), a@b]);
leaf(9) -> rand:bytes(rand:uniform(20) - 1);
leaf(10) -> list_to_binary([rand:uniform(95) + 31 || _ <- lists:seq(1, rand:uniform(20))]);
leaf(11) -> unicode:characters_to_binary([rand:uniform(255) || _ <- lists:seq(1, rand:uniform(9))]);
leaf(12) ->
    N = rand:uniform(40),
    <<Bits:N/bitstring, _/bitstring>> = rand:bytes(5),
    Bits;
leaf(13) -> [rand:uniform(95) + 31 || _ <- lists:seq(1, rand:uniform(20))];
leaf(14) -> lists:nth(rand:uniform(4), [[], {}, #{}, <<>>]);
leaf(15) -> lists:nth(rand:uniform(3), [self(), make_ref(), hd(erlang:ports())]);
leaf(16) -> lists:nth(rand:uniform(3), [fun lists:map/2, fun 'Elixir.A':'b c'/0, environment(1, [])]).

sign() -> 2 * rand:uniform(2) - 3.
