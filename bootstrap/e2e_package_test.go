package bootstrap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/etf"
)

// shop is a project of Mix's with a protocol, a configuration, and processes that crash.
var shop = map[string]string{
	"mix.exs": `defmodule Shop.MixProject do
  use Mix.Project
  def project, do: [app: :shop, version: "0.1.0"]
  def application, do: [extra_applications: [:logger]]
end
`,
	"config/config.exs": "import Config\nconfig :shop, currency: \"EUR\"\nconfig :logger, level: :info\n",
	"lib/shop.ex": `defprotocol Shop.Priced do
  def price(thing)
end

defmodule Shop.Item do
  defstruct [:name, :cents]
  defimpl Shop.Priced, do: (def price(item), do: item.cents)
  defimpl String.Chars, do: (def to_string(item), do: item.name)
end

defmodule Shop do
  require Logger

  def handle(%{"do" => "sell"}, _) do
    item = %Shop.Item{name: "tea", cents: 350}
    {:ok, %{text: "#{item}: #{Shop.Priced.price(item)} #{Application.get_env(:shop, :currency)}", all: Enum.map([item], & &1.cents)}}
  end

  def handle(%{"do" => "consolidated"}, _) do
    protocols = [Enumerable, Inspect, String.Chars, Shop.Priced]
    {:ok, for(p <- protocols, not Protocol.consolidated?(p), do: inspect(p))}
  end

  def handle(%{"do" => "log"}, _) do
    Logger.debug("not to be seen")
    Logger.info("once")
    {:ok, "logged"}
  end

  def handle(%{"do" => "crash"}, _) do
    {pid, ref} = spawn_monitor(fn -> :proc_lib.init_p(self(), [], :erlang, :error, [:crashed]) end)
    receive do
      {:DOWN, ^ref, :process, ^pid, _} -> {:ok, "crashed"}
    end
  end
end
`,
}

// bootKinds are those that a function is packed for, and none, which is Erlang's own script.
var bootKinds = []string{beam.BootFull, beam.BootLean, beam.BootFunction, bootStock}

// forEachKind runs a test with a function packed for each kind of boot script.
func forEachKind(t *testing.T, handler string, files map[string]string, test func(t *testing.T, kind string, r *rig)) {
	dir := sourceRoot(t, files)
	for _, kind := range bootKinds {
		t.Run(kind, func(t *testing.T) {
			packed := kind
			if kind == bootStock {
				packed = beam.BootFull
			}
			test(t, kind, startRig(t, emulator.Options{}, Config{Handler: handler, TaskRoot: packagedFrom(t, dir, handler, packed), Boot: kind}))
		})
	}
}

// A packed project has its consolidated protocols and its configuration with every script,
// and each event of the logger is written once.
func TestPackagedProject(t *testing.T) {
	forEachKind(t, "Shop.handle", shop, func(t *testing.T, kind string, r *rig) {
		r.answers(`{"do":"sell"}`, `{"all":[350],"text":"tea: 350 EUR"}`)
		r.answers(`{"do":"consolidated"}`, `[]`)
		r.answers(`{"do":"log"}`, `logged`)
		r.answers(`{"do":"crash"}`, `crashed`)
		r.stop()
		assert.Equal(t, 1, strings.Count(r.logs.String(), "once\n"), r.logs.String())
		assert.NotContains(t, r.logs.String(), "REPORT====")
		assert.NotContains(t, r.logs.String(), "not to be seen")
		assert.NotContains(t, r.logs.String(), "crasher", "reports of crashed processes are Elixir's logger's to ask for")
	})
}

