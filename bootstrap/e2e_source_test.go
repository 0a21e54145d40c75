package bootstrap

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
)

// sourceRoot is a task root of source files.
func sourceRoot(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return root
}

// sourceConfig runs a function that is source, with a folder of its own for what is
// compiled.
func sourceConfig(t *testing.T, handler string, files map[string]string, environ ...string) Config {
	t.Helper()
	root := sourceRoot(t, files)
	unchanged(t, root)
	environ = append(environ, "TMPDIR="+t.TempDir())
	return Config{Handler: handler, TaskRoot: root, Environ: append(os.Environ(), environ...)}
}

// editable is a function as the editor of Lambda's console shows it, with an
// application, configuration and a dependency on a package.
var editable = map[string]string{
	"mix.exs": `defmodule Example.MixProject do
  use Mix.Project
  def project, do: [app: :example, version: "0.1.0", deps: [{:shouting, "~> 1.0"}]]
  def application, do: [mod: {Example.Application, []}, extra_applications: [:logger]]
end
`,
	"mix.lock": `%{"shouting": {:hex, :shouting, "1.0.3", "00", [:mix], [], "hexpm", "00"}}`,
	"lib/example.ex": `defmodule Example do
  @compiled Application.compile_env(:example, :compiled)
  def hello(%{"name" => name}, _context) do
    unused = 1
    {:ok, %{message: Shouting.shout("hello #{name}"), compiled: @compiled, runtime: Agent.get(Example.Store, & &1), priv: File.read!(Application.app_dir(:example, "priv/data"))}}
  end
end
`,
	"lib/example/application.ex": `defmodule Example.Application do
  use Application
  def start(_type, _args) do
    store = %{id: Example.Store, start: {Agent, :start_link, [fn -> Application.fetch_env!(:example, :runtime) end, [name: Example.Store]]}}
    Supervisor.start_link([store], strategy: :one_for_one)
  end
end
`,
	"config/config.exs":       "import Config\nconfig :example, compiled: \"yes\"\nimport_config \"#{Mix.env()}.exs\"\n",
	"config/prod.exs":         "import Config\nconfig :example, level: 1\n",
	"config/runtime.exs":      "import Config\nconfig :example, runtime: System.fetch_env!(\"SETTING\")\n",
	"priv/data":               "private",
	"test/example_test.exs":   "this is not compiled",
	"deps/shouting/mix.exs":   "defmodule Shouting.MixProject do\n  use Mix.Project\n  def project, do: [app: :shouting, version: \"1.0.3\"]\nend\n",
	"deps/shouting/lib/s.ex":  "defmodule Shouting do\n  def shout(text), do: String.upcase(text)\nend\n",
	"deps/shouting/.hex":      "",
	"_build/dev/lib/stale/x":  "",
	"node_modules/x/index.js": "",
}

func TestSourceMix(t *testing.T) {
	config := sourceConfig(t, "Example.hello", editable, "SETTING=set", "HOME=/nonexistent")
	answer := `{"compiled":"yes","message":"HELLO ADA","priv":"private","runtime":"set"}`
	r := startRig(t, emulator.Options{}, config)
	r.answers(`{"name":"Ada"}`, answer)
	assert.Contains(t, r.logs.String(), `variable "unused" is unused`)
	assert.Contains(t, r.logs.String(), "Generated example app")

	// Another VM finds it compiled.
	r.restart()
	r.answers(`{"name":"Ada"}`, answer)
	assert.Equal(t, 1, strings.Count(r.logs.String(), "Generated example app"))
}

// restart kills the VM, and returns when another answers.
func (r *rig) restart() {
	r.t.Helper()
	before := len(r.vms())
	kill(r.t, r.vms()[before-1].Pid)
	require.Eventually(r.t, func() bool {
		r.invoke(`{}`) // the first may be the one that finds the VM dead
		return len(r.vms()) == before+1
	}, roomy, time.Millisecond)
}

