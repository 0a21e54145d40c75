package etf_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// checkStrict checks that b is accepted exactly if it is what is written.
func checkStrict(t require.TestingT, b []byte) {
	strict := etf.DecodeOptions{Strict: true}
	got, err := strict.Decode(b)
	require.Equal(t, err == nil, strict.Valid(b) == nil)
	term, decodeErr := etf.Decode(b)
	if decodeErr != nil {
		require.Error(t, err)
		if len(b) < 2 || b[1] != 80 { // whatever a compressed term holds
			require.NotErrorIs(t, err, etf.ErrNotCanonical, "%x", b)
		}
		return
	}
	again, encodeErr := etf.Encode(term)
	require.NoError(t, encodeErr)
	if bytes.Equal(b, again) {
		require.NoError(t, err, "%x", b)
		require.True(t, etf.Equal(term, got))
		return
	}
	require.ErrorIs(t, err, etf.ErrNotCanonical, "%x is %s, which is written %x", b, term, again)
	var syntax *etf.SyntaxError
	var canonical *etf.CanonicalError
	require.ErrorAs(t, err, &syntax)
	require.ErrorAs(t, err, &canonical)
	require.Equal(t, b[syntax.Offset], canonical.Tag)
	// All in front of it is right, but for counts and sizes.
	_, n, err := strict.DecodePrefix(slices.Concat(again, []byte{1, 2, 3}))
	require.NoError(t, err)
	require.Equal(t, len(again), n)
}

func TestStrictAcceptsWhatIsWritten(t *testing.T) {
	for _, c := range cases.All() {
		checkStrict(t, c.Bytes)
	}
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		b, err := etf.Encode(term)
		require.NoError(t, err)
		checkStrict(t, b)
		require.NoError(t, etf.DecodeOptions{Strict: true}.Valid(b))
		require.NoError(t, etf.DecodeOptions{Strict: true, NoVersion: true}.Valid(b[1:]))
		checkStrict(t, termgen.Encoding(term).Draw(t, "encoding"))
		checkStrict(t, Mutated().Draw(t, "mutated"))
	})
}

