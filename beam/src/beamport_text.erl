%% @doc Text for people: bounded in length, always UTF-8.
-module(beamport_text).

-export([utf8/1, cut/2, show/1, lowercase/1]).

%% How much of a term is shown.
-define(SHOW_DEPTH, 30).
-define(SHOW_CHARS, 1000).
-define(SHOW_MS, 1000).

-define(ELLIPSIS, "…"/utf8).
-define(ELLIPSIS_SIZE, 3).

%% @doc Any character data, or what was meant to be some, as UTF-8. Bytes that are not
%% UTF-8 are taken for Latin-1.
-spec utf8(term()) -> binary().
utf8(Chars) ->
    %% In this form the emulator does it alone, without the module unicode.
    try unicode:characters_to_binary(Chars, utf8) of
        Text when is_binary(Text) -> Text;
        _ -> latin1(Chars)
    catch
        _:_ -> show(Chars)
    end.

latin1(Chars) ->
    try unicode:characters_to_binary(Chars, latin1) of
        Text when is_binary(Text) -> Text;
        _ -> show(Chars)
    catch
        _:_ -> show(Chars)
    end.

%% @doc `Text', or when it is longer than `Max' bytes, as many of its first characters
%% as fit together with an ellipsis.
-spec cut(binary(), Max :: non_neg_integer()) -> binary().
cut(Text, Max) when byte_size(Text) =< Max ->
    Text;
cut(Text, Max) when Max >= ?ELLIPSIS_SIZE ->
    Head = whole(Text, Max - ?ELLIPSIS_SIZE),
    <<Head/binary, ?ELLIPSIS>>;
cut(_, _) ->
    <<>>.

%% The longest prefix of at most Size bytes that does not split a character.
whole(Text, Size) ->
    case Text of
        <<Head:Size/binary, 2#10:2, _:6, _/binary>> when Size > 0 -> whole(Head, Text, Size - 1);
        <<Head:Size/binary, _/binary>> -> Head
    end.

whole(_, Text, Size) ->
    whole(Text, Size).

%% @doc A term as Erlang writes it, of which only so much is shown that the text stays
%% short. Elixir's terms are shown by {@link beamport_elixir:inspect/1}.
-spec show(term()) -> binary().
show(Term) ->
    Chars = fun() ->
                    unicode:characters_to_binary(
                      io_lib:format("~0tP", [Term, ?SHOW_DEPTH], [{chars_limit, ?SHOW_CHARS}]))
            end,
    case beamport_bounded:run(Chars, ?SHOW_MS) of
        {ok, Text} when is_binary(Text) -> cut(Text, 4 * ?SHOW_CHARS);
        _ -> <<"(a term too large to show)">>
    end.

%% @doc A name of HTTP's with the letters A to Z as a to z.
-spec lowercase(binary()) -> binary().
lowercase(Name) ->
    << <<(if C >= $A, C =< $Z -> C + ($a - $A); true -> C end)>> || <<C>> <= Name >>.
