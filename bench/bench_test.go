package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkCodecs has the table's cells as benchmarks, for benchstat and for
// profiles. A codec that cannot do a workload has no benchmark of it.
func BenchmarkCodecs(b *testing.B) {
	l := testLab(b)
	for _, s := range l.sections() {
		b.Run("section="+s.name, func(b *testing.B) {
			for _, sample := range l.samples {
				b.Run("workload="+sample.name, func(b *testing.B) {
					w, err := newWorkload(sample)
					require.NoError(b, err)
					for _, c := range (plan{}).selected(s, w) {
						if o, err := c.try(w); err == nil {
							b.Run("codec="+strings.ReplaceAll(c.name, "/", "-"), o.benchmark)
						}
					}
				})
			}
		})
	}
}

func (o op) benchmark(b *testing.B) {
	b.SetBytes(int64(o.bytes))
	if o.once != nil {
		b.ReportAllocs()
		for b.Loop() {
			if err := o.once(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	// Another process does the work and takes the time: b.N executions, without
	// what it takes to ask for them.
	took, err := o.run(b.N)
	require.NoError(b, err)
	perOp := float64(took.Nanoseconds()) / float64(b.N)
	b.ReportMetric(perOp, "ns/op")
	b.ReportMetric(float64(o.bytes)/perOp*1e3, "MB/s")
}

// testLab starts the children for a test and ends them with it.
func testLab(tb testing.TB) *lab {
	tb.Helper()
	l, err := openLab()
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, l.close()) })
	return l
}
