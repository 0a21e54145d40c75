%% @doc What Mix is told about packages of Hex: what is in `deps' is what there is.
%%
%% A function's environment has no Hex, and may have no network. So a package is neither
%% looked up nor fetched nor checked against the lock, only compiled.
-module(beamport_mix_deps).

-export([install/0, 'fetchable?'/0, format/1, format_lock/1, accepts_options/2, 'checked_out?'/1, checkout/1,
         update/1, lock_status/1, 'equal?'/2, managers/1]).

%% @doc Has Mix ask this module for the dependencies that no other knows.
-spec install() -> ok.
install() ->
    _ = beamport_elixir:call('Elixir.Mix.SCM', append, [?MODULE]),
    ok.

%% @doc Whether dependencies can be fetched.
-spec 'fetchable?'() -> boolean().
'fetchable?'() -> false.

%% @doc What to call a dependency.
-spec format(list()) -> binary().
format(_) -> <<"a package in deps">>.

%% @doc What to say of its lock: nothing.
-spec format_lock(list()) -> nil.
format_lock(_) -> nil.

%% @doc Takes any dependency: it has to be in `deps', under its name or, where another is
%% given, that of its package.
-spec accepts_options(atom(), list()) -> list().
accepts_options(App, Options) ->
    case lists:keymember(dest, 1, Options) of
        true ->
            Options;
        false ->
            Deps = beamport_elixir:call('Elixir.Mix.Project', deps_path, []),
            [{dest, filename:join(Deps, atom_to_binary(App))}, {hex, App} | Options]
    end.

%% @doc Whether a dependency is there.
-spec 'checked_out?'(list()) -> boolean().
'checked_out?'(Options) ->
    {dest, Dir} = lists:keyfind(dest, 1, Options),
    filelib:is_dir(Dir).

%% @doc Does nothing: there is nowhere to fetch from.
-spec checkout(list()) -> nil.
checkout(_) -> nil.

%% @doc Does nothing: there is nowhere to fetch from.
-spec update(list()) -> nil.
update(_) -> nil.

%% @doc Whether a dependency is what the lock says: it is taken as it is.
-spec lock_status(list()) -> ok.
lock_status(_) -> ok.

%% @doc Whether two descriptions are of the same dependency.
-spec 'equal?'(list(), list()) -> boolean().
'equal?'(A, B) ->
    lists:keyfind(dest, 1, A) =:= lists:keyfind(dest, 1, B).

%% @doc Which tools may build it: whichever its files are for.
-spec managers(list()) -> [atom()].
managers(_) -> [].
