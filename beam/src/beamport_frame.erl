%% @doc The frames of the serving side: terms on the wire.
%%
%% Frames that come in are looked at without being decoded, so that a large request
%% costs only the process that deals with it. Frames that go out are encoded, and
%% checked against the longest frame, by the process that has the term.
-module(beamport_frame).

-export([id/1, decode/1, head/1, request/1, ready/0, stream_head/3, chunk/2, final/2, ack/1, pong/1, log/6]).
-export_type([head/0]).

-type head() :: {call | cast | cancel, beamport_calls:id()}
              | {credit, beamport_calls:id(), Bytes :: pos_integer()}
              | {ping, non_neg_integer()} | {stop, Reason :: atom()} | bad.

-type final() :: {reply | done, beamport_calls:id(), term()}
               | {error, beamport_calls:id(), beamport_callback:class(),
                  beamport_callback:reason(), Stack :: [binary()]}.

-define(TERM, 131).
-define(COMPRESSED, 80).
-define(TUPLE, 104).
-define(ATOM, 119).
-define(IS_ID(N), (is_integer(N) andalso N > 0 andalso N < 16#800000000000000)).
%% Numbers that are only counted with: credit, and what a ping holds.
-define(IS_COUNT(N), (is_integer(N) andalso N >= 0 andalso N < 16#8000000000000000)).

%% @doc What a frame is. Of a call and a cast, the request is not decoded: see {@link
%% request/1}. `bad' is a frame that is none of the protocol's.
-spec head(binary()) -> head().
head(<<?TERM, ?TUPLE, 3, ?ATOM, 4, "call", Id/binary>> = Frame) -> head(call, Id, Frame);
head(<<?TERM, ?TUPLE, 4, ?ATOM, 4, "call", Id/binary>> = Frame) -> head(call, Id, Frame);
head(<<?TERM, ?TUPLE, 3, ?ATOM, 4, "cast", Id/binary>> = Frame) -> head(cast, Id, Frame);
head(Frame) -> decoded(Frame).

head(Kind, Id, Frame) ->
    case id(Id) of
        N when ?IS_ID(N) -> {Kind, N};
        _ -> decoded(Frame)
    end.

%% @doc The integer at the start of some bytes, in its shortest encoding. Others are left
%% to the emulator's decoder.
-spec id(binary()) -> integer() | unknown.
id(<<97, Id, _/binary>>) -> Id;
id(<<98, Id:32/signed, _/binary>>) -> Id;
id(<<110, Size, 0, Id:Size/little-unit:8, _/binary>>) -> Id;
id(_) -> unknown.

decoded(Frame) ->
    case decode(Frame) of
        {ok, {call, Id, _}} when ?IS_ID(Id) -> {call, Id};
        {ok, {call, Id, _, _}} when ?IS_ID(Id) -> {call, Id};
        {ok, {cast, Id, _}} when ?IS_ID(Id) -> {cast, Id};
        {ok, {cancel, Id}} when ?IS_ID(Id) -> {cancel, Id};
        {ok, {credit, Id, Bytes}} when ?IS_ID(Id), ?IS_COUNT(Bytes), Bytes > 0 -> {credit, Id, Bytes};
        {ok, {ping, N}} when ?IS_COUNT(N) -> {ping, N};
        {ok, {stop, Reason}} when is_atom(Reason) -> {stop, Reason};
        {ok, _} -> bad;
        error -> undecodable(beamport_scan:head(Frame))
    end.

undecodable({Kind, Id}) when ?IS_ID(Id) -> {Kind, Id};
undecodable(_) -> bad.

%% @doc The request of a call's frame and its credit, `none' for a call without; or the
%% message of a cast's. `refused' says that it is a term, but one that cannot be here:
%% it names an atom or a function that does not exist. `error' says that the frame is not
%% exactly one term of the protocol.
-spec request(binary()) ->
          {ok, term(), Credit :: non_neg_integer() | none} | {refused, beamport_callback:reason()} | error.
request(Frame) ->
    case decode(Frame) of
        {ok, {call, _, Request}} -> {ok, Request, none};
        {ok, {call, _, Request, Credit}} when ?IS_COUNT(Credit) -> {ok, Request, Credit};
        {ok, {cast, _, Message}} -> {ok, Message, none};
        {ok, _} -> error;
        error -> refused(beamport_scan:refused(Frame))
    end.

refused({atom, Name}) ->
    {refused, #{type => <<"Runtime.UnknownAtom">>,
                message => <<"the request names the atom ", Name/binary, ", which does not exist here">>}};
refused(function) ->
    {refused, #{type => <<"Runtime.UnknownFunction">>,
                message => <<"the request holds a function that does not exist here">>}};
refused(malformed) ->
    error.

%% @doc The term that a frame is: exactly one, not compressed, of atoms that exist.
-spec decode(binary()) -> {ok, term()} | error.
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

%% @doc The first frame of a streamed answer, or instead of one that is longer than
%% `Max' bytes, the final frame that says so.
-spec stream_head(beamport_calls:id(), Head :: term(), Max :: pos_integer()) ->
          {ok, iodata()} | {too_large, Final :: iodata()}.
stream_head(Id, Head, Max) ->
    Frame = encode({head, Id, Head}),
    case iolist_size(Frame) of
        Size when Size =< Max -> {ok, Frame};
        Size -> {too_large, too_large({reply, Id, Head}, Size, Max)}
    end.

%% @doc A part of a streamed answer.
-spec chunk(beamport_calls:id(), binary()) -> iodata().
chunk(Id, Bytes) ->
    encode({chunk, Id, Bytes}).

%% @doc The final frame of a cast.
-spec ack(beamport_calls:id()) -> iodata().
ack(Id) ->
    encode({ack, Id}).

%% @doc The answer to a ping.
-spec pong(non_neg_integer()) -> iodata().
pong(N) ->
    encode({pong, N}).

%% @doc The final frame of a call. What is longer than `Max' bytes becomes an error
%% that says so.
-spec final(final(), Max :: pos_integer()) -> iodata().
final(Final, Max) ->
    Frame = encode(Final),
    case iolist_size(Frame) of
        Size when Size =< Max -> Frame;
        Size -> too_large(Final, Size, Max)
    end.

too_large({error, Id, Class, #{type := Type, message := Message}, _}, _Size, Max) ->
    Room = Max div 4,
    encode({error, Id, Class, #{type => beamport_text:cut(Type, Room),
                                message => beamport_text:cut(Message, Room)}, []});
too_large({_, Id, _}, Size, Max) ->
    Message = [<<"the reply takes ">>, integer_to_binary(Size), <<" bytes; a frame holds at most ">>,
               integer_to_binary(Max)],
    encode({error, Id, error, #{type => <<"Function.ResponseSizeTooLarge">>,
                                message => iolist_to_binary(Message)}, []}).

%% @doc A log frame. `Text' is shortened until the frame is no longer than `Max'
%% bytes; if need be, the metadata goes too.
-spec log(atom(), integer(), beamport_calls:id() | nil, binary(), map(), Max :: pos_integer()) -> iodata().
log(Level, Time, Id, Text, Meta, Max) ->
    Frame = encode({log, Level, Time, Id, Text, Meta}),
    case iolist_size(Frame) of
        Size when Size =< Max -> Frame;
        _ -> log(Level, Time, Id, beamport_text:cut(Text, Max div 2), #{}, Max)
    end.

encode(Term) ->
    term_to_iovec(Term, [{minor_version, 2}]).
