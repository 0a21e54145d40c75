defmodule BenchHello do
  @moduledoc "A handler that answers with its event."

  def handle(event, _context), do: {:ok, event}
end
