package etf_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// requireAllocates asserts that f allocates at most limit bytes. Other goroutines
// may allocate too, and pools lose what they hold, with the race detector at
// random: the least of some runs counts.
func requireAllocates(t require.TestingT, limit int, f func(), msgAndArgs ...any) {
	f()
	var before, after runtime.MemStats
	least := ^uint64(0)
	for range 50 {
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= uint64(limit) {
			return
		}
	}
	require.LessOrEqual(t, least, uint64(limit), msgAndArgs...)
}

// TestClaimsAllocateNothing puts the largest counts and lengths behind every tag.
func TestClaimsAllocateNothing(t *testing.T) {
	for tag := range 256 {
		for _, claim := range []uint32{1<<31 - 1, 1<<32 - 1, 1 << 31, 1 << 20} {
			for _, fill := range []byte{0, 97, 106, 119, 255} {
				b := cases.Join(131, tag, cases.U32(claim), bytes.Repeat([]byte{fill}, 40))
				var err error
				requireAllocates(t, 1024, func() { _, err = etf.Decode(b) }, "tag %d, claim %d, then %d", tag, claim, fill)
				require.Error(t, err, "tag %d", tag)
			}
		}
	}
}

func TestClaimsInAllPlaces(t *testing.T) {
	huge := cases.U32(-1)
	for name, b := range map[string][]byte{
		"list in a list":   cases.Join(131, 108, cases.U32(1), 108, huge, 97, 1),
		"tail":             cases.Join(131, 108, cases.U32(1), 97, 1, 108, huge, 97, 1),
		"string tail":      cases.Join(131, 108, cases.U32(1), 97, 1, 107, 255, 255, 97, 1),
		"map in a map":     cases.Join(131, 116, cases.U32(1), 97, 1, 116, huge, 97, 1, 97, 1),
		"free variables":   cases.Join(131, 112, cases.U32(60), 1, make([]byte, 20), cases.U32(50), cases.Atom("m"), 97, 1, 97, 1, 103, cases.Atom("n"), make([]byte, 9)),
		"compressed":       cases.Join(131, 80, cases.U32(60<<20), 0x78, 0x9C, make([]byte, 16)),
		"record":           cases.Join(131, 67, huge, 0, cases.Atom("m"), cases.Atom("r"), cases.Atom("a"), 97, 1),
		"every tuple full": cases.Join(131, 104, 2, 104, 2, 104, 2, 104, 2, 104, 2, 104, 2, 106),
	} {
		require.ErrorIs(t, etf.Valid(b), io.ErrUnexpectedEOF, name)
		requireAllocates(t, 1024, func() { _ = etf.Valid(b) }, name)
		requireAllocates(t, 1024, func() { _, _ = etf.Decode(b) }, name)
	}
}

// nest returns a term within n containers of the given kind.
func nest(kind string, n int) []byte {
	switch kind {
	case "tuples":
		return cases.Join(131, bytes.Repeat([]byte{104, 1}, n), 97, 1)
	case "lists":
		return cases.Join(131, bytes.Repeat([]byte{108, 0, 0, 0, 1}, n), cases.Atom("a"), bytes.Repeat([]byte{106}, n))
	case "tails":
		return cases.Join(131, bytes.Repeat([]byte{104, 2, 106}, n), 97, 1)
	case "values":
		return cases.Join(131, bytes.Repeat([]byte{116, 0, 0, 0, 1, 97, 1}, n), 97, 1)
	case "keys":
		return cases.Join(131, bytes.Repeat([]byte{116, 0, 0, 0, 1}, n), 97, 1, bytes.Repeat([]byte{97, 1}, n))
	case "records":
		return cases.Join(131, bytes.Repeat(cases.Join(67, cases.U32(1), 1, cases.Atom("m"), cases.Atom("r"), cases.Atom("a")), n), 97, 1)
	}
	head := cases.Join(0, make([]byte, 20), cases.U32(1), cases.Atom("m"), 97, 0, 97, 0, 103, cases.Atom("n"), make([]byte, 9))
	b := cases.Join(97, 1)
	for range n {
		b = cases.Join(112, cases.U32(4+len(head)+len(b)), head, b)
	}
	return cases.Join(131, b)
}

