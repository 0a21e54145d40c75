%% @doc Frames out of the bytes of a stream, as they come.
%%
%% What the emulator does itself with `{packet, 4}' is done here where two things are
%% needed that it does not give: that a header over the maximum is refused before there
%% is memory for what it claims (a port takes up to 2 GiB at once, and waits for ever
%% for what a header of 2 GiB and more claims), and that a part of a frame is seen
%% coming.
-module(beamport_framer).

-export([new/1, bytes/2]).
-export_type([framer/0]).

-record(framer, {max :: pos_integer(),
                 %% What has come of a header, or of a frame, the latest first, and how
                 %% much of that is missing.
                 header = <<>> :: binary(),
                 missing = 0 :: non_neg_integer(),
                 parts = [] :: [binary()]}).

-opaque framer() :: #framer{}.

%% @doc Nothing has come yet. Frames are at most `Max' bytes.
-spec new(Max :: pos_integer()) -> framer().
new(Max) -> #framer{max = Max}.

%% @doc Takes the bytes that have come, which are some. Returns the frames that are whole
%% now, and what is to take the next bytes; or the length that a header claims, if that
%% is over the maximum.
-spec bytes(binary(), framer()) -> {[Frame :: binary()], framer() | {too_long, Size :: pos_integer()}}.
bytes(Bytes, #framer{missing = 0, header = <<>>} = Framer) ->
    split(Bytes, byte_size(Bytes), [], Framer);
bytes(Bytes, #framer{missing = 0, header = Header} = Framer) ->
    All = <<Header/binary, Bytes/binary>>,
    split(All, byte_size(All), [], Framer#framer{header = <<>>});
bytes(Bytes, #framer{missing = Missing, parts = Parts} = Framer) ->
    case Bytes of
        <<Last:Missing/binary, Rest/binary>> ->
            Frame = iolist_to_binary(lists:reverse(Parts, [Last])),
            split(Rest, byte_size(Bytes), [Frame], Framer#framer{missing = 0, parts = []});
        _ ->
            {[], Framer#framer{missing = Missing - byte_size(Bytes), parts = [Bytes | Parts]}}
    end.

split(<<Size:32, _/binary>>, _, Frames, #framer{max = Max}) when Size > Max ->
    {lists:reverse(Frames), {too_long, Size}};
split(<<Size:32, Frame:Size/binary, Rest/binary>>, Came, Frames, Framer) ->
    split(Rest, Came, [own(Frame, Came) | Frames], Framer);
split(<<Size:32, Part/binary>>, _, Frames, Framer) ->
    {lists:reverse(Frames), Framer#framer{missing = Size - byte_size(Part), parts = [Part]}};
split(Header, _, Frames, Framer) ->
    {lists:reverse(Frames), Framer#framer{header = Header}}.

%% A frame that has come with others does not keep them from being let go of.
own(Frame, Came) when 2 * byte_size(Frame) >= Came -> Frame;
own(Frame, _) -> binary:copy(Frame).
