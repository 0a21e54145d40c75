package etf_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

var deterministic = etf.EncodeOptions{Deterministic: true}

// shuffled returns the term with the pairs of all its maps in another order.
func shuffled(t *rapid.T, term etf.Term) etf.Term {
	var elems []etf.Term
	for elem := range term.All() {
		elems = append(elems, shuffled(t, elem))
	}
	switch term.Kind() {
	case etf.KindTuple:
		return etf.Tuple(elems...)
	case etf.KindList:
		return etf.List(elems...)
	case etf.KindImproperList:
		tail, _ := term.Tail()
		return etf.ImproperList(shuffled(t, tail), elems...)
	case etf.KindMap:
		var pairs []etf.Pair
		for key, value := range term.Pairs() {
			pairs = append(pairs, etf.Pair{Key: shuffled(t, key), Value: shuffled(t, value)})
		}
		return etf.Map(rapid.Permutation(pairs).Draw(t, "order")...)
	}
	return term
}

func TestDeterministicBytesAreThoseOfEqualTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Data().Draw(t, "term")
		b, err := deterministic.Encode(term)
		require.NoError(t, err)
		again, err := etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again))

		other := shuffled(t, term)
		require.True(t, etf.Equal(term, other))
		same, err := deterministic.Encode(other)
		require.NoError(t, err)
		require.Equal(t, b, same, "%s", term)
		same, err = deterministic.Encode(again)
		require.NoError(t, err)
		require.Equal(t, b, same, "%s", term)
		same, err = etf.Encode(again)
		require.NoError(t, err)
		require.Equal(t, b, same, "in order already")
	})
}

func TestDeterministicOrder(t *testing.T) {
	one := etf.Int(1)
	var pairs []etf.Pair
	want := []string{
		"-1", "1", "2", "18446744073709551616", "-0.5", "1.0", "a", "b", "{1}", "{1.0}", "{a,1}", "[1]", "[1.0]", `<<"q">>`,
	}
	for _, text := range want {
		key, err := etf.Parse(text)
		require.NoError(t, err)
		pairs = append(pairs, etf.Pair{Key: key, Value: one})
	}
	slices.Reverse(pairs)
	for _, n := range []int{len(pairs), 8} { // with keys that hold others, and without
		m := etf.Map(pairs[len(pairs)-n:]...)
		b, err := deterministic.Encode(etf.Tuple(m, m))
		require.NoError(t, err)
		term, err := etf.Decode(b)
		require.NoError(t, err)
		for _, i := range []int{0, 1} {
			var got []string
			for key := range term.At(i).Pairs() {
				got = append(got, key.String())
			}
			require.Equal(t, want[:n], got)
		}
	}
}

// TestDeterministicErrors are found, with the path that leads there in the
// order in which pairs are written.
func TestDeterministicErrors(t *testing.T) {
	bad := etf.Float(math.Inf(1))
	m := etf.Map(etf.Pair{Key: etf.Atom("b"), Value: bad}, etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)})
	_, err := deterministic.Encode(m)
	require.EqualError(t, err, "etf: cannot encode float that is not a finite number, in #{b}")
	m = etf.Map(etf.Pair{Key: etf.Tuple(etf.Int(2)), Value: bad}, etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)})
	_, err = deterministic.Encode(m)
	require.EqualError(t, err, "etf: cannot encode float that is not a finite number, in #{key 1}")

	// What is nested too deep is refused before it is sorted.
	deep := etf.Tuple()
	for range 100 {
		deep = etf.Map(etf.Pair{Key: etf.Tuple(deep), Value: deep}, etf.Pair{Key: etf.Int(1), Value: etf.Int(1)})
	}
	shallow := etf.EncodeOptions{Deterministic: true, MaxDepth: 199}
	dst := []byte("kept")
	dst, err = shallow.Append(dst, deep)
	require.ErrorIs(t, err, etf.ErrLimit)
	require.Equal(t, "kept", string(dst))
}

// TestDeterministicAtTheDepthLimit sorts what is just shallow enough.
func TestDeterministicAtTheDepthLimit(t *testing.T) {
	fun := etf.Fun(etf.FunValue{Module: "m", Creator: etf.PidValue{Node: "n@h"}})
	two := func(key etf.Term) etf.Term {
		return etf.Map(etf.Pair{Key: key, Value: fun}, etf.Pair{Key: etf.Int(1), Value: etf.Map()})
	}
	term := two(etf.Tuple(two(etf.Charlist("a"))))
	b, err := etf.EncodeOptions{Deterministic: true, MaxDepth: 4}.Encode(term)
	require.NoError(t, err)
	want, err := deterministic.Encode(term)
	require.NoError(t, err)
	require.Equal(t, want, b)
	require.Equal(t, byte(97), b[6], "the integer comes first")
	_, err = etf.EncodeOptions{Deterministic: true, MaxDepth: 3}.Encode(term)
	require.ErrorIs(t, err, etf.ErrLimit)
}

