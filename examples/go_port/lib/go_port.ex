defmodule GoPort do
  @moduledoc """
  Pictures, drawn and made smaller by a worker in Go.

  The worker is a program of its own: what it does takes no time of the schedulers, and
  if it crashes, this application goes on. Its supervisor starts another.
  """

  @worker GoPort.Worker

  @doc "Draws a gradient. The file comes in parts while it is drawn; `fun` gets each."
  def draw(width, height, acc, fun) do
    case :beamport_client.fold(@worker, {:draw, width, height}, fun, acc, timeout: 30_000) do
      {:ok, _head, {:bytes, count}, acc} -> {:ok, count, acc}
      {:error, reason} -> {:error, reason}
    end
  end

  @doc "Makes a picture smaller: the bytes of a PNG file in, the bytes of another out."
  def thumbnail(png, width), do: :beamport_client.call(@worker, {:thumbnail, png, width}, 30_000)

  @doc "What the worker says of itself."
  def about, do: :beamport_client.info(@worker)

  @doc "Makes the worker crash."
  def crash, do: :beamport_client.call(@worker, :crash)
end
