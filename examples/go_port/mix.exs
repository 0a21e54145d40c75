defmodule GoPort.MixProject do
  use Mix.Project

  def project do
    [
      app: :go_port,
      version: "0.1.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      deps: []
    ]
  end

  def application do
    [mod: {GoPort.Application, []}, extra_applications: [:logger, :beamport]]
  end
end
