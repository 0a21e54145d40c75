%% @doc What is known of Elixir. All of its modules are called by name at run time:
%% where there is no Elixir, {@link available/0} says so.
-module(beamport_elixir).

-export([available/0, start/0, start_config/0, new_config/0, is_module/1, is_exception/1, name/1,
         normalize/3, message/1, inspect/1, to_string/1, call/3]).

-define(MESSAGE_MS, 1000).
-define(MAX_MESSAGE, 8192).
-define(MAX_SHOWN, 4000).

%% @doc Whether Elixir's code is there.
-spec available() -> boolean().
available() ->
    beamport_code:loaded('Elixir.Exception').

%% @doc Starts Elixir's applications, `elixir' and where it is there `logger', in such
%% a way that Elixir's logger prints nothing itself: its events are sent by {@link
%% beamport_log}. Does nothing where Elixir is missing.
-spec start() -> ok | {error, {App :: atom(), Reason :: term()}}.
start() ->
    case application:load(elixir) of
        {error, {already_loaded, _}} -> start_loaded();
        ok -> start_loaded();
        {error, _} -> ok
    end.

start_loaded() ->
    case start_config() of
        ok -> start_logger();
        {error, Reason} -> {error, Reason}
    end.

%% @doc Starts the application `elixir' alone, which keeps what Elixir is configured with.
-spec start_config() -> ok | {error, {App :: atom(), Reason :: term()}}.
start_config() ->
    case application:ensure_all_started(elixir) of
        {ok, _} -> ok;
        {error, Reason} -> {error, Reason}
    end.

%% @doc Makes the table that the application `elixir' keeps, where no applications can be
%% started, with what code that runs reads there: `URI' the ports of schemes.
-spec new_config() -> ok.
new_config() ->
    elixir_config = ets:new(elixir_config, [named_table, public, {read_concurrency, true}]),
    Ports = [{<<"ftp">>, 21}, {<<"sftp">>, 22}, {<<"tftp">>, 69}, {<<"http">>, 80}, {<<"https">>, 443},
             {<<"ldap">>, 389}, {<<"ws">>, 80}, {<<"wss">>, 443}],
    true = ets:insert(elixir_config, [{argv, []}, {at_exit, []}, {no_halt, true} |
                                      [{{uri, Scheme}, Port} || {Scheme, Port} <- Ports]]),
    ok.

start_logger() ->
    case application:load(logger) of
        ok -> silence_logger();
        {error, {already_loaded, _}} -> silence_logger();
        {error, _} -> ok
    end.

%% Until 1.14 backends print and put OTP's reports into Elixir's words; since 1.15 a handler
%% and a filter do.
silence_logger() ->
    Backends = application:get_env(logger, backends, []),
    ok = application:set_env(logger, backends, [B || B <- Backends, B =/= console]),
    ok = application:set_env(logger, default_handler, false),
    case application:ensure_all_started(logger) of
        {ok, _} ->
            #{filters := Filters} = logger:get_primary_config(),
            lists:keymember(logger_translator, 1, Filters) orelse
                beamport_log:translate_with(application:get_env(logger, translators, [])),
            case application:get_env(logger, handle_sasl_reports, false) of
                true -> ok;
                _ -> beamport_log:drop_sasl()
            end;
        {error, Reason} ->
            {error, Reason}
    end.

%% @doc Whether a module is one of Elixir's, by its name.
-spec is_module(module()) -> boolean().
is_module(Module) ->
    case atom_to_binary(Module) of
        <<"Elixir.", _/binary>> -> true;
        _ -> false
    end.

%% @doc Whether a term is an exception of Elixir.
-spec is_exception(term()) -> boolean().
is_exception(#{'__struct__' := Module, '__exception__' := true}) -> is_atom(Module);
is_exception(_) -> false.

%% @doc A module's name as Elixir writes it.
-spec name(module()) -> binary().
name(Module) ->
    case atom_to_binary(Module) of
        <<"Elixir.", Name/binary>> -> Name;
        Name -> Name
    end.

%% @doc The exception that Elixir makes of an error.
-spec normalize(error, Reason :: term(), Stack :: list()) -> {ok, map()} | error.
normalize(error, Reason, Stack) ->
    beamport_bounded:run(fun() -> call('Elixir.Exception', normalize, [error, Reason, Stack]) end,
                         ?MESSAGE_MS).

%% @doc An exception's message. A message/1 that fails or does not end gives a message
%% that says so.
-spec message(Exception :: map()) -> binary().
message(Exception) ->
    case beamport_bounded:run(fun() -> call('Elixir.Exception', message, [Exception]) end, ?MESSAGE_MS) of
        {ok, Message} when is_binary(Message) ->
            beamport_text:cut(foreign(beamport_text:utf8(Message)), ?MAX_MESSAGE);
        _ ->
            <<"(the exception's message could not be made)">>
    end.

%% Of a message/1 that fails Elixir tells the stack trace, which ends in calls of beamport's.
foreign(Message) ->
    case binary:match(Message, <<" while retrieving Exception.message/1 for ">>) of
        nomatch ->
            Message;
        _ ->
            Lines = [Line || Line <- binary:split(Message, <<"\n">>, [global]),
                             binary:match(Line, <<" :beamport_">>) =:= nomatch],
            iolist_to_binary(lists:join("\n", Lines))
    end.

%% @doc A term as Elixir shows it, shortened.
-spec inspect(term()) -> binary().
inspect(Term) ->
    Options = [{limit, 50}, {printable_limit, 1000}, {width, 200}],
    case beamport_bounded:run(fun() -> call('Elixir.Kernel', inspect, [Term, Options]) end, ?MESSAGE_MS) of
        {ok, Text} when is_binary(Text) -> beamport_text:cut(beamport_text:utf8(Text), ?MAX_SHOWN);
        _ -> beamport_text:show(Term)
    end.

%% @doc A value as Elixir's interpolation writes it.
-spec to_string(term()) -> binary().
to_string(Value) ->
    call('Elixir.String.Chars', to_string, [Value]).

%% @doc Calls a function that may not exist.
-spec call(module(), atom(), [term()]) -> term().
call(M, F, Args) ->
    apply(M, F, Args).
