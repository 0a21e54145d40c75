defmodule Greeter.Provider do
  @behaviour Config.Provider

  def init(name), do: name

  # It sees what was configured before it.
  def load(config, name) do
    Config.Reader.merge(config, greeter: [{:name, name}, {:provided, config[:greeter][:compiled]}])
  end
end
