defmodule Fixture do
  @moduledoc "A handler that does what its event says."

  require Logger

  defmodule NotFound do
    defexception [:id]
    def message(%{id: id}), do: "no item #{id}"
  end

  defmodule Item do
    defstruct [:id]
  end

  def handle(%{"do" => what} = event, context), do: run(what, event, context)
  def handle(event, _context), do: {:ok, event}

  defp run("hello", %{"name" => name}, _), do: {:ok, %{message: "Hello, " <> String.upcase(name)}}

  defp run("values", _, _) do
    {:ok,
     %{
       date: ~D[2026-02-28],
       time: ~U[2026-02-28 12:00:00Z],
       set: MapSet.new([1]),
       range: 1..3,
       uri: URI.parse("https://example.com/a"),
       nothing: nil
     }}
  end

  defp run("raise", _, _), do: raise(ArgumentError, "not like this")
  defp run("own", _, _), do: raise(NotFound, id: 7)
  defp run("arithmetic", %{"by" => by}, _), do: {:ok, 1 / by}
  defp run("struct", _, _), do: {:ok, %{item: %Item{id: 1}}}
  defp run("nonsense", _, _), do: {:maybe, 1}
  defp run("throw", _, _), do: throw(:ball)
  defp run("exit", _, _), do: exit(:kaput)
  defp run("returned", _, _), do: {:error, %NotFound{id: 8}}

  defp run("log", _, _) do
    Logger.warning("from Logger")
    IO.puts("from IO")
    {:ok, nil}
  end
end
