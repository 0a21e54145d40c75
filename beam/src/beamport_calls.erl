%% @doc Which call a group leader serves.
%%
%% Every process inherits the group leader of the one that has started it, so that
%% what it logs can be told apart by call.
%%
%% The table is gone when its owner is, and with it the stream that guardians may still
%% be about to serve: then nothing is kept.
-module(beamport_calls).

-export([new/0, enter/4, leave/2, id/2, abandon/2]).
-export_type([table/0, id/0]).

-opaque table() :: ets:table().
-type id() :: 1..16#7ffffffffffffff.
%% Below 2^59. Calls and casts share one sequence.

%% @doc Makes a table; the caller owns it.
-spec new() -> table().
new() ->
    ets:new(?MODULE, [public, {read_concurrency, true}]).

%% @doc A guardian has begun with a call or a cast, which `Worker' runs.
-spec enter(table(), Guardian :: pid(), id(), Worker :: pid()) -> true.
enter(Table, Guardian, Id, Worker) ->
    try ets:insert(Table, {Guardian, Id, Worker})
    catch
        error:badarg -> true
    end.

%% @doc A guardian has ended its call. Processes that the call has left behind are still
%% known as its own.
-spec leave(table(), Guardian :: pid()) -> boolean().
leave(Table, Guardian) ->
    try ets:update_element(Table, Guardian, {3, none})
    catch
        error:badarg -> true
    end.

%% @doc The call that a group leader serves, or has served last; `nil' for none.
-spec id(table(), GroupLeader :: pid()) -> id() | nil.
id(Table, GroupLeader) ->
    try ets:lookup_element(Table, GroupLeader, 2)
    catch
        error:badarg -> nil
    end.

%% @doc A guardian has died: ends the process that ran its call.
-spec abandon(table(), Guardian :: pid()) -> true.
abandon(Table, Guardian) ->
    _ = [exit(Worker, kill) || {_, _, Worker} <- ets:lookup(Table, Guardian), is_pid(Worker)],
    ets:delete(Table, Guardian).
