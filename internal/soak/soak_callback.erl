%% @doc What a soak's BEAM answers: {Op, Arg, Nonce, Payload} with {Nonce, Payload}.
-module(soak_callback).

-export([handle_call/1, handle_cast/1, stop/1]).

%% @doc Does what the operation says before it answers.
-spec handle_call(term()) -> beamport_callback:answer().
handle_call({Op, Arg, Nonce, Payload}) ->
    ok = operate(Op, Arg),
    {reply, {Nonce, Payload}}.

%% @doc Takes any message.
-spec handle_cast(term()) -> ok.
handle_cast(_) -> ok.

%% @doc Has nothing to end.
-spec stop(atom()) -> ok.
stop(_) -> ok.

operate(echo, _) -> ok;
operate(slow, Milliseconds) -> timer:sleep(Milliseconds);
operate(exit, Code) -> halt(Code, [{flush, false}]);
operate(fail, _) -> error(on_purpose);
operate(hold, _) -> io:put_chars("held\n"), timer:sleep(infinity);
operate(flood, N) -> lists:foreach(fun(_) -> io:put_chars("line\n") end, lists:seq(1, N div 10));
operate(stdout, N) -> io:put_chars(user, binary:copy(<<"noise\n">>, N div 6));
operate(memory, _) -> _ = binary:copy(<<0>>, 1 bsl 46), ok.
