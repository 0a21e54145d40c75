//go:build !race

package etf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

func TestCompressionAllocatesNothing(t *testing.T) {
	withoutGC(t)
	term := etf.String(strings.Repeat("abc", 1000))
	options := etf.EncodeOptions{Compression: 1}
	dst := make([]byte, 0, 8192)
	allocs := testing.AllocsPerRun(100, func() {
		if b, err := options.Append(dst, term); err != nil || len(b) > 1000 {
			t.Fatal(err)
		}
	})
	require.Zero(t, allocs)
}

func TestStrictAllocatesNothing(t *testing.T) {
	withoutGC(t)
	strict := etf.DecodeOptions{Strict: true}
	for _, c := range cases.All() {
		if strict.Valid(c.Bytes) != nil {
			continue
		}
		if term, err := etf.Decode(c.Bytes); err != nil || contains(term, isContainer) {
			continue // else its keys may be built to be compared
		}
		require.Zero(t, testing.AllocsPerRun(20, func() { _ = strict.Valid(c.Bytes) }), c.Name)
	}
}

func TestDistAllocations(t *testing.T) {
	withoutGC(t)
	var e etf.DistEncoder
	var d etf.DistDecoder
	m := etf.DistMessage{Control: regSend("server"), Payload: etf.Tuple(etf.Atom("hello"), etf.String("from Go"))}
	dst, err := e.Append(nil, m)
	require.NoError(t, err)
	_, _, err = d.Decode(dst)
	require.NoError(t, err)
	dst, err = e.Append(dst[:0], m)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { dst, _ = e.Append(dst[:0], m) }))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _, _ = d.Decode(dst) }), 4.0)
}

func TestDeterministicAllocatesNothingInOrder(t *testing.T) {
	withoutGC(t)
	one := etf.Int(1)
	term := etf.Map(etf.Pair{Key: one, Value: one}, etf.Pair{Key: etf.Atom("a"), Value: etf.Map()})
	dst := make([]byte, 0, 100)
	require.Zero(t, testing.AllocsPerRun(100, func() { dst, _ = deterministic.Append(dst[:0], term) }))
}
