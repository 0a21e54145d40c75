defmodule Greeter do
  def hello(%{"name" => name}, _context) do
    config = Agent.get(Greeter.Store, & &1)
    {:ok, %{text: "#{config[:greeting]}, #{name}", compiled: config[:compiled], env: config[:env], provided: config[:provided]}}
  end

  def hello(%{"do" => "die"}, _context) do
    Process.exit(Process.whereis(Greeter.Store), :kill)
    Process.sleep(:infinity)
  end

  def hello(%{"do" => "vm"}, _context) do
    release = for {"RELEASE_" <> _ = name, value} <- System.get_env(), name != "RELEASE_COOKIE", do: {name, value}

    {:ok,
     %{
       root: List.to_string(:code.root_dir()),
       elixir: List.to_string(:code.lib_dir(:elixir)),
       consolidated: Protocol.consolidated?(String.Chars) and Protocol.consolidated?(Greeter.Shout),
       alive: Node.alive?(),
       flag: :init.get_argument(:greeter_flag) == {:ok, [['a b']]},
       env: System.get_env("FROM_VM_ARGS"),
       sourced: System.get_env("FROM_ENV_SH"),
       shout: Greeter.Shout.shout("hi"),
       release: Map.new(release)
     }}
  end
end

defprotocol Greeter.Shout do
  def shout(what)
end

defimpl Greeter.Shout, for: BitString do
  def shout(text), do: String.upcase(text)
end
