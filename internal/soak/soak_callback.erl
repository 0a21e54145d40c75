%% @doc The child of a run in an emulator: answers {Op, Nonce, Number, Payload} with
%% {Nonce, Payload}, or does what Op says before.
-module(soak_callback).
-behaviour(beamport_callback).

-export([handle_call/1, handle_cast/1, stop/1, max_packet/0]).
-on_load(count/0).

%% What is counted is how many casts there were.
count() -> persistent_term:put(?MODULE, counters:new(1, [])).

-spec handle_call(term()) -> beamport_callback:answer().
handle_call(casts) ->
    {reply, counters:get(persistent_term:get(?MODULE), 1)};
handle_call({stream, Nonce, Number, Payload}) ->
    {stream, {Nonce}, fun(Emit) ->
                              _ = [ok = Emit(Payload) || _ <- lists:seq(1, Number)],
                              {Nonce, Payload}
                      end};
handle_call({Op, Nonce, Number, Payload}) ->
    case Op of
        oversize -> {reply, {Nonce, binary:copy(<<0>>, max_packet() + Number)}};
        _ -> ok = do(Op, Number), {reply, {Nonce, Payload}}
    end.

-spec handle_cast(term()) -> ok.
handle_cast({cast, Fails}) ->
    counters:add(persistent_term:get(?MODULE), 1, 1),
    false = Fails,
    ok.

-spec stop(atom()) -> ok.
stop(_) -> ok.

do(echo, _) -> ok;
do(hold, _) -> receive after infinity -> ok end;
do(exit, Code) -> halt(Code, [{flush, false}]);
do(oom, _) -> blow_up([]);
do(noise, Lines) ->
    _ = [begin
             io:format("line ~b~n", [N]),
             erlang:display_string(lists:duplicate(N rem 200, $o) ++ "\n")
         end || N <- lists:seq(1, Lines)],
    ok;
do(line, Bytes) ->
    {ok, Stderr} = file:open("/dev/stderr", [raw, append, binary]),
    Part = binary:copy(<<"x">>, 1000000),
    _ = [ok = file:write(Stderr, Part) || _ <- lists:seq(1, Bytes div 1000000)],
    ok = file:write(Stderr, [binary:copy(<<"x">>, Bytes rem 1000000), $\n]),
    file:close(Stderr);
do(slow, 0) -> ok;
do(slow, Microseconds) ->
    %% The port's owner stands still and reads nothing.
    Link = whereis(beamport_link),
    true = erlang:suspend_process(Link),
    timer:sleep(Microseconds div 5),
    true = erlang:resume_process(Link),
    ok.

%% Takes memory until there is none.
blow_up(Hoard) -> blow_up([lists:duplicate(1000000, length(Hoard)) | Hoard]).

-spec max_packet() -> pos_integer().
max_packet() ->
    {ok, [[Max]]} = init:get_argument(beamport_max_packet),
    list_to_integer(Max).
