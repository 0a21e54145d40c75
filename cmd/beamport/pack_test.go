package main

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func names(t *testing.T, file string) []string {
	t.Helper()
	z, err := zip.OpenReader(file)
	require.NoError(t, err)
	defer z.Close()
	var all []string
	for _, f := range z.File {
		all = append(all, f.Name)
	}
	assert.True(t, slices.IsSorted(all), "in order")
	return all
}

// built is cmd/bootstrap for an architecture.
func built(t *testing.T, arch string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, "../bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return file
}

// What cannot work is not packed: one sentence says why, and no file is left.
func TestPackingRefuses(t *testing.T) {
	fn := fixture(t)
	empty := t.TempDir()
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "broken.erl"), []byte("module("), 0o600))
	native := fixture(t)
	require.NoError(t, os.Mkdir(filepath.Join(native, "priv"), 0o700))
	require.NoError(t, os.Rename(built(t, "arm64"), filepath.Join(native, "priv", "nif.so")))
	require.NoError(t, os.WriteFile(filepath.Join(native, "ebin", "native.app"),
		[]byte(`{application, native, [{vsn, "1"}, {modules, [fixture]}, {applications, [kernel, stdlib]}]}.`), 0o600))

	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"module", []string{"package", "--handler", "nope:f", fn}, `there is no module nope for the handler "nope:f": the code has fixture`},
		{"function", []string{"package", "--handler", "fixture:nope", fn}, "the module fixture exports neither nope/2 nor nope/1: it has "},
		{"no handler", []string{"package", "--boot", "lean", fn}, "a boot script of kind lean is made for a handler: name it with --handler"},
		{"boot", []string{"package", "--boot", "odd", "--handler", "fixture:echo", fn}, `there is no kind of boot script "odd" (there are full, lean and function)`},
		{"target", []string{"package", "--target", "mars", "--handler", "fixture:echo", fn}, `there is no target "mars" (there are provided.al2023, image, image:debian13)`},
		{"no folder", []string{"package", "--handler", "fixture:echo", "/nowhere/at/all"}, "there is no folder /nowhere/at/all"},
		{"no code", []string{"package", "--handler", "fixture:echo", empty}, empty + " holds no function: no mix.exs, no rebar.config, no *.erl or *.ex in it, in src or in lib, and no compiled code"},
		{"source", []string{"package", "--handler", "broken:f", broken}, "the function's source does not compile: "},
		{"architecture", []string{"package", "--target", "image", "--arch", "amd64", "--handler", "fixture:echo", native}, "it would not load: priv/nif.so is for arm64, and the target is for amd64: take one for that, or name the architecture with --arch"},
		{"preset", []string{"layer", "--preset", "odd"}, `there is no preset "odd" (there are erlang, elixir, elixir-tls, full)`},
		{"application", []string{"layer", "--with", "nope", "--target", "image"}, "there is no application nope (there are "},
		{"Erlang", []string{"layer", "--otp", empty}, empty + " holds no Erlang installation (no erts-*/bin/erlexec) (--otp)\n"},
		{"Erlang of a function", []string{"package", "--otp", empty, fn}, empty + " holds no Erlang installation (no erts-*/bin/erlexec) (--otp)\n"},
		{"Elixir", []string{"layer", "--elixir", empty}, empty + " holds no Elixir (lib/elixir/ebin)"},
		{"a layer's archive", []string{"package", "--layer", "/nowhere/layer.zip", "--handler", "fixture:echo", fn}, "/nowhere/layer.zip: open /nowhere/layer.zip: no such file or directory"},
		{"Lambda's architectures", []string{"layer", "--arch", "mips"}, `there is no architecture "mips" (Lambda has amd64 and arm64)`},
		{"no file", []string{"doctor", "/nowhere/at/all"}, "stat /nowhere/at/all: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.zip")
			args := c.args
			if args[0] != "doctor" {
				args = append(slices.Clone(args), "-o", out)
			}
			got := runWith(t, nil, "", args...)
			assert.Equal(t, statusUsage, got.status)
			assert.Contains(t, got.err, "beamport: "+c.want)
			assert.Empty(t, got.stdout)
			assert.NoFileExists(t, out)
		})
	}
}

