defmodule Greeter.Application do
  use Application

  # What is configured when the application starts is what the handler tells.
  def start(_type, _args) do
    config = Application.get_all_env(:greeter)
    if config[:greeting] == "refuse", do: raise(ArgumentError, "no such greeting")
    children = [%{id: Greeter.Store, start: {Agent, :start_link, [fn -> config end, [name: Greeter.Store]]}}]
    Supervisor.start_link(children, strategy: :one_for_one, max_restarts: 0)
  end

  def stop(_state), do: IO.puts(:stderr, "greeter has stopped")
end
