%% @doc A window by count and bytes: who may go now, and who waits, in order.
%%
%% Items go while fewer than `Count' of them are under way, which together take no
%% more than `Bytes' bytes. One that is larger than that goes alone.
-module(beamport_window).

-export([new/2, wait/3, next/1, leave/2, withdraw/2, count/1, bytes/1, waiting/1]).
-export_type([window/0, ticket/0]).

-record(window, {count :: pos_integer(),
                 bytes :: pos_integer(),
                 used = 0 :: non_neg_integer(),
                 used_bytes = 0 :: non_neg_integer(),
                 serial = 0 :: non_neg_integer(),
                 waiting = gb_trees:empty() :: gb_trees:tree(ticket(), {Size :: non_neg_integer(), term()})}).

-opaque window() :: #window{}.
-type ticket() :: non_neg_integer().

%% @doc Nothing is under way yet.
-spec new(Count :: pos_integer(), Bytes :: pos_integer()) -> window().
new(Count, Bytes) ->
    #window{count = Count, bytes = Bytes}.

%% @doc Lets an item wait behind all others.
-spec wait(Item :: term(), Size :: non_neg_integer(), window()) -> {ticket(), window()}.
wait(Item, Size, #window{serial = Ticket, waiting = Waiting} = Window) ->
    {Ticket, Window#window{serial = Ticket + 1, waiting = gb_trees:insert(Ticket, {Size, Item}, Waiting)}}.

%% @doc The item that may go now, which takes its part of the window until {@link
%% leave/2}.
-spec next(window()) -> {Item :: term(), window()} | none.
next(#window{used = Count, count = Count}) ->
    none;
next(#window{used = Used, used_bytes = UsedBytes, bytes = Bytes, waiting = Waiting} = Window) ->
    case gb_trees:is_empty(Waiting) of
        true ->
            none;
        false ->
            case gb_trees:take_smallest(Waiting) of
                {_, {Size, Item}, Rest} when Used =:= 0; UsedBytes + Size =< Bytes ->
                    {Item, Window#window{used = Used + 1, used_bytes = UsedBytes + Size, waiting = Rest}};
                _ ->
                    none
            end
    end.

%% @doc An item that went is done with.
-spec leave(Size :: non_neg_integer(), window()) -> window().
leave(Size, #window{used = Used, used_bytes = Bytes} = Window) ->
    Window#window{used = Used - 1, used_bytes = Bytes - Size}.

%% @doc Takes out an item that waits.
-spec withdraw(ticket(), window()) -> window().
withdraw(Ticket, #window{waiting = Waiting} = Window) ->
    Window#window{waiting = gb_trees:delete_any(Ticket, Waiting)}.

%% @doc How many items are under way.
-spec count(window()) -> non_neg_integer().
count(#window{used = Used}) -> Used.

%% @doc How many bytes they take.
-spec bytes(window()) -> non_neg_integer().
bytes(#window{used_bytes = Bytes}) -> Bytes.

%% @doc How many items wait.
-spec waiting(window()) -> non_neg_integer().
waiting(#window{waiting = Waiting}) -> gb_trees:size(Waiting).
