%% @doc Which call a group leader serves, or has served.
%%
%% Every process inherits the group leader of the one that has started it, so that
%% what it logs can be told apart by call.
%%
%% The table is gone when its owner is, and with it the stream that guardians may still
%% be about to serve: then nothing is kept.
-module(beamport_calls).

-export([new/0, enter/4, leave/3, id/2, over/1, abandon/2]).
-export_type([table/0, id/0]).

-opaque table() :: ets:table().
-type id() :: 1..16#7ffffffffffffff.
%% Below 2^59. Calls and casts share one sequence.

%% @doc Makes a table; the caller owns it.
-spec new() -> table().
new() ->
    ets:new(?MODULE, [public, {read_concurrency, true}]).

%% @doc `Worker' begins with a call or a cast, which the guardian sees to. Called by the
%% worker, before it can log anything.
-spec enter(table(), Guardian :: pid(), id(), Worker :: pid() | none) -> true.
enter(Table, Guardian, Id, Worker) ->
    try ets:insert(Table, {Guardian, Id, Worker})
    catch
        error:badarg -> true
    end.

%% @doc A call is over. Processes that it has left behind are still known as its own.
-spec leave(table(), Guardian :: pid(), id()) -> true.
leave(Table, Guardian, Id) ->
    %% The worker may have been killed before it has entered.
    enter(Table, Guardian, Id, none).

%% @doc The call of a group leader, be it over; `nil' for none.
-spec id(table(), GroupLeader :: pid()) -> id() | nil.
id(Table, GroupLeader) ->
    try ets:lookup_element(Table, GroupLeader, 2)
    catch
        error:badarg -> nil
    end.

%% @doc The guardians whose calls are over.
-spec over(table()) -> [Guardian :: pid()].
over(Table) ->
    try ets:select(Table, [{{'$1', '_', none}, [], ['$1']}])
    catch
        error:badarg -> []
    end.

%% @doc A guardian is gone: ends the process that runs its call, if that is not over.
-spec abandon(table(), Guardian :: pid()) -> true.
abandon(Table, Guardian) ->
    _ = [exit(Worker, kill) || {_, _, Worker} <- ets:lookup(Table, Guardian), is_pid(Worker)],
    ets:delete(Table, Guardian).
