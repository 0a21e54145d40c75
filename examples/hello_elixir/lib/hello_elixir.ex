defmodule HelloElixir do
  @moduledoc """
  A Lambda function that answers each kind of event in its own way.

  An event is the JSON that Lambda sends, as maps with string keys. What a clause
  returns becomes the answer's JSON, so atom keys are welcome there.
  """

  require Logger

  @doc "The handler: `HelloElixir.handle`."
  def handle(event, context)

  # API Gateway's HTTP APIs and function URLs (payload version 2.0).
  def handle(%{"version" => "2.0", "requestContext" => %{"http" => http}} = event, context) do
    Logger.info("#{http["method"]} #{http["path"]}, #{context.remaining_ms} ms left")
    name = get_in(event, ["pathParameters", "name"]) || "world"

    {:ok,
     %{
       statusCode: 200,
       headers: %{"content-type": "text/plain; charset=utf-8"},
       body: hello(name, get_in(event, ["queryStringParameters", "lang"]))
     }}
  end

  # SQS, with ReportBatchItemFailures: only what failed comes again.
  def handle(%{"Records" => [%{"eventSource" => "aws:sqs"} | _] = records}, _context) do
    Logger.info("#{length(records)} messages")
    failed = for record <- records, process(record) == :error, do: record["messageId"]
    {:ok, %{batchItemFailures: for(id <- failed, do: %{itemIdentifier: id})}}
  end

  # S3 notifications. Keys are URL-encoded in them.
  def handle(%{"Records" => [%{"eventSource" => "aws:s3"} | _] = records}, _context) do
    objects =
      for %{"eventName" => name, "s3" => %{"bucket" => bucket, "object" => object}} <- records do
        key = URI.decode_www_form(object["key"])
        Logger.info("#{name} s3://#{bucket["name"]}/#{key}")
        %{event: name, bucket: bucket["name"], key: key, bytes: object["size"]}
      end

    {:ok, %{objects: objects}}
  end

  # EventBridge.
  def handle(%{"detail-type" => type, "source" => source, "detail" => detail}, _context) do
    Logger.info("#{source}: #{type}")
    {:ok, %{source: source, type: type, state: detail["state"]}}
  end

  # Anything else, such as {} or {"name": "Joe"}.
  def handle(%{} = event, _context) do
    IO.puts("An event of #{map_size(event)} keys; what is printed is logged too.")
    {:ok, %{greeting: hello(event["name"] || "world", nil)}}
  end

  defp hello(name, "pt"), do: "Olá, #{name}!"
  defp hello(name, _lang), do: "Hello, #{name}!"

  defp process(%{"body" => "", "messageId" => id}) do
    Logger.warning("message #{id} is empty")
    :error
  end

  defp process(%{"body" => body, "messageId" => id}) do
    Logger.debug("message #{id}: #{byte_size(body)} bytes")
    :ok
  end
end
