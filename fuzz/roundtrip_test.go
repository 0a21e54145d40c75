package fuzz_test

import (
	"testing"

	"github.com/okeuday/erlang_go/v2/erlang"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

func FuzzRoundTrip(f *testing.F) {
	for choice := range byte(19) {
		f.Add([]byte{choice})
		f.Add([]byte{choice, 3, 'a', 0xC3, 0xA9, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
		f.Add([]byte{9, 203, 8, 3, choice, 1, 2, 3, choice, 255, 254, 12, 5, choice, 4, 4, 0, 0, 0, 0, choice, 9})
	}
	for _, term := range otpTerms(f) {
		f.Add(term) // as any bytes
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		b := &builder{in: in, plain: true}
		term := b.term(60)
		require.NotEqual(t, etf.Invalid, term.Kind())
		checkTerm(t, term)

		// An equal term that was built apart from it encodes the same.
		other := (&builder{in: in}).term(60)
		require.True(t, etf.Equal(term, other))
		require.Zero(t, etf.Compare(term, other))
		encoded, err := etf.Encode(term)
		require.NoError(t, err)
		encodedOther, err := etf.Encode(other)
		require.NoError(t, err)
		require.Equal(t, encoded, encodedOther)

		if b.plain {
			theirs, err := erlang.BinaryToTerm(encoded)
			require.NoError(t, err, "%v", term)
			reencoded, err := erlang.TermToBinary(theirs, -1)
			require.NoError(t, err, "%v", term)
			again, err := etf.Decode(reencoded)
			require.NoError(t, err, "%v", term)
			require.True(t, etf.Equal(term, again), "%v became %v by way of erlang_go", term, again)
		}
	})
}
