package etfjson

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// floatText is what appendFloat has to append, by strconv.
func floatText(f float64) string {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	text := strconv.FormatFloat(f, format, -1, 64)
	if format == 'e' {
		return strings.NewReplacer("e-0", "e-", "e+0", "e+").Replace(text)
	}
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// requireFloats checks f, -f and the floats next to them.
func requireFloats(t *testing.T, f float64) {
	var text []byte
	for _, f := range []float64{f, -f, math.Nextafter(f, 0), math.Nextafter(f, math.Inf(1))} {
		if math.IsInf(f, 0) || math.IsNaN(f) {
			continue
		}
		text = appendFloat(text[:0], f)
		if want := floatText(f); want != string(text) { // require takes longer than all the rest
			require.Equal(t, want, string(text), "%x", math.Float64bits(f))
		}
	}
}

func TestFloatText(t *testing.T) {
	for _, c := range []struct {
		f    float64
		want string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {1, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {100, "100.0"},
		{1.0 / 3, "0.3333333333333333"}, {12345678, "12345678.0"}, {12345678.5, "12345678.5"},
		{1e-6, "0.000001"}, {0.000001234, "0.000001234"}, {9.999999999999997e-7, "9.999999999999997e-7"}, {1e-7, "1e-7"},
		{1e16, "10000000000000000.0"}, {1e17, "100000000000000000.0"}, {1.2345678901234567e17, "123456789012345660.0"},
		{1e20, "100000000000000000000.0"}, {999999999999999868928, "999999999999999900000.0"}, {1e21, "1e+21"},
		{-1.5e-10, "-1.5e-10"}, {1e100, "1e+100"}, {1.25e-100, "1.25e-100"},
		{math.MaxFloat64, "1.7976931348623157e+308"}, {math.SmallestNonzeroFloat64, "5e-324"}, {1e-323, "1e-323"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"}, {-2.225073858507201e-308, "-2.225073858507201e-308"},
		{9007199254740993, "9007199254740992.0"}, {5e-7, "5e-7"}, {2e22, "2e+22"},
	} {
		require.Equal(t, c.want, string(appendFloat(nil, c.f)))
		require.Equal(t, c.want, floatText(c.f))
	}
}

func TestFloatTextOfPowers(t *testing.T) {
	for e := -1074; e <= 1023; e++ {
		power := math.Ldexp(1, e)
		for _, n := range []float64{1, 3, 5, 1 + 1.0/(1<<52), 2 - 1.0/(1<<52)} {
			requireFloats(t, n*power)
		}
	}
	for e := -324; e <= 308; e++ {
		for _, digits := range []string{"1", "2", "5", "9", "15", "25", "99", "123456789", "9007199254740993", "99999999999999999"} {
			f, _ := strconv.ParseFloat(digits+"e"+strconv.Itoa(e-len(digits)+1), 64)
			requireFloats(t, f) // if it is not out of range
		}
	}
}

// TestFloatTextOfAll looks at random floats of several kinds, each time at others.
func TestFloatTextOfAll(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 2_000
	}
	for range n {
		requireFloats(t, math.Float64frombits(rand.Uint64()))
		requireFloats(t, math.Float64frombits(rand.Uint64()>>12>>rand.IntN(52)))                  // subnormal
		requireFloats(t, float64(rand.Uint64()>>rand.IntN(64)))                                   // whole
		requireFloats(t, float64(rand.Uint64()>>rand.IntN(64))/float64(uint64(1)<<rand.IntN(64))) // a sum of few powers of two
		requireFloats(t, float64(rand.IntN(1_000_000))/math.Pow10(rand.IntN(12)))                 // a short decimal
	}
	for n := range uint64(10_000) {
		requireFloats(t, math.Float64frombits(n))
		requireFloats(t, float64(n))
		requireFloats(t, float64(n)/100)
		requireFloats(t, float64(1<<53-n))
		requireFloats(t, float64(1<<53+n))
	}
}

func TestFloatTextProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.Uint64(), math.Float64frombits)).Draw(t, "f")
		if math.IsNaN(f) || math.IsInf(f, 0) {
			t.Skip()
		}
		before := rapid.SliceOf(rapid.Byte()).Draw(t, "before")
		require.Equal(t, string(before)+floatText(f), string(appendFloat(before, f)))
	})
}

