%% @doc Functions that come as source: a project of Mix's, or files of Elixir and Erlang.
%%
%% They are compiled when the function starts, by an emulator of their own, which leaves
%% nothing behind in this one: into a directory for temporary files, whose name says what
%% was compiled with what. So an emulator that is started anew finds it done. The task
%% root is only read.
-module(beamport_source).

-export([compile/1, environment/0]).
-export_type([compiled/0]).

-include_lib("kernel/include/file.hrl").


%% What is nobody's source, in a project's directory.
-define(SKIPPED, ["_build", ".git", ".elixir_ls", "node_modules", "cover"]).

-type compiled() :: #{directories := [file:filename()], config := [{App :: atom(), [{atom(), term()}]}]}.
%% Where the code is, and what a project of Mix's is configured with, before its
%% runtime.exs.

%% @doc Compiles the source that a task root holds. `none' if it holds none. Of a failure,
%% the message has the compiler's own, with files and lines.
-spec compile(Root :: file:filename()) -> {ok, compiled()} | none | {error, Why :: unicode:chardata()}.
compile(Root) ->
    case kind(Root) of
        none ->
            none;
        gleam ->
            {error, "it is a project of Gleam's, whose compiler is not here: run gleam export erlang-shipment, and put "
             "what is in build/erlang-shipment into the function's archive"};
        Kind ->
            Out = filename:join(temporary(), "beamport-source-" ++ key(Kind, Root)),
            case fresh(Out) of
                {ok, New} -> compile(Kind, Root, New, Out);
                {error, Reason} -> {error, ["nothing can be written to ", temporary(), ": ", file:format_error(Reason)]}
            end
    end.

compile(Kind, Root, New, Out) ->
    case usable(Out, New) of
        {ok, Config} ->
            _ = file:del_dir_r(New),
            {ok, compiled(Out, Config)};
        false ->
            case run(Kind, Root, New) of
                {ok, Config} ->
                    {ok, compiled(place(New, Out), Config)};
                Failure ->
                    _ = file:del_dir_r(New),
                    Failure
            end
    end.

%% Somebody else's directory of that name stays where it is.
place(New, Out) ->
    case file:rename(New, Out) of
        ok -> Out;
        {error, _} -> New
    end.

compiled(Out, Config) ->
    #{directories => [Dir || Pattern <- ["consolidated", "lib/*/consolidated", "lib/*/ebin"], Dir <- wildcard(Out, Pattern)],
      config => Config}.

wildcard(Dir, Pattern) ->
    [filename:join(Dir, Name) || Name <- filelib:wildcard(Pattern, Dir)].

%% @doc The environment that source is compiled for: MIX_ENV where that is `dev' or
%% `test', else `prod'.
-spec environment() -> prod | dev | test.
environment() ->
    case os:getenv("MIX_ENV") of
        "dev" -> dev;
        "test" -> test;
        _ -> prod
    end.

kind(Root) ->
    Has = fun(Name) -> filelib:is_regular(filename:join(Root, Name)) end,
    case {Has("mix.exs"), Has("gleam.toml")} of
        {true, _} ->
            mix;
        {false, true} ->
            gleam;
        {false, false} ->
            case beamport_compile:sources(Root) of
                [] -> none;
                _ -> files
            end
    end.

%% Everything that decides on what comes out.
key(Kind, Root) ->
    Versions = [erlang:system_info(otp_release), $\s, erlang:system_info(version), $\s, elixir(), $\s,
                atom_to_list(environment()), $\s, atom_to_list(Kind), $\s, Root],
    Context = lists:foldl(fun(File, Before) -> add(File, Root, Before) end,
                          erlang:md5_update(erlang:md5_init(), unicode:characters_to_binary(Versions)),
                          lists:sort(files(Root, "."))),
    lists:flatten([io_lib:format("~2.16.0b", [B]) || <<B>> <= erlang:md5_final(Context)]).

add(File, Root, Context) ->
    Text = case file:read_file(filename:join(Root, File)) of
               {ok, Contents} -> Contents;
               {error, _} -> <<>>
           end,
    erlang:md5_update(Context, [unicode:characters_to_binary(File), 0, <<(byte_size(Text)):64>>, Text]).

elixir() ->
    _ = application:load(elixir),
    case application:get_key(elixir, vsn) of
        {ok, Version} -> Version;
        undefined -> "none"
    end.

