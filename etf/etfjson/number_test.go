package etfjson_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

func decodeJSON(t require.TestingT, text string) etf.Term {
	b, err := etfjson.AppendTerm(nil, []byte(text))
	require.NoError(t, err, text)
	term, err := etf.Decode(b)
	require.NoError(t, err, text)
	return term
}

func toJSON(t require.TestingT, term etf.Term) string {
	b, err := etf.Encode(term)
	require.NoError(t, err)
	text, err := etfjson.AppendJSON(nil, b)
	require.NoError(t, err)
	return string(text)
}

func TestIntegersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?(0|[1-9][0-9]{0,40})`).Draw(t, "digits")
		if rapid.Bool().Draw(t, "long") {
			digits += strings.Repeat(rapid.StringMatching(`[0-9]{1,9}`).Draw(t, "more"), rapid.IntRange(1, 100).Draw(t, "times"))
		}
		want, ok := new(big.Int).SetString(digits, 10)
		require.True(t, ok)
		if trimmed := strings.TrimPrefix(digits, "-"); trimmed[0] == '0' && len(trimmed) > 1 {
			digits = want.String() // JSON has no leading zeros
		}
		term := decodeJSON(t, digits)
		got, ok := term.BigInt()
		require.True(t, ok, "%v", term)
		require.Zero(t, want.Cmp(got), "%s became %v", digits, got)
		require.Equal(t, want.String(), toJSON(t, term))
		require.True(t, etf.Equal(etf.BigInt(want), term))
	})
}

// Around the powers of two and of ten, where words and chunks of digits end.
func TestIntegerEdges(t *testing.T) {
	one := big.NewInt(1)
	check := func(n *big.Int) {
		for _, n := range []*big.Int{new(big.Int).Sub(n, one), n, new(big.Int).Add(n, one)} {
			for _, n := range []*big.Int{n, new(big.Int).Neg(n)} {
				text := n.String()
				if len(strings.TrimPrefix(text, "-")) > etfjson.DefaultMaxDigits {
					continue
				}
				term := decodeJSON(t, text)
				got, ok := term.BigInt()
				require.True(t, ok)
				require.Zero(t, n.Cmp(got), text)
				require.Equal(t, text, toJSON(t, term))
			}
		}
	}
	for e := range uint(3402) {
		check(new(big.Int).Lsh(one, e))
	}
	for e := range int64(1025) {
		check(new(big.Int).Exp(big.NewInt(10), big.NewInt(e), nil))
	}
}

// One digit more than the limit is refused however close its bytes are.
func TestDigitLimitIsExact(t *testing.T) {
	for _, digits := range []int{20, 21, 38, 39, 1024, 1025, 3000} {
		most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
		over, err := etf.Encode(etf.BigInt(most))
		require.NoError(t, err)
		within, err := etf.Encode(etf.BigInt(new(big.Int).Sub(most, big.NewInt(1))))
		require.NoError(t, err)
		o := etfjson.Options{MaxDigits: digits}
		text, err := o.AppendJSON(nil, within)
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("9", digits), string(text))
		_, err = o.AppendJSON(nil, over)
		require.ErrorIs(t, err, etfjson.ErrLimit)
	}
}

func TestFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(
			rapid.Float64(),
			rapid.Map(rapid.Uint64(), math.Float64frombits),
			rapid.Map(rapid.Int64(), func(n int64) float64 { return float64(n) }),
		).Draw(t, "f")
		if math.IsNaN(f) || math.IsInf(f, 0) {
			t.Skip()
		}
		text := toJSON(t, etf.Float(f))
		require.True(t, json.Valid([]byte(text)), text)
		require.True(t, strings.ContainsAny(text, ".e"), "%s reads back as an integer", text)
		back, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(f), math.Float64bits(back), text)

		got, ok := decodeJSON(t, text).Float64()
		require.True(t, ok)
		require.Equal(t, math.Float64bits(f), math.Float64bits(got), text)

		// No shorter than encoding/json's, but for the ".0" that keeps it a float.
		theirs, err := json.Marshal(f)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSuffix(string(theirs), ".0"), strings.TrimSuffix(text, ".0"))
	})
}

func TestFloatTextIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30}([eE][+-]?[0-9]{1,3})?|[eE][+-]?[0-9]{1,3})`).Draw(t, "text")
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		want, _ := exact.Float64()
		if math.IsInf(want, 0) {
			_, err := etfjson.AppendTerm(nil, []byte(text))
			require.ErrorIs(t, err, etfjson.ErrNumberRange)
			return
		}
		if want == 0 && text[0] == '-' {
			want = math.Copysign(0, -1)
		}
		got, ok := decodeJSON(t, text).Float64()
		require.True(t, ok)
		require.Equal(t, math.Float64bits(want), math.Float64bits(got), text)
	})
}

// TestIntegersOfEveryLength looks around each power of ten and of two.
func TestIntegersOfEveryLength(t *testing.T) {
	check := func(n int64) {
		require.Equal(t, strconv.FormatInt(n, 10), toJSON(t, etf.Int(n)))
	}
	power := int64(1)
	for range 19 {
		for _, n := range []int64{power - 1, power, power + 1, 9 * (power / 10), -power, -power + 1, -power - 1} {
			check(n)
		}
		power *= 10
	}
	for shift := range 64 {
		for _, n := range []int64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			check(n)
			check(-n)
		}
	}
	for n := range int64(2000) {
		check(n)
	}
}
