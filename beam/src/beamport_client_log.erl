%% @doc Log frames that a client gets: a process of its own hands them to the logger, so
%% that a slow logger holds up nothing else. Lines that it cannot keep up with are
%% dropped, and counted.
-module(beamport_client_log).

-export([new/1, frame/2, message/2, dropped/1]).
-export_type([logger/0]).

-record(logger, {process :: pid() | none,
                 waiting = 0 :: non_neg_integer(),
                 dropped = 0 :: non_neg_integer()}).

-opaque logger() :: #logger{}.

%% Lines that may wait for the logger.
-define(MAX_WAITING, 1000).

%% @doc Hands lines to the logger, or with `none' to nobody. The process is linked to the
%% caller, and ends with it, when all lines have been handed on.
-spec new(logger | none) -> logger().
new(none) ->
    #logger{process = none};
new(logger) ->
    Client = self(),
    #logger{process = spawn_link(fun() -> loop(Client, monitor(process, Client)) end)}.

%% @doc Takes a frame.
-spec frame(binary(), logger()) -> logger().
frame(_, #logger{process = none} = Logger) ->
    Logger;
frame(_, #logger{waiting = Waiting, dropped = Dropped} = Logger) when Waiting >= ?MAX_WAITING ->
    Logger#logger{dropped = Dropped + 1};
frame(Frame, #logger{process = Process, waiting = Waiting} = Logger) ->
    Process ! {line, Frame},
    Logger#logger{waiting = Waiting + 1}.

%% @doc Takes a message to the client that may be from the process.
-spec message(term(), logger()) -> logger().
message({logged, Process}, #logger{process = Process, waiting = Waiting} = Logger) ->
    Logger#logger{waiting = Waiting - 1};
message({'EXIT', Process, _}, #logger{process = Process, dropped = Dropped, waiting = Waiting}) ->
    %% Somebody has killed it.
    Logger = new(logger),
    Logger#logger{dropped = Dropped + Waiting};
message(_, Logger) ->
    Logger.

%% @doc How many lines were dropped.
-spec dropped(logger()) -> non_neg_integer().
dropped(#logger{dropped = Dropped}) ->
    Dropped.

loop(Client, Ref) ->
    receive
        {line, Frame} ->
            log(beamport_answer:log(Frame), Client),
            Client ! {logged, self()},
            loop(Client, Ref);
        {'DOWN', Ref, process, _, _} ->
            ok
    end.

log({ok, Level, Time, Id, Text, Meta}, Client) ->
    logger:log(level(Level), "~ts", [beamport_text:utf8(Text)],
               #{time => Time, pid => Client, domain => [beamport], call => Id, beamport => Meta});
log(error, Client) ->
    logger:log(warning, "a log line came that is none, or whose metadata names atoms that do not exist", [],
               #{pid => Client, domain => [beamport]}).

level(Level) when Level =:= emergency; Level =:= alert; Level =:= critical; Level =:= error;
                  Level =:= warning; Level =:= notice; Level =:= info; Level =:= debug -> Level;
level(_) -> notice.
