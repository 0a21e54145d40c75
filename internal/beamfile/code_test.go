package beamfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/beamfile"
)

func TestFunctions(t *testing.T) {
	m := parse(t, compile(t, "calls"))
	mfa := func(module, function string, arity int) beamfile.MFA {
		return beamfile.MFA{Module: module, Function: function, Arity: arity}
	}
	for _, c := range []struct {
		name    string
		arity   int
		calls   []beamfile.MFA
		local   []beamfile.FA
		applies bool
	}{
		{name: "first", arity: 1, calls: []beamfile.MFA{mfa("lists", "reverse", 1), mfa("lists", "sort", 1)}},
		{name: "last", arity: 1, calls: []beamfile.MFA{mfa("string", "trim", 1), mfa("binary", "copy", 1)}},
		{name: "only", arity: 1, calls: []beamfile.MFA{mfa("maps", "keys", 1)}},
		{name: "local", arity: 1, local: []beamfile.FA{{Function: "helper", Arity: 1}, {Function: "other", Arity: 1}}},
		{name: "funs", arity: 1, local: []beamfile.FA{{Function: "-funs/1-fun-0-", Arity: 2}}},
		{name: "-funs/1-fun-0-", arity: 2, local: []beamfile.FA{{Function: "helper", Arity: 1}}},
		{name: "applied", arity: 3, local: []beamfile.FA{{Function: "quiet", Arity: 0}}, applies: true},
		{name: "quiet", arity: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := function(t, m, c.name, c.arity)
			assert.Subset(t, f.Calls, c.calls)
			if len(c.calls) == 0 {
				assert.NotContains(t, f.Calls, mfa("lists", "reverse", 1))
			}
			assert.Equal(t, c.local, f.Local)
			assert.Equal(t, c.applies, f.Applies)
			assert.False(t, f.OnLoad)
		})
	}
	assert.Contains(t, function(t, m, "quiet", 0).Atoms, "ready")
}

func TestLiterals(t *testing.T) {
	m := parse(t, compile(t, "calls"))
	literals, err := m.Literals()
	require.NoError(t, err)
	used := func(name string, arity int) []etf.Term {
		var terms []etf.Term
		for _, n := range function(t, m, name, arity).Literals {
			terms = append(terms, literals[n])
		}
		return terms
	}
	constants := used("constants", 0)
	require.Len(t, constants, 1)
	assert.Equal(t, `{fun ets:lookup/2,"text",#{key => [1,2,3]},{calls,only,[x]}}`, constants[0].String())
	remote := used("remote_fun", 0)
	require.Len(t, remote, 1)
	export, ok := remote[0].Export()
	require.True(t, ok)
	assert.Equal(t, "lists", export.Module)
	assert.Equal(t, "map", export.Function)
	assert.Empty(t, used("quiet", 0))

	none, err := parse(t, compile(t, "starts")).Literals()
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestOnLoad(t *testing.T) {
	starts := parse(t, compile(t, "starts"))
	assert.True(t, starts.OnLoad())
	assert.True(t, function(t, starts, "load", 0).OnLoad)
	assert.False(t, function(t, starts, "go", 0).OnLoad)
	assert.False(t, parse(t, compile(t, "calls")).OnLoad())
}

// Without its code, a module is taken for one that runs some when it is loaded.
func TestNoCode(t *testing.T) {
	m := parse(t, withChunk(compile(t, "calls"), "Code", func([]byte) []byte { return nil }))
	_, err := m.Functions()
	require.ErrorIs(t, err, beamfile.ErrNotBEAM)
	assert.ErrorContains(t, err, "module calls")
	assert.True(t, m.OnLoad())
}

func TestElixir(t *testing.T) {
	elixirc, err := exec.LookPath("elixirc")
	if err != nil {
		t.Skip("there is no Elixir")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "shape.ex")
	require.NoError(t, os.WriteFile(source, []byte(`
defmodule Some.Shape do
  @doc "An area."
  def area(%{side: side}), do: square(side)
  def names(list), do: Enum.map(list, &String.upcase/1)
  defp square(side), do: Integer.pow(side, 2)
end
`), 0o644))
	said, err := exec.Command(elixirc, "-o", dir, source).CombinedOutput()
	require.NoError(t, err, "%s", said)
	b, err := os.ReadFile(filepath.Join(dir, "Elixir.Some.Shape.beam"))
	require.NoError(t, err)
	m := parse(t, b)
	assert.Equal(t, "Elixir.Some.Shape", m.Name)
	assert.Contains(t, m.Exports, beamfile.FA{Function: "area", Arity: 1})
	assert.Equal(t, []beamfile.FA{{Function: "square", Arity: 1}}, function(t, m, "area", 1).Local)
	assert.Equal(t, []beamfile.MFA{{Module: "Elixir.Integer", Function: "pow", Arity: 2}}, function(t, m, "square", 1).Calls)
	assert.Contains(t, function(t, m, "names", 1).Calls, beamfile.MFA{Module: "Elixir.Enum", Function: "map", Arity: 2})
	for _, chunk := range []string{"Docs", "ExCk", "Dbgi"} {
		_, was := m.Chunk(chunk)
		assert.True(t, was, chunk)
		_, is := parse(t, m.Strip()).Chunk(chunk)
		assert.False(t, is, chunk)
	}
}