func TestSourceFailures(t *testing.T) {
	with := func(files map[string]string) map[string]string {
		all := map[string]string{}
		for name, text := range editable {
			all[name] = text
		}
		for name, text := range files {
			all[name] = text
		}
		return all
	}
	for _, c := range []struct {
		name, handler string
		files         map[string]string
		environ       []string
		errorType     string
		message       []string
	}{
		{"Elixir", "Bad.hello", map[string]string{"lib/bad.ex": "defmodule Bad do\n  def hello(x), do: y + x\nend\n"}, nil,
			"Runtime.CompileFailed", []string{"lib/bad.ex:2", "undefined", "y"}},
		{"Elixir's syntax", "Bad.hello", map[string]string{"bad.ex": "defmodule Bad do\n  def hello(\nend\n"}, nil,
			"Runtime.CompileFailed", []string{"bad.ex:3", "unexpected"}},
		{"Erlang", "bad:handle", map[string]string{"src/bad.erl": "-module(bad).\n-export([handle/2]).\nhandle(X, _) -> Y.\n"}, nil,
			"Runtime.CompileFailed", []string{"src/bad.erl:3:17: variable 'Y' is unbound"}},
		{"Mix project", "Example.hello", with(map[string]string{"lib/more.ex": "defmodule More do\n  def x, do: nowhere()\nend\n"}), []string{"SETTING=x"},
			"Runtime.CompileFailed", []string{"lib/more.ex:2", "nowhere"}},
		{"mix.exs", "Example.hello", with(map[string]string{"mix.exs": "defmodule X do\n  use Mix.Projekt\nend\n"}), nil,
			"Runtime.CompileFailed", []string{"mix.exs:2", "Mix.Projekt"}},
		{"missing dependency", "Example.hello", with(map[string]string{"mix.exs": `defmodule X do
  use Mix.Project
  def project, do: [app: :example, version: "0.1.0", deps: [{:absent, "~> 2.0"}]]
end
`}), nil, "Runtime.CompileFailed", []string{"absent"}},
		{"configuration", "Example.hello", editable, nil, "Runtime.ConfigurationFailed", []string{"config/runtime.exs: System.EnvError: ", "SETTING"}},
		{"Gleam", "api/orders.handle", map[string]string{"gleam.toml": "", "src/api/orders.gleam": "", "src/ffi.erl": "-module(ffi).\n"}, nil,
			"Runtime.CompileFailed", []string{"Gleam's", "gleam export erlang-shipment"}},
		{"no such module", "Nowhere.hello", map[string]string{"lib/a.ex": "defmodule A.B do\nend\n"}, nil, "Runtime.NoSuchModule",
			[]string{"no module Nowhere", "such as A.B"}},
		{"nothing", "Nowhere.hello", map[string]string{"README.md": "x", "test/a.ex": "x"}, nil, "Runtime.NoSuchModule",
			[]string{"no compiled code was found in ", "mix.exs", "releases/start_erl.data", "LAMBDA_TASK_ROOT"}},
		{"nowhere to write", "a:handle", map[string]string{"a.erl": "-module(a).\n"}, []string{"TMPDIR=/nonexistent"}, "Runtime.CompileFailed",
			[]string{"nothing can be written to /nonexistent"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := sourceConfig(t, c.handler, c.files)
			config.Environ = append(config.Environ, c.environ...)
			assertInitFails(t, config, c.errorType, c.message...)
		})
	}
}

// A layer with Erlang alone, and one with an Elixir that lacks Mix.
func TestSourceWithoutCompiler(t *testing.T) {
	search := beam.DefaultSearch(os.Environ())
	install, err := beam.Find(search)
	require.NoError(t, err)
	ebins, ok := beam.FindElixir(search)
	require.True(t, ok)
	config := sourceConfig(t, "A.hello", map[string]string{"a.ex": "defmodule A do\nend\n"})
	config.Search = beam.Search{ErlangHome: install.Root}
	assertInitFails(t, config, "Runtime.CompileFailed", "Elixir is needed for it", "ELIXIR_HOME")

	home := t.TempDir()
	for _, ebin := range ebins {
		if app := filepath.Dir(ebin); filepath.Base(app) != "mix" {
			require.NoError(t, os.MkdirAll(filepath.Join(home, "lib"), 0o755))
			require.NoError(t, os.Symlink(app, filepath.Join(home, "lib", filepath.Base(app))))
		}
	}
	config = sourceConfig(t, "Example.hello", editable)
	config.Search = beam.Search{ErlangHome: install.Root, ElixirHome: home}
	assertInitFails(t, config, "Runtime.CompileFailed", "Mix is needed", "mix release")
}

