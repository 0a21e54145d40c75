%% A module of Erlang's that includes a header of the kernel's.
-module(source_files).
-export([handle/2, is_directory/1]).
-include_lib("kernel/include/file.hrl").

handle(Event, Context) -> 'Elixir.Source':handle(Event, Context).

is_directory(Name) ->
    {ok, #file_info{type = Type}} = file:read_file_info(Name),
    Type =:= directory.
