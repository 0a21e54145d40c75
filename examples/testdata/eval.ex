defmodule Eval do
  @moduledoc "A handler that leads to much of Elixir, with its compiler."

  def handle(%{"code" => code}, _context) do
    {value, _} = Code.eval_string(code)
    {:ok, %{value: inspect(value, charlists: :as_lists)}}
  end
end
