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

-export([remaining_ms/1]).
-export_type([options/0, context/0]).

-type options() :: #{handler := binary(), task_root := binary(), concurrency => pos_integer(),
                     initialization_type => binary() | nil, log_level => binary() | nil}.
%% `handler' is the handler's name as it was configured, `task_root' the directory
%% that holds the function's code, `concurrency' how many invocations may be under way at
%% a time, and `initialization_type' what AWS_LAMBDA_INITIALIZATION_TYPE says, such as
%% `<<"on-demand">>', `<<"provisioned-concurrency">>' or `<<"snap-start">>'. `log_level' is
%% what AWS_LAMBDA_LOG_LEVEL says.

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

%% With SnapStart: a snapshot is about to be taken, after `init/1'. What cannot be copied,
%% such as a connection, is to be let go of.
-callback before_snapshot(State) -> {ok, State} | {error, Reason :: term()}.

%% With SnapStart: this is a copy of what the snapshot was taken of, maybe one of many, and
%% maybe much later. What has to be fresh, such as a connection, a secret or what random
%% numbers come from, is to be made anew, within ten seconds.
-callback after_restore(State) -> {ok, State} | {error, Reason :: term()}.

-optional_callbacks([init/1, handle/2, handle/3, terminate/2, before_snapshot/1, after_restore/1]).

%% @doc How many milliseconds an invocation has left now, 0 if none.
-spec remaining_ms(context()) -> non_neg_integer().
remaining_ms(#{deadline := Deadline}) when is_integer(Deadline) ->
    max(0, Deadline - os:system_time(millisecond)).
