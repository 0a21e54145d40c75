package bootstrap

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
)

// releases are those of testdata/release, made by Mix when they are first asked for
// and removed by [TestMain].
var releases struct {
	once sync.Once
	dir  string
	err  error
}

// releaseRoot is a task root with a release: own has an Erlang in it, bare has not.
func releaseRoot(t *testing.T, name string) string {
	t.Helper()
	releases.once.Do(func() { releases.dir, releases.err = makeReleases() })
	require.NoError(t, releases.err)
	return filepath.Join(releases.dir, "_build", "prod", "rel", name)
}

func makeReleases() (string, error) {
	dir, err := os.MkdirTemp("", "beamport-release-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, os.DirFS("testdata/release")); err != nil {
		return dir, err
	}
	for _, name := range []string{"own", "bare"} {
		cmd := exec.Command("mix", "release", name, "--quiet")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "MIX_ENV=prod", "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, &exec.Error{Name: "mix release: " + string(out), Err: err}
		}
	}
	return dir, nil
}

func removeReleases() {
	if releases.dir != "" {
		_ = os.RemoveAll(releases.dir) // it is in the temporary folder
	}
}

// nowhere has neither Erlang nor Elixir.
func nowhere(t *testing.T) beam.Search { return beam.Search{Path: t.TempDir()} }

// unchanged asserts that a folder is not written to during the test.
func unchanged(t *testing.T, root string) {
	t.Helper()
	before := treeOf(t, root)
	t.Cleanup(func() { assert.Equal(t, before, treeOf(t, root), "%s was written to", root) })
}

func treeOf(t *testing.T, root string) map[string]time.Time {
	t.Helper()
	tree := map[string]time.Time{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		tree[path] = info.ModTime()
		return err
	}))
	return tree
}

// changedRelease is a copy of a release, in links, of which single files can be
// replaced.
func changedRelease(t *testing.T, name string) string {
	t.Helper()
	from, root := releaseRoot(t, name), t.TempDir()
	require.NoError(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(root, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return os.Link(path, to)
	}))
	return root
}

// replace writes a file anew, and leaves the one that it was linked to alone.
func replace(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, errors.Join(os.RemoveAll(file), os.WriteFile(file, []byte(text), 0o644)))
}

func TestRelease(t *testing.T) {
	for _, name := range []string{"own", "bare"} {
		t.Run(name, func(t *testing.T) {
			root := releaseRoot(t, name)
			unchanged(t, root)
			config := Config{Handler: "Greeter.hello", TaskRoot: root, StopTimeout: roomy,
				Environ: append(os.Environ(), "GREETING=Salut", "RELEASE_COOKIE=given")}
			if name == "own" {
				config.Search = nowhere(t)
				config.Environ = []string{"PATH=/usr/bin:/bin", "GREETING=Salut"}
			}
			r := startRig(t, emulator.Options{}, config)
			assert.Equal(t, "Greeter.hello/2", r.vms()[0].Handler)
			r.answers(`{"name":"Ada"}`, `{"compiled":"at build time","env":"prod","provided":"at build time","text":"Salut, Ada"}`)

			var vm struct {
				Root, Elixir, Env, Sourced, Shout string
				Consolidated, Alive, Flag         bool
				Release                           map[string]string
			}
			require.NoError(t, json.Unmarshal(r.invoke(`{"do":"vm"}`).Payload, &vm))
			assert.Equal(t, name == "own", vm.Root == root, vm.Root)
			assert.True(t, strings.HasPrefix(vm.Elixir, root), vm.Elixir)
			assert.True(t, vm.Consolidated, "protocols are consolidated")
			assert.False(t, vm.Alive, "there is no distribution")
			assert.True(t, vm.Flag, "a flag of vm.args")
			assert.Equal(t, "yes", vm.Env)
			assert.Equal(t, name+"-0.2.0-start", vm.Sourced)
			assert.Equal(t, "HI", vm.Shout)
			dir := filepath.Join(root, "releases", "0.2.0")
			assert.Equal(t, map[string]string{
				"RELEASE_ROOT": root, "RELEASE_NAME": name, "RELEASE_VSN": "0.2.0", "RELEASE_COMMAND": "start", "RELEASE_PROG": name,
				"RELEASE_MODE": "interactive", "RELEASE_DISTRIBUTION": "none", "RELEASE_NODE": "elsewhere", "RELEASE_TMP": os.TempDir(),
				"RELEASE_VM_ARGS": filepath.Join(dir, "vm.args"), "RELEASE_REMOTE_VM_ARGS": filepath.Join(dir, "remote.vm.args"),
				"RELEASE_BOOT_SCRIPT": "start", "RELEASE_BOOT_SCRIPT_CLEAN": "start_clean", "RELEASE_SYS_CONFIG": filepath.Join(dir, "sys"),
			}, vm.Release)
			left := r.logs.await(t, "left out")
			assert.Contains(t, left, "-sname -setcookie -heart +Bd -mode\n")
			assert.NotContains(t, left, "a cookie")

			// An application that dies takes the VM along, and there is another.
			r.fails(`{"do":"die"}`, "Runtime.ExitError", "the VM ended with exit status 1")
			r.logs.await(t, "beamport: the application greeter ended: ")
			r.answers(`{"name":"Bob"}`, `{"compiled":"at build time","env":"prod","provided":"at build time","text":"Salut, Bob"}`)
			assert.Len(t, r.vms(), 2)
			r.cancel()
			<-r.ended
			r.logs.await(t, "greeter has stopped")
		})
	}
}

