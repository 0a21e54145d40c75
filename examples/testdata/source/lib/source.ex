defprotocol Source.Shown do
  def show(thing)
end

defmodule Source.Person do
  defstruct [:name]
  defimpl Source.Shown, do: (def show(person), do: "<#{person.name}>")
end

defmodule Source do
  @moduledoc "A function that is packed as source."

  def handle(%{"name" => name}, _context) do
    consolidated = Enum.all?([Source.Shown, Enumerable, String.Chars], &Protocol.consolidated?/1)
    {:ok, %{hello: Source.Shown.show(%Source.Person{name: name}), consolidated: consolidated, directory: :source_files.is_directory(".")}}
  end
end
