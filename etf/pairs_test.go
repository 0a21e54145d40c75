package etf_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// A key that comes twice is found whichever loop reads it, and in whichever
// encoding: the hashes are the same.
func TestDuplicateKeysInEveryEncoding(t *testing.T) {
	smallUTF8 := func(name string) []byte { return append([]byte{119, byte(len(name))}, name...) }
	utf8 := func(name string) []byte { return append([]byte{118, 0, byte(len(name))}, name...) }
	latin1 := func(name string) []byte { return append([]byte{115, byte(len(name))}, name...) }
	binaryOf := func(name string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{109}, uint32(len(name))), name...)
	}
	bits := func(name string) []byte { // a BIT_BINARY_EXT of whole bytes
		return append(append(binary.BigEndian.AppendUint32([]byte{77}, uint32(len(name))), 8), name...)
	}
	encodings := map[string][]func(string) []byte{
		"atom":   {smallUTF8, utf8, latin1},
		"binary": {binaryOf, bits},
	}
	// A map of three keys, with a value behind each that is read by the same loop or not.
	mapOf := func(values [3][]byte, keys ...[]byte) []byte {
		b := []byte{131, 116, 0, 0, 0, byte(len(keys))}
		for i, key := range keys {
			b = append(append(b, key...), values[i]...)
		}
		return b
	}
	long := binaryOf(strings.Repeat("v", 40))
	values := [][3][]byte{
		{{97, 1}, {98, 0, 0, 1, 0}, long},
		{{106}, long, long},
		{smallUTF8("v"), {97, 1}, {97, 1}}, // too near to the end
		{long, smallUTF8("é"), long},
	}
	for kind, ways := range encodings {
		for n := range 256 {
			if kind == "binary" && n == 0 {
				continue // an empty BIT_BINARY_EXT has no last byte
			}
			name := strings.Repeat("k", n)
			for _, one := range ways {
				for _, other := range ways {
					for _, vs := range values {
						double := mapOf(vs, one(name), binaryOf("another"), other(name))
						require.ErrorIs(t, etf.Valid(double), etf.ErrDuplicateKey, "%s of %d bytes", kind, n)
						if n == 0 {
							continue
						}
						for _, changed := range []int{0, n / 2, n - 1} {
							unlike := []byte(name)
							unlike[changed] = 'K'
							b := mapOf(vs, one(name), binaryOf("another"), other(string(unlike)))
							require.NoError(t, etf.Valid(b), "%s of %d bytes", kind, n)
						}
						if kind == "atom" || n > 1 {
							require.NoError(t, etf.Valid(mapOf(vs, one(name), binaryOf("another"), other(name[1:]))))
						}
					}
				}
			}
		}
	}
}
