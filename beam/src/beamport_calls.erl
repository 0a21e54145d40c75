%% @doc Which call a group leader serves.
%%
%% Every process inherits the group leader of the one that has started it, so that
%% what it logs can be told apart by call.
-module(beamport_calls).

-export([new/0, enter/3, leave/1, id/1, abandon/1]).

-define(TABLE, ?MODULE).

%% @doc Makes the table; the caller owns it.
-spec new() -> ok.
new() ->
    ?TABLE = ets:new(?TABLE, [named_table, public, {read_concurrency, true}]),
    ok.

%% @doc A guardian has begun with a call, which `Worker' runs. The id of a cast is
%% `nil'.
-spec enter(Guardian :: pid(), Id :: non_neg_integer() | nil, Worker :: pid()) -> true.
enter(Guardian, Id, Worker) ->
    ets:insert(?TABLE, {Guardian, Id, Worker}).

%% @doc A guardian has ended its call.
-spec leave(Guardian :: pid()) -> true.
leave(Guardian) ->
    ets:delete(?TABLE, Guardian).

%% @doc The call that a group leader serves, `nil' for none.
-spec id(GroupLeader :: pid()) -> non_neg_integer() | nil.
id(GroupLeader) ->
    try ets:lookup_element(?TABLE, GroupLeader, 2)
    catch
        error:badarg -> nil
    end.

%% @doc A guardian has died: ends the process that ran its call.
-spec abandon(Guardian :: pid()) -> true.
abandon(Guardian) ->
    _ = [exit(Worker, kill) || {_, _, Worker} <- ets:lookup(?TABLE, Guardian)],
    leave(Guardian).
