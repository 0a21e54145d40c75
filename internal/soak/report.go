package soak

import (
	"fmt"
	"strings"
	"time"
)

// A Report is what a run found.
type Report struct {
	Took     time.Duration
	Outcomes Outcomes
	Open     int // requests without an outcome
	Faults   uint64
	Kinds    []KindCount
	Starts   uint64 // of children that faults happened to
	P50, P99 time.Duration
	Leaked   Footprint
	// Unexplained is how many faults came out in another way than they explain, and
	// Findings says of the first ones how.
	Unexplained uint64
	Findings    []string
}

// A KindCount says how often a kind of fault has fired.
type KindCount struct {
	Name  string
	Fired uint64
}

// Bad lists what a run must not have, "name count" each; it is empty for a good run.
func (r *Report) Bad() []string {
	var bad []string
	for _, z := range r.zeros() {
		if z.n != 0 {
			bad = append(bad, fmt.Sprintf("%s %d", z.name, z.n))
		}
	}
	for _, k := range r.Kinds {
		if k.Fired == 0 {
			bad = append(bad, k.Name+" never fired")
		}
	}
	return bad
}

type zero struct {
	name string
	n    uint64
}

func (r *Report) zeros() []zero {
	return []zero{
		{"lost", r.Outcomes.Lost + uint64(r.Open)},
		{"mismatched", r.Outcomes.Mismatched},
		{"answered twice", r.Outcomes.Twice},
		{"unexplained", r.Unexplained},
		{"leaked fds", uint64(r.Leaked.FDs)},
		{"leaked goroutines", uint64(r.Leaked.Goroutines)},
		{"leaked processes", uint64(r.Leaked.Processes)},
	}
}

// String is the report as a table.
func (r *Report) String() string {
	var b strings.Builder
	row := func(name string, value any) { fmt.Fprintf(&b, "%-28s %12v\n", name, value) }
	row("took", r.Took.Round(time.Millisecond))
	row("requests", r.Outcomes.Requests)
	row("  answered", r.Outcomes.Answered)
	row("  failed, as explained", r.Outcomes.Failed)
	row("  cancelled", r.Outcomes.Cancelled)
	row("requests a second", int(float64(r.Outcomes.Requests)/r.Took.Seconds()))
	row("latency p50", r.P50)
	row("latency p99", r.P99)
	row("children started", r.Starts)
	row("faults", r.Faults)
	for _, k := range r.Kinds {
		row("  "+k.Name, k.Fired)
	}
	for _, z := range r.zeros() {
		row(z.name, z.n)
	}
	for _, f := range r.Findings {
		fmt.Fprintln(&b, "finding:", f)
	}
	return b.String()
}