// What is wrong with a release is said before anything runs.
func TestReleaseFailures(t *testing.T) {
	for _, c := range []struct {
		name, release, handler string
		environ                []string
		search                 bool // whether an Erlang is there, besides that of the release
		change                 func(t *testing.T, root, dir string)
		errorType              string
		message                []string
	}{
		{name: "variable not set", release: "own", errorType: "Runtime.ConfigurationFailed",
			message: []string{"the configuration could not be evaluated: ", "GREETING", "/releases/0.2.0/runtime.exs: System.EnvError: "}},
		{name: "application does not start", release: "own", environ: []string{"GREETING=refuse"}, errorType: "Runtime.ApplicationStartFailed",
			message: []string{"the application greeter", "no such greeting"}},
		{name: "no such module", release: "own", handler: "Greter.hello", environ: []string{"GREETING=x"}, errorType: "Runtime.NoSuchModule",
			message: []string{"no module Greter", "greeter-0.2.0/ebin", "such as Greeter"}},
		{name: "no Erlang", release: "bare", environ: []string{"GREETING=x"}, errorType: "Runtime.NoErlang", message: []string{"the release bare has no Erlang of its own", "include_erts", ": Erlang/OTP is not installed"}},
		{name: "older Erlang", release: "bare", search: true, environ: []string{"GREETING=x"}, errorType: "Runtime.BadRelease",
			change: func(t *testing.T, root, dir string) {
				replace(t, filepath.Join(root, "releases/start_erl.data"), "99.1 0.2.0")
			},
			message: []string{"the release bare was made with OTP 111 (erts 99.1), but OTP ", "include_erts: true"}},
		{name: "damaged start_erl.data", release: "own", errorType: "Runtime.BadRelease",
			change:  func(t *testing.T, root, dir string) { replace(t, filepath.Join(root, "releases/start_erl.data"), "1") },
			message: []string{"start_erl.data does not hold"}},
		{name: "no .rel", release: "own", errorType: "Runtime.BadRelease",
			change:  func(t *testing.T, root, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "own.rel"))) },
			message: []string{"there is no .rel file in ", "mix release"}},
		{name: "damaged .rel", release: "own", errorType: "Runtime.BadRelease",
			change:  func(t *testing.T, root, dir string) { replace(t, filepath.Join(dir, "own.rel"), "{release") },
			message: []string{"own.rel cannot be read"}},
		{name: "permissions lost", release: "own", errorType: "Runtime.BadRelease",
			change: func(t *testing.T, root, dir string) {
				file, err := filepath.Glob(filepath.Join(root, "erts-*/bin/erlexec"))
				require.NoError(t, err)
				replace(t, file[0], "")
			},
			message: []string{"erlexec may not be executed", "permissions"}},
		{name: "another machine", release: "own", errorType: "Runtime.ExitError",
			change: func(t *testing.T, root, dir string) {
				file, err := filepath.Glob(filepath.Join(root, "erts-*/bin/erlexec"))
				require.NoError(t, err)
				replace(t, file[0], "\x7fELFnonsense")
				require.NoError(t, os.Chmod(file[0], 0o755))
			},
			message: []string{"exec format error", "made for another machine"}},
		{name: "env.sh fails", release: "own", errorType: "Runtime.BadRelease",
			change: func(t *testing.T, root, dir string) {
				replace(t, filepath.Join(dir, "env.sh"), "echo no network >&2\nexit 3\n")
			},
			message: []string{"env.sh failed: exit status 3: no network"}},
		{name: "vm.args without end", release: "own", errorType: "Runtime.BadRelease",
			change:  func(t *testing.T, root, dir string) { replace(t, filepath.Join(dir, "vm.args"), "+A 1\n-x 'y\n") },
			message: []string{"vm.args: line 2: the quote ' has no end"}},
		{name: "sys.config is none", release: "own", errorType: "Runtime.ExitError",
			change:  func(t *testing.T, root, dir string) { replace(t, filepath.Join(dir, "sys.config"), "[{greeter,") },
			message: []string{"the VM did not start", "sys.config"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := releaseRoot(t, c.release)
			if c.change != nil {
				root = changedRelease(t, c.release)
				c.change(t, root, filepath.Join(root, "releases", "0.2.0"))
			}
			config := Config{Handler: "Greeter.hello", TaskRoot: root, Environ: append(c.environ, "PATH=/usr/bin:/bin"), Search: nowhere(t)}
			if c.handler != "" {
				config.Handler = c.handler
			}
			if c.search {
				config.Search = beam.DefaultSearch(os.Environ())
			}
			assertInitFails(t, config, c.errorType, c.message...)
		})
	}
}

