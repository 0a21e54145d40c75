%% @doc Compiles a function's source: the main program of an emulator that does nothing
%% else, see {@link beamport_source}.
-module(beamport_compile).

-export([main/0, sources/1, outcome/1]).

-define(OUTCOME, ".beamport").

-type config() :: [{App :: atom(), [{Key :: atom(), Value :: term()}]}].

%% How many of the errors are told.
-define(MAX_ERRORS, 20).

%% @doc Compiles as the command line says, writes the outcome down, and ends the emulator.
-spec main() -> no_return().
main() ->
    [Kind, Root, Out] = init:get_plain_arguments(),
    _ = spawn(fun end_with_parent/0),
    Outcome = try {ok, compile(Kind, Root, Out)}
              catch
                  throw:{?MODULE, Why} -> {error, text(Why)};
                  Class:Reason:Stack -> {error, raised(Class, Reason, Stack)}
              end,
    ok = file:write_file(filename:join(Out, ?OUTCOME), term_to_binary(Outcome)),
    halt(0).

%% Nobody writes to stdin: it ends with the emulator that has started this one.
-spec end_with_parent() -> no_return().
end_with_parent() ->
    Port = open_port({fd, 0, 0}, [in, eof]),
    receive
        {Port, eof} -> halt(1, [{flush, false}])
    end.

