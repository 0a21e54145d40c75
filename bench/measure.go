package main

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// plan says how much to measure.
type plan struct {
	rounds int
	turn   time.Duration  // how long a codec is timed in a round, about
	only   *regexp.Regexp // of section/workload/codec, nil for all
	log    io.Writer      // what is being measured
}

// fullPlan is for figures to keep, shortPlan for a look.
var (
	fullPlan  = plan{rounds: 15, turn: 20 * time.Millisecond}
	shortPlan = plan{rounds: 5, turn: 4 * time.Millisecond}
)

// A cell is what came of one codec at one workload.
type cell struct {
	err     string // why there are no figures
	note    string
	bytes   int
	ns      float64 // the median of the rounds, for one execution
	fastest float64 // the least of them
	allocs  float64 // -1 where they cannot be counted
}

// mbps returns the speed in millions of bytes per second.
func (c cell) mbps() float64 { return float64(c.bytes) / c.ns * 1e3 }

// A result is a section with its cells by codec and workload.
type result struct {
	section
	cells map[string]map[string]cell
}

// ratio returns how many times as long as the section's first codec this one
// takes for the workload; ok is false where one of them has no figure.
func (r result) ratio(codecName, workloadName string) (ratio float64, ok bool) {
	if len(r.codecs) == 0 {
		return 0, false
	}
	base, has := r.cells[r.codecs[0].name][workloadName]
	c, hasOther := r.cells[codecName][workloadName]
	if !has || !hasOther || base.err != "" || c.err != "" {
		return 0, false
	}
	return c.ns / base.ns, true
}

// geomean returns the geometric mean of the ratios and over how many workloads
// it is.
func (r result) geomean(codecName string, samples []sample) (mean float64, n int) {
	var ratios []float64
	for _, s := range samples {
		if ratio, ok := r.ratio(codecName, s.name); ok {
			ratios = append(ratios, ratio)
		}
	}
	return geomean(ratios), len(ratios)
}

// measure runs every codec of every section that the plan selects.
func (p plan) measure(sections []section, samples []sample) ([]result, error) {
	var results []result
	for _, s := range sections {
		r := result{section: s, cells: map[string]map[string]cell{}}
		for _, c := range s.codecs {
			r.cells[c.name] = map[string]cell{}
		}
		results = append(results, r)
	}
	for _, s := range samples {
		for _, r := range results {
			all, err := p.prepare(r, s)
			if err != nil {
				return nil, err
			}
			if err := p.takeTurns(r, s, all); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// selected returns the codecs of the section to measure at the workload.
func (p plan) selected(s section, w *workload) []codec {
	if s.applies != nil && !s.applies(w) {
		return nil
	}
	if p.only == nil {
		return s.codecs
	}
	return slices.DeleteFunc(slices.Clone(s.codecs), func(c codec) bool {
		return !p.only.MatchString(s.name + "/" + w.name + "/" + c.name)
	})
}

// turns is a codec's part in the rounds.
type turns struct {
	codec   string
	op      op
	n       int // executions in a turn
	samples []float64
	allocs  float64
}

// prepare makes the ops of a section at one workload.
func (p plan) prepare(r result, s sample) ([]*turns, error) {
	w, err := newWorkload(s)
	if err != nil {
		return nil, err
	}
	codecs := p.selected(r.section, w)
	if len(codecs) > 0 {
		fmt.Fprintf(p.log, "%s %s\n", r.name, w.name)
	}
	var all []*turns
	for _, c := range codecs {
		o, err := c.try(w)
		if err != nil {
			r.cells[c.name][w.name] = cell{err: err.Error()}
			continue
		}
		all = append(all, &turns{codec: c.name, op: o})
	}
	return all, nil
}

// takeTurns lets the codecs of a section take turns at one workload, on one
// processor, as the codecs that are not Go have one.
func (p plan) takeTurns(r result, s sample, all []*turns) (err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, t := range all {
		t.allocs = t.op.allocs()
		if t.n, err = p.executions(t.op); err != nil {
			return fmt.Errorf("bench: %s %s %s: %w", r.name, s.name, t.codec, err)
		}
	}
	for round := range p.rounds {
		for i := range all {
			// Each round starts with another codec.
			t := all[(i+round)%len(all)]
			took, err := t.take()
			if err != nil {
				return fmt.Errorf("bench: %s %s %s: %w", r.name, s.name, t.codec, err)
			}
			t.samples = append(t.samples, float64(took.Nanoseconds())/float64(t.n))
		}
	}
	for _, t := range all {
		r.cells[t.codec][s.name] = cell{
			note: t.op.note, bytes: t.op.bytes, allocs: t.allocs,
			ns: median(t.samples), fastest: slices.Min(t.samples),
		}
	}
	return nil
}

// take is one turn. As much again goes before it untimed, so that it finds
// the heap as a program finds it that has done nothing else for a while.
func (t *turns) take() (time.Duration, error) {
	runtime.GC()
	if _, err := t.op.run(t.n); err != nil {
		return 0, err
	}
	return t.op.run(t.n)
}

// executions returns how many executions fill a turn.
func (p plan) executions(o op) (int, error) {
	for n := 1; ; {
		took, err := o.run(n)
		if err != nil {
			return 0, err
		}
		if took >= p.turn/2 {
			return max(1, int(math.Round(float64(n)*float64(p.turn)/float64(took)))), nil
		}
		// As many as would fill the turn at this speed, but not much more than
		// there were: the first executions are the slowest.
		n = min(20*n, max(2*n, int(float64(n)*float64(p.turn)/float64(max(took, 1)))))
	}
}
