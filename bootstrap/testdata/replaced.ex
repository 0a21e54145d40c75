defmodule Replaced do
  @moduledoc "Results in all the forms that the runtime elixir_lambda takes."

  def handle(%{"form" => form}, context), do: form(form, context)

  defp form("map", _), do: {:ok, %{message: "Hello Elixir"}}
  defp form("list", _), do: {:ok, [1, 2, 3]}
  defp form("charlist", _), do: {:ok, ~c"abc"}
  defp form("binary", _), do: {:ok, "Hello Elixir"}
  defp form("number", _), do: {:ok, 42}
  defp form("type", _), do: {:ok, "text/html", "<p>"}
  defp form("charlist type", _), do: {:ok, ~c"text/numeral", 42}
  defp form("string type", _), do: {:ok, "text/numeral", 42}
  defp form("tuple", _), do: {:ok, {1, 2, 3}}
  defp form("error", _), do: {:error, "Error message"}
  defp form("error of another kind", _), do: {:error, %{message: "Error message"}}
  defp form("something else", _), do: {:meaning, 42}

  defp form("context", context) do
    {:ok, Map.take(context, [:content_type, :request_id, :function_arn, :trace_id, :client_context, :cognito_identity])}
  end
end
