%% @doc Makes the workloads and times the emulator's own codec, for a parent
%% that asks in packets of a 32-bit length on standard input and output. It
%% halts when the parent closes its end.
-module(bench_beam).

-export([main/0]).

%% @doc Serves until the end of standard input.
-spec main() -> no_return().
main() ->
    Port = open_port({fd, 0, 1}, [{packet, 4}, binary, eof]),
    Workloads = [{Name, About, encode(Term)} || {Name, About, Term} <- bench_terms:all()],
    serve(Port, Workloads, maps:from_list([{Name, Bytes} || {Name, _, Bytes} <- Workloads])).

serve(Port, Workloads, Named) ->
    receive
        {Port, {data, Request}} ->
            true = port_command(Port, encode(answer(binary_to_term(Request), Workloads, Named))),
            serve(Port, Workloads, Named);
        {Port, eof} ->
            halt(0, [{flush, false}])
    end.

answer(workloads, Workloads, _) ->
    [{Name, unicode:characters_to_binary(About), Bytes} || {Name, About, Bytes} <- Workloads];
answer(system, _, _) ->
    {list_to_binary(erlang:system_info(otp_release)), list_to_binary(erlang:system_info(version)), flavor()};
answer({same, Name, Bytes}, _, Named) ->
    try binary_to_term(Bytes) =:= binary_to_term(maps:get(Name, Named))
    catch error:badarg -> false
    end;
answer({encoded, Name}, _, Named) ->
    term_to_binary(binary_to_term(maps:get(Name, Named)));
answer({decode, Name, N}, _, Named) ->
    Bytes = maps:get(Name, Named),
    timed(fun() -> ok end, fun(_) -> decode(N, Bytes) end);
answer({encode, Name, N}, _, Named) ->
    Bytes = maps:get(Name, Named),
    timed(fun() -> binary_to_term(Bytes) end, fun(Term) -> encode(N, Term, 0) end).

encode(Term) ->
    term_to_binary(Term, [{minor_version, 2}]).

flavor() ->
    try erlang:system_info(emu_flavor)
    catch error:badarg -> emu
    end.

%% The nanoseconds that Loop takes in a process of its own, whose heap holds
%% nothing but what Prepare made, so that its collections are those of the loop.
timed(Prepare, Loop) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        Term = Prepare(),
        true = erlang:garbage_collect(),
        Before = erlang:monotonic_time(nanosecond),
        Result = Loop(Term),
        After = erlang:monotonic_time(nanosecond),
        exit({took, After - Before, erts_debug:flat_size(Result)})
    end),
    receive
        {'DOWN', Monitor, process, Pid, {took, Nanoseconds, _}} -> Nanoseconds
    end.

%% Compilers leave out calls of pure functions whose results nobody uses, which
%% term_to_binary/1 is and binary_to_term/1, since it may fail, is not.

decode(1, Bytes) ->
    binary_to_term(Bytes);
decode(N, Bytes) ->
    _ = binary_to_term(Bytes),
    decode(N - 1, Bytes).

encode(0, _, Sum) ->
    Sum;
encode(N, Term, Sum) ->
    encode(N - 1, Term, Sum + byte_size(term_to_binary(Term))).
