%% @doc The behaviour of a module that answers the calls of a link.
%%
%% Each call and each cast runs in a process of its own, whose group leader sends
%% what is printed as log frames of that call. The process is killed when the other
%% side cancels the call. Calls run at the same time; state that they share is the
%% module's own affair.
%%
%% A function that raises is answered for with an error frame, whose class, type,
%% message and stack are {@link beamport_error:format/3}'s.
-module(beamport_callback).

-export_type([answer/0, class/0, reason/0]).

-type class() :: error | exit | throw | returned.
%% A class as in `catch', or `returned' for a failure that came back as a value.

-type reason() :: #{type := binary(), message := binary()}.
%% Both are UTF-8.

-type answer() :: {reply, term()}
                | {error, class(), reason(), Stack :: [binary()]}.
%% What becomes the final frame of a call.

%% Answers a call.
-callback handle_call(Request :: term()) -> answer().

%% Takes a message that nobody waits for the outcome of. The value is ignored.
-callback handle_cast(Message :: term()) -> term().

%% The emulator is about to halt. There is a bounded time, about 150 ms, to end what
%% has to be ended.
-callback stop(Reason :: atom()) -> term().
