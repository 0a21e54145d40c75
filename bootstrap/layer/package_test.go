package layer

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
)

// project makes a folder of files.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, text, dir, filepath.FromSlash(name))
	}
	return dir
}

// packedFunction packs a function for an image, for each kind of boot script unless o
// says which, and returns the files of the archive.
func packedFunction(t *testing.T, o FunctionOptions) (map[string][]byte, *Report, error) {
	t.Helper()
	var err error
	if o.Target.Name == "" {
		o.Target, err = ParseTarget("image", runtime.GOARCH)
		require.NoError(t, err)
	}
	if o.Boot == "" {
		o.Boot = beam.BootFull
	}
	var archive bytes.Buffer
	report, err := Package(t.Context(), o, &archive)
	if err != nil {
		return nil, nil, err
	}
	files := map[string][]byte{}
	z, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	require.NoError(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		files[f.Name], err = io.ReadAll(r)
		require.NoError(t, err)
	}
	return files, report, nil
}

const echo = "-module(echo).\n-export([handle/2]).\nhandle(E, _) -> {ok, E}.\n"

// What a function keeps in priv is packed to the byte, whatever it looks like.
func TestPrivIsPackedAsItIs(t *testing.T) {
	program, err := os.ReadFile("/bin/true")
	require.NoError(t, err)
	object := filepath.Join(t.TempDir(), "probe.o")
	said, err := exec.CommandContext(t.Context(), "gcc", "-g", "-c", "-o", object, write(t, "int x(void) { return 1; }", t.TempDir(), "a.c")).CombinedOutput()
	require.NoError(t, err, "%s", said)
	relocatable, err := os.ReadFile(object)
	require.NoError(t, err)
	foreign := bytes.Clone(relocatable)
	foreign[18], foreign[19] = 0xf7, 0 // of the machine that BPF is
	priv := map[string]string{
		"tool":         string(program) + "payload",
		"probe.o":      string(relocatable),
		"filter.bpf.o": string(foreign),
		"cut.so":       string(program[:100]),
		"data.beam":    "music",
		"obj/cube.obj": "v 0 0 0",
		"Makefile":     "all:",
		"lib.a":        "!<arch>\n",
		"rules.mk":     "x = 1",
	}
	files := map[string]string{"src/echo.app.src": `{application, echo, [{vsn, "1"}, {applications, [kernel, stdlib]}]}.`, "src/echo.erl": echo}
	for name, text := range priv {
		files["priv/"+name] = text
	}
	packed, report, err := packedFunction(t, FunctionOptions{Dir: project(t, files), Handler: "echo:handle"})
	require.NoError(t, err)
	for name, text := range priv {
		assert.True(t, text == string(packed["lib/echo/priv/"+name]), name)
	}
	assert.Equal(t, []string{"lib/echo/priv/cut.so begins as a program or a library does and cannot be read as one: it is packed as it is"}, report.Notes)
}

// A folder that holds itself has no end, and the error no path without one.
func TestPrivInACircle(t *testing.T) {
	dir := project(t, map[string]string{
		"src/echo.app.src": `{application, echo, [{vsn, "1"}, {applications, [kernel, stdlib]}]}.`,
		"src/echo.erl":     echo,
		"priv/a/b/file":    "x",
	})
	require.NoError(t, os.Symlink("b", filepath.Join(dir, "priv", "a", "c")))
	packed, _, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "echo:handle"})
	require.NoError(t, err)
	assert.Equal(t, "x", string(packed["lib/echo/priv/a/c/file"]), "links are followed")

	require.NoError(t, os.Symlink("..", filepath.Join(dir, "priv", "a", "up")))
	_, _, err = packedFunction(t, FunctionOptions{Dir: dir, Handler: "echo:handle"})
	require.ErrorContains(t, err, "/priv/a/up leads back to "+filepath.Join(dir, "priv")+", which it is in: the folder has no end")
	assert.NotContains(t, err.Error(), "up/a")
}

// limited calls what only some kinds of boot scripts start.
const limited = `defmodule Limited do
  require Logger
  def handle(%{"do" => "http"}, _), do: {:ok, inspect(:httpc.request('http://127.0.0.1'))}
  def handle(%{"do" => "put_env"}, _), do: Application.put_env(:limited, :key, 1)
  def handle(%{"do" => "timer"}, _), do: :timer.apply_after(1, :erlang, :now, [])
  def handle(%{"do" => "global"}, _), do: :global.whereis_name(:name)
  def handle(%{"do" => "configure"}, _), do: helper()
  defp helper, do: Logger.configure(level: :info)
  def unreached, do: :gen_tcp.listen(0, [])
end
`

