%% @doc The frames of the protocol: terms on the wire.
%%
%% Frames that come in are looked at without being decoded, so that a large request
%% costs only the process that deals with it. Frames that go out are encoded, and
%% checked against the longest frame, by the process that has the term.
-module(beamport_frame).

-export([head/1, request/1, ready/0, final/2, log/6, write/1]).
-export_type([head/0]).

-type head() :: {call, Id :: non_neg_integer()} | cast
              | {cancel, Id :: non_neg_integer()} | {stop, Reason :: atom()} | bad.

-type final() :: {reply, Id :: non_neg_integer(), term()}
               | {error, Id :: non_neg_integer(), beamport_callback:class(),
                  beamport_callback:reason(), Stack :: [binary()]}.

-define(TERM, 131).
-define(COMPRESSED, 80).
-define(TUPLE, 104).
-define(ATOM, 119).

%% @doc What a frame is. Of a call and a cast, the request is not decoded: see {@link
%% request/1}. `bad' is a frame that is none of the protocol's.
-spec head(binary()) -> head().
head(<<?TERM, ?TUPLE, 3, ?ATOM, 4, "call", Id/binary>> = Frame) ->
    case id(Id) of
        unknown -> decoded(Frame);
        N -> {call, N}
    end;
head(<<?TERM, ?TUPLE, 2, ?ATOM, 4, "cast", _/binary>>) ->
    cast;
head(Frame) ->
    decoded(Frame).

%% The shortest encodings. Others are left to the emulator's decoder.
id(<<97, Id, _/binary>>) -> Id;
id(<<98, 0:1, Id:31, _/binary>>) -> Id;
id(<<110, Size, 0, Id:Size/little-unit:8, _/binary>>) -> Id;
id(_) -> unknown.

decoded(Frame) ->
    case decode(Frame) of
        {ok, {call, Id, _}} when is_integer(Id), Id >= 0 -> {call, Id};
        {ok, {cast, _}} -> cast;
        {ok, {cancel, Id}} when is_integer(Id), Id >= 0 -> {cancel, Id};
        {ok, {stop, Reason}} when is_atom(Reason) -> {stop, Reason};
        _ -> bad
    end.

%% @doc The request of a call's frame, or the message of a cast's. `error' says that
%% the frame is not exactly one term, or that it names an atom that does not exist.
-spec request(binary()) -> {ok, term()} | error.
request(Frame) ->
    case decode(Frame) of
        {ok, {call, _, Request}} -> {ok, Request};
        {ok, {cast, Message}} -> {ok, Message};
        _ -> error
    end.

decode(<<?TERM, ?COMPRESSED, _/binary>>) ->
    error;
decode(Frame) ->
    try binary_to_term(Frame, [safe, used]) of
        {Term, Used} when Used =:= byte_size(Frame) -> {ok, Term};
        _ -> error
    catch
        error:badarg -> error
    end.

%% @doc The first frame.
-spec ready() -> iodata().
ready() ->
    encode({ready, 1, #{otp => list_to_binary(erlang:system_info(otp_release)),
                        erts => list_to_binary(erlang:system_info(version)),
                        pid => list_to_integer(os:getpid())}}).

%% @doc The final frame of a call. What is longer than `Max' bytes becomes an error
%% that says so.
-spec final(final(), Max :: pos_integer()) -> iodata().
final(Final, Max) ->
    Frame = encode(Final),
    case iolist_size(Frame) of
        Size when Size =< Max -> Frame;
        Size -> too_large(Final, Size, Max)
    end.

too_large({reply, Id, _}, Size, Max) ->
    Message = [<<"the reply takes ">>, integer_to_binary(Size), <<" bytes; a frame holds at most ">>,
               integer_to_binary(Max)],
    encode({error, Id, error, #{type => <<"Function.ResponseSizeTooLarge">>,
                                message => iolist_to_binary(Message)}, []});
too_large({error, Id, Class, #{type := Type, message := Message}, _}, _Size, Max) ->
    Room = Max div 4,
    encode({error, Id, Class, #{type => beamport_text:cut(Type, Room),
                                message => beamport_text:cut(Message, Room)}, []}).

%% @doc A log frame. `Text' is shortened until the frame is no longer than `Max'
%% bytes; if need be, the metadata goes too.
-spec log(atom(), integer(), non_neg_integer() | nil, binary(), map(), Max :: pos_integer()) -> iodata().
log(Level, Time, Id, Text, Meta, Max) ->
    Frame = encode({log, Level, Time, Id, Text, Meta}),
    case iolist_size(Frame) of
        Size when Size =< Max -> Frame;
        _ -> log(Level, Time, Id, beamport_text:cut(Text, Max div 2), #{}, Max)
    end.

encode(Term) ->
    term_to_iovec(Term, [{minor_version, 2}]).

%% @doc Writes a frame to the link's port, and waits while the port is busy. `closed'
%% says that there is no port, or none any more: the emulator is about to halt.
-spec write(iodata()) -> ok | closed.
write(Frame) ->
    try port_command(beamport_link:port(), Frame) of
        true -> ok
    catch
        error:badarg -> closed
    end.
