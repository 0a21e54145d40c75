package fuzz_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

func FuzzStrict(f *testing.F) {
	addTerms(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1 && in[1] == 80 {
			return // compressed terms are never canonical
		}
		strict := etf.DecodeOptions{Strict: true}.Valid(in)
		term, err := etf.Decode(in)
		if err != nil {
			require.Error(t, strict)
			return
		}
		encoded, err := etf.Encode(term)
		require.NoError(t, err)
		if string(encoded) == string(in) {
			require.NoError(t, strict)
			return
		}
		require.ErrorIs(t, strict, etf.ErrNotCanonical)
		require.NoError(t, etf.DecodeOptions{Strict: true}.Valid(encoded))

		// In OTP's order it is the same term, with the same bytes each time.
		ordered, err := etf.EncodeOptions{Deterministic: true}.Encode(term)
		require.NoError(t, err)
		again, err := etf.Decode(ordered)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again))
		twice, err := etf.EncodeOptions{Deterministic: true}.Encode(again)
		require.NoError(t, err)
		require.Equal(t, ordered, twice)
	})
}

func FuzzDist(f *testing.F) {
	whole := cases.Join(131, 68, 3, 0x89, 0x0F, 5, 2, "ok", 200, 2, "é", 255, 0, 104, 3, 97, 6, 82, 0, 82, 1, 82, 2)
	first := cases.Join(131, 69, cases.U64(7), cases.U64(3), 1, 0x08, 5, 2, "ok", 104, 1, 82, 0, 109, 0)
	next := cases.Join(131, 70, cases.U64(7), cases.U64(2), 0, 0, 2, "xy")
	f.Add(whole, first)
	f.Add(first, next)
	f.Add(cases.Join(131, 68, 2, 0x88, 0x00, 1, 1, "a", 2, 1, "b", 116, cases.U32(2), 104, 1, 82, 1, 106, 104, 1, 119, 1, "b", 106), []byte{})
	f.Add(cases.Join(131, 68, 3, 0x88, 0x08, 1, 1, "m", 2, 1, "r", 3, 1, "a", 104, 1, 67, cases.U32(1), 0, 82, 0, 82, 1, 82, 2, 82, 0), []byte{})
	for _, c := range cases.All() {
		if len(c.Bytes) > 1 && len(c.Bytes) < 2000 {
			f.Add(cases.Join(131, 68, 0, c.Bytes[1:]), []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var from, to etf.DistDecoder
		var encoder etf.DistEncoder
		for _, packet := range [][]byte{a, b, a, b} {
			message, complete, err := from.Decode(packet)
			require.False(t, complete && err != nil)
			if !complete {
				continue
			}
			written, err := encoder.Append(nil, message)
			if errors.Is(err, etf.ErrLimit) {
				return
			}
			require.NoError(t, err)
			again, complete, err := to.Decode(written)
			require.NoError(t, err)
			require.True(t, complete)
			require.True(t, etf.Equal(message.Control, again.Control))
			require.True(t, etf.Equal(message.Payload, again.Payload))
		}
	})
}
