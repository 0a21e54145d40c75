%% @doc The behaviour of a module that answers the calls of a link or a listener.
%%
%% Each call and each cast runs in a process of its own, whose group leader sends
%% what is printed as log frames of that call. The process is killed when the other
%% side cancels the call. Calls run at the same time; state that they share is the
%% module's own affair.
%%
%% A function that raises is answered for with an error frame, whose class, type,
%% message and stack are {@link beamport_error:format/3}'s.
-module(beamport_callback).

-export_type([answer/0, failure/0, class/0, reason/0, emit/0]).

-type class() :: error | exit | throw | returned.
%% A class as in `catch', or `returned' for a failure that came back as a value.

-type reason() :: #{type := binary(), message := binary()}.
%% Both are UTF-8.

-type emit() :: fun((iodata()) -> ok).
%% Sends a part of a streamed answer. It returns when the part has been written, which
%% is not before the other side has room for it: whoever emits goes as fast as the
%% other side reads. A part that is longer than the room is sent in pieces; an empty
%% one is not sent. What is no iodata is a `badarg'.
%%
%% The function may be called by any process. Once the call has ended it exits with
%% `{shutdown, closed}'.

-type failure() :: {error, class(), reason(), Stack :: [binary()]}.

-type answer() :: {reply, term()}
                | {stream, Head :: term(), fun((emit()) -> Done :: term() | failure())}
                | failure().
%% What becomes of a call.
%%
%% A stream's head is sent first; then the function is called, in the same process,
%% with a function that sends parts. What it returns ends the stream: a failure with an
%% error frame. So does what it raises.
%%
%% To a call that did not ask for a stream, the parts are collected, and the answer is
%% `{streamed, Head, Body, Done}' in one reply. If that is more than a frame holds, the
%% call ends with an error of type `Function.ResponseSizeTooLarge', and its process is
%% killed as soon as that is known.

%% Answers a call.
-callback handle_call(Request :: term()) -> answer().

%% Takes a message that nobody waits for the outcome of. The value is ignored.
-callback handle_cast(Message :: term()) -> term().

%% The emulator is about to halt. There is a bounded time, about 150 ms, to end what
%% has to be ended. A listener does not call this: the end of a connection is not the
%% end of the emulator.
-callback stop(Reason :: atom()) -> term().
