//go:build !race

package etf_test

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// withoutGC keeps the garbage collector, which empties pools, out of what a
// test counts.
func withoutGC(t *testing.T) {
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

func TestAllocations(t *testing.T) {
	withoutGC(t)
	for _, c := range cases.All() {
		if c.Err != "" || len(c.Bytes) > 1 && c.Bytes[1] == 80 {
			continue
		}
		term, err := etf.Decode(c.Bytes)
		require.NoError(t, err)
		require.LessOrEqual(t, testing.AllocsPerRun(20, func() {
			_, _ = etf.Decode(c.Bytes)
		}), 1.0, c.Name)
		if !contains(term, isContainer) { // else its keys may be built to be compared
			require.Zero(t, testing.AllocsPerRun(20, func() { _ = etf.Valid(c.Bytes) }), c.Name)
		}
		dst := make([]byte, 0, 4<<10)
		require.Zero(t, testing.AllocsPerRun(20, func() {
			dst, _ = etf.Append(dst[:0], term)
		}), c.Name)
		require.Zero(t, testing.AllocsPerRun(20, func() { _ = etf.Equal(term, term) }), c.Name)
	}
}

func isContainer(t etf.Term) bool { return t.Kind() == etf.KindMap }

func TestWorkloadAllocations(t *testing.T) {
	withoutGC(t)
	for _, w := range workloads() {
		t.Run(w.name, func(t *testing.T) {
			term, err := etf.Decode(w.bytes)
			require.NoError(t, err)
			require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = etf.Decode(w.bytes) }), 1.0)
			dst, err := etf.Encode(term)
			require.NoError(t, err)
			require.Equal(t, w.bytes, dst)
			require.Zero(t, testing.AllocsPerRun(10, func() { dst, _ = etf.Append(dst[:0], term) }))
			require.Zero(t, testing.AllocsPerRun(10, func() { _ = etf.Valid(w.bytes) }))
		})
	}
}

func TestNumbersTakeNoAllocation(t *testing.T) {
	withoutGC(t)
	for _, b := range [][]byte{{131, 97, 1}, {131, 98, 1, 2, 3, 4}, {131, 70, 0, 0, 0, 0, 0, 0, 0, 0}, {131, 106}, {131, 104, 0}} {
		require.Zero(t, testing.AllocsPerRun(20, func() { _, _ = etf.Decode(b) }))
	}
}

func TestAccessAllocatesNothing(t *testing.T) {
	term, err := etf.Decode(invocation())
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		context := term.At(2).At(2)
		if _, ok := context.GetAtom("request_id"); !ok {
			panic("no request_id")
		}
		if _, ok := context.Get(etf.Atom("deadline")); !ok {
			panic("no deadline")
		}
		for _, value := range context.Pairs() {
			value.IsNil()
		}
	}))
}

func TestMarshalAllocations(t *testing.T) {
	v := &deep{List: []struct {
		ByName map[string]*point `etf:"by_name"`
	}{{ByName: map[string]*point{"a": {X: 1}, "b": nil}}}}
	flat := &user{Name: "Ann", Age: 3}
	dst := make([]byte, 0, 1024)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		b, err := etf.AppendMarshal(dst, flat)
		if err != nil || len(b) == 0 {
			t.Fatal(err)
		}
	}), "marshal a struct")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = etf.AppendMarshal(dst, v) }), 5.0, "marshal a map")

	b, err := etf.Marshal(flat)
	require.NoError(t, err)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := etf.Unmarshal(b, flat); err != nil {
			t.Fatal(err)
		}
	}), 1.0, "one for the strings")
	var numbers [4]int
	b, err = etf.Marshal([]int{1, 2, 3, 4000})
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = etf.Unmarshal(b, &numbers) }))
	assert.Equal(t, [4]int{1, 2, 3, 4000}, numbers)
}