func TestDepthLimit(t *testing.T) {
	for _, kind := range []string{"tuples", "lists", "tails", "values", "keys", "funs", "records"} {
		for _, depth := range []int{1, 2, 3, 100, etf.DefaultMaxDepth} {
			t.Run(fmt.Sprint(kind, depth), func(t *testing.T) {
				limited := etf.DecodeOptions{MaxDepth: depth}
				if depth == etf.DefaultMaxDepth {
					limited.MaxDepth = 0
				}
				b := nest(kind, depth)
				term, err := limited.Decode(b)
				require.NoError(t, err)
				encoded, err := etf.EncodeOptions{MaxDepth: depth}.Encode(term)
				require.NoError(t, err)
				again, err := limited.Decode(encoded)
				require.NoError(t, err)
				require.True(t, etf.Equal(term, again))

				tooDeep := nest(kind, depth+1)
				var limit *etf.LimitError
				require.ErrorAs(t, limited.Valid(tooDeep), &limit)
				require.Equal(t, etf.LimitError{Limit: "MaxDepth", Max: depth}, *limit)

				term, err = etf.DecodeOptions{MaxDepth: depth + 1}.Decode(tooDeep)
				require.NoError(t, err)
				dst := []byte("kept")
				dst, err = etf.EncodeOptions{MaxDepth: depth}.Append(dst, term)
				require.Equal(t, "kept", string(dst))
				limit = nil
				require.ErrorAs(t, err, &limit)
				require.Equal(t, "MaxDepth", limit.Limit)
				require.ErrorIs(t, err, etf.ErrLimit)
			})
		}
	}
}

func TestTenMillionLevels(t *testing.T) {
	for _, kind := range []string{"tuples", "lists", "values", "keys", "records"} {
		b := nest(kind, 10_000_000)
		require.ErrorIs(t, etf.Valid(b), etf.ErrLimit)
		require.ErrorIs(t, etf.DecodeOptions{MaxDepth: etf.LargestMaxDepth, MaxBytes: etf.LargestMaxBytes}.Valid(b), etf.ErrLimit)
	}
}

func TestDeepestTerms(t *testing.T) {
	options := etf.DecodeOptions{MaxDepth: etf.LargestMaxDepth}
	for _, kind := range []string{"tuples", "lists", "values", "keys", "records"} {
		b := nest(kind, etf.LargestMaxDepth)
		term, err := options.Decode(b)
		require.NoError(t, err)
		clone := term.Clone()
		require.True(t, etf.Equal(term, clone))
		require.Zero(t, etf.Compare(term, clone))
		require.NotEmpty(t, term.String())
		again, err := etf.EncodeOptions{MaxDepth: etf.LargestMaxDepth}.Encode(term)
		require.NoError(t, err)
		require.Equal(t, b, again)
	}
}

func TestStringCountsAsTheListThatItIs(t *testing.T) {
	one := etf.DecodeOptions{MaxDepth: 1}
	require.NoError(t, one.Valid(cases.Join(131, 107, 0, 1, 7)))
	require.NoError(t, one.Valid(cases.Join(131, 104, 1, 107, 0, 0)))
	require.NoError(t, one.Valid(cases.Join(131, 104, 1, 106)))
	require.ErrorIs(t, one.Valid(cases.Join(131, 104, 1, 107, 0, 1, 7)), etf.ErrLimit)
	_, err := etf.EncodeOptions{MaxDepth: 1}.Encode(etf.Tuple(etf.Charlist("a")))
	require.ErrorIs(t, err, etf.ErrLimit)
}

