package beamfile_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/beamfile"
)

func TestParse(t *testing.T) {
	m := parse(t, compile(t, "calls", "+debug_info"))
	assert.Equal(t, "calls", m.Name)
	assert.Contains(t, m.Imports, beamfile.MFA{Module: "lists", Function: "reverse", Arity: 1})
	assert.Contains(t, m.Imports, beamfile.MFA{Module: "erlang", Function: "get_module_info", Arity: 2})
	for _, exported := range []beamfile.FA{{Function: "first", Arity: 1}, {Function: "applied", Arity: 3}, {Function: "module_info", Arity: 0}} {
		assert.Contains(t, m.Exports, exported)
	}
	assert.NotContains(t, m.Exports, beamfile.FA{Function: "helper", Arity: 1})
	_, ok := m.Chunk("Code")
	assert.True(t, ok)
	_, ok = m.Chunk("none")
	assert.False(t, ok)
	assert.Equal(t, "lists:map/2", beamfile.MFA{Module: "lists", Function: "map", Arity: 2}.String())
}

// A module that was compiled with +compressed is a file of gzip's.
func TestParseCompressed(t *testing.T) {
	b := compile(t, "calls", "+compressed")
	require.True(t, bytes.HasPrefix(b, []byte{0x1f, 0x8b}))
	m, plain := parse(t, b), parse(t, compile(t, "calls"))
	assert.Equal(t, plain.Name, m.Name)
	assert.Equal(t, plain.Imports, m.Imports)
	assert.Equal(t, plain.Exports, m.Exports)
	assert.True(t, bytes.HasPrefix(m.Strip(), []byte("FOR1")))
}

func TestParseRefuses(t *testing.T) {
	var inflated bytes.Buffer
	w := gzip.NewWriter(&inflated)
	_, err := w.Write([]byte("FOR1 of another kind"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, b := range map[string][]byte{
		"nothing":            nil,
		"text":               []byte("-module(calls)."),
		"another form":       []byte("FOR1\x00\x00\x00\x04AIFF"),
		"no chunks":          []byte("FOR1\x00\x00\x00\x04BEAM"),
		"half a chunk":       []byte("FOR1\x00\x00\x00\x0aBEAMAtU8\x00\x00"),
		"gzip, cut off":      inflated.Bytes()[:inflated.Len()-4],
		"gzip of no module":  inflated.Bytes(),
		"gzip of nothing":    {0x1f, 0x8b},
		"a chunk beyond all": []byte("FOR1\x00\x00\x00\x0cBEAMAtU8\xff\xff\xff\xff"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := beamfile.Parse(b)
			require.ErrorIs(t, err, beamfile.ErrNotBEAM)
			assert.True(t, strings.HasPrefix(err.Error(), "beamfile: "), "%s", err)
		})
	}
}

func TestStripped(t *testing.T) {
	b := compile(t, "calls", "+debug_info")
	m := parse(t, b)
	small := m.Strip()
	assert.Less(t, len(small), len(b))
	stripped := parse(t, small)
	assert.Equal(t, small, stripped.Strip())
	assert.Equal(t, m.Imports, stripped.Imports)
	for chunk, kept := range map[string]bool{"Dbgi": false, "CInf": false, "Code": true, "Attr": true, "Line": true} {
		_, was := m.Chunk(chunk)
		_, is := stripped.Chunk(chunk)
		assert.True(t, was, chunk)
		assert.Equal(t, kept, is, chunk)
	}

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "calls.beam"), small, 0o644))
	assert.Equal(t, `{[[c,b,a],a,b,c],[5,6],true}`, erl(t, dir, `
		F = calls:funs(2),
		io:format("~w", [{calls:first([a,b,c]), F(3) ++ [6],
			calls:constants() =:= {fun ets:lookup/2, "text", #{key => [1,2,3]}, {calls,only,[x]}}}])`))
}

func TestEveryInstalledModule(t *testing.T) {
	for _, file := range installed(t) {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		m, err := beamfile.Parse(b)
		require.NoError(t, err, file)
		require.Equal(t, strings.TrimSuffix(filepath.Base(file), ".beam"), m.Name)
		functions, err := m.Functions()
		require.NoError(t, err, file)
		known := map[beamfile.FA]bool{}
		for _, f := range functions {
			known[f.Name] = true
		}
		for _, exported := range m.Exports {
			require.True(t, known[exported], "%s: %v", file, exported)
		}
		literals, err := m.Literals()
		require.NoError(t, err, file)
		for _, f := range functions {
			for _, n := range f.Literals {
				require.Less(t, n, len(literals), "%s: %v", file, f.Name)
			}
		}
		require.LessOrEqual(t, len(m.Strip()), max(len(b), 1<<16), file)
	}
}