// What a boot script has not started, and the function is seen to call, is told when it
// is packed, with the kind to take.
func TestLimitsAreTold(t *testing.T) {
	const (
		global = "Limited.handle/2 calls global:whereis_name/1, which fails with --boot %s, where there is no distribution"
		http   = "Limited.handle/2 calls httpc:request/1, which fails with --boot %s, where there are no sockets, and no names of hosts: take --boot full"
	)
	dir := project(t, map[string]string{"lib/limited.ex": limited})
	for kind, want := range map[string][]string{
		beam.BootFull: {global},
		beam.BootLean: {http, global},
		beam.BootFunction: {
			http,
			"Limited.handle/2 calls Application.put_env/3, which fails with --boot %s, where no application is known or can be started: take --boot lean",
			"Limited.handle/2 calls timer:apply_after/4, which fails with --boot %s, where the server of timers is not started: take --boot lean",
			"Limited.helper/0 calls Logger.configure/1, which fails with --boot %s, where Elixir's Logger is not started: take --boot lean",
			global,
		},
	} {
		_, report, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "Limited.handle", Boot: kind})
		require.NoError(t, err)
		for i := range want {
			want[i] = fmt.Sprintf(want[i], kind)
		}
		assert.Equal(t, want, report.Notes, kind)
	}
	_, report, err := packedFunction(t, FunctionOptions{Dir: "../../examples/hello_erlang", Handler: "hello_erlang:handle", Boot: beam.BootFunction})
	require.NoError(t, err)
	assert.Empty(t, report.Notes)
}

// An application that needs sockets, or processes, is told which kind has them.
func TestApplicationsAreTold(t *testing.T) {
	with := func(applications string) string {
		return project(t, map[string]string{
			"src/echo.app.src": `{application, echo, [{vsn, "1"}, {applications, [kernel, stdlib` + applications + `]}]}.`,
			"src/echo.erl":     echo,
		})
	}
	_, _, err := packedFunction(t, FunctionOptions{Dir: with(", inets"), Handler: "echo:handle", Boot: beam.BootFunction})
	require.EqualError(t, err, "layer: the application inets, which the function needs, starts processes, and with --boot function nothing is started: take --boot full")
	_, _, err = packedFunction(t, FunctionOptions{Dir: with(", sasl"), Handler: "echo:handle", Boot: beam.BootFunction})
	require.EqualError(t, err, "layer: the application sasl, which the function needs, starts processes, and with --boot function nothing is started: take --boot lean")
	for kind, want := range map[string][]string{
		beam.BootFull: nil,
		beam.BootLean: {"the application inets, which the function needs, is for sockets, and with --boot lean there are none: take --boot full"},
	} {
		_, report, err := packedFunction(t, FunctionOptions{Dir: with(", inets"), Handler: "echo:handle", Boot: kind})
		require.NoError(t, err)
		assert.Equal(t, want, report.Notes, kind)
	}
}

// A module that is called and is nowhere is told.
func TestMissingModulesAreTold(t *testing.T) {
	dir := project(t, map[string]string{"coded.erl": "-module(coded).\n-export([handle/2, other/0]).\nhandle(E, _) -> {ok, jsx:encode(crypto:hash(sha256, E))}.\nother() -> nope:f().\n"})
	_, report, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "coded:handle"})
	require.NoError(t, err)
	assert.Equal(t, []string{"coded:handle/2 calls jsx:encode/1, and there is no module jsx in the function or among the applications that it names"}, report.Notes)
}

// A library that is packed brings its license along, in a function too.
func TestNoticesOfLibraries(t *testing.T) {
	source := write(t, "const char *ZSTD_versionString(void);\nconst char *v(void) { return ZSTD_versionString(); }\n", t.TempDir(), "a.c")
	dir := t.TempDir()
	found, ok := FindLibrary("/", runtime.GOARCH)("libzstd.so.1")
	if !ok {
		t.Skip("there is no libzstd")
	}
	priv, ebin := filepath.Join(dir, "lib", "echo", "priv"), filepath.Join(dir, "lib", "echo", "ebin")
	require.NoError(t, os.MkdirAll(priv, 0o755))
	said, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-o", filepath.Join(priv, "z.so"), source, found).CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.NoError(t, os.CopyFS(ebin, os.DirFS(compiled(t, map[string]string{"echo": "-export([handle/2]).\nhandle(E, _) -> {ok, E}."}))))
	write(t, `{application, echo, [{vsn, "1"}, {applications, [kernel, stdlib]}]}.`, ebin, "echo.app")
	files, _, err := packedFunction(t, FunctionOptions{Dir: dir, Handler: "echo:handle", Boot: beam.BootFunction})
	require.NoError(t, err)
	require.Contains(t, files, "lib/libzstd.so.1")
	owner, notice := systemNotice("/", found)
	require.NotEmpty(t, notice)
	assert.Equal(t, "- lib/libzstd.so.1: of the package "+owner+" of the system that this was made on (LICENSES/"+owner+".txt).\n", string(files["NOTICE"]))
	license, err := os.ReadFile(notice)
	require.NoError(t, err)
	assert.Equal(t, license, files["LICENSES/"+owner+".txt"])
}