// chain is the list of n bytes as C's ei writes it, one element a LIST_EXT.
func chain(n int) []byte {
	return cases.Join(131, bytes.Repeat([]byte{108, 0, 0, 0, 1, 97, 7}, n), 106)
}

func TestChainsOfListsHaveNoDepth(t *testing.T) {
	const n = 1_000_000
	term, err := etf.DecodeOptions{MaxDepth: 1}.Decode(chain(n))
	require.NoError(t, err)
	require.Equal(t, etf.KindList, term.Kind())
	require.Equal(t, n, term.Len())
	require.Equal(t, "7", term.At(n-1).String())

	empties := cases.Join(131, bytes.Repeat([]byte{108, 0, 0, 0, 0}, n), 106)
	term, err = etf.DecodeOptions{MaxDepth: 1}.Decode(empties)
	require.NoError(t, err)
	require.Zero(t, term.Len())
}

func TestMaxTerms(t *testing.T) {
	for _, test := range []struct {
		terms int
		bytes []byte
	}{
		{3, cases.Join(131, 104, 3, 106, 106, 106)},
		{3, cases.Join(131, 104, 1, 104, 2, 106, 106)},
		{4, cases.Join(131, 116, cases.U32(2), 97, 1, 106, 97, 2, 106)},
		{3, chain(3)},
		{3, cases.Join(131, 108, cases.U32(1), 97, 1, 107, cases.U16(2), 1, 2)},
		{2, cases.Join(131, 108, cases.U32(1), 97, 1, 97, 2)},
		{1, cases.Join(131, 88, cases.Atom("a@b"), make([]byte, 12))},
		{1, cases.Join(131, 89, cases.Atom("a@b"), make([]byte, 8))},
		{2, cases.Join(131, 90, 0, 1, cases.Atom("a@b"), make([]byte, 8))},
		{2, cases.Join(131, 101, cases.Atom("a@b"), make([]byte, 5))},
		{2, cases.Join(131, 113, cases.Atom("a"), cases.Atom("b"), 97, 1)},
		{7, nest("funs", 1)},
	} {
		require.NoError(t, etf.DecodeOptions{MaxTerms: test.terms}.Valid(test.bytes), "%v", test.bytes)
		if test.terms == 1 {
			continue
		}
		err := etf.DecodeOptions{MaxTerms: test.terms - 1}.Valid(test.bytes)
		var limit *etf.LimitError
		require.ErrorAs(t, err, &limit, "%v", test.bytes)
		require.Equal(t, "MaxTerms", limit.Limit)
	}
}

func TestMaxBytes(t *testing.T) {
	b := cases.Join(131, 109, cases.U32(4), "abcd")
	require.NoError(t, etf.DecodeOptions{MaxBytes: len(b)}.Valid(b))
	var limit *etf.LimitError
	require.ErrorAs(t, etf.DecodeOptions{MaxBytes: len(b) - 1}.Valid(b), &limit)
	require.Equal(t, "MaxBytes", limit.Limit)

	_, n, err := etf.DecodeOptions{MaxBytes: len(b)}.DecodePrefix(append(slices.Clone(b), 1, 2, 3))
	require.NoError(t, err)
	require.Equal(t, len(b), n)
	_, _, err = etf.DecodeOptions{MaxBytes: len(b) - 1}.DecodePrefix(append(slices.Clone(b), 1, 2, 3))
	require.ErrorIs(t, err, etf.ErrLimit)
	_, _, err = etf.DecodeOptions{MaxBytes: len(b)}.DecodePrefix(b[:len(b)-1])
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	packed := cases.Join(131, cases.Deflate(b[1:], len(b)-1, 6))
	_, _, err = etf.DecodeOptions{MaxBytes: len(packed) - 1}.DecodePrefix(packed)
	require.ErrorIs(t, err, etf.ErrLimit)
	_, _, err = etf.DecodeOptions{MaxBytes: 4}.DecodePrefix(packed)
	require.ErrorIs(t, err, etf.ErrLimit)
}

