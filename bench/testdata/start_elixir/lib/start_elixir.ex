defmodule StartElixir do
  @moduledoc "A handler of Elixir's that uses Enum, String and Map."

  def handle(event, _context) do
    words = event |> Map.get("text", "") |> String.downcase() |> String.split()
    {:ok, %{words: Enum.count(words), frequencies: Enum.frequencies(words) |> Map.new(fn {k, v} -> {String.upcase(k), v} end)}}
  end
end
