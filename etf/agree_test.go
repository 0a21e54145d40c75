package etf_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// requireAgreement checks that all ways to read an input come to the same end:
// the same term and the same number of bytes, or the same error.
func requireAgreement(t require.TestingT, b []byte) {
	options := etf.DecodeOptions{NoCompression: true} // which a cursor does not read
	term, n, err := options.DecodePrefix(b)
	if err == nil && n < len(b) {
		_, whole := options.Decode(b)
		require.ErrorIs(t, whole, etf.ErrTrailing)
		require.ErrorIs(t, options.Valid(b), etf.ErrTrailing)
	} else {
		whole, wholeErr := options.Decode(b)
		requireSame(t, term, err, whole, wholeErr)
		requireSame(t, etf.Term{}, err, etf.Term{}, options.Valid(b))
	}

	start, startErr := etf.NewCursor(b)
	if startErr != nil {
		require.EqualError(t, startErr, err.Error())
		return
	}
	c := start
	got, termErr := c.Term()
	requireSame(t, term, err, got, termErr)
	end := c.Offset()
	c = start
	requireSame(t, etf.Term{}, err, etf.Term{}, c.Skip())
	require.Equal(t, end, c.Offset())
	c = start
	_, rawErr := c.Raw()
	requireSame(t, etf.Term{}, err, etf.Term{}, rawErr)
	require.Equal(t, end, c.Offset())
	if err != nil {
		require.Equal(t, start.Offset(), end, "a cursor that has failed has not moved")
		return
	}
	require.Equal(t, n, end)
	if n == len(b) {
		require.NoError(t, c.End())
	} else {
		require.ErrorIs(t, c.End(), etf.ErrTrailing)
	}
}

// requireSame compares two results; of errors the offset and the reason.
func requireSame(t require.TestingT, want etf.Term, wantErr error, got etf.Term, gotErr error) {
	if wantErr == nil {
		require.NoError(t, gotErr)
		require.True(t, want.Kind() == got.Kind() && (want.Kind() == etf.Invalid || etf.Equal(want, got)), "%v and %v", want, got)
		return
	}
	require.Error(t, gotErr)
	var a, b *etf.SyntaxError
	require.ErrorAs(t, wantErr, &a)
	require.ErrorAs(t, gotErr, &b)
	require.Equal(t, a.Offset, b.Offset, "%v and %v", wantErr, gotErr)
	require.Equal(t, a.Err, b.Err, "%v and %v", wantErr, gotErr)
	require.Equal(t, etf.Invalid, got.Kind())
}

func TestAllReadersAgree(t *testing.T) {
	for _, c := range cases.All() {
		requireAgreement(t, c.Bytes)
		requireAgreement(t, append(bytes.Clone(c.Bytes), 106))
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.OneOf(
			Mutated(), Mutated(), rapid.SliceOf(rapid.Byte()),
			rapid.Map(rapid.SliceOfN(rapid.ByteRange(97, 120), 0, 40), func(b []byte) []byte { return append([]byte{131}, b...) }),
			rapid.Custom(func(t *rapid.T) []byte { return termgen.Encoding(termgen.Term().Draw(t, "term")).Draw(t, "encoding") }),
		).Draw(t, "input")
		requireAgreement(t, b)
	})
}

// TestEqualAndCompare: two terms are equal just if they compare as 0, but for
// integers and floats of one value, and the two zeros.
func TestEqualAndCompare(t *testing.T) {
	isFloat := func(t etf.Term) bool { return t.Kind() == etf.KindFloat }
	equals, others := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SliceOfN(rapid.OneOf(
			termgen.Term(), termgen.Int(), termgen.Atom(), termgen.Chars(), termgen.BitString(), termgen.Pid(), termgen.Ref(), termgen.Export(),
			rapid.Just(etf.Map(etf.Pair{Key: etf.Int(1), Value: etf.List()}, etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)})),
			rapid.Just(etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.Int(1), Value: etf.List()})),
		), 2, 6).Draw(t, "terms")
		again, err := etf.Decode(termgen.Encoding(terms[0]).Draw(t, "encoding"))
		require.NoError(t, err)
		terms = append(terms, again)
		for _, a := range terms {
			for _, b := range terms {
				zero := etf.Compare(a, b) == 0
				if etf.Equal(a, b) {
					equals++
					require.True(t, zero, "%v and %v", a, b)
				} else if !contains(a, isFloat) && !contains(b, isFloat) {
					others++
					require.False(t, zero, "%v and %v", a, b)
				}
			}
		}
	})
	require.Greater(t, equals, 200)
	require.Greater(t, others, 200)

	for _, pair := range [][2]etf.Term{
		{etf.Int(1), etf.Float(1)},
		{etf.Float(0), etf.Float(math.Copysign(0, -1))},
		{etf.List(etf.Int(1)), etf.List(etf.Float(1))},
		{etf.Tuple(etf.Int(1 << 53)), etf.Tuple(etf.Float(1 << 53))},
		{etf.Map(etf.Pair{Key: etf.Atom("k"), Value: etf.Int(1)}), etf.Map(etf.Pair{Key: etf.Atom("k"), Value: etf.Float(1)})},
	} {
		assert.Zero(t, etf.Compare(pair[0], pair[1]), "%v", pair)
		assert.False(t, etf.Equal(pair[0], pair[1]), "%v", pair)
	}
	// As keys they are different.
	one := etf.Map(etf.Pair{Key: etf.Int(1), Value: etf.Atom("v")})
	assert.Equal(t, -1, etf.Compare(one, etf.Map(etf.Pair{Key: etf.Float(1), Value: etf.Atom("v")})))
}

// TestNumbersAreInOrder goes through all triples of numbers at the edges of what
// floats and integers can tell apart.
func TestNumbersAreInOrder(t *testing.T) {
	var numbers []etf.Term
	for _, text := range []string{
		"0", "0.0", "-0.0", "1", "1.0", "-1", "0.5", "5.0e-324", "-5.0e-324",
		"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "9007199254740992.0", "9007199254740994.0",
		"-9007199254740993", "-9007199254740992.0", "9223372036854775807", "9223372036854775808", "9223372036854775808.0",
		"-9223372036854775808", "-9223372036854775809", "-9223372036854775808.0", "18446744073709551616", "18446744073709551617",
		"18446744073709551616.0", "1.7976931348623157e308", "-1.7976931348623157e308",
	} {
		number, err := etf.Parse(text)
		require.NoError(t, err)
		numbers = append(numbers, number)
	}
	huge, err := etf.Parse("1" + string(bytes.Repeat([]byte("0"), 400)))
	require.NoError(t, err)
	numbers = append(numbers, huge)
	for _, a := range numbers {
		for _, b := range numbers {
			ab := etf.Compare(a, b)
			require.Equal(t, -ab, etf.Compare(b, a), "%v and %v", a, b)
			for _, c := range numbers {
				if bc := etf.Compare(b, c); ab <= 0 && bc <= 0 {
					ac := etf.Compare(a, c)
					require.LessOrEqual(t, ac, 0, "%v, %v and %v", a, b, c)
					require.Equal(t, ab == 0 && bc == 0, ac == 0, "%v, %v and %v", a, b, c)
				}
			}
		}
	}
}
