%% @doc Names of handlers.
%%
%% <table>
%% <tr><td>`Example.hello'</td><td>the function `hello' of Elixir's module `Example'</td></tr>
%% <tr><td>`Elixir.My.Mod.fun'</td><td>the same with Elixir's prefix written out</td></tr>
%% <tr><td>`mod:fun', `mod.fun'</td><td>a function of an Erlang module</td></tr>
%% <tr><td>`dir/mod.fun'</td><td>a function of Gleam's module `dir/mod', which the emulator knows as
%% `dir@mod'</td></tr>
%% <tr><td>`my-mod:my-fun', `my-mod.my-fun'</td><td>a function of a module of LFE's</td></tr>
%% <tr><td>`My.Mod', `mod'</td><td>a module alone: a {@link beamport_handler}</td></tr>
%% </table>
%%
%% Names of functions begin with a lower-case letter or `_', so that the last part of
%% a name with dots says which of the forms it is. Functions of Elixir may end in `?'
%% or `!'. Names that would have to be quoted are not taken.
-module(beamport_handler_name).

-export([parse/1]).
-export_type([parsed/0]).

-type parsed() :: {module(), Function :: atom()} | {module()}.

%% An atom's longest name, in characters.
-define(MAX_NAME, 255).

%% @doc The module and the function that a name stands for, or the module alone. These
%% are the only atoms that are made.
-spec parse(binary()) -> {ok, parsed()} | {error, Why :: binary()}.
parse(Name) ->
    case unicode:characters_to_list(Name) of
        [] -> {error, <<"it is empty">>};
        Chars when is_list(Chars) -> parts(Chars);
        _ -> {error, <<"it is not UTF-8">>}
    end.

parts(Chars) ->
    case string:split(Chars, ":", all) of
        [_] -> dotted(Chars);
        [Module, Function] -> named(Module, Function);
        _ -> {error, <<"it has more than one colon">>}
    end.

%% What follows the last dot is a function, unless it begins as a module does.
dotted(Chars) ->
    case string:split(Chars, ".", trailing) of
        [Chars] ->
            named(Chars, none);
        [Module, [C | _] = Last] ->
            case upper(C) of
                true -> named(Chars, none);
                false -> named(Module, Last)
            end;
        [_, []] ->
            {error, <<"it ends in a dot">>}
    end.

named(Module, Function) ->
    case {module(Module), function(Function)} of
        {{ok, M}, {ok, F}} when length(M) =< ?MAX_NAME, length(F) =< ?MAX_NAME ->
            {ok, {list_to_atom(M), list_to_atom(F)}};
        {{ok, M}, none} when length(M) =< ?MAX_NAME ->
            {ok, {list_to_atom(M)}};
        {error, _} ->
            {error, text(["\"", Module, "\" is not the name of a module"])};
        {_, error} ->
            {error, text(["\"", Function, "\" is not the name of a function"])};
        _ ->
            {error, <<"it is too long">>}
    end.

text(Chars) ->
    unicode:characters_to_binary(Chars).

module(Chars) ->
    case lists:member($/, Chars) of
        true -> nested(string:split(Chars, "/", all));
        false -> aliases(string:split(Chars, ".", all))
    end.

%% Gleam's modules are in directories.
nested(Parts) ->
    case lists:all(fun erlang_name/1, Parts) of
        true -> {ok, lists:flatten(lists:join("@", Parts))};
        false -> error
    end.

aliases([Part]) when Part =/= "Elixir" ->
    case erlang_name(Part) of
        true -> {ok, Part};
        false -> elixir([Part])
    end;
aliases(["Elixir" | Parts]) ->
    elixir(Parts);
aliases(Parts) ->
    elixir(Parts).

elixir(Parts) ->
    case Parts =/= [] andalso lists:all(fun alias/1, Parts) of
        true -> {ok, lists:flatten(lists:join(".", ["Elixir" | Parts]))};
        false -> error
    end.

alias([C | Rest]) -> upper(C) andalso lists:all(fun letter/1, Rest);
alias([]) -> false.

erlang_name([C | Rest]) -> lower(C) andalso lists:all(fun lisp_letter/1, Rest);
erlang_name([]) -> false.

function(none) -> none;
function([]) -> error;
function([C | Rest]) ->
    case (lower(C) orelse C =:= $_) andalso function_rest(Rest) of
        true -> {ok, [C | Rest]};
        false -> error
    end.

function_rest([C]) when C =:= $?; C =:= $! -> true;
function_rest([C | Rest]) -> lisp_letter(C) andalso function_rest(Rest);
function_rest([]) -> true.

upper(C) -> C >= $A andalso C =< $Z.

%% Letters of other scripts are taken as they come.
lower(C) -> C >= $a andalso C =< $z orelse C > 127.

letter(C) -> upper(C) orelse lower(C) orelse C >= $0 andalso C =< $9 orelse C =:= $_ orelse C =:= $@.

%% Names of LFE's have dashes.
lisp_letter(C) -> C =:= $- orelse letter(C).
