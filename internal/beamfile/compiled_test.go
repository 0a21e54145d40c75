package beamfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/beamfile"
)

// sources are modules that the tests compile.
var sources = map[string]string{
	"calls": `
-module(calls).
-export([first/1, last/1, only/1, local/1, funs/1, remote_fun/0, applied/3, constants/0, quiet/0]).
first(X) -> [lists:reverse(X) | lists:sort(X)].
last(X) -> Y = string:trim(X), binary:copy(Y).
only(X) -> maps:keys(X).
local(X) -> Y = helper(X), other(Y).
funs(X) -> fun(Y) -> helper(X + Y) end.
remote_fun() -> fun lists:map/2.
applied(M, F, A) -> [M:F(A) | quiet()].
constants() -> {fun ets:lookup/2, "text", #{key => [1, 2, 3]}, {calls, only, [x]}}.
quiet() -> ready.
helper(X) -> [X].
other(X) -> [self() | X].
`,
	"starts": `
-module(starts).
-export([go/0]).
-on_load(load/0).
load() -> ok.
go() -> ok.
`,
}

// compile makes the modules of sources, and reads one.
func compile(t *testing.T, name string, flags ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, name+".erl")
	require.NoError(t, os.WriteFile(source, []byte(sources[name]), 0o644))
	said, err := exec.Command("erlc", append(flags, "-o", dir, source)...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	b, err := os.ReadFile(filepath.Join(dir, name+".beam"))
	require.NoError(t, err)
	return b
}

func parse(t *testing.T, b []byte) *beamfile.Module {
	t.Helper()
	m, err := beamfile.Parse(b)
	require.NoError(t, err)
	return m
}

// function is what the code of one says.
func function(t *testing.T, m *beamfile.Module, name string, arity int) beamfile.Function {
	t.Helper()
	functions, err := m.Functions()
	require.NoError(t, err)
	for _, f := range functions {
		if f.Name == (beamfile.FA{Function: name, Arity: arity}) {
			return f
		}
	}
	require.Failf(t, "no such function", "%s/%d in %v", name, arity, functions)
	return beamfile.Function{}
}

// erl runs an expression in an emulator whose code path has a folder more.
func erl(t *testing.T, dir, expression string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "erl", "-noinput", "-boot", "start_clean", "-pa", dir,
		"-eval", expression+", halt().").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// installed are the folders of modules that Erlang and Elixir have here. Those that a
// machine lacks are left out.
func installed(t *testing.T) []string {
	t.Helper()
	root := erl(t, t.TempDir(), "io:put_chars(code:lib_dir())")
	files, err := filepath.Glob(filepath.Join(root, "*", "ebin", "*.beam"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	if elixir, err := exec.LookPath("elixir"); err == nil {
		elixir, err = filepath.EvalSymlinks(elixir)
		require.NoError(t, err)
		more, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(elixir)), "lib", "*", "ebin", "*.beam"))
		require.NoError(t, err)
		files = append(files, more...)
	}
	return files
}
