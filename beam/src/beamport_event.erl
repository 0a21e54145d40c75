%% @doc What there is to say about an event of the logger: its text, and those of its
%% metadata that are simple values.
-module(beamport_event).

-export([text/2, meta/1]).

-define(MAX_TEXT, 262144).
-define(MAX_VALUE, 8192).
-define(MAX_KEYS, 64).
-define(MAX_DEPTH, 5).

%% @doc The message, formatted as its own functions say, without its last newline and
%% no longer than 256 KiB.
-spec text(Message :: {io:format(), [term()]} | {report, logger:report()} | {string, unicode:chardata()},
           Meta :: logger:metadata()) -> binary().
text(Message, Meta) ->
    Text = try chars(Message, Meta) of
               Chars -> beamport_text:utf8(Chars)
           catch
               _:_ -> beamport_text:show(Message)
           end,
    beamport_text:cut(chomp(Text), ?MAX_TEXT).

chars({string, String}, _) ->
    String;
chars({report, Report}, #{report_cb := Format}) when is_function(Format, 1) ->
    {Text, Args} = Format(Report),
    format(Text, Args);
chars({report, Report}, #{report_cb := Format}) when is_function(Format, 2) ->
    Format(Report, #{depth => unlimited, chars_limit => ?MAX_TEXT, single_line => false});
chars({report, Report}, _) ->
    {Text, Args} = logger:format_report(Report),
    format(Text, Args);
chars({Format, Args}, _) ->
    format(Format, Args).

format(Format, Args) ->
    io_lib:format(Format, Args, [{chars_limit, ?MAX_TEXT}]).

chomp(Text) ->
    Size = byte_size(Text) - 1,
    case Text of
        <<Line:Size/binary, "\n">> -> Line;
        _ -> Text
    end.

%% @doc Where an event comes from (`mfa', `file', `line', `pid', `domain', as far as
%% they are known), and what code has added: binaries, numbers and atoms, dates and times of
%% Elixir's, and maps and lists of such.
-spec meta(logger:metadata()) -> #{atom() => binary() | number() | atom() | map() | list()}.
meta(Meta) ->
    pairs(maps:next(maps:iterator(Meta)), ?MAX_KEYS, #{}).

pairs(none, _, Kept) -> Kept;
pairs(_, 0, Kept) -> Kept;
pairs({Key, Value, More}, Left, Kept) ->
    %% Metadata may be anything: what cannot be understood must not take the line with it.
    try value(Key, Value) of
        {ok, Simple} -> pairs(maps:next(More), Left - 1, Kept#{Key => Simple});
        none -> pairs(maps:next(More), Left, Kept)
    catch
        _:_ -> pairs(maps:next(More), Left, Kept)
    end.

%% What the frame says elsewhere, or what is for the logger's own use, is left out.
value(time, _) -> none;
value(gl, _) -> none;
value(report_cb, _) -> none;
value(error_logger, _) -> none;
value(logger_formatter, _) -> none;
value(module, _) -> none;
value(function, _) -> none;
value(mfa, {M, F, A}) when is_atom(M), is_atom(F), is_integer(A) ->
    {ok, beamport_stack:mfa(M, F, A)};
value(file, File) when is_list(File); is_binary(File) ->
    {ok, beamport_text:cut(beamport_text:utf8(File), ?MAX_VALUE)};
value(pid, Pid) when is_pid(Pid) ->
    {ok, list_to_binary(pid_to_list(Pid))};
value(domain, [_ | _] = Domain) ->
    case [atom_to_binary(Atom) || Atom <- Domain, is_atom(Atom)] of
        [First | More] -> {ok, iolist_to_binary([First | [[$., Name] || Name <- More]])};
        [] -> none
    end;
value(Key, Value) when is_atom(Key), is_binary(Value) ->
    {ok, beamport_text:cut(beamport_text:utf8(Value), ?MAX_VALUE)};
value(Key, Value) when is_atom(Key), is_number(Value) ->
    {ok, Value};
value(Key, Value) when is_atom(Key), is_atom(Value) ->
    {ok, Value};
value(Key, Value) when is_atom(Key), is_map(Value); is_atom(Key), is_list(Value) ->
    nested(Value);
value(_, _) ->
    none.

%% Maps and lists of simple values, a few levels deep, and Elixir's dates and times. What is in them that is not simple
%% may hold anything, such as the arguments of a call, and is left out with the whole.
nested(Value) ->
    try simple(Value, ?MAX_DEPTH, ?MAX_KEYS) of
        {Simple, _} -> {ok, Simple}
    catch
        _:_ -> none % not simple, or what only looks like a struct
    end.

is_time('Elixir.DateTime') -> true;
is_time('Elixir.NaiveDateTime') -> true;
is_time('Elixir.Date') -> true;
is_time('Elixir.Time') -> true;
is_time(_) -> false.

simple(_, 0, _) -> throw(?MODULE);
simple(_, _, 0) -> throw(?MODULE);
simple(#{'__struct__' := Module, calendar := 'Elixir.Calendar.ISO'} = Struct, _, Left) ->
    case is_time(Module) of
        true -> {<<_/binary>> = beamport_elixir:call(Module, to_iso8601, [Struct]), Left - 1};
        false -> throw(?MODULE)
    end;
simple(#{'__struct__' := _}, _, _) -> throw(?MODULE);
simple(Map, Depth, Left) when is_map(Map) ->
    maps:fold(fun(Key, Value, {Made, Room}) when is_atom(Key); is_binary(Key) ->
                      {Simple, More} = simple(Value, Depth - 1, Room),
                      {Made#{Key => Simple}, More};
                 (_, _, _) ->
                      throw(?MODULE)
              end, {#{}, Left - 1}, Map);
simple([Head | Tail], Depth, Left) when is_list(Tail) ->
    {First, Room} = simple(Head, Depth - 1, Left),
    {Rest, More} = simple(Tail, Depth, Room),
    {[First | Rest], More};
simple([], _, Left) -> {[], Left};
simple(Value, _, Left) when is_binary(Value) -> {beamport_text:cut(beamport_text:utf8(Value), ?MAX_VALUE), Left - 1};
simple(Value, _, Left) when is_number(Value); is_atom(Value) -> {Value, Left - 1};
simple(_, _, _) -> throw(?MODULE).
