defmodule GoPort.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    worker = System.get_env("GO_PORT_WORKER", "worker/worker")
    children = [{:beamport_client, name: GoPort.Worker, command: worker, heartbeat: 5_000}]
    Supervisor.start_link(children, strategy: :one_for_one, name: GoPort.Supervisor)
  end
end
