defmodule Greeter.MixProject do
  use Mix.Project

  def project do
    [
      app: :greeter,
      version: "0.2.0",
      elixir: "~> 1.14",
      start_permanent: true,
      releases: [
        # Mix's own boot script of the first would start the emulator twice.
        own: [
          include_erts: true,
          include_executables_for: [:unix],
          config_providers: [{Greeter.Provider, "provided"}],
          reboot_system_after_config: true
        ],
        bare: [
          include_erts: false,
          include_executables_for: [:unix],
          config_providers: [{Greeter.Provider, "provided"}]
        ]
      ]
    ]
  end

  def application do
    [extra_applications: [:logger], mod: {Greeter.Application, []}]
  end
end
