%% A function that needs a library which the base of an image lacks, and applications
%% with processes.
-module(tls).
-export([handle/2]).

handle(_, _) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, #{hash => binary:encode_hex(crypto:hash(sha256, <<"a">>)), running => is_pid(whereis(ssl_sup))}}.
