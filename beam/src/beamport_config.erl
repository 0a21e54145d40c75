%% @doc Configuration that Elixir evaluates when the function starts.
%%
%% A release has it in providers, which `config/runtime.exs' becomes one of: its boot
%% scripts run them, and may restart the emulator then; a failure there is the
%% emulator's. So they are hidden from the boot scripts, with the flag `-elixir
%% config_provider_init undefined', and here each is asked in turn and the outcome put into the environment of the applications, before any of them is
%% started. What Erlang's kernel reads only while it starts stays as `sys.config' has it.
-module(beamport_config).

-export([provide/0, packaged/1, read/3]).

-type failure() :: {error, Why :: unicode:chardata()}.

%% @doc Runs the configuration providers of a release, which its `sys.config' names.
%% Does nothing where there are none.
-spec provide() -> ok | failure().
provide() ->
    Config = configured(),
    case proplists:get_value(config_provider_init, proplists:get_value(elixir, Config, [])) of
        #{providers := Providers} = Init when is_list(Providers) ->
            with_elixir(fun() -> provided(Providers, Config, maps:get(extra_config, Init, [])) end);
        _ ->
            ok
    end.

%% A provider is given all that is configured so far, and returns it with its own.
provided(Providers, Before, Extra) ->
    evaluate([{provider(P), fun(Config) -> Module:load(Config, State) end} || {Module, State} = P <- Providers],
             merge(Before, Extra), Before).

%% What runtime.exs became is known by its file.
provider({'Elixir.Config.Reader', {Path, _}}) -> path(Path);
provider({'Elixir.Config.Reader', Path}) -> path(Path);
provider({Module, _}) -> beamport_elixir:name(Module).

path({system, Variable, Path}) -> [os:getenv(unicode:characters_to_list(Variable), ""), Path];
path(Path) when is_binary(Path) -> Path;
path(_) -> "Config.Reader".

%% What the files have that -config names.
configured() ->
    case init:get_argument(config) of
        {ok, Files} ->
            lists:append([case file:consult(filename:rootname(File, ".config") ++ ".config") of
                              {ok, [Config]} when is_list(Config) -> [C || {_, _} = C <- Config];
                              _ -> []
                          end || File <- lists:append(Files)]);
        error ->
            []
    end.

%% @doc What a function that was packaged is configured with, as the file in its task root
%% has it. Its boot script has that too: the file is for a start without it.
-spec packaged(Root :: file:filename()) -> {ok, [{App :: atom(), [{atom(), term()}]}]} | none.
packaged(Root) ->
    case file:read_file(filename:join(Root, "beamport.config")) of
        %% It is part of the function's code: its atoms are those of that.
        {ok, Bytes} -> {ok, binary_to_term(Bytes)};
        {error, _} -> none
    end.

%% @doc Puts a project's configuration into the environment of the applications, and that
%% of its runtime.exs, if there is one, evaluated in the environment named.
-spec read([{App :: atom(), [{atom(), term()}]}], Runtime :: file:filename(), Environment :: atom()) -> ok | failure().
read(Config, Runtime, Environment) ->
    case filelib:is_regular(Runtime) of
        true ->
            File = unicode:characters_to_binary(Runtime),
            Read = fun(Before) ->
                           Options = [{env, Environment}, {target, host}],
                           merge(Before, beamport_elixir:call('Elixir.Config.Reader', 'read!', [File, Options]))
                   end,
            with_elixir(fun() -> evaluate([{File, Read}], Config, []) end);
        false ->
            put_all(Config, [])
    end.

evaluate([], Config, Before) ->
    put_all(Config, Before);
evaluate([{What, Fun} | Others], Config, Before) ->
    %% Code of the function's own: it may raise, throw and exit.
    try Fun(Config) of
        Next -> evaluate(Others, Next, Before)
    catch
        Class:Reason:Stack ->
            {_, #{type := Type, message := Message}, Lines} = beamport_error:format(Class, Reason, Stack, elixir),
            Places = [Line || Line <- Lines, binary:match(Line, <<".exs:">>) =/= nomatch],
            {error, [What, ": ", Type, ": ", Message | [["\n    ", Line] || Line <- lists:sublist(Places, 3)]]}
    end.

with_elixir(Fun) ->
    case application:ensure_all_started(elixir) of
        {ok, _} ->
            Fun();
        {error, {App, Reason}} ->
            {error, ["Elixir is needed for it, and ", atom_to_binary(App), " could not be started: ",
                     beamport_text:show(Reason)]}
    end.

merge(Before, After) ->
    beamport_elixir:call('Elixir.Config.Reader', merge, [Before, After]).

%% Values that are not as they were before. They outlive the loading of an application,
%% whose own values count for less.
put_all(Config, Before) ->
    _ = [application:set_env(App, Key, Value, [{persistent, true}]) ||
            {App, Values} <- Config, {Key, Value} <- Values, not same(App, Key, Value, Before)],
    ok.

same(App, Key, Value, Before) ->
    case lists:keyfind(App, 1, Before) of
        {App, Values} -> lists:keyfind(Key, 1, Values) =:= {Key, Value};
        false -> false
    end.
