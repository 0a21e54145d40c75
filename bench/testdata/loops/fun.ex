port = Port.open({:fd, 3, 4}, [:binary, :eof, packet: 4])
Port.command(port, "ready")

loop = fn loop ->
  receive do
    {^port, {:data, event}} ->
      Port.command(port, event)
      loop.(loop)

    {^port, :eof} ->
      System.halt(0)
  end
end

loop.(loop)
