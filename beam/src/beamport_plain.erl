%% @doc Results without Elixir's structs.
%%
%% `Date', `Time', `DateTime', `NaiveDateTime' and `Decimal' become the strings that
%% Jason writes, `URI' and `Version' those that `to_string/1' makes, `MapSet' and
%% `Range' lists. A struct with an encoder of Jason's or of Elixir's `JSON' becomes what
%% that writes. Another struct has no form that could be meant.
-module(beamport_plain).

-export([term/1]).

-define(MAX_RANGE, 1000000).

%% What a struct can derive an encoder from; `Any' is for those that have not.
-define(ENCODERS, [{'Elixir.Jason', 'Elixir.Jason.Encoder', 'Elixir.Jason.Encoder.Any'},
                   {'Elixir.JSON', 'Elixir.JSON.Encoder', 'Elixir.JSON.Encoder.Any'}]).

%% @doc The term without structs: itself, not a copy, when it holds none. The error
%% is the rest of a sentence and names the struct and where it is, as a JSON pointer.
-spec term(term()) -> {ok, term()} | {error, Message :: iodata()}.
term(Term) ->
    case has_struct(Term) of
        false ->
            {ok, Term};
        true ->
            try {ok, plain(Term, [])}
            catch
                throw:{?MODULE, Message} -> {error, Message}
            end
    end.

%% Tuples have no form in JSON, so that what is in them does not matter.
has_struct(Map) when is_map(Map) ->
    is_map_key('__struct__', Map) orelse in_map(maps:next(maps:iterator(Map)));
has_struct([Head | Tail]) ->
    case is_map(Head) orelse is_list(Head) of
        true -> has_struct(Head) orelse has_struct(Tail);
        false -> has_struct(Tail)
    end;
has_struct(_) ->
    false.

in_map(none) ->
    false;
in_map({Key, Value, More}) ->
    is_map(Key) andalso is_map_key('__struct__', Key) orelse
        (is_map(Value) orelse is_list(Value)) andalso has_struct(Value) orelse
        in_map(maps:next(More)).

plain(#{'__struct__' := Module} = Struct, Path) ->
    struct(Module, Struct, Path);
plain(Map, Path) when is_map(Map) ->
    maps:fold(fun(Key, Value, Plain) ->
                      Plain#{key(Key, Path) => plain(Value, [Key | Path])}
              end, #{}, Map);
plain(List, Path) when is_list(List) ->
    elements(List, 0, Path);
plain(Other, _) ->
    Other.

elements([Head | Tail], Index, Path) -> [plain(Head, [Index | Path]) | elements(Tail, Index + 1, Path)];
elements(Tail, _, _) -> Tail.

key(#{'__struct__' := _} = Struct, Path) ->
    case plain(Struct, Path) of
        Text when is_binary(Text) -> Text;
        _ -> no_form(Struct, Path)
    end;
key(Key, _) ->
    Key.

struct('Elixir.Date', Date, _) -> iso('Elixir.Date', Date);
struct('Elixir.Time', Time, _) -> iso('Elixir.Time', Time);
struct('Elixir.DateTime', DateTime, _) -> iso('Elixir.DateTime', DateTime);
struct('Elixir.NaiveDateTime', DateTime, _) -> iso('Elixir.NaiveDateTime', DateTime);
struct('Elixir.Decimal', Decimal, _) -> beamport_elixir:call('Elixir.Decimal', to_string, [Decimal, normal]);
struct('Elixir.URI', URI, _) -> beamport_elixir:to_string(URI);
struct('Elixir.Version', Version, _) -> beamport_elixir:to_string(Version);
struct('Elixir.MapSet', Set, Path) -> plain(beamport_elixir:call('Elixir.MapSet', to_list, [Set]), Path);
struct('Elixir.Range', Range, Path) -> range(Range, Path);
struct(_, Struct, Path) -> encoded(Struct, Path).

iso(Module, Struct) ->
    beamport_elixir:call(Module, to_iso8601, [Struct]).

range(#{first := First, last := Last} = Range, Path) ->
    Step = maps:get(step, Range, if First =< Last -> 1; true -> -1 end),
    case (Last - First) div Step of
        Size when Size < ?MAX_RANGE -> lists:seq(First, max_last(First, Last, Step), Step);
        _ -> throw({?MODULE, ["holds a Range of more than ", integer_to_list(?MAX_RANGE), " numbers", place(Path)]})
    end.

%% lists:seq/3 takes an end that is before the start by one step only.
max_last(First, Last, Step) when Step > 0, Last < First -> First - Step;
max_last(First, Last, Step) when Step < 0, Last > First -> First - Step;
max_last(_, Last, _) -> Last.

encoded(Struct, Path) ->
    case [Library || {Library, Protocol, Any} <- ?ENCODERS,
                     has_encoder(Protocol, Any, Struct)] of
        [Library | _] ->
            Text = beamport_elixir:call(Library, 'encode!', [Struct]),
            beamport_elixir:call(Library, 'decode!', [Text]);
        [] ->
            no_form(Struct, Path)
    end.

has_encoder(Protocol, Any, Struct) ->
    beamport_code:loaded(Protocol) andalso
        case beamport_elixir:call(Protocol, impl_for, [Struct]) of
            nil -> false;
            Implementation -> Implementation =/= Any
        end.

-spec no_form(map(), list()) -> no_return().
no_form(#{'__struct__' := Module}, Path) ->
    throw({?MODULE, ["holds a struct ", name(Module), place(Path), ", which has no form in JSON; return "
                     "a map of what is to be seen of it (Map.from_struct/1, Map.take/2)"]}).

name(Module) when is_atom(Module) -> beamport_elixir:name(Module);
name(_) -> "without a module".

place([]) ->
    [];
place(Path) ->
    [" at " | [[$/, step(Step)] || Step <- lists:reverse(Path)]].

step(Step) when is_integer(Step) -> integer_to_list(Step);
step(Step) when is_atom(Step) -> escape(atom_to_binary(Step));
step(Step) when is_binary(Step) -> escape(Step);
step(_) -> "?".

escape(Name) ->
    binary:replace(binary:replace(Name, <<"~">>, <<"~0">>, [global]), <<"/">>, <<"~1">>, [global]).
