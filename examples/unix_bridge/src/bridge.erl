%% @doc A service that programs in Go call over a unix socket.
-module(bridge).
-behaviour(beamport_callback).

-export([main/1, handle_call/1, handle_cast/1, stop/1]).

%% @doc Listens until stdin is at its end.
-spec main([Path :: string()]) -> no_return().
main([Path]) ->
    {ok, _} = beamport_listener:start_link(#{listen => {unix, Path}, callback => ?MODULE}),
    _ = ets:new(?MODULE, [named_table, public, {write_concurrency, true}]),
    io:put_chars("listening\n"),
    eof = io:get_line(""),
    halt(0).

%% @doc Counts words, tells how often a word was seen, and lists all of them as lines of text,
%% in parts.
-spec handle_call(term()) -> beamport_callback:answer().
handle_call({count, Text}) ->
    Words = string:lexemes(string:lowercase(Text), " \t\n.,;:!?"),
    {reply, maps:from_list([{Word, ets:update_counter(?MODULE, Word, 1, {Word, 0})} || Word <- Words])};
handle_call({seen, Word}) ->
    {reply, ets:lookup_element(?MODULE, Word, 2)};
handle_call(list) ->
    Lines = fun(Emit) ->
                    All = lists:sort(ets:tab2list(?MODULE)),
                    _ = [ok = Emit([Word, " ", integer_to_list(N), "\n"]) || {Word, N} <- All],
                    length(All)
            end,
    {stream, <<"text/plain">>, Lines}.

%% @doc Forgets a word, or all.
-spec handle_cast(term()) -> true.
handle_cast({forget, Word}) -> ets:delete(?MODULE, Word);
handle_cast(forget) -> ets:delete_all_objects(?MODULE).

%% @doc A listener does not call it.
-spec stop(atom()) -> ok.
stop(_) -> ok.
