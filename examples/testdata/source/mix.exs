defmodule Source.MixProject do
  use Mix.Project

  def project, do: [app: :source, version: "0.1.0"]
end
