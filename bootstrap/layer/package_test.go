package layer

import (
	"archive/zip"
	"bytes"
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