func TestStrictNamesTheForm(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 256)
	node := cases.Atom("n@h")
	for _, test := range []struct {
		name, err string
		bytes     []byte
	}{
		{"integer", "INTEGER_EXT that fits SMALL_INTEGER_EXT, which is not canonical at byte 1", cases.Join(131, 98, cases.U32(255))},
		{"in a tuple", "INTEGER_EXT that fits SMALL_INTEGER_EXT, which is not canonical at byte 5, in {1}", cases.Join(131, 104, 2, 97, 1, 98, cases.U32(7))},
		{"big", "SMALL_BIG_EXT that fits INTEGER_EXT", cases.Join(131, 110, 1, 0, 5)},
		{"lowest", "SMALL_BIG_EXT that fits INTEGER_EXT", cases.Join(131, 110, 4, 1, 0, 0, 0, 0x80)},
		{"zeros", "SMALL_BIG_EXT with leading zeros", cases.Join(131, 110, 6, 0, 1, 2, 3, 4, 5, 0)},
		{"large big", "LARGE_BIG_EXT that fits SMALL_BIG_EXT", cases.Join(131, 111, cases.U32(255), 0, long[:255])},
		{"zeros of a large big", "LARGE_BIG_EXT with leading zeros", cases.Join(131, 111, cases.U32(257), 0, long, 0)},
		{"float", "FLOAT_EXT in the place of NEW_FLOAT_EXT", cases.Join(131, 99, "1.5", make([]byte, 28))},
		{"latin1", "SMALL_ATOM_EXT in the place of UTF-8", cases.Join(131, 115, 1, "a")},
		{"old latin1", "ATOM_EXT in the place of UTF-8", cases.Join(131, 100, 0, 1, "a")},
		{"long atom", "ATOM_UTF8_EXT that fits SMALL_ATOM_UTF8_EXT", cases.Join(131, 118, 0, 1, "a")},
		{"whole bytes", "BIT_BINARY_EXT of whole bytes", cases.Join(131, 77, cases.U32(1), 8, 1)},
		{"padding", "BIT_BINARY_EXT with unused bits that are set", cases.Join(131, 77, cases.U32(1), 3, 1)},
		{"empty string", "STRING_EXT without elements", cases.Join(131, 107, 0, 0)},
		{"empty list", "LIST_EXT without elements", cases.Join(131, 108, cases.U32(0), 106)},
		{"list of bytes", "LIST_EXT that fits STRING_EXT, which is not canonical at byte 6, in [0]", cases.Join(131, 108, cases.U32(1), 108, cases.U32(1), 97, 1, 106, 106)},
		{"chain", "LIST_EXT that goes on in its tail, which is not canonical at byte 1", chain(2)},
		{"string tail", "LIST_EXT that goes on in its tail", cases.Join(131, 108, cases.U32(1), 106, 107, 0, 1, 1)},
		{"chain to an improper tail", "LIST_EXT that goes on in its tail", cases.Join(131, 108, cases.U32(1), 106, 108, cases.U32(1), 106, 97, 1)},
		{"empty improper", "LIST_EXT without elements, which is not canonical at byte 7, in [|]", cases.Join(131, 108, cases.U32(1), 106, 108, cases.U32(0), 97, 1)},
		{"tuple", "LARGE_TUPLE_EXT that fits SMALL_TUPLE_EXT", cases.Join(131, 105, cases.U32(1), 106)},
		{"key", "INTEGER_EXT that fits SMALL_INTEGER_EXT, which is not canonical at byte 6, in #key(0)", cases.Join(131, 116, cases.U32(1), 98, cases.U32(1), 106)},
		{"value", "STRING_EXT without elements, which is not canonical at byte 8, in #{1}", cases.Join(131, 116, cases.U32(1), 97, 1, 107, 0, 0)},
		{"pid", "PID_EXT in the place of its successor", cases.Join(131, 103, node, make([]byte, 9))},
		{"port", "NEW_PORT_EXT in the place of its successor", cases.Join(131, 89, node, make([]byte, 8))},
		{"reference", "NEW_REFERENCE_EXT in the place of its successor", cases.Join(131, 114, 0, 1, node, make([]byte, 5))},
		{"node", "SMALL_ATOM_EXT in the place of UTF-8, which is not canonical at byte 2", cases.Join(131, 88, 115, 1, "n", make([]byte, 12))},
		{"node of a reference", "ATOM_EXT in the place of UTF-8, which is not canonical at byte 4", cases.Join(131, 90, 0, 1, 100, 0, 1, "n", make([]byte, 8))},
		{"arity", "INTEGER_EXT that fits SMALL_INTEGER_EXT", cases.Join(131, 113, cases.Atom("m"), cases.Atom("f"), 98, cases.U32(1))},
		{"name of a record", "ATOM_EXT in the place of UTF-8, which is not canonical at byte 10", cases.Join(131, 67, cases.U32(0), 0, cases.Atom("m"), 100, 0, 1, "r")},
		{"name of a field", "SMALL_ATOM_EXT in the place of UTF-8, which is not canonical at byte 15, in {0}", cases.Join(131, 104, 1, 67, cases.U32(1), 0, cases.Atom("m"), cases.Atom("r"), 115, 1, "a", 106)},
		{"field", "INTEGER_EXT that fits SMALL_INTEGER_EXT, which is not canonical at byte 21, in #_{a}[0]", cases.Join(131, 67, cases.U32(1), 0, cases.Atom("m"), cases.Atom("r"), cases.Atom("a"), 108, cases.U32(1), 98, cases.U32(1), 97, 1)},
		{"compressed", "COMPRESSED term, which is not canonical at byte 1", cases.Join(131, cases.Deflate(bytes.Repeat([]byte{106}, 1), 1, 6))},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.NoError(t, etf.Valid(test.bytes))
			checkStrict(t, test.bytes)
			err := etf.DecodeOptions{Strict: true}.Valid(test.bytes)
			assert.ErrorContains(t, err, "etf: "+test.err)
		})
	}
}

// TestStrictListsOfBytes are at the limits of STRING_EXT.
func TestStrictListsOfBytes(t *testing.T) {
	for _, n := range []int{1, 65535, 65536} {
		b := cases.Join(131, 108, cases.U32(n), bytes.Repeat([]byte{97, 9}, n), 106)
		checkStrict(t, b)
		require.Equal(t, n > 65535, etf.DecodeOptions{Strict: true}.Valid(b) == nil)
	}
	improper := cases.Join(131, 108, cases.U32(1), 97, 1, 97, 2)
	require.NoError(t, etf.DecodeOptions{Strict: true}.Valid(improper))
	mixed := cases.Join(131, 108, cases.U32(2), 97, 1, 98, cases.U32(256), 106)
	require.NoError(t, etf.DecodeOptions{Strict: true}.Valid(mixed))
}

func TestStrictPrefix(t *testing.T) {
	b := cases.Join(131, 97, 1, 107, 0, 0)
	_, n, err := etf.DecodeOptions{Strict: true}.DecodePrefix(b)
	require.NoError(t, err, "what follows is not its business")
	require.Equal(t, 3, n)
}
