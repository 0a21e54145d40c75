package etf_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

func TestCases(t *testing.T) {
	for _, c := range cases.All() {
		t.Run(c.Name, func(t *testing.T) {
			before := slices.Clone(c.Bytes)
			term, err := etf.Decode(c.Bytes)
			require.Equal(t, before, c.Bytes, "the input must not change")
			if c.Err != "" {
				require.ErrorContains(t, err, c.Err)
				require.Equal(t, etf.Invalid, term.Kind())
				require.EqualError(t, etf.Valid(c.Bytes), err.Error())
				var syntax *etf.SyntaxError
				require.ErrorAs(t, err, &syntax)
				require.LessOrEqual(t, syntax.Offset, len(c.Bytes)+cap(c.Bytes))
				return
			}
			require.NoError(t, err)
			require.NoError(t, etf.Valid(c.Bytes))
			require.Equal(t, c.Text, term.String())

			canonical := c.Bytes
			if c.Canonical != nil {
				canonical = c.Canonical
			}
			again, err := etf.Encode(term)
			require.NoError(t, err)
			require.Equal(t, canonical, again)

			first, n, err := etf.DecodePrefix(append(slices.Clone(c.Bytes), 0xAA, 0xBB))
			require.NoError(t, err)
			require.Equal(t, len(c.Bytes), n)
			require.True(t, etf.Equal(term, first))
			require.True(t, etf.Equal(term, term.Clone()))
			require.Zero(t, etf.Compare(term, term.Clone()))
		})
	}
}

func TestEveryPrefixIsTooShort(t *testing.T) {
	for _, c := range cases.All() {
		if c.Err != "" {
			continue
		}
		for n := range c.Bytes {
			_, err := etf.Decode(c.Bytes[:n])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s, %d bytes", c.Name, n)
			_, _, err = etf.DecodePrefix(c.Bytes[:n])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s, %d bytes", c.Name, n)
			var syntax *etf.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, n, syntax.Offset)
		}
	}
}

func TestErrorTellsWhere(t *testing.T) {
	tag := []byte{117}
	for _, test := range []struct {
		name   string
		bytes  []byte
		offset int
		path   string
	}{
		{"outermost", cases.Join(131, tag), 1, ""},
		{"tuple", cases.Join(131, 104, 2, 97, 1, tag), 5, "{1}"},
		{"list", cases.Join(131, 104, 2, 97, 1, 108, cases.U32(1), tag, 106), 10, "{1}[0]"},
		{"tail", cases.Join(131, 108, cases.U32(1), 97, 1, tag), 8, "[|]"},
		{"chain", cases.Join(131, 108, cases.U32(1), 97, 1, 108, cases.U32(1), tag, 106), 13, "[1]"},
		{"key", cases.Join(131, 116, cases.U32(2), 97, 1, 97, 1, 104, 1, tag, 97, 1), 12, "#key(1){0}"},
		{"value", cases.Join(131, 116, cases.U32(2), 97, 1, 97, 1, cases.Atom("a b"), 104, 1, tag), 17, "#{'a b'}{0}"},
		{"value of a binary", cases.Join(131, 116, cases.U32(1), 109, cases.U32(3), "key", tag), 14, `#{<<"key">>}`},
		{"value of a long key", cases.Join(131, 116, cases.U32(1), 109, cases.U32(100), make([]byte, 100), tag), 111, "#{key 0}"},
		{"value of a deep key", cases.Join(131, 116, cases.U32(1), 104, 1, 104, 1, 97, 1, tag), 12, "#{key 0}"},
		{"within a key", cases.Join(131, 116, cases.U32(1), 116, cases.U32(1), 97, 1, tag), 13, "#key(0)#{1}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := etf.Decode(append(test.bytes, make([]byte, 16)...))
			var syntax *etf.SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.Equal(t, test.offset, syntax.Offset)
			assert.Equal(t, test.path, syntax.Path)
			assert.False(t, syntax.Inflated)
			var tagError *etf.TagError
			require.ErrorAs(t, err, &tagError)
			assert.Equal(t, byte(117), tagError.Tag)
			assert.ErrorIs(t, err, etf.ErrTag)
		})
	}
}

func TestErrorInACompressedTermTellsWhere(t *testing.T) {
	_, err := etf.Decode(cases.Join(131, cases.Deflate(cases.Join(104, 2, 97, 1, 117), 5, 6)))
	var syntax *etf.SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.True(t, syntax.Inflated)
	require.Equal(t, 4, syntax.Offset)
	require.EqualError(t, err, "etf: tag 117 (FUN_EXT), which starts no term here at inflated byte 4, in {1}")
}

