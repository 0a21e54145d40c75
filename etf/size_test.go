package etf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// TestEncodeReserves shows that Encode allocates what it needs, and no more.
func TestEncodeReserves(t *testing.T) {
	check := func(term etf.Term) {
		b, err := etf.Encode(term)
		require.NoError(t, err)
		require.Equal(t, len(b)+8, cap(b), "%.100v", term)
	}
	for _, c := range cases.All() {
		if c.Err == "" {
			term, err := etf.Decode(c.Bytes)
			require.NoError(t, err)
			check(term)
		}
	}
	check(etf.Charlist(strings.Repeat("x", 70_000)))
	check(etf.Charlist(strings.Repeat("é", 70_000)))
	check(etf.Atom(strings.Repeat("é", 200)))

	_, err := etf.Encode(etf.Term{})
	require.ErrorIs(t, err, etf.ErrInvalid)
}