// A release in a folder whose name a shell or a wildcard would read otherwise.
func TestReleaseInOddFolder(t *testing.T) {
	for _, name := range []string{"own", "bare"} {
		root := filepath.Join(t.TempDir(), "größe {1,2} [a]* "+name)
		require.NoError(t, os.Rename(changedRelease(t, name), root))
		r := startRig(t, emulator.Options{}, Config{Handler: "Greeter.hello", TaskRoot: root, Environ: append(os.Environ(), "GREETING=Hi")})
		r.answers(`{"name":"Ada"}`, `{"compiled":"at build time","env":"prod","provided":"at build time","text":"Hi, Ada"}`)
	}
}

// Of several versions in a release, the one that it names counts.
func TestReleaseVersions(t *testing.T) {
	for _, name := range []string{"own", "bare"} {
		root := changedRelease(t, name)
		ebin := filepath.Join(root, "lib", "greeter-9.9.9", "ebin")
		erlc(t, ebin, "Elixir.Greeter", "-module('Elixir.Greeter').\n")
		app := `{application, greeter, [{vsn, "9.9.9"}, {modules, ['Elixir.Greeter']}, {applications, [no_such_app]}]}.`
		require.NoError(t, os.WriteFile(filepath.Join(ebin, "greeter.app"), []byte(app), 0o644))
		r := startRig(t, emulator.Options{}, Config{Handler: "Greeter.hello", TaskRoot: root, Environ: append(os.Environ(), "GREETING=Hi")})
		r.answers(`{"name":"Ada"}`, `{"compiled":"at build time","env":"prod","provided":"at build time","text":"Hi, Ada"}`)
	}
}