func TestFunSizeIsCheckedBehindItsEnvironment(t *testing.T) {
	b, err := etf.Encode(etf.Fun(etf.FunValue{Module: "m", Free: []etf.Term{etf.Int(1), etf.Int(2)}}))
	require.NoError(t, err)
	b[5]--
	_, err = etf.Decode(b)
	require.ErrorIs(t, err, etf.ErrFun)
}

func TestNoVersion(t *testing.T) {
	inner := etf.DecodeOptions{NoVersion: true}
	term, n, err := inner.DecodePrefix([]byte{97, 7, 131})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "7", term.String())

	_, err = inner.Decode([]byte{131, 97, 7})
	require.ErrorIs(t, err, etf.ErrTag)
	require.ErrorIs(t, inner.Valid(cases.Deflate([]byte{97, 7}, 2, 6)), etf.ErrTag, "compressed within a term")
	require.ErrorIs(t, inner.Valid(nil), io.ErrUnexpectedEOF)

	b, err := etf.EncodeOptions{NoVersion: true}.Encode(term)
	require.NoError(t, err)
	require.Equal(t, []byte{97, 7}, b)
}

func TestNoCompression(t *testing.T) {
	b := cases.Join(131, cases.Deflate([]byte{97, 7}, 2, 6))
	term, err := etf.Decode(b)
	require.NoError(t, err)
	require.Equal(t, "7", term.String())
	var tagError *etf.TagError
	require.ErrorAs(t, etf.DecodeOptions{NoCompression: true}.Valid(b), &tagError)
	require.Equal(t, byte(80), tagError.Tag)
}

// TestMutations damages encodings at random: whatever comes of it, Decode,
// DecodePrefix and Valid agree, and what is accepted survives a round trip.
func TestMutations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkInput(t, Mutated().Draw(t, "input"))
	})
}

// Mutated draws encodings of which some bytes have been changed.
func Mutated() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		b := slices.Clone(termgen.Encoding(termgen.Term().Draw(t, "term")).Draw(t, "encoding"))
		for range rapid.IntRange(1, 4).Draw(t, "mutations") {
			i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "mutation") {
			case 0:
				b[i] = rapid.Byte().Draw(t, "byte")
			case 1:
				b[i] += byte(rapid.IntRange(-2, 2).Draw(t, "difference"))
			case 2:
				b = slices.Delete(b, i, min(i+rapid.IntRange(1, 3).Draw(t, "length"), len(b)))
			case 3:
				j := rapid.IntRange(i, min(i+16, len(b))).Draw(t, "end")
				b = slices.Insert(b, i, slices.Clone(b[i:j])...)
			}
			if len(b) == 0 {
				return []byte{131}
			}
		}
		return b
	})
}

type fataler interface {
	require.TestingT
}

// checkInput checks what holds for every input.
func checkInput(t fataler, b []byte) {
	before := slices.Clone(b)
	term, err := etf.Decode(b)
	require.Equal(t, before, b)
	first, n, prefixErr := etf.DecodePrefix(b)
	if valid := etf.Valid(b); err == nil {
		require.NoError(t, valid)
	} else {
		require.EqualError(t, valid, err.Error())
	}
	if err != nil {
		var syntax *etf.SyntaxError
		require.ErrorAs(t, err, &syntax)
		if errors.Is(err, etf.ErrTrailing) && !syntax.Inflated {
			require.NoError(t, prefixErr)
			require.Equal(t, syntax.Offset, n)
		} else {
			require.EqualError(t, prefixErr, err.Error())
		}
		return
	}
	require.NoError(t, prefixErr)
	require.Equal(t, len(b), n)
	require.True(t, etf.Equal(term, first))

	canonical, err := etf.Encode(term)
	require.NoError(t, err)
	again, err := etf.Decode(canonical)
	require.NoError(t, err)
	require.True(t, etf.Equal(term, again), "%s and %s", term, again)
	require.Equal(t, term.String(), again.String())
	once, err := etf.Encode(again)
	require.NoError(t, err)
	require.Equal(t, canonical, once)
}

// TestAtomsOfEveryLength puts a character that is not ASCII, and a byte that is
// not UTF-8, everywhere into atoms of many lengths.
func TestAtomsOfEveryLength(t *testing.T) {
	for n := range 40 {
		name := bytes.Repeat([]byte{'a'}, n)
		require.NoError(t, etf.Valid(append([]byte{131, 119, byte(n)}, name...)))
		for i := range n {
			name[i] = 0xFF
			require.ErrorIs(t, etf.Valid(append([]byte{131, 119, byte(n)}, name...)), etf.ErrAtom, "%d of %d", i, n)
			name[i] = 'a'
			if i > 0 {
				copy(name[i-1:], "é")
				require.NoError(t, etf.Valid(append([]byte{131, 119, byte(n)}, name...)))
				name[i-1], name[i] = 'a', 'a'
			}
		}
	}
}
