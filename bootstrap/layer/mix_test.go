package layer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
)

// mixFiles are a project of Mix's that depends on another in a folder of its own.
var mixFiles = map[string]string{
	"shop/mix.exs": `defmodule Shop.MixProject do
  use Mix.Project
  def project, do: [app: :shop, version: "0.1.0", deps: [{:tea, path: "../tea"}, {:only_for_tests, path: "../only_for_tests", only: :test}]]
end
`,
	"shop/lib/shop.ex":        "defmodule Shop do\n  def handle(_, _), do: {:ok, Tea.leaves() <> to_string(Application.get_env(:shop, :word))}\nend\n",
	"shop/config/config.exs":  "import Config\nconfig :shop, word: :green\n",
	"shop/config/runtime.exs": "import Config\n",
	"shop/priv/data.bin":      "\x00\x01",
	"tea/mix.exs":             "defmodule Tea.MixProject do\n  use Mix.Project\n  def project, do: [app: :tea, version: \"1.0.0\"]\nend\n",
	"tea/lib/tea.ex":          "defprotocol Tea.Kind do\n  def kind(t)\nend\n\ndefmodule Tea do\n  def leaves, do: \"leaves\"\nend\n",
	"tea/priv/leaf":           "leaf",
	"only_for_tests/mix.exs":  "defmodule Only.MixProject do\n  use Mix.Project\n  def project, do: [app: :only_for_tests, version: \"1.0.0\"]\nend\n",
}

// A project is packed with what it depends on, what that keeps in priv, its protocols and
// its configuration; the same bytes each time, with any kind of boot script.
func TestMix(t *testing.T) {
	dir := filepath.Join(project(t, mixFiles), "shop")
	for _, kind := range []string{beam.BootFull, beam.BootFunction} {
		files, report, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "Shop.handle", Boot: kind})
		require.NoError(t, err)
		for _, name := range []string{
			"beamport.boot", "beamport.config", "lib/shop/ebin/Elixir.Shop.beam", "lib/shop/ebin/shop.app", "lib/shop/priv/data.bin",
			"lib/shop/consolidated/Elixir.Tea.Kind.beam", "lib/shop/consolidated/Elixir.Enumerable.beam", "lib/tea/ebin/Elixir.Tea.beam", "lib/tea/priv/leaf",
		} {
			assert.Contains(t, files, name)
		}
		assert.NotContains(t, files, "lib/only_for_tests/ebin/only_for_tests.app")
		assert.Equal(t, "\x00\x01", string(files["lib/shop/priv/data.bin"]))
		config, err := etf.Decode(files["beamport.config"])
		require.NoError(t, err)
		assert.Equal(t, "[{shop,[{word,green}]}]", config.String())
		assert.Equal(t, []string{"config/runtime.exs is not read by a packaged function: read variables of the environment where they are needed, or pack a release"}, report.Notes)

		require.NoError(t, os.RemoveAll(filepath.Join(dir, "_build")))
		again, _, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "Shop.handle", Boot: kind})
		require.NoError(t, err)
		require.Equal(t, len(files), len(again))
		for name, b := range files {
			assert.True(t, string(b) == string(again[name]), "%s, %s: the same input makes the same bytes", kind, name)
		}
	}
}

// The Elixir to pack for may be another than the machine's.
func TestOtherElixir(t *testing.T) {
	found, err := readElixir("")
	require.NoError(t, err)
	require.NotNil(t, found)
	other := t.TempDir()
	for _, name := range []string{"bin", "lib"} {
		require.NoError(t, os.Symlink(filepath.Join(found.root, name), filepath.Join(other, name)))
	}
	dir := project(t, map[string]string{"lib/one.ex": "defmodule One do\n  def handle(e, _), do: {:ok, Enum.count(e)}\nend\n"})
	files, _, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "One.handle", Boot: beam.BootFunction, Elixir: other})
	require.NoError(t, err)
	same, _, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "One.handle", Boot: beam.BootFunction})
	require.NoError(t, err)
	assert.True(t, string(same["beamport.boot"]) == string(files["beamport.boot"]), "where it is, is not in the script")
}

// Native code for another machine is packed if it has to be, with a note.
func TestForce(t *testing.T) {
	program, err := os.ReadFile("/bin/true")
	require.NoError(t, err)
	program[18], program[19] = 183, 0 // the machine: arm64
	if hostArch == "arm64" {
		program[18] = 62 // amd64
	}
	dir := project(t, map[string]string{
		"src/echo.app.src": `{application, echo, [{vsn, "1"}, {applications, [kernel, stdlib]}]}.`,
		"src/echo.erl":     echo,
		"priv/one.so":      string(program),
		"priv/two.so":      string(program),
	})
	_, _, err = packedFunction(t, FunctionOptions{Dir: dir, Handler: "echo:handle", Boot: beam.BootFunction})
	require.ErrorIs(t, err, ErrIncompatible)
	require.ErrorContains(t, err, "lib/echo/priv/one.so (and 1 more) is for ")
	files, report, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "echo:handle", Boot: beam.BootFunction, Force: true})
	require.NoError(t, err)
	assert.Equal(t, string(program), string(files["lib/echo/priv/two.so"]))
	require.Len(t, report.Notes, 1)
	assert.Contains(t, report.Notes[0], "packed although it would not load: lib/echo/priv/one.so (and 1 more) is for ")
}
