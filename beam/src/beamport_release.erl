%% @doc Releases, as mix release and rebar3 release make them: a task root that holds
%% `releases/start_erl.data'.
%%
%% The emulator boots with nothing but Erlang's kernel. What a release's boot script
%% does then is done here, so that a failure can be told: code is found where the
%% release has it, its configuration is completed, and its applications are started in
%% its order. The release itself is only read.
-module(beamport_release).

-export([find/1, directories/1, applications/1, type/2]).
-export_type([release/0]).

-type release() :: #{root := file:filename(), version := string(), file := file:filename(),
                     applications := [{App :: atom(), Version :: string(), type()}]}.

-type type() :: application:restart_type() | load | none.

%% @doc The release that a task root holds. RELEASE_VSN and RELEASE_NAME choose among
%% several.
-spec find(Root :: file:filename()) -> {ok, release()} | none | {error, Why :: unicode:chardata()}.
find(Root) ->
    Data = filename:join([Root, "releases", "start_erl.data"]),
    case file:read_file(Data) of
        {ok, Text} ->
            case string:lexemes(unicode:characters_to_list(Text), " \t\r\n") of
                [_, Version] -> find(Root, os:getenv("RELEASE_VSN", Version));
                _ -> {error, [Data, " does not hold a version of erts and one of the release"]}
            end;
        {error, enoent} ->
            none;
        {error, enotdir} ->
            none;
        {error, Reason} ->
            {error, [Data, " cannot be read: ", file:format_error(Reason)]}
    end.

find(Root, Version) ->
    Dir = filename:join([Root, "releases", Version]),
    Names = [filename:basename(File, ".rel") || File <- filelib:wildcard("*.rel", Dir)],
    Wanted = os:getenv("RELEASE_NAME", ""),
    case {lists:member(Wanted, Names), Names -- ["start_clean", "no_dot_erlang"]} of
        {true, _} -> read(Root, Version, filename:join(Dir, Wanted ++ ".rel"));
        {false, [Name | _]} -> read(Root, Version, filename:join(Dir, Name ++ ".rel"));
        {false, []} -> {error, ["there is no .rel file in ", Dir, ": put all that mix release or rebar3 release "
                                "made into the function's archive"]}
    end.

read(Root, Version, File) ->
    case file:consult(File) of
        {ok, [{release, _, _, Apps}]} when is_list(Apps) ->
            {ok, #{root => Root, version => Version, file => File,
                   applications => [application(App) || App <- Apps]}};
        {ok, _} ->
            {error, [File, " is not what describes a release"]};
        {error, Reason} ->
            {error, [File, " cannot be read: ", file:format_error(Reason)]}
    end.

application({App, Version}) -> {App, Version, permanent};
application({App, Version, Type}) when is_atom(Type) -> {App, Version, Type};
application({App, Version, _Included}) -> {App, Version, permanent};
application({App, Version, Type, _Included}) -> {App, Version, Type}.

%% @doc Where the release's code is: its protocols of Elixir's, consolidated, before all
%% else, then its applications in its own versions, as far as it has them itself.
-spec directories(release()) -> [file:filename()].
directories(#{root := Root, version := Version, applications := Apps}) ->
    Consolidated = filename:join([Root, "releases", Version, "consolidated"]),
    Ebins = [filename:join([Root, "lib", atom_to_list(App) ++ "-" ++ Vsn, "ebin"]) || {App, Vsn, _} <- Apps],
    [Dir || Dir <- [Consolidated | Ebins], filelib:is_dir(Dir)].

%% @doc The applications to start, in the release's order.
-spec applications(release()) -> [App :: atom()].
applications(#{applications := Apps}) ->
    [App || {App, _, Type} <- Apps, Type =/= load, Type =/= none, App =/= kernel, App =/= stdlib].

%% @doc What the release says is to happen when an application ends.
-spec type(App :: atom(), release()) -> application:restart_type().
type(App, #{applications := Apps}) ->
    case lists:keyfind(App, 1, Apps) of
        {_, _, Type} when Type =/= load, Type =/= none -> Type;
        _ -> permanent
    end.