func TestDeterministicSortsWithinKeysOnce(t *testing.T) {
	term, err := etf.Decode(cases.Join(131, nestedKeys(etf.DefaultMaxDepth/2-1, true)))
	require.NoError(t, err)
	a, err := deterministic.Encode(term)
	require.NoError(t, err)
	term, err = etf.Decode(cases.Join(131, nestedKeys(etf.DefaultMaxDepth/2-1, false)))
	require.NoError(t, err)
	b, err := deterministic.Encode(term)
	require.NoError(t, err)
	require.True(t, bytes.Equal(a, b))
}

func TestCompression(t *testing.T) {
	for _, term := range []etf.Term{
		etf.Int(1), etf.List(), etf.String("abcde"), etf.String(strings.Repeat("a", 16)), etf.String(strings.Repeat("a", 17)),
		etf.String(strings.Repeat("abc", 10_000)), etf.List(etf.Atom("a"), etf.Atom("a"), etf.Atom("a"), etf.Atom("a")),
	} {
		plain, err := etf.Encode(term)
		require.NoError(t, err)
		for level := range 10 {
			dst := []byte("before")
			packed, err := etf.EncodeOptions{Compression: level}.Append(dst, term)
			require.NoError(t, err)
			require.Equal(t, "before", string(packed[:6]))
			packed = packed[6:]
			if packed[1] == 80 {
				require.Less(t, len(packed), len(plain))
			} else {
				require.Equal(t, plain, packed)
			}
			require.Equal(t, level > 0 && len(plain) > 100, len(packed) < len(plain)/10, "level %d of %d bytes", level, len(plain))
			again, err := etf.Decode(packed)
			require.NoError(t, err)
			require.True(t, etf.Equal(term, again))
		}
	}
}

func TestCompressionInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		level := rapid.IntRange(1, 9).Draw(t, "level")
		dst := make([]byte, 3, rapid.IntRange(3, 3000).Draw(t, "room"))
		packed, err := etf.EncodeOptions{Compression: level}.Append(dst, term)
		require.NoError(t, err)
		again, err := etf.Decode(packed[3:])
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again))
		plain, err := etf.Encode(term)
		require.NoError(t, err)
		require.LessOrEqual(t, len(packed)-3, len(plain))
	})
}

func TestMinorVersion1(t *testing.T) {
	old := etf.EncodeOptions{MinorVersion: 1}
	for name, want := range map[string][]byte{
		"":                       cases.Join(131, 100, 0, 0),
		"abc":                    cases.Join(131, 100, 0, 3, "abc"),
		"é":                      cases.Join(131, 100, 0, 1, 0xE9),
		"ÿ":                      cases.Join(131, 100, 0, 1, 0xFF),
		"Ā":                      cases.Join(131, 119, 2, "Ā"),
		"éλ":                     cases.Join(131, 119, 4, "éλ"),
		strings.Repeat("é", 255): cases.Join(131, 100, 0, 255, bytes.Repeat([]byte{0xE9}, 255)),
		strings.Repeat("λ", 255): cases.Join(131, 118, 1, 254, strings.Repeat("λ", 255)),
	} {
		b, err := old.Encode(etf.Atom(name))
		require.NoError(t, err)
		assert.Equal(t, want, b, "%s", name)
	}
	for _, name := range []string{"\xFF", strings.Repeat("é", 256)} {
		_, err := old.Encode(etf.Tuple(etf.Atom(name)))
		require.ErrorIs(t, err, etf.ErrAtom)
	}
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		b, err := old.Encode(term)
		require.NoError(t, err)
		again, err := etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again))
	})
}

func TestModesOutOfRange(t *testing.T) {
	for _, o := range []etf.EncodeOptions{
		{Compression: -1}, {Compression: 10}, {Compression: 6, NoVersion: true}, {MinorVersion: -1}, {MinorVersion: 3},
	} {
		dst, err := o.Append([]byte("kept"), etf.Int(1))
		require.ErrorIs(t, err, etf.ErrOptions)
		require.Equal(t, "kept", string(dst))
	}
	_, err := etf.EncodeOptions{Compression: 10}.Encode(etf.Int(1))
	require.EqualError(t, err, "etf: option out of range: Compression is 10, not from 0 to 9")
}

// TestTagsOfNoTermAreNamed has what nobody outside the BEAM can read, and what
// stands nowhere but on a distribution connection.
func TestTagsOfNoTermAreNamed(t *testing.T) {
	for tag, name := range map[int]string{68: "DIST_HEADER", 69: "DIST_FRAG_HEADER", 82: "ATOM_CACHE_REF", 121: "LOCAL_EXT"} {
		for _, b := range [][]byte{
			cases.Join(131, tag, make([]byte, 20)), cases.Join(131, 104, 1, tag, make([]byte, 20)),
			cases.Join(131, 88, tag, make([]byte, 20)),
		} {
			_, err := etf.Decode(b)
			var bad *etf.TagError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, byte(tag), bad.Tag)
			require.ErrorContains(t, err, name)
			require.ErrorIs(t, err, etf.ErrTag)
		}
	}
}
