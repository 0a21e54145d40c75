%% @doc The directory that holds a function's code.
%%
%% Its code is in `lib/*/ebin', as in a release, in `ebin', beside the directory's other
%% files, or where Gleam puts it; Elixir's consolidated protocols are in
%% `lib/*/consolidated', those of an umbrella in `consolidated'. It comes before what else is on the code path, with one exception:
%% applications that Erlang/OTP has itself are taken from there, since those of a
%% release may be of another version than the emulator.
-module(beamport_task_root).

-export([add/1, directories/1, searched/0, application_of/2]).

%% @doc Puts directories of the function's code on the code path.
-spec add([file:filename()]) -> ok.
add(Directories) ->
    {Known, Own} = lists:partition(fun otp/1, Directories),
    ok = code:add_pathsa(lists:reverse(Own)),
    ok = code:add_pathsz(Known).

%% @doc Where the function's compiled code is, as far as there is any.
-spec directories(file:filename()) -> [file:filename()].
directories(Root) ->
    Consolidated = wildcard(Root, ["consolidated"]) ++ wildcard(Root, ["lib", "*", "consolidated"]),
    Libraries = wildcard(Root, ["lib", "*", "ebin"]),
    Others = [Dir || Dir <- [filename:join(Root, "ebin"), Root], filelib:wildcard("*.beam", Dir) =/= []],
    Consolidated ++ Libraries ++ Others ++ gleam(Root).

%% Gleam's shipment, itself or in a project, else what a project was compiled to.
gleam(Root) ->
    Shipment = case filelib:is_regular(filename:join(Root, "entrypoint.sh")) of
                   true -> wildcard(Root, ["*", "ebin"]);
                   false -> []
               end,
    first([fun() -> Shipment end
           | [fun() -> wildcard(Root, Names) end || Names <- [["build", "erlang-shipment", "*", "ebin"],
                                                              ["build", "prod", "erlang", "*", "ebin"],
                                                              ["build", "dev", "erlang", "*", "ebin"]]]]).

first([]) -> [];
first([Find | Others]) ->
    case Find() of
        [] -> first(Others);
        Found -> Found
    end.

%% @doc The forms that directories/1 looks for, in words.
-spec searched() -> string().
searched() ->
    "neither lib/*/ebin nor ebin nor *.beam, no release (releases/start_erl.data), nothing that Gleam has built "
        "(build/erlang-shipment, build/prod/erlang), and no source (mix.exs, or *.ex and *.erl in it, in src and in lib)".

wildcard(Root, Names) ->
    filelib:wildcard(filename:join([escape(Root) | Names])).

%% Characters that a wildcard gives a meaning to.
escape(Path) ->
    lists:flatmap(fun(C) -> case lists:member(C, "*?[]{},\\") of
                                true -> [$\\, C];
                                false -> [C]
                            end
                  end, Path).

otp(Ebin) ->
    case application_file(Ebin) of
        {ok, beamport} -> true;
        {ok, App} -> is_otp(code:lib_dir(App)) andalso not is_otp(Ebin);
        none -> false
    end.

%% What is in the Erlang that runs, which may be that of a release: there, the release
%% says which version counts.
is_otp(Dir) when is_list(Dir) -> lists:prefix(code:lib_dir() ++ "/", Dir);
is_otp({error, bad_name}) -> false.

%% @doc The application that a loaded module belongs to, by the `.app' file beside it,
%% when that is in one of the directories.
-spec application_of(module(), [file:filename()]) -> {ok, App :: atom()} | none.
application_of(Module, Directories) ->
    case code:which(Module) of
        File when is_list(File) ->
            Ebin = filename:dirname(File),
            case lists:member(Ebin, Directories) andalso application_file(Ebin) of
                {ok, App} -> {ok, App};
                _ -> none
            end;
        _ ->
            none
    end.

%% The file is named for the application. It is not read: that would take longer than all
%% else here, since nothing has loaded Erlang's parser.
application_file(Ebin) ->
    case filelib:wildcard("*.app", Ebin) of
        [File | _] -> {ok, list_to_atom(filename:basename(File, ".app"))};
        [] -> none
    end.