%% Links are not followed: they may lead in a circle.
files(Root, Dir) ->
    case file:list_dir(filename:join(Root, Dir)) of
        {ok, Names} -> lists:append([file(Root, join(Dir, Name)) || Name <- Names, not lists:member(Name, ?SKIPPED)]);
        {error, _} -> []
    end.

join(".", Name) -> Name;
join(Dir, Name) -> filename:join(Dir, Name).

file(Root, File) ->
    case filelib:is_dir(filename:join(Root, File)) of
        true ->
            case file:read_link(filename:join(Root, File)) of
                {ok, _} -> [];
                {error, _} -> files(Root, File)
            end;
        false ->
            [File]
    end.

temporary() ->
    case os:getenv("TMPDIR", "") of
        "" -> "/tmp";
        Dir -> Dir
    end.

%% A directory that nobody else can have made.
fresh(Out) ->
    Unique = integer_to_list(erlang:unique_integer([positive])),
    New = Out ++ "-" ++ os:getpid() ++ "-" ++ integer_to_list(os:system_time()) ++ Unique,
    case file:make_dir(New) of
        ok ->
            _ = file:change_mode(New, 8#700),
            {ok, New};
        {error, Reason} ->
            {error, Reason}
    end.

%% Whether it was compiled before, by who runs this and not by another user.
usable(Out, Mine) ->
    case {file:read_link_info(Out), file:read_link_info(Mine)} of
        {{ok, #file_info{type = directory, uid = Uid, mode = Mode}}, {ok, #file_info{uid = Uid}}} ->
            case Mode band 8#022 =:= 0 andalso beamport_compile:outcome(Out) of
                {ok, Config} -> {ok, Config};
                _ -> false
            end;
        _ ->
            false
    end.

%% What the compilers print goes where this process prints.
run(Kind, Root, Out) ->
    {ok, [[BinDir]]} = init:get_argument(bindir),
    Paths = [Dir || Dir <- code:get_path(), Dir =/= ".", not lists:prefix(code:lib_dir() ++ "/", Dir)],
    Arguments = boot() ++ ["-noinput", "-noshell", "+fnu", "+pc", "unicode"] ++ lists:append([["-pz", Dir] || Dir <- Paths])
        ++ ["-s", "beamport_compile", "main", "-extra", atom_to_list(Kind), Root, Out],
    Environment = [{"MIX_ENV", atom_to_list(environment())}, {"MIX_BUILD_PATH", Out}, {"MIX_BUILD_ROOT", false},
                   {"ERL_FLAGS", false}, {"ERL_AFLAGS", false}, {"ERL_ZFLAGS", false}],
    try open_port({spawn_executable, filename:join(BinDir, "erlexec")},
                  [{args, Arguments}, {env, Environment}, {cd, Root}, {line, 8192}, exit_status, stderr_to_stdout,
                   binary]) of
        Port -> printed(Port, [], Out)
    catch
        error:Reason -> {error, ["the emulator that compiles could not be started: ", beamport_text:show(Reason)]}
    end.

%% The compilers need Erlang's own boot script: one of beamport's starts the link.
boot() ->
    case {init:get_argument(beamport_boot), init:get_argument(boot)} of
        {{ok, _}, _} -> ["-boot", filename:join([code:root_dir(), "bin", "start_clean"])];
        {error, {ok, Boots}} -> ["-boot" | lists:last(Boots)];
        {error, error} -> []
    end.

printed(Port, Last, Out) ->
    receive
        {Port, {data, {eol, Line}}} ->
            io:put_chars([Line, $\n]),
            printed(Port, lists:sublist([Line | Last], 5), Out);
        {Port, {data, {noeol, Part}}} ->
            io:put_chars(Part),
            printed(Port, Last, Out);
        {Port, {exit_status, Status}} ->
            case beamport_compile:outcome(Out) of
                none ->
                    {error, ["the emulator that compiles ended with status ", integer_to_list(Status) | said(Last)]};
                {error, Why} ->
                    {error, [Why | [said(Last) || re:run(Why, ":[0-9]+", [{capture, none}]) =:= nomatch]]};
                {ok, Config} ->
                    {ok, Config}
            end
    end.

%% What was printed before, where a message alone does not say what it is about.
said([]) -> [];
said(Last) -> ["; it last wrote: ", lists:join("\n", lists:reverse(Last))].
