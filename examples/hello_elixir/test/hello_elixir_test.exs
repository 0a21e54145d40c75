defmodule HelloElixirTest do
  use ExUnit.Case, async: true

  import ExUnit.CaptureIO
  import ExUnit.CaptureLog

  @context %{request_id: "8f14e45f", remaining_ms: 3000}

  test "greets whoever is named" do
    assert capture_io(fn ->
             assert HelloElixir.handle(%{}, @context) == {:ok, %{greeting: "Hello, world!"}}

             assert HelloElixir.handle(%{"name" => "Joe"}, @context) ==
                      {:ok, %{greeting: "Hello, Joe!"}}
           end) =~ "0 keys"
  end

  test "answers an HTTP request" do
    event = %{
      "version" => "2.0",
      "pathParameters" => %{"name" => "José"},
      "queryStringParameters" => %{"lang" => "pt"},
      "requestContext" => %{"http" => %{"method" => "GET", "path" => "/hello/José"}}
    }

    assert capture_log(fn ->
             assert {:ok, %{statusCode: 200, body: "Olá, José!"}} =
                      HelloElixir.handle(event, @context)

             assert {:ok, %{body: "Hello, world!"}} =
                      HelloElixir.handle(Map.take(event, ["version", "requestContext"]), @context)
           end) =~ "GET /hello/José"
  end

  test "reports the messages that failed, and only those" do
    records =
      for {id, body} <- [{"a", "1"}, {"b", ""}, {"c", "3"}] do
        %{"eventSource" => "aws:sqs", "messageId" => id, "body" => body}
      end

    assert capture_log(fn ->
             assert HelloElixir.handle(%{"Records" => records}, @context) ==
                      {:ok, %{batchItemFailures: [%{itemIdentifier: "b"}]}}
           end) =~ "message b is empty"
  end

  test "decodes the keys of S3" do
    record = %{
      "eventSource" => "aws:s3",
      "eventName" => "ObjectCreated:Put",
      "s3" => %{"bucket" => %{"name" => "b"}, "object" => %{"key" => "Caf%C3%A9+1", "size" => 7}}
    }

    capture_log(fn ->
      assert {:ok, %{objects: [%{bucket: "b", key: "Café 1", bytes: 7}]}} =
               HelloElixir.handle(%{"Records" => [record]}, @context)
    end)
  end

  test "names source and type of an EventBridge event" do
    event = %{"detail-type" => "T", "source" => "s", "detail" => %{"state" => "running"}}

    capture_log(fn ->
      assert HelloElixir.handle(event, @context) ==
               {:ok, %{source: "s", type: "T", state: "running"}}
    end)
  end
end
