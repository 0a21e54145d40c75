%% @doc The callback of an emulator that is started to see which modules it needs: it
%% answers as {@link beamport_lambda} does, and says what was called.
-module(beamport_probe).
-behaviour(beamport_callback).

-export([count/0, handle_call/1, handle_cast/1, stop/1]).

%% @doc From now on, calls are counted. Called by the boot script, when it has loaded the
%% modules that it names.
-spec count() -> ok.
count() ->
    persistent_term:put(?MODULE, erlang:loaded()),
    _ = erlang:trace_pattern({'_', '_', '_'}, true, [local, call_count]),
    ok.

%% @doc Answers a request. `called' is for the names of all modules that have been called,
%% or that were loaded because they were.
-spec handle_call(term()) -> beamport_callback:answer().
handle_call(called) ->
    Before = persistent_term:get(?MODULE, []),
    {reply, [atom_to_binary(Module) || Module <- erlang:loaded(), Module =/= ?MODULE,
                                       not lists:member(Module, Before) orelse is_called(Module)]};
handle_call(Request) ->
    beamport_lambda:handle_call(Request).

%% The functions are asked for in a way that calls none of them.
is_called(Module) ->
    lists:any(fun({Function, Arity}) ->
                      case erlang:trace_info({Module, Function, Arity}, call_count) of
                          {call_count, Count} when is_integer(Count) -> Count > 0;
                          _ -> false
                      end
              end, erlang:get_module_info(Module, functions)).

%% @doc Takes no messages.
-spec handle_cast(term()) -> ok.
handle_cast(Message) -> beamport_lambda:handle_cast(Message).

%% @doc Ends what the requests have started.
-spec stop(atom()) -> ok.
stop(Reason) -> beamport_lambda:stop(Reason).
