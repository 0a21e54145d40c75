%% @doc Functions that were packaged with a boot script of their own, which says what
%% would have to be looked for otherwise.
%%
%% There is one kind in which nothing of Erlang's kernel runs, only the link, and all
%% modules that the handler needs come with the boot script. What is called besides is
%% started when it is called: see {@link beamport_loader}. The environment of the
%% function's applications is where `application' looks for it, although no controller of
%% applications runs.
-module(beamport_function).

-export([packaged/1, boot/1, hold/0, handler/1, is_lean/0, drop_sasl/0]).
-export_type([settings/0]).

-type settings() :: #{handler := binary(),
                      parsed := beamport_handler_name:parsed(),
                      applications := [App :: atom()],
                      elixir := boolean(),
                      logger => boolean(),
                      environment := [{App :: atom(), [{Key :: atom(), Value :: term()}]}],
                      late := [module()],
                      needed := [module()],
                      log_level := logger:level(),
                      logs := boolean()}.
%% The name of the handler, what it stands for, the applications to start, whether Elixir's
%% own has to be among them, and its logger too, the environment of all applications, modules
%% that only the code server can load, with code that runs when they are, and those of them
%% that the handler needs for all that is known. The last two are the level of the events
%% that are logged, unless Lambda's environment has another, and whether the handler logs for
%% all that is known.

%% @doc Takes note of what is known of the function. Called by the boot script.
-spec packaged(settings()) -> ok.
packaged(#{handler := Name, log_level := Level} = Settings) ->
    persistent_term:put(?MODULE, {Name, Settings}),
    %% Otherwise Elixir's logger does this, which is not started where it need not be.
    case is_lean() andalso whereis(logger) of
        Logger when is_pid(Logger) ->
            ok = logger:set_primary_config(level, Level),
            drop_sasl();
        _ ->
            ok
    end.

%% @doc Leaves out the reports that Elixir's logger would leave out, if the handler is one
%% of Elixir's and does not have them wanted.
-spec drop_sasl() -> ok.
drop_sasl() ->
    case persistent_term:get(?MODULE, none) of
        {_, #{parsed := Parsed, environment := Environment}} ->
            Wanted = proplists:get_value(handle_sasl_reports, proplists:get_value(logger, Environment, []), false),
            case beamport_elixir:is_module(element(1, Parsed)) andalso Wanted =/= true of
                true -> beamport_log:drop_sasl();
                false -> ok
            end;
        none ->
            ok
    end.

%% @doc The same, and starts the link in an emulator where nothing else runs.
-spec boot(settings()) -> ok.
boot(#{parsed := Parsed, environment := Environment, late := Late, needed := Needed, log_level := Level, logs := Logs} = Settings) ->
    packaged(Settings),
    ac_tab = ets:new(ac_tab, [set, public, named_table, {read_concurrency, true}]),
    _ = [ets:insert(ac_tab, {{env, App, Key}, Value}) || {App, Values} <- Environment, {Key, Value} <- Values],
    _ = beamport_elixir:is_module(element(1, Parsed)) andalso beamport_elixir:new_config(),
    ok = beamport_loader:start(Late, Level),
    ok = beamport:boot(),
    Logs andalso beamport_loader:logger(Level),
    %% One that cannot be loaded is no failure before it is called.
    _ = [beamport_code:load(Module) || Module <- Needed],
    ok.

%% @doc Never returns: the last call of the boot script, without which `init' would load
%% nothing any more.
-spec hold() -> no_return().
hold() ->
    erlang:hibernate(?MODULE, hold, []).

%% @doc What is known of the handler with that name.
-spec handler(Name :: binary()) -> {ok, settings()} | none.
handler(Name) ->
    case persistent_term:get(?MODULE, none) of
        {Name, Settings} -> {ok, Settings};
        _ -> none
    end.

%% @doc Whether no more is to be started than what the function cannot do without.
-spec is_lean() -> boolean().
is_lean() ->
    case init:get_argument(beamport_boot) of
        {ok, [["full"] | _]} -> false;
        {ok, _} -> true;
        error -> false
    end.
