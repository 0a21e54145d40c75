package etf_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/termgen"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		b, err := etf.Encode(term)
		require.NoError(t, err)
		require.NoError(t, etf.Valid(b))
		again, err := etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again), "%s and %s", term, again)
		require.Equal(t, term.String(), again.String())
		twice, err := etf.Encode(again)
		require.NoError(t, err)
		require.Equal(t, b, twice)
	})
}

func TestEveryEncodingIsTheSameTerm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		canonical, err := etf.Encode(term)
		require.NoError(t, err)
		hash, err := etf.KeyHash(canonical)
		require.NoError(t, err)

		b := termgen.Encoding(term).Draw(t, "encoding")
		again, err := etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again), "%s and %s", term, again)
		require.Zero(t, etf.Compare(term, again))
		other, err := etf.KeyHash(b)
		require.NoError(t, err)
		require.Equal(t, hash, other, "%s", term)
		checkInput(t, b)
	})
}

// TestEqualKeysAreFound encodes a map with a key twice, in two encodings.
func TestEqualKeysAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(termgen.Term(), 1, 60).Draw(t, "keys")
		var b []byte
		n := 0
		for i, key := range keys {
			if slices.ContainsFunc(keys[:i], func(other etf.Term) bool { return etf.Equal(key, other) }) {
				continue
			}
			b = append(b, termgen.Encoding(key).Draw(t, "key")[1:]...)
			b = append(b, 106)
			n++
		}
		require.NoError(t, etf.Valid(append([]byte{131, 116, 0, 0, 0, byte(n)}, b...)))
		again := rapid.SampledFrom(keys).Draw(t, "again")
		b = append(b, termgen.Encoding(again).Draw(t, "encoding")[1:]...)
		b = append([]byte{131, 116, 0, 0, 0, byte(n + 1)}, append(b, 106)...)
		require.ErrorIs(t, etf.Valid(b), etf.ErrDuplicateKey)
	})
}

func TestCompareIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SliceOfN(termgen.Term(), 3, 8).Draw(t, "terms")
		for _, a := range terms {
			require.Zero(t, etf.Compare(a, a))
			require.True(t, etf.Equal(a, a))
			for _, b := range terms {
				ab, ba := etf.Compare(a, b), etf.Compare(b, a)
				require.Equal(t, sign(ab), -sign(ba), "%s and %s", a, b)
				if etf.Equal(a, b) {
					require.Zero(t, ab, "%s and %s", a, b)
					require.True(t, etf.Equal(b, a))
				}
				for _, c := range terms {
					if ab <= 0 && etf.Compare(b, c) <= 0 {
						require.LessOrEqual(t, etf.Compare(a, c), 0, "%s, %s and %s", a, b, c)
					}
				}
			}
		}
	})
}

func sign(v int) int { return min(max(v, -1), 1) }

func TestCloneSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Data().Draw(t, "term")
		b, err := etf.Encode(term)
		require.NoError(t, err)
		term, err = etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, term.Clone()))
	})
}

// TestMapIsWhatItsPairsSay compares Map, Get and Pairs with a list of pairs.
func TestMapIsWhatItsPairsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pairs, want []etf.Pair
		for i, key := range rapid.SliceOfN(termgen.Int(), 0, 60).Draw(t, "keys") {
			pair := etf.Pair{Key: key, Value: etf.Int(int64(i))}
			pairs = append(pairs, pair)
			at := slices.IndexFunc(want, func(p etf.Pair) bool { return etf.Equal(p.Key, key) })
			if at < 0 {
				want = append(want, pair)
			} else {
				want[at].Value = pair.Value
			}
		}
		m := etf.Map(pairs...)
		require.Equal(t, len(want), m.Len())
		i := 0
		for key, value := range m.Pairs() {
			require.True(t, etf.Equal(want[i].Key, key))
			require.True(t, etf.Equal(want[i].Value, value))
			found, ok := m.Get(key)
			require.True(t, ok)
			require.True(t, etf.Equal(value, found))
			i++
		}
		shuffled := etf.Map(rapid.Permutation(want).Draw(t, "order")...)
		require.True(t, etf.Equal(m, shuffled))
		require.Zero(t, etf.Compare(m, shuffled))
		require.Equal(t, m.String(), shuffled.String())
	})
}
