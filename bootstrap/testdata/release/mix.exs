defmodule Greeter.MixProject do
  use Mix.Project

  def project do
    [
      app: :greeter,
      version: "0.2.0",
      elixir: "~> 1.14",
      start_permanent: true,
      releases: [
        own: [include_erts: true, include_executables_for: [:unix]],
        bare: [include_erts: false, include_executables_for: [:unix]]
      ]
    ]
  end

  def application do
    [extra_applications: [:logger], mod: {Greeter.Application, []}]
  end
end
