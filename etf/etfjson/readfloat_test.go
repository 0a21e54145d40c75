package etfjson

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf/internal/wire"
)

// requireFloat holds float against strconv.
func requireFloat(t require.TestingT, mantissa uint64, exponent int) (ok bool) {
	got, ok := float(mantissa, exponent)
	if !ok {
		return false
	}
	text := strconv.FormatUint(mantissa, 10) + "e" + strconv.Itoa(exponent)
	want, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Float64bits(want) != math.Float64bits(got) {
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	return true
}

func TestFloatIsNearest(t *testing.T) {
	n := 50_000
	if testing.Short() {
		n = 2_000
	}
	done := 0
	count := func(ok bool) {
		if ok {
			done++
		}
	}
	for range n {
		mantissa := rand.Uint64() >> rand.IntN(64)
		count(requireFloat(t, mantissa, rand.IntN(600)-300))
		count(requireFloat(t, mantissa, rand.IntN(60)-30))
		// As a float is written, and a middle between two, or next to it.
		f := math.Float64frombits(rand.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			continue
		}
		d, k := shortest(f)
		requireFloat(t, d, k)
		odd := rand.Uint64N(1<<53) | 1<<53 | 1
		shift := rand.IntN(bits.LeadingZeros64(odd) + 1)
		for _, n := range []uint64{odd<<shift - 1, odd << shift, odd<<shift + 1} {
			requireFloat(t, n, 0)
		}
	}
	require.Greater(t, done, n, "it seldom does it")
}

func TestFloatEdges(t *testing.T) {
	for e := smallestPower - 2; e <= largestPower+2; e++ {
		for _, n := range []uint64{0, 1, 2, 5, 9, 1<<53 - 1, 1 << 53, 1<<53 + 1, 1<<54 + 1, 1<<54 + 2, 1<<54 + 3, 1<<63 - 1, 1 << 63, math.MaxUint64} {
			requireFloat(t, n, e)
		}
	}
	for shift := range 64 {
		for e := -30; e <= 30; e++ {
			requireFloat(t, 1<<shift, e)
			requireFloat(t, 1<<shift-1, e)
			requireFloat(t, 1<<shift+1, e)
		}
	}
	for _, c := range []struct {
		mantissa uint64
		exponent int
	}{{1, -400}, {1, 400}, {1, 309}, {17976931348623159, 292}, {5, -324}, {22250738585072011, -324}} {
		_, ok := float(c.mantissa, c.exponent)
		require.False(t, ok, "%de%d", c.mantissa, c.exponent)
	}
	f, ok := float(0, 400)
	require.True(t, ok)
	require.Zero(t, f)
}

func TestFloatProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		requireFloat(t, rapid.Uint64().Draw(t, "mantissa"), rapid.IntRange(-400, 400).Draw(t, "exponent"))
	})
}

// TestZerosInFront reads numbers with many zeros, and with as many digits as are
// converted here and more.
func TestZerosInFront(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"0.", "1.", "-0.", "10.", "-20."}).Draw(t, "whole") +
			strings.Repeat("0", rapid.IntRange(0, 30).Draw(t, "zeros")) +
			rapid.StringMatching(`[0-9]{1,25}(e[+-]?[0-9]{1,2})?`).Draw(t, "rest")
		want, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		got, err := Options{NoVersion: true}.AppendTerm(nil, []byte(text))
		require.NoError(t, err)
		require.Equal(t, wire.AppendFloat(nil, want), got, text)
	})
	for text, want := range map[string]int{"0.0": 2, "0.001": 3, "10.0": 0, "1.0": 0, "0e5": 1, "0": 1, "0.5": 1} {
		require.Equal(t, want, zerosInFront([]byte(text)), text)
	}
}
