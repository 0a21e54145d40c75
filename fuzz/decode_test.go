package fuzz_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// hostileTerms are seeds that the BEAM does not write.
var hostileTerms = []string{
	"\x83l\xff\xff\xff\xff",
	"\x83t\xff\xff\xff\xffaa",
	"\x83m\x7f\xff\xff\xff",
	"\x83o\xff\xff\xff\xff\x00",
	"\x83i\x00\x00\x00\x01h\x00",
	"\x83l\x00\x00\x00\x00a\x01",
	"\x83l\x00\x00\x00\x01a\x01l\x00\x00\x00\x01a\x02j",
	"\x83l\x00\x00\x00\x01a\x01k\x00\x01a",
	"\x83k\x00\x00",
	"\x83n\x00\x00", "\x83n\x03\x01\x00\x00\x00", "\x83n\x01\x02\x01",
	"\x83t\x00\x00\x00\x02a\x01ja\x01j",
	"\x83t\x00\x00\x00\x02d\x00\x01\xe9jw\x02\xc3\xa9j",
	"\x83t\x00\x00\x00\x02F\x00\x00\x00\x00\x00\x00\x00\x00jF\x80\x00\x00\x00\x00\x00\x00\x00j",
	"\x83t\x00\x00\x00\x01t\x00\x00\x00\x00j",
	"\x83F\x7f\xf0\x00\x00\x00\x00\x00\x00",
	"\x83c1.5\x00zzzzzzzzzzzzzzzzzzzzzzzzzzz",
	"\x83M\x00\x00\x00\x01\x03\xff", "\x83M\x00\x00\x00\x01\x08\xff", "\x83M\x00\x00\x00\x00\x00",
	"\x83w\x02\xc3\x28", "\x83s\x01\xff", "\x83v\x00\x01a",
	"\x83g\x77\x01n\x00\x00\x00\x01\x00\x00\x00\x01\x01",
	"\x83f\x77\x01n\x00\x00\x00\x01\x01",
	"\x83x\x77\x01n\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01",
	"\x83e\x77\x01n\x00\x00\x00\x01\x01",
	"\x83r\x00\x02\x77\x01n\x01\x00\x00\x00\x01\x00\x00\x00\x02",
	"\x83Z\x00\x05\x77\x01n\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x05",
	"\x83q\x77\x01m\x77\x01fb\x00\x00\x01\x00",
	"\x83\x83a\x01", "\x83P\x00\x00\x00\x02x\x9c", "\x83R\x01", "\x83C\x00\x00\x00\x00\x00",
	"\x83C\xff\xff\xff\xff\x00w\x01mw\x01ra\x01", "\x83C\x00\x00\x00\x02\x01w\x01mw\x01rw\x01aw\x01aa\x01a\x02",
}

func addTerms(f *testing.F) {
	for _, term := range otpTerms(f) {
		f.Add(term)
	}
	for _, term := range hostileTerms {
		f.Add([]byte(term))
	}
	for _, c := range cases.All() {
		if len(c.Bytes) < 1<<12 {
			f.Add(c.Bytes)
		}
	}
}

// longBinary is a binary that makes an input a long one.
var longBinary = append([]byte{109, 0, 1, 0, 0}, make([]byte, 1<<16)...)

func FuzzDecode(f *testing.F) {
	addTerms(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		term, err := etf.Decode(b)
		require.Equal(t, before, b, "decoding has changed its input")
		valid := etf.Valid(b)
		if err != nil {
			require.EqualError(t, valid, err.Error())
			var se *etf.SyntaxError
			require.ErrorAs(t, err, &se)
			require.GreaterOrEqual(t, se.Offset, 0)
			if !se.Inflated {
				require.LessOrEqual(t, se.Offset, len(b))
			}
			checkPrefix(t, b)
			return
		}
		require.NoError(t, valid)
		checkTerm(t, term)

		// Without the version byte it is the same term, but for compression.
		bare, err := etf.DecodeOptions{NoVersion: true}.Decode(b[1:])
		if err == nil {
			require.True(t, etf.Equal(term, bare))
		}
		// Long inputs are read in two passes, short ones in one.
		if b[1] != 80 {
			long := append(append([]byte{131, 104, 2}, b[1:]...), longBinary...)
			pair, err := etf.Decode(long)
			require.NoError(t, err)
			require.True(t, etf.Equal(term, pair.At(0)))
			require.Equal(t, term.String(), pair.At(0).String())
		}
		// One byte less, or more, and it is no term.
		_, err = etf.Decode(b[:len(b)-1])
		require.Error(t, err)
		_, err = etf.Decode(append(bytes.Clone(b), 'j'))
		require.ErrorIs(t, err, etf.ErrTrailing)
	})
}

// checkPrefix checks that DecodePrefix finds a term in front exactly where the
// bytes that it says it took are one.
func checkPrefix(t *testing.T, b []byte) {
	term, n, err := etf.DecodePrefix(b)
	if err != nil {
		return
	}
	require.LessOrEqual(t, n, len(b))
	again, err := etf.Decode(b[:n])
	require.NoError(t, err)
	require.True(t, etf.Equal(term, again))
}

// checkTerm checks what holds for every valid term.
func checkTerm(t *testing.T, term etf.Term) {
	require.Zero(t, etf.Compare(term, term))
	require.True(t, etf.Equal(term, term))
	require.NotEqual(t, etf.Invalid, term.Kind())
	require.NotEmpty(t, term.String())

	encoded, err := etf.Encode(term)
	require.NoError(t, err)
	again, err := etf.Decode(encoded)
	require.NoError(t, err, "%q", encoded)
	require.True(t, etf.Equal(term, again), "%v became %v", term, again)
	require.Zero(t, etf.Compare(term, again))

	// What we write is canonical: it decodes to what is written the same.
	twice, err := etf.Append([]byte("in front"), again)
	require.NoError(t, err)
	require.Equal(t, "in front"+string(encoded), string(twice))

	clone := term.Clone()
	require.True(t, etf.Equal(term, clone))
	require.Equal(t, term.String(), clone.String())

	_, err = etf.Decode(encoded[:len(encoded)-1])
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
