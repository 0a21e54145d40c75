//go:build linux

package soak

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is what came of a run.
type Report struct {
	Seed      uint64            `json:"seed"`
	Seconds   float64           `json:"seconds"`
	Phases    int               `json:"phases"`
	Requests  uint64            `json:"requests"`
	Outcomes  map[string]uint64 `json:"outcomes"`
	Faults    uint64            `json:"faults"`
	Kinds     []KindCount       `json:"kinds"`
	Children  uint64            `json:"children"` // that were started, parents counted as one
	PerSecond float64           `json:"requests_per_second"`
	P50       time.Duration     `json:"p50_ns"`
	P99       time.Duration     `json:"p99_ns"`
	Heap      uint64            `json:"heap_bytes"`      // in use at the end
	Death     Times             `json:"death"`           // of a supervised child, until its calls have failed
	Serving   Times             `json:"serving"`         // until the next one has answered, without the supervisor's delay
	Short     []string          `json:"short,omitempty"` // kinds that were not injected often enough

	// What has to be 0.
	Lost        uint64  `json:"lost"`
	Mismatched  uint64  `json:"mismatched"`
	Twice       uint64  `json:"answered_twice"`
	Unexplained uint64  `json:"unexplained"`
	Broken      uint64  `json:"broken_promises"` // what a child, a parent or a fault did otherwise than it has to
	Leaked      Remains `json:"leaked"`

	// Notes say more about the first things that went wrong.
	Notes []string `json:"notes,omitempty"`
}

// A KindCount is how often a kind of fault was injected.
type KindCount struct {
	Name  string            `json:"name"`
	Fired uint64            `json:"fired"`
	By    map[string]uint64 `json:"by,omitempty"` // make
}

// Times are how long something took, so many times.
type Times struct {
	Count uint64        `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	Most  time.Duration `json:"most_ns"`
}

func (d *durations) report() Times {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Times{d.total, d.quantile(0.5), d.quantile(0.99), d.most}
}

func (t Times) String() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	return fmt.Sprintf("%.1f, %.1f, %.1f ms", ms(t.P50), ms(t.P99), ms(t.Most))
}

func (r *Remains) add(more Remains) {
	r.FDs += more.FDs
	r.Goroutines += more.Goroutines
	r.Threads += more.Threads
	r.Heap += more.Heap
	r.Processes += more.Processes
}

// fill puts what was counted into a report.
func (r *run) fill(report *Report, of []Make, took time.Duration) {
	for _, t := range r.tallies {
		count := KindCount{Name: t.Name, Fired: t.total(), By: make(map[string]uint64)}
		for _, m := range of {
			if t.by[m] != nil {
				count.By[m.String()] = t.fired[m].Load()
			}
		}
		report.Kinds = append(report.Kinds, count)
	}
	report.Short = r.short(of)
	report.Death, report.Serving = r.deaths.report(), r.serving.report()
	report.Seconds = took.Seconds()
	report.Faults = r.faults.Load()
	report.Children = r.starts.Load()
	report.Broken = r.promises.Load()
	report.Leaked.Processes += int(r.orphans.Load())
	report.Heap = uint64(heap())

	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	report.Requests = l.last
	report.Outcomes = make(map[string]uint64)
	for o := range outcomes {
		report.Outcomes[o.String()] = l.counts[o]
	}
	report.Lost, report.Mismatched, report.Unexplained = l.counts[Lost], l.counts[Mismatched], l.counts[Unexplained]
	report.Twice = l.twice
	report.PerSecond = float64(l.counts[Answered]) / took.Seconds()
	report.P50, report.P99 = l.times.quantile(0.5), l.times.quantile(0.99)
	report.Notes = l.notes
}

// A zero is a count that has to be 0.
type zero struct {
	name string
	n    uint64
}

func (r *Report) zeros() []zero {
	return []zero{
		{"lost", r.Lost},
		{"mismatched", r.Mismatched},
		{"answered twice", r.Twice},
		{"failed without explanation", r.Unexplained},
		{"broken promises", r.Broken},
		{"leaked file descriptors", uint64(r.Leaked.FDs)},
		{"leaked goroutines", uint64(r.Leaked.Goroutines)},
		{"leaked threads", uint64(r.Leaked.Threads)},
		{"leaked processes", uint64(r.Leaked.Processes)},
		{"leaked bytes of heap", uint64(r.Leaked.Heap)},
	}
}

// Err is nil if every zero is one and every kind was injected often enough, and says what
// is not otherwise.
func (r *Report) Err() error {
	var wrong []string
	for _, z := range r.zeros() {
		if z.n != 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %d", z.name, z.n))
		}
	}
	for _, short := range r.Short {
		wrong = append(wrong, "not often enough: "+short)
	}
	if wrong == nil {
		return nil
	}
	return errors.New("soak: " + strings.Join(wrong, ", "))
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, value any) { fmt.Fprintf(t, "%v\t  %s\n", value, name) }
	fmt.Fprintf(t, "%s, %d phases, seed %d\n\n", (time.Duration(r.Seconds * float64(time.Second))).Round(time.Second), r.Phases, r.Seed)
	row("requests", r.Requests)
	for o := range Lost {
		row("  "+o.String(), r.Outcomes[o.String()])
	}
	row("answered a second", fmt.Sprintf("%.0f", r.PerSecond))
	row("median time of an answer", r.P50.Round(time.Microsecond))
	row("99th percentile", r.P99.Round(time.Microsecond))
	row("children started", r.Children)
	row("heap in use at the end", fmt.Sprintf("%.1f MB", float64(r.Heap)/1e6))
	fmt.Fprintln(t)
	row("a death is reported (median, 99%, most)", r.Death)
	row("others serve again", r.Serving)
	fmt.Fprintln(t)
	row(fmt.Sprintf("faults of %d kinds", len(r.Kinds)), r.Faults)
	for _, k := range r.Kinds {
		row("  "+k.Name+k.makes(), k.Fired)
	}
	fmt.Fprintln(t)
	for _, z := range r.zeros() {
		row(z.name, z.n)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(t, "\n%s", note)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// makes says how often a kind was injected into children of each make, if of several.
func (k KindCount) makes() string {
	var parts []string
	for m := range makes {
		if n, ok := k.By[m.String()]; ok {
			parts = append(parts, fmt.Sprintf("%s %d", m, n))
		}
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
