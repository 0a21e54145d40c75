package beamfile_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/beamfile"
)

// withChunk is a module with the content of a chunk changed.
func withChunk(b []byte, id string, change func([]byte) []byte) []byte {
	out := slices.Clone(b[:12])
	for at := 12; at < len(b); {
		size := int(binary.BigEndian.Uint32(b[at+4:]))
		data := b[at+8 : at+8+size]
		if string(b[at:at+4]) == id {
			data = change(slices.Clone(data))
		}
		out = append(out, b[at:at+4]...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		out = append(out, data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
		at += 8 + (size+3)&^3
	}
	binary.BigEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// read reads all of a file that may be damaged.
func read(b []byte) error {
	m, err := beamfile.Parse(b)
	if err != nil {
		return err
	}
	_ = m.OnLoad()
	_ = m.Strip()
	_, errLiterals := m.Literals()
	_, errFunctions := m.Functions()
	if errLiterals != nil {
		return errLiterals
	}
	return errFunctions
}

func TestEveryPrefix(t *testing.T) {
	b := parse(t, compile(t, "calls")).Strip()
	require.NoError(t, read(b))
	for n := range b {
		require.Error(t, read(b[:n:n]), "%d of %d bytes", n, len(b))
	}
}

func TestFlippedBytes(t *testing.T) {
	b := parse(t, compile(t, "calls")).Strip()
	damaged := slices.Clone(b)
	refused := 0
	for at := range b {
		for _, mask := range []byte{0xff, 0x80, 0x01, 0x08} {
			damaged[at] ^= mask
			if allocated(func() {
				if read(damaged) != nil {
					refused++
				}
			}) > 16<<20 {
				t.Errorf("byte %d ^ %#x: absurd allocation", at, mask)
			}
			damaged[at] = b[at]
		}
	}
	assert.NotZero(t, refused)
}

// Numbers and lists that lie in one another to any depth, or lists that say they are as
// long as the file, are refused at no more cost than reading the file.
func TestNested(t *testing.T) {
	b := parse(t, compile(t, "calls")).Strip()
	const size = 4 << 20
	for name, pattern := range map[string][]byte{
		"numbers":        {0xf8},
		"lists":          {0x17},
		"lists of lists": {0x17, 0x38, 0x08, 0x00, 0x00}, // of 0x80000 elements, the first of which is one
		"typed":          {0x57},
		"allocations":    {0x37},
		"registers":      {0x27},
	} {
		t.Run(name, func(t *testing.T) {
			nested := withChunk(b, "Code", func(code []byte) []byte {
				return append(append(code[:20], 2), bytes.Repeat(pattern, size/len(pattern))...)
			})
			used := allocated(func() { require.Error(t, read(nested)) })
			assert.Less(t, used, uint64(16*size))
		})
	}
	t.Run("atoms", func(t *testing.T) {
		nested := withChunk(b, "AtU8", func([]byte) []byte {
			return append([]byte{0xff, 0xff, 0xff, 0xff}, bytes.Repeat([]byte{0xf8}, size)...)
		})
		require.Error(t, read(nested))
	})
}

// A table that says it has as many constants as it has bytes, and is small while it is
// compressed.
func TestLiteralsBomb(t *testing.T) {
	const size = 32 << 20
	b := parse(t, compile(t, "calls")).Strip()
	bomb := withChunk(b, "LitT", func([]byte) []byte {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		_, err := w.Write(binary.BigEndian.AppendUint32(nil, size))
		require.NoError(t, err)
		_, err = w.Write(make([]byte, size-4))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return append(binary.BigEndian.AppendUint32(nil, size), out.Bytes()...)
	})
	require.Less(t, len(bomb), 1<<20)
	m := parse(t, bomb)
	used := allocated(func() {
		_, err := m.Literals()
		require.Error(t, err)
	})
	assert.Less(t, used, uint64(8*size))
}

// allocated is how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
