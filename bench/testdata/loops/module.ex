defmodule Loop do
  def start do
    port = Port.open({:fd, 3, 4}, [:binary, :eof, packet: 4])
    Port.command(port, "ready")
    loop(port)
  end

  defp loop(port) do
    receive do
      {^port, {:data, event}} ->
        Port.command(port, event)
        loop(port)

      {^port, :eof} ->
        System.halt(0)
    end
  end
end

Loop.start()