// TestSchubfachPrecision shows that shortest tells from 128 bits of a power of ten
// what it has to know: how a middle compares with multiples of 10^k, and a float
// with those of half of it. The product that it computes is too large by less than
// 2^-68 quarters of 10^k. So if nothing is that near to the next higher multiple, and
// nothing less than 2^-64 quarters above the next lower one, what is left over looks
// like nothing where it is nothing, and only there.
func TestSchubfachPrecision(t *testing.T) {
	// near calls f with the remainders, modulo the denominator of a ratio, that are
	// nearer than that to 0, where 2^bits quarters are a whole.
	near := func(ratio *big.Rat, bits uint, f func(low, high *big.Int)) {
		b := ratio.Denom()
		f(big.NewInt(1), new(big.Int).Rsh(b, 64+bits))
		f(new(big.Int).Sub(b, new(big.Int).Rsh(b, 68+bits)), new(big.Int).Sub(b, big.NewInt(1)))
	}
	for q := -1074; q <= 971; q++ {
		none := func(ratio *big.Rat, bits uint, largest int64) {
			near(ratio, bits, func(low, high *big.Int) {
				if n := firstBetween(ratio.Num(), ratio.Denom(), low, high); n != nil {
					require.Positive(t, n.Cmp(big.NewInt(largest)), "%v*2^%d", n, q)
				}
			})
		}
		k := floorLog10(q)
		none(scaled(big.NewInt(1), q-1, -k), 2, 1<<54-1) // middles
		none(scaled(big.NewInt(1), q+1, -k), 1, 1<<53-1) // floats, doubled

		if q == -1074 {
			continue
		}
		k = floorLog10ThreeQuarters(q)
		one := func(n int64, e int, bits uint) {
			ratio := scaled(big.NewInt(n), e, -k)
			near(ratio, bits, func(low, high *big.Int) {
				rest := new(big.Int).Mod(ratio.Num(), ratio.Denom())
				require.False(t, rest.Cmp(low) >= 0 && rest.Cmp(high) <= 0, "%d*2^%d", n, e)
			})
		}
		const c = 1 << 52 // below it the floats are nearer
		one(4*c-1, q-2, 2)
		one(2*c+1, q-1, 2)
		one(c, q+1, 1)
	}
}

// firstBetween returns the first n of which n*a mod b is from low to high, nil if
// there is none. It goes the way of Euclid's algorithm: where no multiple of a lies
// between low and high without a multiple of b taken off, the first number of those
// to be taken off is sought, modulo a.
func firstBetween(a, b, low, high *big.Int) *big.Int {
	if low.Cmp(high) > 0 {
		return nil
	}
	if low.Sign() == 0 {
		return new(big.Int)
	}
	a = new(big.Int).Mod(a, b)
	if a.Sign() == 0 {
		return nil
	}
	if new(big.Int).Lsh(a, 1).Cmp(b) > 0 { // from the other side
		return firstBetween(new(big.Int).Sub(b, a), b, new(big.Int).Sub(b, high), new(big.Int).Sub(b, low))
	}
	up := func(n *big.Int) *big.Int { // n/a, rounded up
		n = new(big.Int).Add(n, a)
		return n.Sub(n, big.NewInt(1)).Div(n, a)
	}
	if n := up(low); new(big.Int).Mul(n, a).Cmp(high) <= 0 {
		return n
	}
	modulo := func(n *big.Int) *big.Int { return new(big.Int).Mod(new(big.Int).Neg(n), a) }
	n := firstBetween(b, a, modulo(high), modulo(low))
	if n == nil {
		return nil
	}
	return up(n.Mul(n, b).Add(n, low))
}

// TestFirstBetween tries small numbers out.
func TestFirstBetween(t *testing.T) {
	for b := int64(1); b <= 12; b++ {
		for a := range int64(15) {
			for low := range b {
				for high := low; high < b; high++ {
					var want *big.Int
					for n := b; n >= 0; n-- {
						if rest := n * a % b; low <= rest && rest <= high {
							want = big.NewInt(n)
						}
					}
					got := firstBetween(big.NewInt(a), big.NewInt(b), big.NewInt(low), big.NewInt(high))
					require.Equal(t, want.String(), got.String(), "%d*n mod %d from %d to %d", a, b, low, high)
				}
			}
		}
	}
}