func TestSourceFiles(t *testing.T) {
	config := sourceConfig(t, "Greeter.hello", map[string]string{
		"greeter.ex":          "defmodule Greeter do\n  def hello(event, _context), do: {:ok, Greeter.Text.of(event)}\nend\n",
		"lib/text/text.ex":    "defmodule Greeter.Text do\n  def of(%{\"name\" => name}), do: %{text: :words.join([\"Hi\", name])}\nend\n",
		"src/words.erl":       "-module(words).\n-include(\"words.hrl\").\n-behaviour(a_behaviour).\n-export([join/1, it/0]).\njoin(Words) -> iolist_to_binary(lists:join(?BETWEEN, Words)).\nit() -> persistent_term:get(words).\n",
		"include/words.hrl":   "-define(BETWEEN, \", \").\n",
		"src/z/behaviour.erl": "-module(behaviour).\n",
		"src/a_behaviour.erl": "-module(a_behaviour).\n-callback it() -> term().\n",
		"test/not_this.ex":    "defmodule",
		"script.exs":          "raise \"not this either\"",
	})
	r := startRig(t, emulator.Options{}, config)
	r.answers(`{"name":"Ada"}`, `{"text":"Hi, Ada"}`)
	assert.NotContains(t, r.logs.String(), "undefined")
}

// Names of folders that a shell or a wildcard would read otherwise.
func TestSourceInOddFolder(t *testing.T) {
	for _, files := range []map[string]string{
		{"lib/odd.ex": "defmodule Odd do\n  def handle(event, _), do: {:ok, [event]}\nend\n", "ebin/README": ""},
		{"lib/odd.ex": "defmodule Odd do\n  def handle(event, _), do: {:ok, [event]}\nend\n",
			"mix.exs": "defmodule Odd.MixProject do\n  use Mix.Project\n  def project, do: [app: :odd, version: \"1.0.0\"]\nend\n"},
	} {
		root := filepath.Join(t.TempDir(), "größe {1,2} [a]*")
		require.NoError(t, os.Rename(sourceRoot(t, files), root))
		tmp := filepath.Join(t.TempDir(), "für {das} [hier]")
		require.NoError(t, os.Mkdir(tmp, 0o755))
		r := startRig(t, emulator.Options{}, Config{Handler: "Odd.handle", TaskRoot: root, Environ: append(os.Environ(), "TMPDIR="+tmp)})
		r.answers(`1`, `[1]`)
	}
}

// The emulator that compiles ends with the one that it compiles for.
func TestSourceCompilerEnds(t *testing.T) {
	r := newRig(t, emulator.Options{}, sourceConfig(t, "Slow.hello", map[string]string{
		"slow.ex": "IO.puts(\"compiled by #{System.pid()}\")\nProcess.sleep(:infinity)\n",
	}))
	r.start()
	_, text, _ := strings.Cut(strings.TrimSpace(r.logs.await(t, "compiled by ")), "compiled by ")
	pid, err := strconv.Atoi(text)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, 0))
	r.cancel()
	<-r.ended
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, roomy, time.Millisecond)
}

// An application of Erlang's, and a function that is compiled once for all VMs.
func TestSourceErlangApplication(t *testing.T) {
	config := sourceConfig(t, "counted:handle", map[string]string{
		"src/counted.erl": `-module(counted).
-behaviour(application).
-export([start/2, stop/1, handle/2, init/1]).
start(_, _) -> supervisor:start_link({local, counted}, counted, []).
stop(_) -> ok.
init([]) -> {ok, {#{}, []}}.
handle(_, _) -> {ok, #{running => is_pid(whereis(counted)), value => application:get_env(counted, value, nil)}}.
`,
		"src/counted.app.src": `{application, counted, [{vsn, "1"}, {applications, [kernel, stdlib]}, {mod, {counted, []}}, {env, [{value, 7}]}]}.`,
	})
	r := startRig(t, emulator.Options{}, config)
	r.answers(`{}`, `{"running":true,"value":7}`)
	first, err := filepath.Glob(filepath.Join(environment(config.Environ)["TMPDIR"], "beamport-source-*"))
	require.NoError(t, err)
	require.Len(t, first, 1, "nothing else is left")
	info, err := os.Stat(first[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	r.restart()
	r.answers(`{}`, `{"running":true,"value":7}`)
	again, err := os.Stat(first[0])
	require.NoError(t, err)
	assert.True(t, os.SameFile(info, again), "it was not compiled again")

	// Other source is compiled anew.
	other := sourceConfig(t, "counted:handle", map[string]string{
		"src/counted.erl":     "-module(counted).\n-export([handle/2]).\nhandle(_, _) -> [].\n",
		"src/counted.app.src": `{application, counted, [{vsn, "1"}, {applications, [kernel, stdlib]}, {mod, {counted, []}}]}.`,
	})
	other.Environ = config.Environ
	assertInitFails(t, other, "Runtime.ApplicationStartFailed", "counted")
	all, err := filepath.Glob(filepath.Join(environment(config.Environ)["TMPDIR"], "beamport-source-*"))
	require.NoError(t, err)
	assert.Len(t, all, 2)
}
