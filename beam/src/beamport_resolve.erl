%% @doc From a handler's name to a function that can be called: finds the module,
%% starts its application, and looks for the function.
-module(beamport_resolve).

-export([handler/2, find/2]).
-export_type([handler/0]).

-type handler() :: #{module := module(),
                     call := {function, Function :: atom(), 1 | 2} | {behaviour, 2 | 3},
                     language := beamport_error:language()}.

-type failure() :: {error, Type :: binary(), Message :: unicode:chardata()}.

%% @doc Finds a handler in a task root, whose code is put on the code path. Source is
%% compiled first. Then what the function is made of is started: of a release all
%% applications, else the one that the module belongs to and what it depends on, and
%% Elixir's where the module is Elixir's. Messages of failures name the handler.
-spec handler(Name :: binary(), TaskRoot :: binary()) -> {ok, handler()} | failure().
handler(Name, TaskRoot) ->
    case beamport_function:handler(Name) of
        {ok, Settings} -> packaged(Settings, Name);
        none -> in_task_root(Name, TaskRoot)
    end.

%% A boot script of the function's own has put its code on the code path.
packaged(#{parsed := Parsed, applications := Apps} = Settings, Name) ->
    Module = element(1, Parsed),
    case beamport_code:load(Module) of
        ok ->
            case steps([fun() -> start_elixir(Module, needed(Settings), Name) end, fun() -> start(Apps, Name, #{}) end]) of
                ok -> find(Parsed, Name);
                Failure -> Failure
            end;
        {error, Reason} ->
            not_loaded(Reason, Module, Name, packaged)
    end.

%% What of Elixir's applications a function needs that starts no more.
needed(#{logger := true}) -> logger;
needed(#{elixir := true}) -> config;
needed(_) -> none.

in_task_root(Name, TaskRoot) ->
    case beamport_handler_name:parse(Name) of
        {ok, Parsed} ->
            Root = unicode:characters_to_list(TaskRoot),
            case code(Root) of
                {ok, Code} -> handler(Parsed, Name, Code#{root => Root});
                {error, Type, Why} -> {error, Type, [about(Name), Why]}
            end;
        {error, Why} ->
            {error, <<"Runtime.BadHandler">>,
             [about(Name), "this is not a handler's name: ", Why,
              "; one looks like Module.function (Elixir), module:function (Erlang), "
              "dir/module.function (Gleam), my-module:function (LFE) or, for a module with the behaviour "
              "beamport_handler, Module"]}
    end.

handler(Parsed, Name, #{directories := Directories} = Code) ->
    Module = element(1, Parsed),
    ok = beamport_task_root:add(Directories),
    case steps([fun() -> load(Module, Name, Code) end,
                fun() -> configure(Name, Code) end,
                fun() -> start_elixir(Module, none, Name) end,
                fun() -> start(applications(Module, Code), Name, Code) end]) of
        ok -> find(Parsed, Name);
        {error, _, _} = Failure -> Failure
    end.

%% What the task root holds, and where its code is.
code(Root) ->
    case beamport_release:find(Root) of
        {ok, Release} ->
            {ok, #{release => Release, directories => beamport_release:directories(Release)}};
        {error, Why} ->
            {error, <<"Runtime.BadRelease">>, ["the release cannot be started: ", Why]};
        none ->
            case beamport_task_root:directories(Root) of
                [] -> source(Root);
                Directories -> {ok, compiled(Directories, beamport_config:packaged(Root))}
            end
    end.

compiled(Directories, none) -> #{directories => Directories};
compiled(Directories, {ok, Config}) -> #{directories => Directories, config => Config}.

source(Root) ->
    case beamport_source:compile(Root) of
        none -> {ok, #{directories => []}};
        {ok, Compiled} -> {ok, Compiled};
        {error, Why} -> {error, <<"Runtime.CompileFailed">>, ["the function's source does not compile: ", Why]}
    end.

steps([]) ->
    ok;
steps([Step | Steps]) ->
    case Step() of
        ok -> steps(Steps);
        Failure -> Failure
    end.

about(Name) ->
    ["handler \"", Name, "\": "].

load(Module, Name, Code) ->
    case beamport_code:load(Module) of
        ok -> ok;
        {error, Reason} -> not_loaded(Reason, Module, Name, Code)
    end.

not_loaded(nofile, Module, Name, Code) ->
    {error, <<"Runtime.NoSuchModule">>,
     [about(Name), "there is no module ", beamport_elixir:name(Module), ": ", searched(Module, Code)]};
not_loaded(on_load_failure, Module, Name, _) ->
    load_failed(Module, Name, "its on_load function failed, and the log says why: it may be that a shared library is missing "
                "that its native code needs");
not_loaded(badfile, Module, Name, _) ->
    load_failed(Module, Name, ["its file is damaged, or was compiled for a later release than OTP ",
                               erlang:system_info(otp_release)]);
not_loaded(Reason, Module, Name, _) ->
    load_failed(Module, Name, beamport_text:show(Reason)).

load_failed(Module, Name, Why) ->
    {error, <<"Runtime.HandlerLoadFailed">>,
     [about(Name), "the module ", beamport_elixir:name(Module), " could not be loaded: ", Why]}.

searched(_, packaged) ->
    "it is in none of the folders that the function's boot script names";
searched(_, #{root := Root, directories := []}) ->
    ["no compiled code was found in ", Root, " (", beamport_task_root:searched(), "): LAMBDA_TASK_ROOT is to be the "
     "folder that holds it"];
searched(Module, #{directories := All}) ->
    Directories = case [Dir || Dir <- All, not common(Dir)] of
                      [] -> All;
                      Own -> Own
                  end,
    ["no ", atom_to_binary(Module), ".beam in ", lists:join(", ", some(Directories)),
     " or in Erlang's own libraries", instead(Directories)].

%% What a release has besides the function's own code is of no use in a message.
common(Dir) ->
    [Name | _] = string:split(filename:basename(filename:dirname(Dir)), "-"),
    filename:basename(Dir) =:= "consolidated" orelse
        lists:member(Name, ["kernel", "stdlib", "compiler", "sasl", "crypto", "asn1", "public_key", "ssl", "inets",
                            "runtime_tools", "elixir", "eex", "iex", "logger", "mix"]).

some(Directories) when length(Directories) =< 5 ->
    Directories;
some(Directories) ->
    {First, More} = lists:split(4, Directories),
    First ++ [[integer_to_list(length(More)), " more directories"]].

%% What may have been meant.
instead(Directories) ->
    case lists:sort(lists:append([filelib:wildcard("*.beam", Dir) || Dir <- Directories])) of
        [] -> "; there is no module at all in them";
        Files -> ["; _HANDLER names the module, such as ",
                  lists:join(" or ", [module_name(File) || File <- lists:sublist(Files, 3)])]
    end.

module_name(File) ->
    Name = filename:basename(File, ".beam"),
    case string:prefix(Name, "Elixir.") of
        nomatch -> Name;
        Alias -> Alias
    end.

configure(Name, #{release := _}) -> configured(beamport_config:provide(), Name);
configure(Name, #{config := Config, root := Root}) ->
    File = filename:join([Root, "config", "runtime.exs"]),
    configured(beamport_config:read(Config, File, beamport_source:environment()), Name);
configure(_, _) -> ok.

configured(ok, _) ->
    ok;
configured({error, Why}, Name) ->
    {error, <<"Runtime.ConfigurationFailed">>, [about(Name), "the configuration could not be evaluated: ", Why]}.

%% Modules of Elixir may need its applications where none of their own is found.
start_elixir(Module, Needed, Name) ->
    case beamport_elixir:is_module(Module) andalso start_elixir(beamport_function:is_lean(), Needed) of
        {error, {App, Reason}} -> start_failed(Name, {error, App, beamport_text:show(Reason)});
        _ -> ok
    end.

start_elixir(true, none) -> ok;
start_elixir(true, config) -> beamport_elixir:start_config();
start_elixir(_, _) -> beamport_elixir:start().

applications(_, #{release := Release}) ->
    beamport_release:applications(Release);
applications(Module, #{directories := Directories}) ->
    case beamport_task_root:application_of(Module, Directories) of
        {ok, App} -> [App];
        none -> []
    end.

start([], _, _) ->
    ok;
start(Apps, Name, Code) ->
    case beamport_function:is_lean() of
        true -> started([App || App <- Apps, beamport_applications:runs(App)], Name, Code);
        false -> started(Apps, Name, Code)
    end.

started(Apps, Name, Code) ->
    case beamport_applications:needs_elixir(Apps) andalso beamport_elixir:start() of
        {error, {App, Reason}} ->
            start_failed(Name, {error, App, beamport_text:show(Reason)});
        _ ->
            case beamport_applications:start(Apps, type(Code)) of
                ok -> ok;
                Failure -> start_failed(Name, Failure)
            end
    end.

type(#{release := Release}) -> fun(App) -> beamport_release:type(App, Release) end;
type(_) -> fun(_) -> transient end.

start_failed(Name, {error, App, Why}) ->
    {error, <<"Runtime.ApplicationStartFailed">>,
     [about(Name), "the application ", atom_to_binary(App), " could not be started: ", Why]}.

%% @doc Looks for the function of a handler whose module is loaded.
-spec find(beamport_handler_name:parsed(), Name :: binary()) -> {ok, handler()} | failure().
find({Module}, Name) ->
    case [Arity || Arity <- [3, 2], erlang:function_exported(Module, handle, Arity)] of
        [Arity | _] -> {ok, found(Module, {behaviour, Arity})};
        [] -> no_function(Module, handle, [3, 2], Name)
    end;
find({Module, Function}, Name) ->
    case [Arity || Arity <- [2, 1], erlang:function_exported(Module, Function, Arity)] of
        [Arity | _] -> {ok, found(Module, {function, Function, Arity})};
        [] -> no_function(Module, Function, [2, 1], Name)
    end.

found(Module, Call) ->
    #{module => Module, call => Call, language => language(Module)}.

language(Module) ->
    case beamport_elixir:is_module(Module) of
        true -> elixir;
        false -> erlang
    end.

no_function(Module, Function, Arities, Name) ->
    Exports = [FA || {F, _} = FA <- lists:sort(Module:module_info(exports)), not generated(F)],
    Wanted = names(Module, [{Function, Arity} || Arity <- Arities]),
    {error, <<"Runtime.NoSuchFunction">>,
     [about(Name), "there is no public function ", lists:join(" or ", Wanted), "; ",
      case {[FA || {F, _} = FA <- Exports, F =:= Function],
            [FA || {_, A} = FA <- Exports, lists:member(A, Arities)]} of
          {[], []} -> "the module has no function that could be a handler";
          {[], Others} -> ["the module has ", lists:join(", ", names(Module, lists:sublist(Others, 5)))];
          {Same, _} -> ["the module has ", lists:join(", ", names(Module, Same))]
      end]}.

names(Module, Functions) ->
    [beamport_stack:mfa(Module, F, A) || {F, A} <- Functions].

%% What compilers add to every module.
generated(module_info) -> true;
generated('__info__') -> true;
generated('__struct__') -> true;
generated(behaviour_info) -> true;
generated(F) -> lists:prefix("MACRO-", atom_to_list(F)).