// A release made with an older Erlang runs on a newer one, and the log says so.
func TestReleaseOnNewerErlang(t *testing.T) {
	root := changedRelease(t, "bare")
	replace(t, filepath.Join(root, "releases", "start_erl.data"), "12.3 0.2.0")
	r := startRig(t, emulator.Options{}, Config{Handler: "Greeter.hello", TaskRoot: root, Environ: append(os.Environ(), "GREETING=Hi")})
	r.answers(`{"name":"Ada"}`, `{"compiled":"at build time","env":"prod","provided":"at build time","text":"Hi, Ada"}`)
	r.logs.await(t, "the release bare was made with OTP 24, and runs on OTP ")
}

// A release of an Erlang application, laid out as rebar3 does it.
func TestReleaseErlang(t *testing.T) {
	root := sourceRoot(t, map[string]string{
		"releases/start_erl.data":     "13.0 1.0",
		"releases/1.0/web.rel":        `{release, {"web", "1.0"}, {erts, "13.0"}, [{kernel, "8.0"}, {stdlib, "4.0"}, {sasl, "4.2"}, {web, "1.0"}, {idle, "1.0", load}]}.`,
		"releases/1.0/sys.config.src": `[{web, [{greeting, <<"${GREETING}">>}]}].`,
		"releases/1.0/vm.args.src":    "-name ${NODE}\n-web_flag ${FLAG:-none}\n",
		"lib/web-1.0/ebin/web.app":    `{application, web, [{vsn, "1.0"}, {modules, [web]}, {applications, [kernel, stdlib]}, {mod, {web, []}}]}.`,
		"lib/web-0.9/ebin/web.app":    `{application, web, [{vsn, "0.9"}]}.`,
		"lib/idle-1.0/ebin/idle.app":  `{application, idle, [{vsn, "1.0"}, {modules, []}, {applications, [kernel]}]}.`,
	})
	erlc(t, filepath.Join(root, "lib", "web-0.9", "ebin"), "web", "-module(web).\n")
	erlc(t, filepath.Join(root, "lib", "web-1.0", "ebin"), "web", `-module(web).
-behaviour(application).
-behaviour(supervisor).
-export([start/2, stop/1, init/1, handle/2]).
start(_, _) -> supervisor:start_link({local, web}, web, []).
stop(_) -> io:format(standard_error, "web has stopped~n", []).
init([]) -> {ok, {#{}, []}}.
handle(_, _) ->
    Running = [App || {App, _, _} <- application:which_applications()],
    {ok, Greeting} = application:get_env(web, greeting),
    {ok, [[Flag]]} = init:get_argument(web_flag),
    {ok, [Greeting, list_to_binary(Flag), node(), is_pid(whereis(web)), lists:member(idle, Running), lists:member(sasl, Running)]}.
`)
	unchanged(t, root)
	config := Config{Handler: "web:handle", TaskRoot: root, StopTimeout: roomy,
		Environ: append(os.Environ(), "GREETING=Hej", "NODE=a@b", "TMPDIR="+t.TempDir())}
	t.Setenv("TMPDIR", t.TempDir())
	r := startRig(t, emulator.Options{}, config)
	r.answers(`{}`, `["Hej","none","nonode@nohost",true,false,true]`)
	r.cancel()
	<-r.ended
	r.logs.await(t, "web has stopped")
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left, "what was written out is removed")
}

// assertInitFails asserts that the function cannot be made ready, that the Runtime
// API is told of it, and that all of this is in the message.
func assertInitFails(t *testing.T, config Config, errorType string, message ...string) {
	t.Helper()
	r := newRig(t, emulator.Options{}, config)
	var e *InitError
	require.ErrorAs(t, r.run(), &e)
	assert.Equal(t, errorType, e.Type, e.Message)
	for _, part := range append(message, config.Handler) {
		assert.Contains(t, e.Message, part)
	}
	var posted *emulator.InitError
	require.ErrorAs(t, r.api.Ready(t.Context()), &posted)
	assert.Equal(t, errorType, posted.Type)
}
