%% @doc Failures as error frames hold them: class, type, message and stack.
%%
%% In code of Elixir, an error is the exception that Elixir makes of it: its type is
%% the exception's module (`ArithmeticError', `MyApp.Oops'), its message what
%% `Exception.message/1' says. In other code, the type is the reason's tag (`badarith',
%% `badmatch', …). An exit has the type `exit', a throw `throw', unless it is an
%% exception that was thrown.
%%
%% Types and messages are UTF-8 and bounded. Stacks hold no arguments.
-module(beamport_error).

-export([format/3, format/4, down/1, returned/2]).
-export_type([formatted/0, language/0]).

-type formatted() :: {beamport_callback:class(), beamport_callback:reason(), Stack :: [binary()]}.
-type language() :: elixir | erlang.

-define(MAX_TYPE, 256).
-define(MAX_MESSAGE, 8192).

%% @doc Describes what `catch Class:Reason:Stack' caught. The language is that of the
%% code that the stack begins in.
-spec format(error | exit | throw, Reason :: term(), Stack :: term()) -> formatted().
format(Class, Reason, Stack) ->
    format(Class, Reason, Stack, language(Stack)).

language(Stack) ->
    case beamport_stack:elixir(Stack) of
        true -> elixir;
        false -> erlang
    end.

%% @doc Describes what was caught in code of a language.
-spec format(error | exit | throw, Reason :: term(), Stack :: term(), language()) -> formatted().
format(Class, Reason, Stack, Language) ->
    {Type, Message} = describe(Class, Reason, Stack, Language),
    {Class, reason(Type, Message), beamport_stack:lines(Stack)}.

describe(Class, #{'__exception__' := true} = Exception, Stack, _) ->
    case beamport_elixir:is_exception(Exception) andalso beamport_elixir:available() of
        true -> exception(Exception);
        false -> beamport_reason:describe(Class, Exception, Stack, erlang)
    end;
describe(error, Reason, Stack, elixir) ->
    case beamport_elixir:available() andalso beamport_elixir:normalize(error, Reason, Stack) of
        {ok, #{'__struct__' := _} = Exception} -> exception(Exception);
        _ -> beamport_reason:describe(error, Reason, Stack, erlang)
    end;
describe(Class, Reason, Stack, Language) ->
    beamport_reason:describe(Class, Reason, Stack, Language).

exception(#{'__struct__' := Module} = Exception) ->
    {beamport_elixir:name(Module), beamport_elixir:message(Exception)}.

reason(Type, Message) ->
    #{type => beamport_text:cut(Type, ?MAX_TYPE),
      message => beamport_text:cut(Message, ?MAX_MESSAGE)}.

%% @doc Describes the exit reason of a call's process that ended without an answer:
%% something that it was linked to has ended, or somebody has killed it.
-spec down(Reason :: term()) -> formatted().
down(killed) ->
    {exit, reason(<<"killed">>, <<"the handler's process was killed">>), []};
down({Reason, [{M, F, A, _} | _] = Stack}) when is_atom(M), is_atom(F), is_integer(A) orelse is_list(A) ->
    {_, #{type := Type, message := Message}, Lines} = format(error, Reason, Stack),
    {exit, reason(Type, <<"a process linked to the handler's crashed: ", Message/binary>>), Lines};
down(Reason) ->
    {Type, Message} = beamport_reason:describe(exit, Reason, [], erlang),
    {exit, reason(Type, Message), []}.

%% @doc A failure that the runtime itself or the called code has put into words.
-spec returned(Type :: binary(), Message :: unicode:chardata()) -> beamport_callback:reason().
returned(Type, Message) ->
    reason(beamport_text:utf8(Type), beamport_text:utf8(Message)).