%% Mix says in a sentence what is wrong; other failures say where they come from as well.
raised(error, #{'__struct__' := 'Elixir.Mix.Error', message := Message}, _) ->
    text(Message);
raised(Class, Reason, Stack) ->
    {_, #{type := Type, message := Message}, Lines} = beamport_error:format(Class, Reason, Stack, elixir),
    text([Type, ": ", Message | [["\n    ", Line] || Line <- lists:sublist(Lines, 3)]]).

text(Chars) ->
    beamport_text:cut(beamport_text:utf8(Chars), 6000).

%% @doc What main/0 has written down in a directory: what a project of Mix's is configured
%% with, before runtime.exs, or why there is nothing.
-spec outcome(Out :: file:filename()) -> {ok, config()} | {error, Why :: binary()} | none.
outcome(Out) ->
    case file:read_file(filename:join(Out, ?OUTCOME)) of
        {ok, Written} ->
            %% Written by who reads it: its atoms are those of the configuration.
            case binary_to_term(Written) of
                {ok, Config} when is_list(Config) -> {ok, Config};
                {error, Why} when is_binary(Why) -> {error, Why}
            end;
        {error, _} ->
            none
    end.

%% @doc The files of source in a directory that is no project of Mix's: those of the
%% directory itself, and of `src' and `lib' at any depth.
-spec sources(Root :: file:filename()) -> [file:filename()].
sources(Root) ->
    Names = [Name || Pattern <- ["*.{ex,erl}", "{src,lib}/**/*.{ex,erl}"], Name <- filelib:wildcard(Pattern, Root)],
    [filename:join(Root, Name) || Name <- lists:usort(Names)].

compile("mix", Root, _) ->
    mix(Root);
compile("files", Root, Out) ->
    Ebin = filename:join([Out, "lib", "function", "ebin"]),
    ok = filelib:ensure_dir(filename:join(Ebin, "x")),
    true = code:add_patha(Ebin),
    {Erlang, Elixir} = lists:partition(fun(File) -> filename:extension(File) =:= ".erl" end, sources(Root)),
    erlang(Erlang, Root, Ebin),
    elixir(Elixir, Root, Ebin),
    application_file(Root, Ebin),
    [].

%% Modules that others are checked against or changed by come first.
erlang([], _, _) ->
    ok;
erlang(Files, Root, Ebin) ->
    need(compile, "Erlang's compiler is needed for it, and is not there"),
    {First, Rest} = lists:partition(fun needed_first/1, Files),
    Options = [return, debug_info, {outdir, Ebin}, {i, filename:join(Root, "include")}, {i, filename:join(Root, "src")}],
    case lists:append([errors(compile:file(File, Options), Root) || File <- First ++ Rest]) of
        [] -> ok;
        Errors -> failed(Errors)
    end.

needed_first(File) ->
    {ok, Text} = file:read_file(File),
    re:run(Text, "^-callback|^parse_transform\\(", [multiline, {capture, none}]) =:= match.

errors({ok, _, Warnings}, Root) ->
    print(Warnings, Root),
    [];
errors({error, Errors, Warnings}, Root) ->
    print(Warnings, Root),
    lists:append([[place(File, Info, Root) || Info <- Infos] || {File, Infos} <- Errors]).

print(Warnings, Root) ->
    lists:foreach(fun({File, Infos}) ->
                          io:put_chars([[place(File, Info, Root), $\n] || Info <- Infos])
                  end, Warnings).

place(File, {none, Module, What}, Root) ->
    [below(Root, File), ": ", Module:format_error(What)];
place(File, {{Line, Column}, Module, What}, Root) ->
    [below(Root, File), $:, integer_to_list(Line), $:, integer_to_list(Column), ": ", Module:format_error(What)];
place(File, {Line, Module, What}, Root) ->
    [below(Root, File), $:, integer_to_list(Line), ": ", Module:format_error(What)];
place(File, {Module, What}, Root) ->
    [below(Root, File), ": ", Module:format_error(What)].

below(Root, File) ->
    case string:prefix(unicode:characters_to_list(File), Root ++ "/") of
        nomatch -> File;
        Name -> Name
    end.

-spec failed([iodata()]) -> no_return().
failed(Errors) ->
    {Told, More} = lists:split(min(?MAX_ERRORS, length(Errors)), Errors),
    throw({?MODULE, [lists:join("\n", Told), [["\nand ", integer_to_list(length(More)), " more"] || More =/= []]]}).

need(Module, Why) ->
    case code:ensure_loaded(Module) of
        {module, _} -> ok;
        {error, _} -> throw({?MODULE, Why})
    end.

%% Warnings, Elixir's compiler prints itself.
elixir([], _, _) ->
    ok;
elixir(Files, Root, Ebin) ->
    need('Elixir.Kernel.ParallelCompiler', "Elixir is needed for it, and is not there: put it into a layer as "
         "elixir/ beside the runtime, or set ELIXIR_HOME"),
    {ok, _} = application:ensure_all_started(elixir),
    Names = [unicode:characters_to_binary(File) || File <- Files],
    case beamport_elixir:call('Elixir.Kernel.ParallelCompiler', compile_to_path,
                              [Names, unicode:characters_to_binary(Ebin), [{return_diagnostics, true}]]) of
        {ok, _, _} -> ok;
        {error, Errors, _} -> failed([diagnostic(Error, Root) || Error <- Errors])
    end.

diagnostic({File, Position, Message}, Root) ->
    diagnosed(File, Position, Message, Root);
diagnostic(#{file := File, position := Position, message := Message}, Root) ->
    diagnosed(File, Position, Message, Root).

diagnosed(File, Position, Message, Root) ->
    Line = case Position of
               {L, _} -> L;
               {L, _, _, _} -> L;
               L -> L
           end,
    Where = [case File of
                 nil -> "mix.exs";
                 _ -> below(Root, File)
             end, [[$:, integer_to_list(Line)] || is_integer(Line), Line > 0], ": "],
    [Where, message(string:trim(unicode:characters_to_list(Message)), File, Root)].

%% Elixir's own text begins with the exception and the place again.
message(Text, File, Root) ->
    Known = [F || F <- [File, below(Root, File)], F =/= nil],
    lists:foldl(fun(Name, T) ->
                        re:replace(T, ["^(\\*\\* \\([^)]*\\) )?\\Q", Name, "\\E:[0-9:]+ "], "",
                                   [unicode, {return, list}])
                end, re:replace(Text, "^\\*\\* \\([A-Za-z.]*\\) ", "", [unicode, {return, list}]), Known).

%% Files that belong to an application have its description: it is started then.
application_file(Root, Ebin) ->
    case filelib:wildcard("*.app.src", Root) ++ filelib:wildcard("src/*.app.src", Root) of
        [] ->
            ok;
        [File | _] ->
            case file:consult(filename:join(Root, File)) of
                {ok, [{application, App, Properties}]} ->
                    Modules = [list_to_atom(filename:basename(Name, ".beam")) ||
                                  Name <- filelib:wildcard("*.beam", Ebin)],
                    Spec = {application, App, lists:keystore(modules, 1, Properties, {modules, Modules})},
                    ok = file:write_file(filename:join(Ebin, atom_to_list(App) ++ ".app"),
                                         unicode:characters_to_binary(io_lib:format("~tp.~n", [Spec])));
                {ok, _} ->
                    throw({?MODULE, [File, ": this does not describe an application"]});
                {error, Reason} ->
                    throw({?MODULE, [File, ": ", file:format_error(Reason)]})
            end
    end.

%% Mix compiles into MIX_BUILD_PATH, the dependencies in deps too. Nothing is fetched.
mix(Root) ->
    need('Elixir.Mix', "Mix is needed for a function with mix.exs, and this Elixir has none: take a whole Elixir, "
         "or compile the function first (MIX_ENV=prod mix release)"),
    {ok, _} = application:ensure_all_started(elixir),
    beamport_elixir:call('Elixir.Mix', start, []),
    beamport_elixir:call('Elixir.Mix', shell, ['Elixir.Mix.Shell.IO']),
    beamport_mix_deps:install(),
    beamport_elixir:call('Elixir.Code', compile_file, [<<"mix.exs">>]),
    beamport_elixir:call('Elixir.Mix.Task', run, [<<"loadconfig">>]),
    case beamport_elixir:call('Elixir.Mix.Task', run, [<<"compile">>, [<<"--return-errors">>]]) of
        {error, Diagnostics} ->
            failed([diagnostic(D, Root) || #{severity := error} = D <- Diagnostics]);
        _ ->
            project_config()
    end.

%% What decided on how the project was compiled is what it runs with, too.
project_config() ->
    Project = beamport_elixir:call('Elixir.Mix.Project', config, []),
    File = proplists:get_value(config_path, Project, <<"config/config.exs">>),
    case filelib:is_regular(File) of
        true ->
            Options = [{env, beamport_elixir:call('Elixir.Mix', env, [])}, {target, host}],
            beamport_elixir:call('Elixir.Config.Reader', 'read!', [File, Options]);
        false ->
            []
    end.
