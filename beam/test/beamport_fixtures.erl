%% @doc Task roots for tests, made of the sources in fixtures/.
-module(beamport_fixtures).

-export([erlang/0, elixir/0, elixir_paths/0, empty/0, delete/1, file/2]).

%% @doc Where the sources are: beside the sources of the tests.
sources() ->
    {source, Source} = lists:keyfind(source, 1, ?MODULE:module_info(compile)),
    filename:join(filename:dirname(Source), "fixtures").

%% @doc A directory of its own.
empty() ->
    Name = "beamport-root-" ++ os:getpid() ++ "-" ++ integer_to_list(erlang:unique_integer([positive])),
    Dir = filename:join(os:getenv("TMPDIR", "/tmp"), Name),
    ok = file:make_dir(Dir),
    Dir.

delete(Dir) ->
    ok = file:del_dir_r(Dir).

%% @doc Writes a file and the directories that it is in.
file(File, Text) ->
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File, Text).

%% @doc Erlang's fixtures: modules in `ebin', beside, and of applications in `lib'.
erlang() ->
    Root = empty(),
    compile(Root, "ebin", [sums, stateful, init_error, init_crash, init_link, no_load]),
    compile(Root, ".", ['web@hello', stateless]),
    app(Root, good_app, [{mod, {good_app, []}}, {env, [{value, 42}]}], []),
    compile(Root, "lib/good_app-1.0/ebin", [good_handler]),
    app(Root, bad_app, [{mod, {bad_app, []}}], []),
    app(Root, crash_app, [{mod, {crash_app, []}}], []),
    app(Root, needs_app, [], [not_there]),
    app(Root, slow_app, [{mod, {slow_app, []}}], [good_app]),
    file(filename:join([Root, "ebin", "damaged.beam"]), "this is no code"),
    Root.

compile(Root, Dir, Modules) ->
    Out = filename:join(Root, Dir),
    ok = filelib:ensure_dir(filename:join(Out, "x")),
    _ = [{ok, _} = compile:file(filename:join(sources(), atom_to_list(Module)),
                                [{outdir, Out}, deterministic, return_errors]) || Module <- Modules],
    ok.

app(Root, App, Properties, Needed) ->
    Dir = filename:join(["lib", atom_to_list(App) ++ "-1.0", "ebin"]),
    compile(Root, Dir, [App]),
    Spec = {application, App, [{vsn, "1.0"}, {modules, [App]}, {applications, [kernel, stdlib | Needed]}
                               | Properties]},
    file(filename:join([Root, Dir, atom_to_list(App) ++ ".app"]), io_lib:format("~tp.~n", [Spec])).

%% @doc Elixir's fixtures, compiled by elixirc.
elixir() ->
    Root = empty(),
    Ebin = filename:join([Root, "lib", "my", "ebin"]),
    ok = filelib:ensure_dir(filename:join(Ebin, "x")),
    Sources = filelib:wildcard(filename:join(sources(), "*.ex")),
    Said = os:cmd(lists:flatten(["elixirc -pa ", filename:dirname(code:which(beamport_handler)), " -o ", Ebin, [[" ", S] || S <- Sources]])),
    case filelib:is_file(filename:join(Ebin, "Elixir.My.Handlers.beam")) of
        true -> Root;
        false -> error({elixirc, Said})
    end.

%% @doc Where Elixir's own applications are.
elixir_paths() ->
    Dir = os:cmd("elixir -e 'IO.write(Path.dirname(:code.lib_dir(:elixir)))'"),
    Paths = [filename:join([Dir, App, "ebin"]) || App <- ["elixir", "logger"]],
    [true, true] = [filelib:is_dir(Path) || Path <- Paths],
    Paths.