// A module that is in two folders is taken from the first of the code path, however many
// modules each of them gives.
func TestPackagedProtocolsOfAManyModules(t *testing.T) {
	files := map[string]string{}
	for name, text := range shop {
		files[name] = text
	}
	var calls []string
	for n := range 12 {
		files[fmt.Sprintf("lib/more%d.ex", n)] = fmt.Sprintf("defmodule Shop.More%d do\n  def n, do: %d\nend\n", n, n)
		calls = append(calls, fmt.Sprintf("Shop.More%d.n()", n))
	}
	files["lib/shop.ex"] = strings.Replace(files["lib/shop.ex"], "  def handle(", "  def handle(%{\"do\" => \"sum\"}, _), do: {:ok, "+strings.Join(calls, "+")+"}\n  def handle(", 1)
	dir := sourceRoot(t, files)
	r := startRig(t, emulator.Options{}, Config{Handler: "Shop.handle", TaskRoot: packagedFrom(t, dir, "Shop.handle", beam.BootFunction), Boot: beam.BootFunction})
	r.answers(`{"do":"sum"}`, `66`)
	r.answers(`{"do":"consolidated"}`, `[]`)
}

// layerOf is where a layer of the machine's Erlang and Elixir is, with these boot scripts.
func layerOf(t *testing.T, scripts map[string][]byte) beam.Search {
	dir := t.TempDir()
	machine := beam.DefaultSearch(os.Environ())
	installed, err := beam.Find(machine)
	require.NoError(t, err)
	ebins, ok := beam.FindElixir(machine)
	require.True(t, ok)
	require.NoError(t, os.Symlink(installed.Root, filepath.Join(dir, "erlang")))
	require.NoError(t, os.Symlink(filepath.Join(ebins[0], "..", "..", ".."), filepath.Join(dir, "elixir")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "boot"), 0o755))
	for kind, script := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "boot", kind+".boot"), script, 0o644))
	}
	return beam.Search{Dir: dir}
}

// A function whose boot script cannot be used, as after an update of the layer's Erlang,
// keeps its configuration, and the log says why it starts slower. Where the kind of the
// script was asked for, it does not start with another.
func TestPackagedForAnotherErlang(t *testing.T) {
	const why = "beamport.boot is for erts 1.2.3, this is "
	for _, handler := range []string{"Shop.handle", ""} {
		root := packagedFrom(t, sourceRoot(t, shop), handler, beam.BootFull)
		if handler != "" {
			script := filepath.Join(root, "beamport.boot")
			b, err := os.ReadFile(script)
			require.NoError(t, err)
			search := layerOf(t, map[string][]byte{"full": b})
			was, err := etf.Decode(b)
			require.NoError(t, err)
			b, err = etf.Encode(etf.Tuple(was.At(0), etf.Tuple(was.At(1).At(0), etf.Charlist("1.2.3")), was.At(2)))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(script, b, 0o600))
			r := newRig(t, emulator.Options{}, Config{Handler: handler, TaskRoot: root, Boot: beam.BootFull, Search: search})
			assert.ErrorContains(t, r.run(), "BEAMPORT_BOOT is full, but "+filepath.Join(root, why))
		}
		r := startRig(t, emulator.Options{}, Config{Handler: "Shop.handle", TaskRoot: root})
		r.answers(`{"do":"sell"}`, `{"all":[350],"text":"tea: 350 EUR"}`)
		r.answers(`{"do":"consolidated"}`, `[]`)
		r.answers(`{"do":"log"}`, `logged`)
		assert.NotContains(t, r.logs.String(), "not to be seen")
		assert.Equal(t, handler != "", strings.Contains(r.logs.String(), "the function starts slower than it could: "+filepath.Join(root, why)), r.logs.String())
	}
}

// nif is native code that calls another library. Erlang's headers need not be there.
const nif = `#include <stddef.h>
typedef unsigned long term;
int answer(void);
extern term enif_make_int(void *, int);
static term get(void *env, int argc, const term *argv) { return enif_make_int(env, answer()); }
static struct { const char *name; unsigned arity; term (*f)(void *, int, const term *); unsigned flags; } functions[] = {{"found", 0, get, 0}};
static struct { int major, minor; const char *name; int count; void *functions, *load, *reload, *upgrade, *unload; const char *vm; unsigned options; size_t size; const char *erts; }
  entry = {2, 14, "native", 1, functions, NULL, NULL, NULL, NULL, "beam.vanilla", 1, 40, "erts-12.0"};
void *nif_init(void) { return &entry; }
`

