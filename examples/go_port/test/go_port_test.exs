defmodule GoPortTest do
  use ExUnit.Case
  import ExUnit.CaptureLog

  @signature <<0x89, "PNG\r\n", 0x1A, "\n">>

  defp drawn(width, height) do
    {:ok, count, parts} = GoPort.draw(width, height, [], fn part, parts -> [part | parts] end)
    png = parts |> Enum.reverse() |> IO.iodata_to_binary()
    assert byte_size(png) == count
    {png, length(parts)}
  end

  # Width and height stand behind the signature, a length and "IHDR".
  defp size(<<@signature, _::64, width::32, height::32, _::binary>>), do: {width, height}

  test "a picture comes in parts" do
    {png, parts} = drawn(1200, 900)
    assert size(png) == {1200, 900}
    assert parts > 1
  end

  test "a picture is made smaller" do
    {png, _} = drawn(400, 300)
    assert {:ok, small} = GoPort.thumbnail(png, 40)
    assert size(small) == {40, 30}
  end

  test "many at a time" do
    {png, _} = drawn(300, 300)

    widths =
      1..50
      |> Task.async_stream(fn width -> {:ok, small} = GoPort.thumbnail(png, width); size(small) end)
      |> Enum.map(fn {:ok, size} -> size end)

    assert widths == Enum.map(1..50, &{&1, &1})
  end

  test "what the worker cannot do is an error" do
    assert {:error, {:failed, %{class: :returned, type: "image.ErrFormat", message: message}}} =
             GoPort.thumbnail("no picture", 10)

    assert message =~ "unknown format"
  end

  @tag capture_log: true
  test "a worker that crashes is started again" do
    %{os_pid: before} = GoPort.about()
    log = capture_log(fn -> assert {:error, {:down, {:port_exit, 3}}} = GoPort.crash() end)
    assert is_binary(log)
    {png, _} = eventually(fn -> drawn(10, 10) end)
    assert size(png) == {10, 10}
    refute GoPort.about().os_pid == before
  end

  # The supervisor needs a moment.
  defp eventually(fun, left \\ 500) do
    fun.()
  rescue
    error in MatchError ->
      if left == 0, do: reraise(error, __STACKTRACE__)
      Process.sleep(10)
      eventually(fun, left - 1)
  end
end
