%% @doc The frames of the calling side: those that it writes, and a look at those that
%% it reads.
%%
%% What a call is answered with is decoded by the process that made the call. Atoms
%% that do not exist yet are never made.
-module(beamport_answer).

-export([body/1, call/3, cast/2, cancel/1, credit/2, ping/1, stop/1]).
-export([head/1, chunk/2, term/1, log/1, ready/1, known_atoms/0]).
-export_type([kind/0, head/0, failure/0]).

-type kind() :: reply | error | head | chunk | done | ack.
-type head() :: {kind(), beamport_calls:id()} | log | pong | ready | bad.

-type failure() :: #{class := error | exit | throw | returned, type := binary(), message := binary(),
                     stack := [binary()], atom() => term()}.
%% What the other side says of a call that has failed.

-define(TERM, 131).
-define(TUPLE, 104).
-define(ATOM, 119).
-define(IS_ID(N), (is_integer(N) andalso N > 0 andalso N < 16#800000000000000)).
-define(IS_TIME(T), (is_integer(T) andalso T >= -16#8000000000000000 andalso T < 16#8000000000000000)).

%% @doc A term as a part of a frame.
-spec body(term()) -> [binary()].
body(Term) ->
    [<<?TERM, First/binary>> | More] = term_to_iovec(Term, [{minor_version, 2}]),
    [First | More].

%% @doc A call. With a number for credit, the answer may be streamed.
-spec call(beamport_calls:id(), Request :: [binary()], Credit :: non_neg_integer() | none) -> iodata().
call(Id, Request, none) -> [<<?TERM, ?TUPLE, 3, ?ATOM, 4, "call">>, body(Id), Request];
call(Id, Request, Credit) -> [<<?TERM, ?TUPLE, 4, ?ATOM, 4, "call">>, body(Id), Request, body(Credit)].

%% @doc A cast.
-spec cast(beamport_calls:id(), Message :: [binary()]) -> iodata().
cast(Id, Message) -> [<<?TERM, ?TUPLE, 3, ?ATOM, 4, "cast">>, body(Id), Message].

%% @doc Nobody waits for a call any more.
-spec cancel(beamport_calls:id()) -> iodata().
cancel(Id) -> encode({cancel, Id}).

%% @doc Room for more bytes of a stream.
-spec credit(beamport_calls:id(), pos_integer()) -> iodata().
credit(Id, Bytes) -> encode({credit, Id, Bytes}).

%% @doc A question that is answered at once.
-spec ping(non_neg_integer()) -> iodata().
ping(N) -> encode({ping, N}).

%% @doc Asks the other side to end.
-spec stop(atom()) -> iodata().
stop(Reason) -> encode({stop, Reason}).

encode(Term) -> [<<?TERM>> | body(Term)].

%% @doc What a frame is. `bad' is one that is none of the protocol's.
-spec head(binary()) -> head().
head(<<?TERM, ?TUPLE, Arity, ?ATOM, Size, Name:Size/binary, Rest/binary>> = Frame) ->
    case kind(Arity, Name) of
        bad -> bad;
        Kind when Kind =:= log; Kind =:= pong; Kind =:= ready -> Kind;
        Kind -> final(Kind, beamport_frame:id(Rest), Frame)
    end;
head(Frame) ->
    decoded(Frame).

kind(3, <<"reply">>) -> reply;
kind(3, <<"chunk">>) -> chunk;
kind(5, <<"error">>) -> error;
kind(3, <<"head">>) -> head;
kind(3, <<"done">>) -> done;
kind(2, <<"ack">>) -> ack;
kind(2, <<"pong">>) -> pong;
kind(6, <<"log">>) -> log;
kind(3, <<"ready">>) -> ready;
kind(_, _) -> bad.

final(Kind, Id, _) when ?IS_ID(Id) -> {Kind, Id};
final(_, _, Frame) -> decoded(Frame).

decoded(Frame) ->
    case beamport_frame:decode(Frame) of
        {ok, Tuple} when is_tuple(Tuple), tuple_size(Tuple) >= 2, is_atom(element(1, Tuple)) ->
            case kind(tuple_size(Tuple), atom_to_binary(element(1, Tuple))) of
                Kind when Kind =:= log; Kind =:= pong; Kind =:= ready; Kind =:= bad -> Kind;
                Kind when ?IS_ID(element(2, Tuple)) -> {Kind, element(2, Tuple)};
                _ -> bad
            end;
        _ ->
            bad
    end.

%% @doc The bytes of a chunk, whose id is known.
-spec chunk(binary(), beamport_calls:id()) -> {ok, binary()} | error.
chunk(<<?TERM, ?TUPLE, 3, ?ATOM, 5, "chunk", Rest/binary>> = Frame, Id) ->
    Encoded = iolist_to_binary(body(Id)),
    Size = byte_size(Encoded),
    case Rest of
        <<Encoded:Size/binary, 109, Length:32, Bytes:Length/binary>> when Length > 0 -> {ok, Bytes};
        _ -> decoded_chunk(Frame)
    end;
chunk(Frame, _) ->
    decoded_chunk(Frame).

decoded_chunk(Frame) ->
    case beamport_frame:decode(Frame) of
        {ok, {chunk, _, Bytes}} when is_binary(Bytes), Bytes =/= <<>> -> {ok, Bytes};
        _ -> error
    end.

%% @doc What a reply, a head or a done holds, or how the call has failed. `error' says
%% that the frame is not exactly one term, or names an atom that does not exist.
-spec term(binary()) -> {ok, term()} | {failed, failure()} | error.
term(Frame) ->
    case beamport_frame:decode(Frame) of
        {ok, {Kind, _, Term}} when Kind =:= reply; Kind =:= head; Kind =:= done ->
            {ok, Term};
        {ok, {error, _, Class, #{type := Type, message := Message} = Reason, Stack}}
          when is_binary(Type), is_binary(Message), is_list(Stack),
               Class =:= error orelse Class =:= exit orelse Class =:= throw orelse Class =:= returned ->
            {failed, Reason#{class => Class, stack => Stack}};
        _ ->
            error
    end.

%% @doc A log line.
-spec log(binary()) ->
          {ok, Level :: atom(), Time :: integer(), beamport_calls:id() | nil, Text :: binary(), Meta :: map()} | error.
log(Frame) ->
    case beamport_frame:decode(Frame) of
        {ok, {log, Level, Time, Id, Text, Meta}}
          when is_atom(Level), ?IS_TIME(Time), Id =:= nil orelse is_integer(Id), is_binary(Text), is_map(Meta) ->
            {ok, Level, Time, Id, Text, Meta};
        _ ->
            error
    end.

%% @doc The first frame. Keys of `Info' that are no known atoms leave it empty.
-spec ready(binary()) -> {ok, Info :: map()} | {version, integer()} | error.
ready(Frame) ->
    case {Frame, beamport_frame:decode(Frame)} of
        {_, {ok, {ready, 1, Info}}} when is_map(Info) -> {ok, Info};
        {_, {ok, {ready, Version, _}}} when is_integer(Version) -> {version, Version};
        {<<?TERM, ?TUPLE, 3, ?ATOM, 5, "ready", 97, 1, 116, _/binary>>, error} -> {ok, #{}};
        _ -> error
    end.

%% @doc Keys that a first frame may have. The atoms exist since this module is loaded.
-spec known_atoms() -> [atom()].
known_atoms() ->
    [otp, erts, pid, go, os, arch, name, version].
