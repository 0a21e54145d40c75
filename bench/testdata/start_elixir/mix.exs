defmodule StartElixir.MixProject do
  use Mix.Project

  def project do
    [app: :start_elixir, version: "0.1.0"]
  end
end
