package etf_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// requireDraft checks that an input is read the same in one pass and in two.
func requireDraft(t require.TestingT, o etf.DecodeOptions, b []byte) {
	if len(b) > 1 && b[0] == 131 && b[1] != 80 {
		want, wantErr := o.DecodeInTwoPasses(b)
		got, gotErr := o.Decode(b)
		requireSame(t, want, wantErr, got, gotErr)
		if wantErr == nil {
			require.Equal(t, want.String(), got.String())
		}
	}
}

func TestDraftsAreTheSame(t *testing.T) {
	for _, c := range cases.All() {
		if len(c.Bytes) > etf.DraftBytes {
			continue
		}
		requireDraft(t, etf.DecodeOptions{}, c.Bytes)
		requireDraft(t, etf.DecodeOptions{}, append(bytes.Clone(c.Bytes), 106))
		if len(c.Bytes) < 1<<10 {
			for n := range c.Bytes {
				requireDraft(t, etf.DecodeOptions{}, c.Bytes[:n])
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		o := etf.DecodeOptions{
			MaxDepth: rapid.IntRange(1, 8).Draw(t, "MaxDepth"), MaxTerms: rapid.IntRange(1, 40).Draw(t, "MaxTerms"),
			NoCopy: rapid.Bool().Draw(t, "NoCopy"),
		}
		b := rapid.OneOf(
			Mutated(),
			rapid.Custom(func(t *rapid.T) []byte { return termgen.Encoding(termgen.Term().Draw(t, "term")).Draw(t, "encoding") }),
		).Draw(t, "input")
		requireDraft(t, etf.DecodeOptions{}, b)
		requireDraft(t, o, b)
	})
}

// TestDrafts says what is read in one pass, and what is not.
func TestDrafts(t *testing.T) {
	key := func(n int) etf.Pair { return etf.Pair{Key: etf.String(strings.Repeat("k", n)), Value: etf.Int(1)} }
	nils := func(n int) []etf.Term {
		elems := make([]etf.Term, n)
		for i := range elems {
			elems[i] = etf.List()
		}
		return elems
	}
	for name, c := range map[string]struct {
		term   etf.Term
		drafts bool
	}{
		"integers":       {etf.Tuple(etf.Int(0), etf.Int(255), etf.Int(-1), etf.Int(1<<31), etf.Int(-1<<63), etf.Int(1<<63-1), etf.Atom("behind")), true},
		"floats":         {etf.List(etf.Float(0), etf.Float(-1.5)), true},
		"text":           {etf.Tuple(etf.String(""), etf.String("a"), etf.Atom(""), etf.Atom("a"), etf.Charlist("abc"), etf.List()), true},
		"empty tuple":    {etf.Tuple(), true},
		"empty map":      {etf.Map(), true},
		"keys":           {etf.Map(key(0), key(1), key(8), key(9), key(16), key(17), key(33)), true},
		"keys of kinds":  {etf.Map(key(1), etf.Pair{Key: etf.Atom("k"), Value: etf.Map()}, etf.Pair{Key: etf.Int(1), Value: etf.List(etf.Int(300))}), true},
		"within":         {etf.List(etf.Tuple(etf.Map(etf.Pair{Key: etf.Int(1), Value: etf.List(etf.Tuple(), etf.Float(1))}))), true},
		"an event":       {mustDecode(gatewayEvent()), true},
		"an invocation":  {mustDecode(invocation()), true},
		"500 containers": {mustDecode(nested()), true},
		"most":           {etf.List(nils(etf.DraftTerms)...), true},
		"one more":       {etf.List(nils(etf.DraftTerms + 1)...), false},
		"long":           {etf.String(strings.Repeat("x", etf.DraftBytes-6)), true},
		"too long":       {etf.String(strings.Repeat("x", etf.DraftBytes-5)), false},
		"a large one":    {etf.Uint(1 << 63), false},
		"improper":       {etf.ImproperList(etf.Int(1), etf.Int(2)), false},
		"another atom":   {etf.Atom("é"), false},
		"a tuple as key": {etf.Map(etf.Pair{Key: etf.Tuple(etf.Int(1)), Value: etf.Int(1)}), false},
	} {
		b := mustEncode(c.term)
		assert.Equal(t, c.drafts, etf.Drafts(b), name)
		requireDraft(t, etf.DecodeOptions{}, b)
	}
}

// TestDraftsRefuseKeysThatComeTwice: keys of each length that pairs reads in its own
// way, and of each kind.
func TestDraftsRefuseKeysThatComeTwice(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 32, 33, 40} {
		for _, key := range []etf.Term{etf.String(strings.Repeat("k", n)), etf.Atom(strings.Repeat("k", n)), etf.Int(int64(n) << 7)} {
			b := append([]byte{131, 116, 0, 0, 0, 3}, bytes.Repeat(append(mustEncode(key)[1:], 97, 1), 2)...)
			b = append(append(b, mustEncode(etf.Float(1))[1:]...), mustEncode(etf.String(strings.Repeat("v", 40)))[1:]...)
			assert.False(t, etf.Drafts(b))
			_, err := etf.Decode(b)
			require.ErrorIs(t, err, etf.ErrDuplicateKey)
			requireDraft(t, etf.DecodeOptions{}, b)
		}
	}
}

func mustDecode(b []byte) etf.Term {
	term, err := etf.Decode(b)
	if err != nil {
		panic(err)
	}
	return term
}
