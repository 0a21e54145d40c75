%% @doc The logger handler that sends events as log frames.
%%
%% The frame is written by the process that logs: it comes before whatever that
%% process causes afterwards, and the process waits while the port is busy.
-module(beamport_log).

-export([install/2, level/1, drop_sasl/0, translate_with/1, log/2, noise/2, translate/2]).

-type translator() :: {module(), Function :: atom()}.
%% As Elixir's logger is configured with them.

-define(ID, beamport).
%% What a frame may hold; metadata may hold anything.
-define(IS_TIME(T), (is_integer(T) andalso T >= -16#8000000000000000 andalso T < 16#8000000000000000)).

%% @doc Sends all events of the logger as frames, and takes those handlers away that
%% print them: the default one, and that which kernel has until, or unless, there is
%% another. Does nothing where there is no logger.
-spec install(beamport_sink:sink(), beamport_calls:table()) -> ok.
install(Sink, Calls) ->
    case whereis(logger) of
        undefined ->
            ok;
        _ ->
            Filters = [{progress, {fun logger_filters:progress/2, stop}},
                       {noise, {fun ?MODULE:noise/2, stop}}],
            _ = logger:add_handler(?ID, ?MODULE, #{filters => Filters,
                                                         config => #{sink => Sink, calls => Calls}}),
            _ = [logger:remove_handler(Id) || Id <- [default, simple]],
            ok
    end.

%% @doc Has the logger make events of this level and above, by Lambda's name for it; what
%% is below costs nothing then. Another name leaves the logger as it is.
-spec level(binary() | nil) -> ok.
level(Name) ->
    case {whereis(logger), erlang_level(Name)} of
        {undefined, _} -> ok;
        {_, none} -> ok;
        {_, Level} ->
            _ = logger:set_primary_config(level, Level),
            ok
    end.

erlang_level(<<"TRACE">>) -> debug;
erlang_level(<<"DEBUG">>) -> debug;
erlang_level(<<"INFO">>) -> info;
erlang_level(<<"WARN">>) -> warning;
erlang_level(<<"ERROR">>) -> error;
erlang_level(<<"FATAL">>) -> critical;
erlang_level(_) -> none.

%% @doc A filter for reports of applications that were stopped as they should be.
-spec noise(logger:log_event(), stop) -> stop | ignore.
noise(#{msg := {report, #{label := {application_controller, exit}, report := Report}}}, stop) ->
    case lists:keyfind(exited, 1, Report) of
        {exited, stopped} -> stop;
        _ -> ignore
    end;
%% Since 1.15, Elixir's logger has made a sentence of it before handlers see it.
noise(#{msg := {string, Text}, meta := #{mfa := {application_controller, _, 3}}}, stop) ->
    case string:find(unicode:characters_to_binary(Text), <<"exited: :stopped">>) of
        nomatch -> ignore;
        _ -> stop
    end;
noise(_, stop) ->
    ignore.

%% @doc Leaves out the reports of supervisors and of crashed processes that the
%% domain `[otp, sasl]' has, as Elixir's logger does unless it is told otherwise.
-spec drop_sasl() -> ok.
drop_sasl() ->
    _ = logger:add_handler_filter(?ID, sasl, {fun logger_filters:domain/2, {stop, sub, [otp, sasl]}}),
    ok.

%% @doc Has what OTP reports told in Elixir's words, as Elixir's logger does by itself since
%% 1.15, for all handlers; until then it did for its own backends.
-spec translate_with([translator()]) -> ok.
translate_with(Translators) ->
    _ = logger:add_handler_filter(?ID, translator, {fun ?MODULE:translate/2, Translators}),
    ok.

%% @doc A filter that puts an event into Elixir's words, if one of the translators knows any.
-spec translate(logger:log_event(), [translator()]) -> logger:filter_return().
translate(#{level := Level, msg := Message} = Event, Translators) ->
    case translatable(Message) of
        none ->
            ignore;
        {Kind, Data} ->
            #{level := Least} = logger:get_primary_config(),
            case translated(Translators, [Least, Level, Kind, Data]) of
                {ok, Text} -> Event#{msg := {string, Text}};
                {ok, Text, _} -> Event#{msg := {string, Text}};
                skip -> stop;
                none -> ignore
            end
    end.

translatable({report, #{label := {error_logger, _}, format := Format, args := Args}}) -> {format, {Format, Args}};
translatable({report, #{label := Label, report := Report} = Whole}) when map_size(Whole) =:= 2 -> {report, {Label, Report}};
translatable({report, Report}) -> {report, {logger, Report}};
translatable({string, _}) -> none;
translatable({Format, Args}) -> {format, {Format, Args}}.

translated([], _) ->
    none;
translated([{Module, Function} | Translators], Args) ->
    %% A filter that fails is taken away.
    try apply(Module, Function, Args) of
        none -> translated(Translators, Args);
        Answer -> Answer
    catch
        _:_ -> translated(Translators, Args)
    end.

%% @doc Sends an event. Called by the logger, in the process that logs.
-spec log(logger:log_event(), logger:handler_config()) -> ok.
log(#{level := Level, msg := Message, meta := Meta}, #{config := #{sink := Sink, calls := Calls}}) ->
    %% A handler that fails is taken away, with all that would be logged later.
    try
        Text = beamport_event:text(Message, Meta),
        write(Level, Meta, Text, Sink, Calls)
    catch
        _:_ -> ok
    end.

write(Level, Meta, Text, Sink, Calls) ->
    Id = case Meta of
             #{gl := GroupLeader} -> beamport_calls:id(Calls, GroupLeader);
             _ -> nil
         end,
    Time = case Meta of
               #{time := T} when ?IS_TIME(T) -> T;
               _ -> os:system_time(microsecond)
           end,
    Frame = beamport_frame:log(Level, Time, Id, Text, beamport_event:meta(Meta), beamport_sink:max(Sink)),
    _ = beamport_sink:write(Sink, Frame),
    ok.
