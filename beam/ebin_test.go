package beam

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEbinBesideExecutable(t *testing.T) {
	dir := t.TempDir()
	write(t, 0o644, "", dir, "beam", "ebin", "beamport.app")
	path, remove, err := Ebin(dir)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "beam", "ebin"), path)
	require.NoError(t, remove())
	assert.FileExists(t, filepath.Join(path, "beamport.app"), "what was not written is not removed")
}

func TestEbinWrittenOut(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	path, remove, err := Ebin(t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, tmp, filepath.Dir(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "nobody else can change what will be run")

	want, err := carried.ReadDir("ebin")
	require.NoError(t, err)
	got, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for _, entry := range want {
		carriedBytes, err := carried.ReadFile("ebin/" + entry.Name())
		require.NoError(t, err)
		written, err := os.ReadFile(filepath.Join(path, entry.Name()))
		require.NoError(t, err)
		assert.Equal(t, carriedBytes, written, entry.Name())
	}

	other, removeOther, err := Ebin("")
	require.NoError(t, err)
	assert.NotEqual(t, path, other)
	require.NoError(t, removeOther())
	require.NoError(t, remove())
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestEbinNoTemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	_, remove, err := Ebin("")
	require.ErrorContains(t, err, "beam: writing the OTP application out: ")
	require.NoError(t, remove())
}

// run starts the installed emulator with an Erlang expression in place of the
// application, and returns what it printed.
func run(t *testing.T, b Boot, environ []string, expression string) string {
	t.Helper()
	i, err := Find(DefaultSearch(os.Environ()))
	require.NoError(t, err)
	b.Args = append(b.Args, "-eval", expression)
	path, args, env := i.Command(b, environ)
	// -s beamport boot comes last.
	args = args[:len(args)-3]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// Every carried module loads in the OTP that is installed, and none is missing
// from the application's list.
func TestCarriedModulesLoad(t *testing.T) {
	ebin, remove, err := Ebin("")
	require.NoError(t, err)
	defer func() { require.NoError(t, remove()) }()
	out := run(t, Boot{Ebin: ebin}, os.Environ(), `
		ok = application:load(beamport),
		{ok, Modules} = application:get_key(beamport, modules),
		[{module, M} = code:ensure_loaded(M) || M <- Modules],
		[io:format("~s~n", [M]) || M <- Modules], halt().`)
	files, err := filepath.Glob(filepath.Join(ebin, "*.beam"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var want []string
	for _, file := range files {
		want = append(want, strings.TrimSuffix(filepath.Base(file), ".beam"))
	}
	assert.ElementsMatch(t, want, strings.Fields(out))
}
