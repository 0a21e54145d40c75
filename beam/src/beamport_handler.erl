%% @doc The behaviour of a handler that is named by its module alone.
%%
%% ```
%% -module(greeter).
%% -behaviour(beamport_handler).
%% -export([init/1, handle/3, terminate/2]).
%%
%% init(_Options) -> {ok, #{greeting => <<"hello">>}}.
%% handle(#{<<"name">> := Name}, _Context, #{greeting := Greeting}) ->
%%     {ok, #{text => <<Greeting/binary, ", ", Name/binary>>}}.
%% terminate(_Reason, _State) -> ok.
%% '''
%%
%% `init/1' runs once, when the function starts, in a process that lives as long as
%% the emulator does: what it starts with `start_link' and what tables it makes stay.
%% When that process ends, because of a crash that it is linked to, the emulator
%% ends too and is started anew. The state that it returns is given to each
%% `handle/3' and cannot be changed.
%%
%% Each invocation runs in a process of its own. `handle/3' is called where the module
%% has one, else `handle/2', without the state. What they may return is described in
%% {@link beamport_result}.
-module(beamport_handler).

-export_type([options/0, context/0]).

-type options() :: #{handler := binary(), task_root := binary()}.
%% `handler' is the handler's name as it was configured, `task_root' the directory
%% that holds the function's code.

-type context() :: #{request_id := binary() | nil,
                     deadline := integer() | nil,
                     remaining_ms := integer() | nil,
                     function_arn := binary() | nil,
                     function_name := binary() | nil,
                     function_version := binary() | nil,
                     memory_limit := integer() | nil,
                     log_group := binary() | nil,
                     log_stream := binary() | nil,
                     trace_id := binary() | nil,
                     tenant_id := binary() | nil,
                     content_type := binary() | nil,
                     client_context := term(),
                     cognito_identity := term()}.
%% About an invocation. `deadline' is in milliseconds since the epoch, `remaining_ms'
%% what was left until then when the invocation was sent, `memory_limit' in MB.
%% `client_context' and `cognito_identity' are decoded JSON. What is absent is `nil'.

%% Makes the state.
-callback init(options()) -> {ok, State :: term()} | {error, Reason :: term()}.

%% Answers an invocation.
-callback handle(Event :: term(), context()) -> Result :: term().

%% Answers an invocation.
-callback handle(Event :: term(), context(), State :: term()) -> Result :: term().

%% The emulator is about to halt; there is about a tenth of a second.
-callback terminate(Reason :: atom(), State :: term()) -> term().

-optional_callbacks([init/1, handle/2, handle/3, terminate/2]).
