package etfjson

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

var one64 = new(big.Int).Lsh(big.NewInt(1), 64)

// TestPowers computes each power once more, and from its entry's definition: what
// the entry stands for is at most the power, and one more would be more than it.
func TestPowers(t *testing.T) {
	for e := smallestPower; e <= largestPower; e++ {
		entry := powers[e-smallestPower]
		require.NotZero(t, entry[0]>>63, "10^%d", e)
		below := new(big.Int).SetUint64(entry[0])
		below.Mul(below, one64).Add(below, new(big.Int).SetUint64(entry[1]))
		above := new(big.Int).Add(below, big.NewInt(1))
		power := scaled(big.NewInt(1), 0, e)
		scale := floorLog2(e) - 127
		require.LessOrEqual(t, scaled(below, scale, 0).Cmp(power), 0, "10^%d", e)
		require.Positive(t, scaled(above, scale, 0).Cmp(power), "10^%d", e)
	}
}

// TestLogarithms goes through the exponents of all floats.
func TestLogarithms(t *testing.T) {
	for q := -1074; q <= 1023; q++ {
		for k, v := range map[int]*big.Rat{
			floorLog10(q):              scaled(big.NewInt(1), q, 0),
			floorLog10ThreeQuarters(q): scaled(big.NewInt(3), q-2, 0),
		} {
			require.LessOrEqual(t, scaled(big.NewInt(1), 0, k).Cmp(v), 0, "2^%d", q)
			require.Positive(t, scaled(big.NewInt(1), 0, k+1).Cmp(v), "2^%d", q)
		}
	}
}

// scaled returns n*2^e2*10^e10.
func scaled(n *big.Int, e2, e10 int) *big.Rat {
	above, below := new(big.Int).Set(n), big.NewInt(1)
	for _, f := range []struct{ base, e int }{{2, e2}, {10, e10}} {
		power := new(big.Int).Exp(big.NewInt(int64(f.base)), big.NewInt(int64(max(f.e, -f.e))), nil)
		if f.e < 0 {
			below.Mul(below, power)
		} else {
			above.Mul(above, power)
		}
	}
	return new(big.Rat).SetFrac(above, below)
}