// Libraries that native code needs are found in the function's lib, wherever the
// function runs. Where one is missing, the message says so.
func TestFunctionsOwnLibraries(t *testing.T) {
	dir := t.TempDir()
	gcc := func(out, text string, args ...string) {
		source := filepath.Join(t.TempDir(), "a.c")
		require.NoError(t, os.WriteFile(source, []byte(text), 0o600))
		require.NoError(t, os.MkdirAll(filepath.Dir(out), 0o755))
		said, err := exec.CommandContext(t.Context(), "gcc", append([]string{"-shared", "-fPIC", "-o", out, source}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	library := filepath.Join(dir, "lib", "libanswer.so.1")
	gcc(library, "int answer(void) { return 42; }\n", "-Wl,-soname,libanswer.so.1")
	gcc(filepath.Join(dir, "lib", "native", "priv", "native.so"), nif, library)
	ebin := filepath.Join(dir, "lib", "native", "ebin")
	require.NoError(t, os.MkdirAll(ebin, 0o755))
	erlc(t, ebin, "native", `-module(native).
-export([handle/2, found/0]).
-on_load(load/0).
load() -> erlang:load_nif(filename:join([os:getenv("LAMBDA_TASK_ROOT"), "lib", "native", "priv", "native"]), 0).
handle(_, _) -> {ok, found()}.
found() -> erlang:nif_error(not_loaded).
`)
	config := Config{Handler: "native:handle", TaskRoot: dir, Environ: append(os.Environ(), "LAMBDA_TASK_ROOT="+dir)}
	r := startRig(t, emulator.Options{}, config)
	r.answers(`{}`, `42`)

	require.NoError(t, os.Remove(library))
	failing := newRig(t, emulator.Options{}, config)
	assert.ErrorContains(t, failing.run(), "the module native could not be loaded: its on_load function failed, and the log says why")
	assert.Contains(t, failing.logs.String(), "libanswer.so.1: cannot open shared object file")
}

// Where Elixir's Logger is asked for, a lean start has it.
func TestPackagedLogger(t *testing.T) {
	dir := sourceRoot(t, map[string]string{"lib/talks.ex": `defmodule Talks do
  require Logger
  def handle(_, _) do
    Logger.configure(level: :warning)
    Logger.info("not to be seen")
    Logger.warning("seen")
    {:ok, Logger.flush()}
  end
end
`})
	for _, kind := range []string{beam.BootFull, beam.BootLean} {
		t.Run(kind, func(t *testing.T) {
			r := startRig(t, emulator.Options{}, Config{Handler: "Talks.handle", TaskRoot: packagedFrom(t, dir, "Talks.handle", kind), Boot: kind})
			r.answers(`{}`, `"ok"`)
			assert.Contains(t, r.logs.String(), "\tseen\n")
			assert.NotContains(t, r.logs.String(), "not to be seen")
		})
	}
}

// umbrella is one of Mix's, whose configuration is where its applications look for it.
var umbrella = map[string]string{
	"mix.exs": `defmodule Umbrella.MixProject do
  use Mix.Project
  def project, do: [apps_path: "apps", version: "0.1.0", config_path: "settings/all.exs"]
end
`,
	"settings/all.exs":        "import Config\nconfig :front, word: \"configured\"\n",
	"settings/runtime.exs":    "import Config\n",
	"apps/front/mix.exs":      child("Front", "front", "{:back, in_umbrella: true}"),
	"apps/front/lib/front.ex": "defmodule Front do\n  def handle(_, _), do: {:ok, %{back: Back.Spoken.speak(%Back.Voice{}), word: Application.get_env(:front, :word), consolidated: Enum.map([Back.Spoken, Enumerable], &Protocol.consolidated?/1)}}\nend\n",
	"apps/back/mix.exs":       child("Back", "back", ""),
	"apps/back/lib/back.ex":   "defprotocol Back.Spoken do\n  def speak(voice)\nend\n\ndefmodule Back.Voice do\n  defstruct []\n  defimpl Back.Spoken, do: (def speak(_), do: \"spoken\")\nend\n",
	"apps/back/priv/text.txt": "text",
	"apps/aside/mix.exs":      child("Aside", "aside", ""),
	"apps/aside/lib/aside.ex": "defmodule Aside do\n  def handle(_, _), do: {:ok, 1}\nend\n",
}

func child(module, name, deps string) string {
	return fmt.Sprintf(`defmodule %s.MixProject do
  use Mix.Project
  def project do
    [app: :%s, version: "0.1.0", build_path: "../../_build", config_path: "../../settings/all.exs",
     deps_path: "../../deps", lockfile: "../../mix.lock", deps: [%s]]
  end
end
`, module, name, deps)
}

// An umbrella, or one application of it, is packed with its protocols and its
// configuration, and runs with or without a script.
func TestPackagedUmbrella(t *testing.T) {
	dir := sourceRoot(t, umbrella)
	const want = `{"back":"spoken","consolidated":[true,true],"word":"configured"}`
	for _, project := range []string{".", "apps/front", "."} {
		root := packagedFrom(t, filepath.Join(dir, project), "Front.handle", beam.BootLean)
		assert.FileExists(t, filepath.Join(root, "lib", "back", "priv", "text.txt"))
		assert.Equal(t, project == ".", exists(filepath.Join(root, "lib", "aside")), "an umbrella is packed whole, an application of it with what it needs")
		for _, kind := range []string{beam.BootLean, bootStock} {
			r := startRig(t, emulator.Options{}, Config{Handler: "Front.handle", TaskRoot: root, Boot: kind})
			r.answers(`{}`, want)
		}
	}
	// As mix has compiled it, and as source.
	r := startRig(t, emulator.Options{}, Config{Handler: "Front.handle", TaskRoot: filepath.Join(dir, "_build", "prod")})
	assert.Contains(t, string(r.invoke(`{}`).Payload), `"consolidated":[true,true]`)
	r = startRig(t, emulator.Options{}, sourceConfig(t, "Front.handle", umbrella))
	r.answers(`{}`, want)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// A function of Elixir's on a layer without Elixir fails, and is told which layer has it.
func TestPackagedForALayerWithElixir(t *testing.T) {
	search := layerOf(t, nil)
	require.NoError(t, os.Remove(filepath.Join(search.Dir, "elixir")))
	root := packagedFrom(t, sourceRoot(t, shop), "Shop.handle", beam.BootFunction)
	for _, boot := range []string{bootAuto, beam.BootFunction} {
		r := newRig(t, emulator.Options{}, Config{Handler: "Shop.handle", TaskRoot: root, Boot: boot, Search: search})
		assert.ErrorContains(t, r.run(), "take a layer that has it (beamport layer --preset elixir)", boot)
	}
}

// Processes, files and programs need nothing that has to be started first.
func TestPackagedProcesses(t *testing.T) {
	forEachKind(t, "Busy.handle", map[string]string{"lib/busy.ex": `defmodule Busy do
  use GenServer
  require Logger
  def init(n), do: {:ok, n}
  def handle_call(:get, _, n), do: {:reply, n, n + 1}

  def handle(_, _) do
    {:ok, server} = GenServer.start_link(__MODULE__, 1)
    {:ok, agent} = Agent.start_link(fn -> 10 end)
    task = Task.async(fn -> 100 end)
    Process.send_after(self(), :later, 1)
    later = receive do: (:later -> 1000)
    Logger.metadata(key: :value)
    {text, 0} = System.cmd("echo", ["ten thousand"])
    {:ok, %{sum: GenServer.call(server, :get) + Agent.get(agent, & &1) + Task.await(task) + later, text: text,
      file: File.exists?("/"), env: Application.get_env(:busy, :none, "none"), key: Logger.metadata()[:key]}}
  end
end
`}, func(t *testing.T, _ string, r *rig) {
		r.answers(`{}`, `{"env":"none","file":true,"key":"value","sum":1111,"text":"ten thousand\n"}`)
	})
}