// A layer of the machine's Erlang, a function, and what the doctor has to say of both.
func TestLayerAndPackage(t *testing.T) {
	dir := t.TempDir()
	program := built(t, "amd64")
	layer := filepath.Join(dir, "layer.zip")
	got := runArgs(t, "layer", "--preset", "erlang", "--target", "image", "--arch", "amd64", "--bootstrap", program, "-o", layer)
	require.Equal(t, statusOK, got.status, got.err)
	assert.Contains(t, got.stdout, "boot scripts")
	assert.Regexp(t, `layer\.zip: [\d.]+ MB, unzipped [\d.]+ MB\n`, got.stdout, "an image has no such limit")
	assert.NotContains(t, got.stdout+got.err, "\r", "no bar where nobody looks")
	packed := names(t, layer)
	assert.Contains(t, packed, "bootstrap")
	assert.Contains(t, packed, "boot/full.boot")
	assert.NotContains(t, packed, "erlang/bin/erl", "nothing that only people start")

	again := filepath.Join(dir, "again.zip")
	require.Equal(t, statusOK, runArgs(t, "layer", "--preset", "erlang", "--target", "image", "--arch", "amd64", "--bootstrap", program, "-o", again).status)
	one, err := os.ReadFile(layer)
	require.NoError(t, err)
	other, err := os.ReadFile(again)
	require.NoError(t, err)
	assert.True(t, slices.Equal(one, other), "the same input makes the same bytes")

	got = runArgs(t, "doctor", "--target", "image", layer)
	assert.Equal(t, statusOK, got.status, got.err)
	assert.Contains(t, got.stdout, "programs and libraries load on image on amd64")
	got = runArgs(t, "doctor", "--target", "image", "--arch", "arm64", layer)
	assert.Equal(t, statusFunction, got.status)
	assert.Contains(t, got.stdout, "is for amd64, and the target is for arm64")

	function := filepath.Join(dir, "function.zip")
	for _, boot := range []string{"full", "lean", "function"} {
		got = runArgs(t, "package", "--target", "image", "--arch", "amd64", "--handler", "fixture:echo", "--boot", boot, "-o", function, fixture(t))
		require.Equal(t, statusOK, got.status, got.err)
		assert.Equal(t, []string{"beamport.boot", "ebin/fixture.beam"}, names(t, function))
	}
	got = runArgs(t, "doctor", function)
	assert.Equal(t, statusOK, got.status, got.err)

	got = runArgs(t, "package", "--arch", "amd64", "--handler", "fixture:echo", "--layer", layer, "-o", function, fixture(t))
	require.Equal(t, statusOK, got.status, got.err)
	assert.Regexp(t, `function\.zip: [\d.]+ kB, unzipped with its layers, [4-9]\.\d % of the 250 MB that Lambda allows a function and its layers\n`, got.stdout)
}

// Where nothing can be written is told before anything is compiled or packed, and what is
// there stays.
func TestOutputThatCannotBeWritten(t *testing.T) {
	fn := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(fn, "broken.erl"), []byte("module("), 0o600))
	dir := t.TempDir()
	for _, command := range [][]string{{"package", fn}, {"layer", "--preset", "erlang", "--target", "image", "--bootstrap", "/bin/true"}} {
		for out, want := range map[string]string{
			filepath.Join(dir, "none", "out.zip"): "cannot be written: there is no folder " + filepath.Join(dir, "none"),
			dir:                                   "cannot be written: it is a folder, and -o names a file",
			"/proc/out.zip":                       "cannot be written: no such file or directory",
		} {
			got := runWith(t, nil, "", append(slices.Clone(command), "-o", out)...)
			assert.Equal(t, statusUsage, got.status)
			assert.Equal(t, "beamport: "+out+" "+want+"\n", got.err)
		}
	}
	file := filepath.Join(dir, "out.zip")
	require.NoError(t, os.WriteFile(file, []byte("was there"), 0o600))
	got := runWith(t, nil, "", "package", fn, "-o", file)
	assert.Equal(t, statusUsage, got.status)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "was there", string(b))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing is left behind")
}

// An Erlang of another architecture than the one asked for is not packed: one sentence
// says so, and no program bootstrap is asked for or built before. It is packed if it has to
// be.
func TestLayerOfOtherArchitecture(t *testing.T) {
	out := filepath.Join(t.TempDir(), "layer.zip")
	t.Chdir(t.TempDir()) // where Go cannot build the module
	got := runArgs(t, "layer", "--preset", "erlang", "--target", "image", "--arch", "arm64", "-o", out)
	assert.Equal(t, statusUsage, got.status)
	assert.Regexp(t, `^beamport: it would not load: the Erlang in \S+ is for amd64, and the target is for arm64: name one for that with --otp, or the architecture with --arch\n\(--force packs it all the same\)\n$`, got.err)
	assert.NoFileExists(t, out)

	got = runArgs(t, "layer", "--preset", "erlang", "--target", "image", "--arch", "arm64", "--bootstrap", "/bin/true", "--force", "-o", out)
	require.Equal(t, statusOK, got.status, got.err)
	assert.Regexp(t, `note: packed although it would not load: \S+ \(and \d+ more\) is for amd64, and the target is for arm64`, got.stdout)
}