func TestMaxInflated(t *testing.T) {
	content := cases.Join(109, cases.U32(1<<20), make([]byte, 1<<20))
	b := cases.Join(131, cases.Deflate(content, len(content), 9))
	require.Less(t, len(b), 2000)
	term, err := etf.Decode(b)
	require.NoError(t, err)
	require.Equal(t, 1<<20, term.Len())
	require.NoError(t, etf.DecodeOptions{MaxInflated: len(content)}.Valid(b))
	var limit *etf.LimitError
	require.ErrorAs(t, etf.DecodeOptions{MaxInflated: len(content) - 1}.Valid(b), &limit)
	require.Equal(t, "MaxInflated", limit.Limit)

	// A stream that goes on behind what it claims is not inflated any further.
	bomb := cases.Join(131, cases.Deflate(make([]byte, 32<<20), 1000, 9))
	requireAllocates(t, 64<<10, func() { require.ErrorIs(t, etf.Valid(bomb), etf.ErrCompressed) },
		"what inflates takes 40 KiB, if there is none left over")
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, options := range []etf.DecodeOptions{
		{MaxDepth: -1}, {MaxDepth: etf.LargestMaxDepth + 1}, {MaxTerms: -1}, {MaxBytes: -5}, {MaxInflated: -1},
	} {
		require.ErrorIs(t, options.Valid([]byte{131, 106}), etf.ErrOptions)
	}
	_, err := etf.EncodeOptions{MaxDepth: -1}.Encode(etf.Int(1))
	require.ErrorIs(t, err, etf.ErrOptions)
	require.EqualError(t, err, "etf: option out of range: MaxDepth is -1, not from 1 to 65536")
}

// TestManyKeysTakeLinearTime has as many keys as fit, some with the largest
// common parts, and is too slow to end if keys are compared with each other.
func TestManyKeysTakeLinearTime(t *testing.T) {
	const n = 300_000
	ints := cases.Join(131, 116, cases.U32(n))
	tuples := slices.Clone(ints)
	texts := slices.Clone(ints)
	for i := range n {
		ints = append(ints, cases.Join(98, cases.U32(1000+i), 106)...)
		tuples = append(tuples, cases.Join(104, 2, 106, 98, cases.U32(1000+i), 106)...)
		texts = append(texts, cases.Join(109, cases.U32(24), "aaaaaaaaaa", cases.U32(i), "aaaaaaaaaa", 106)...)
	}
	for _, b := range [][]byte{ints, tuples, texts} {
		term, err := etf.Decode(b)
		require.NoError(t, err)
		require.Equal(t, n, term.Len())
		again, err := etf.Encode(term)
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, again))
	}
}

// TestKeysWithinKeysAreHashedOnce nests maps as keys of maps with two keys each.
func TestKeysWithinKeysAreHashedOnce(t *testing.T) {
	const depth = 500
	b := cases.Join(109, cases.U32(1<<16), make([]byte, 1<<16))
	for range depth {
		b = slices.Concat([]byte{116, 0, 0, 0, 2}, b, []byte{106, 104, 0, 106})
	}
	require.NoError(t, etf.Valid(cases.Join(131, b)))
}

