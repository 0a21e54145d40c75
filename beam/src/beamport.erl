%% @doc The entry of the application.
%%
%% An emulator that another program has started with the protocol on two file
%% descriptors runs this with `-s beamport boot'. It takes these flags, all of them
%% optional:
%% <dl>
%% <dt>`-beamport_max_packet Bytes'</dt>
%% <dd>the longest frame, both ways, its four bytes of length not counted;
%% 67108864 unless given, at least 1024.</dd>
%% <dt>`-beamport_callback Module'</dt>
%% <dd>the {@link beamport_callback} that answers the calls; `beamport_lambda'
%% unless given.</dd>
%% <dt>`-beamport_fds In Out'</dt>
%% <dd>the descriptors to read and to write; 3 and 4 unless given.</dd>
%% </dl>
%%
%% Flags are read from `init', so that nothing but `init' has to run. A boot script of
%% beamport's own calls this first, then boots the kernel, and then calls {@link logs/0}.
-module(beamport).

-export([boot/0, logs/0]).

-define(MAX_PACKET, 67108864).
-define(LEAST_MAX_PACKET, 1024).

%% @doc Starts the link and returns when it reads. A flag that cannot be understood ends
%% the emulator with status 1 and a line on stderr.
-spec boot() -> ok.
boot() ->
    Settings = #{max_packet => max_packet(),
                 callback => callback(),
                 fds => fds()},
    Starter = self(),
    _ = spawn(beamport_link, watch, [Starter, Settings]),
    %% If it fails, that is the emulator's end.
    receive {beamport_link, started} -> ok end.

%% @doc Has the logger send its events, which it could not do before it was started.
-spec logs() -> ok.
logs() ->
    beamport_link:logs().

max_packet() ->
    case init:get_argument(beamport_max_packet) of
        error -> ?MAX_PACKET;
        {ok, Given} ->
            case last(Given) of
                [Text] -> at_least(?LEAST_MAX_PACKET, beamport_max_packet, number(beamport_max_packet, Text));
                _ -> bad_flag(beamport_max_packet)
            end
    end.

callback() ->
    case init:get_argument(beamport_callback) of
        error -> beamport_lambda;
        {ok, Given} ->
            case last(Given) of
                [Name] -> list_to_atom(Name);
                _ -> bad_flag(beamport_callback)
            end
    end.

fds() ->
    case init:get_argument(beamport_fds) of
        error -> {3, 4};
        {ok, Given} ->
            case last(Given) of
                [In, Out] -> {number(beamport_fds, In), number(beamport_fds, Out)};
                _ -> bad_flag(beamport_fds)
            end
    end.

number(Flag, Text) ->
    try list_to_integer(Text) of
        N when N >= 0 -> N;
        _ -> bad_flag(Flag)
    catch
        error:badarg -> bad_flag(Flag)
    end.

at_least(Least, _Flag, N) when N >= Least -> N;
at_least(_Least, Flag, _N) -> bad_flag(Flag).

last([Last]) -> Last;
last([_ | Rest]) -> last(Rest).

-spec bad_flag(atom()) -> no_return().
bad_flag(Flag) ->
    beamport_halt:fatal(["flag -", atom_to_list(Flag), " has no usable value"]).