// TestHeapIsBounded checks the promise of 32 times the input and 64 KiB for the
// inputs that come closest to it.
func TestHeapIsBounded(t *testing.T) {
	const n = 200_000
	keys := cases.Join(131, 116, cases.U32(n))
	for i := range n {
		keys = append(keys, cases.Join(98, cases.U32(1000+i), 106)...)
	}
	record := cases.Join(131, 67, cases.U32(n), 0, cases.Atom("m"), cases.Atom("r"))
	for i := range n {
		record = append(record, cases.Atom(string(rune(0xE000+i)))...)
	}
	record = append(record, bytes.Repeat([]byte{106}, n)...)
	for name, b := range map[string][]byte{
		"empty lists":    cases.Join(131, 108, cases.U32(n), bytes.Repeat([]byte{106}, n+1)),
		"empty tuples":   cases.Join(131, 105, cases.U32(n), bytes.Repeat([]byte{104, 0}, n)),
		"atoms":          cases.Join(131, 105, cases.U32(n), bytes.Repeat([]byte{119, 0}, n)),
		"latin1 atoms":   cases.Join(131, 105, cases.U32(n), bytes.Repeat([]byte{115, 1, 0xE9}, n)),
		"lists of one":   cases.Join(131, 105, cases.U32(n), bytes.Repeat([]byte{108, 0, 0, 0, 1, 106, 106}, n)),
		"improper lists": cases.Join(131, 105, cases.U32(n), bytes.Repeat([]byte{108, 0, 0, 0, 1, 106, 97, 1}, n)),
		"chain":          chain(n),
		"string tail":    cases.Join(131, 105, cases.U32(4), bytes.Repeat(cases.Join(108, cases.U32(1), 97, 1, 107, 255, 255, make([]byte, 65535)), 4)),
		"keys":           keys,
		"record":         record,
		"records":        cases.Join(131, 105, cases.U32(n), bytes.Repeat(cases.Join(67, cases.U32(1), 0, 119, 0, 119, 0, 119, 0, 106), n)),
		"nested":         nest("tuples", etf.DefaultMaxDepth),
		"pids":           cases.Join(131, 105, cases.U32(n), bytes.Repeat(cases.Join(103, 119, 0, make([]byte, 9)), n)),
	} {
		t.Run(name, func(t *testing.T) {
			var term etf.Term
			var err error
			// All that is allocated is more than what is live at any one time.
			requireAllocates(t, 32*len(b)+64<<10, func() { term, err = etf.Decode(b) })
			require.NoError(t, err)
			require.NotEqual(t, etf.Invalid, term.Kind())
		})
	}

	// Two keys that are the same, in different bytes, are built to be compared.
	one := cases.Join(105, cases.U32(n), bytes.Repeat([]byte{106}, n))
	other := cases.Join(105, cases.U32(n), bytes.Repeat([]byte{106}, n-1), 107, 0, 0)
	b := cases.Join(131, 116, cases.U32(2), one, 106, other, 106)
	var err error
	requireAllocates(t, 32*len(b)+64<<10, func() { err = etf.Valid(b) })
	require.ErrorIs(t, err, etf.ErrDuplicateKey)
}

// nestedKeys returns maps within keys of maps, each of two pairs, in one of two
// orders.
func nestedKeys(depth int, turned bool) []byte {
	b := cases.Join(97, 1)
	for i := range depth {
		first, second := cases.Join(104, 1, b, 106), cases.Join(104, 1, 104, 1, 98, cases.U32(1000+i), 106)
		if turned {
			first, second = second, first
		}
		b = cases.Join(116, cases.U32(2), first, second)
	}
	return b
}

// TestMapsWithinKeysTakeLinearTime would not end if a map was sorted whenever
// it is compared.
func TestMapsWithinKeysTakeLinearTime(t *testing.T) {
	const depth = etf.DefaultMaxDepth/2 - 1
	one, other := nestedKeys(depth, false), nestedKeys(depth, true)
	a, err := etf.Decode(cases.Join(131, one))
	require.NoError(t, err)
	b, err := etf.Decode(cases.Join(131, other))
	require.NoError(t, err)
	require.True(t, etf.Equal(a, b))
	require.Zero(t, etf.Compare(a, b))
	require.Equal(t, a.String(), b.String())
	require.ErrorIs(t, etf.Valid(cases.Join(131, 116, cases.U32(2), one, 106, other, 106)), etf.ErrDuplicateKey)
	m := etf.Map(etf.Pair{Key: a, Value: etf.Int(1)}, etf.Pair{Key: b, Value: etf.Int(2)})
	require.Equal(t, 1, m.Len())
}
