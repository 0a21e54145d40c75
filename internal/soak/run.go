//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Config says how a run goes. Zero values have the meaning that is said.
type Config struct {
	// For is how long the run takes at least, and Faults how many it injects at least:
	// phases begin until both are reached. With neither there is one phase.
	For    time.Duration
	Faults uint64
	// Kinds are those of which faults are injected; nil is all.
	Kinds []Kind
	// Seed is where the choices come from; two runs of one seed make the same.
	Seed uint64
	// Lanes is how many scenarios go on at once; 0 is 3.
	Lanes int
	// BEAM is the share of phases in which emulators take part, from 0 to 1. Where
	// it is more than 0 the first phase is one.
	BEAM float64
	// Bound is how long anything may take; 0 is a minute.
	Bound time.Duration
	// Line is the length of the long log line; 0 is 100 MB.
	Line int
	// Offsets is how many frames a scenario has written in part; 0 is enough for
	// each offset of a short one.
	Offsets int
	// Scale multiplies how many requests and restarts a scenario is about; 0 is 1.
	Scale float64
	// Log is given lines about the run's progress; nil drops them.
	Log func(line string)

	start starter // nil is startProcess
}

func (c Config) withDefaults() Config {
	if c.Kinds == nil {
		c.Kinds = Kinds
	}
	if c.Lanes == 0 {
		c.Lanes = 3
	}
	if c.Bound == 0 {
		c.Bound = time.Minute
	}
	if c.Line == 0 {
		c.Line = 100_000_000
	}
	if c.Offsets == 0 {
		c.Offsets = halfOffsets * 8 / 7
	}
	if c.Scale == 0 {
		c.Scale = 1
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	if c.start == nil {
		c.start = startProcess
	}
	return c
}

// A tally counts a kind's faults.
type tally struct {
	Kind
	fired atomic.Uint64
	turns atomic.Int64
}

// turn numbers the scenarios' choices among variants, so that all have theirs.
func (t *tally) turn() int { return int(t.turns.Add(1) - 1) }

// A run is what scenarios share.
type run struct {
	id      string // the value of runVariable
	ledger  *Ledger
	start   starter
	bound   time.Duration
	line    int
	offsets int
	scale   float64

	tallies  []*tally
	faults   atomic.Uint64
	starts   atomic.Uint64
	promises atomic.Uint64 // that were not kept
	orphans  atomic.Int64
}

func newRun(c Config) *run {
	r := &run{
		id:     fmt.Sprintf("%d-%x", os.Getpid(), rand.Uint64()),
		ledger: NewLedger(), start: c.start, bound: c.Bound, line: c.Line, offsets: c.Offsets, scale: c.Scale,
	}
	for _, k := range c.Kinds {
		r.tallies = append(r.tallies, &tally{Kind: k})
	}
	return r
}

// Run does a run and returns its report; see [Report.Err] for the verdict. The error
// says that there could be no run, or that ctx ended before its end.
func Run(ctx context.Context, c Config) (*Report, error) {
	c = c.withDefaults()
	if len(c.Kinds) == 0 {
		return nil, errors.New("soak: no kind of fault is selected")
	}
	r := newRun(c)
	light, err := lightMaker(r.id)
	if err != nil {
		return nil, err
	}
	var emulator maker
	if c.BEAM > 0 {
		var remove func()
		if emulator, remove, err = beamMaker(ctx, r.id); err != nil {
			return nil, err
		}
		defer remove()
	}
	defer endAll(r.id) // if something is left

	choices := rand.New(rand.NewPCG(c.Seed, 0))
	before, err := r.baseline(ctx, light)
	if err != nil {
		return nil, err
	}
	report := &Report{Seed: c.Seed}
	began := time.Now()
	said := 0
	var beams float64
	for phase := 1; ; phase++ {
		makers := []maker{light}
		if beams += c.BEAM; c.BEAM > 0 && (phase == 1 || beams >= 1) {
			makers = append(makers, emulator)
			beams = max(0, beams-1)
		}
		r.phase(ctx, c.Lanes, makers, choices)
		more, err := leaked(context.WithoutCancel(ctx), r.id, before, r.bound)
		if err != nil {
			return nil, err
		}
		report.Leaked.add(more)
		report.Phases = phase
		if more != (Remains{}) {
			c.Log(fmt.Sprintf("phase %d leaves %+v\n%s", phase, more, stacks()))
			before.FDs += more.FDs // they count once
			before.Goroutines += more.Goroutines
		}
		c.Log(fmt.Sprintf("phase %d: %d faults, %d requests, %v", phase, r.faults.Load(), r.ledger.settled(), time.Since(began).Round(time.Second)))
		for _, note := range r.ledger.notesFrom(&said) {
			c.Log(note)
		}
		if ctx.Err() != nil || time.Since(began) >= c.For && r.faults.Load() >= c.Faults {
			break
		}
	}
	r.fill(report, time.Since(began))
	return report, ctx.Err()
}

// baseline is what there is when a child has come and gone: what the runtime opens
// when it is first needed is there.
func (r *run) baseline(ctx context.Context, m maker) (Remains, error) {
	child, err := r.start(ctx, m.command)
	if err != nil {
		return Remains{}, err
	}
	child.Stop(ctx)
	<-child.Done()
	var now Remains
	// Those of the child are on their way out.
	last, same := -1, 0
	within(ctx, r.bound, func() bool {
		now, err = remains(r.id)
		if now.Goroutines != last {
			last, same = now.Goroutines, 0
		}
		same++
		return same > 5
	})
	return now, err
}

// phase has each kind injected once by each maker that can.
func (r *run) phase(ctx context.Context, lanes int, makers []maker, choices *rand.Rand) {
	var jobs []func()
	for _, t := range r.tallies {
		for _, m := range makers {
			inject := t.light
			if m.name == "beam" {
				inject = t.beam
			}
			if inject == nil {
				continue
			}
			// A scenario that has begun is finished: what breaks it off would look like a
			// fault.
			s := &scenario{run: r, ctx: context.WithoutCancel(ctx), kind: t, make: m, r: rand.New(rand.NewPCG(choices.Uint64(), choices.Uint64()))}
			jobs = append(jobs, func() { inject(s) })
		}
	}
	choices.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	queue := make(chan func())
	var wg sync.WaitGroup
	for range lanes {
		wg.Go(func() {
			for job := range queue {
				job()
			}
		})
	}
	for _, job := range jobs {
		if ctx.Err() != nil {
			break
		}
		queue <- job
	}
	close(queue)
	wg.Wait()
	r.ledger.LoseOpen()
}

// apart is the scenario with choices of its own, for another goroutine.
func (s *scenario) apart(seeds [2]uint64) *scenario {
	other := *s
	other.r = rand.New(rand.NewPCG(seeds[0], seeds[1]))
	return &other
}

// settled is how many outcomes there are.
func (l *Ledger) settled() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n uint64
	for _, c := range l.counts {
		n += c
	}
	return n
}

// notesFrom returns the notes that were not said, which then are.
func (l *Ledger) notesFrom(said *int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.notes[*said:]
	*said = len(l.notes)
	return fresh
}

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// lightMaker makes children of this program.
func lightMaker(id string) (maker, error) {
	c, err := lightCommand(id)
	return maker{name: "light", command: c, limited: c}, err
}

func kilobytes(n int) string { return strconv.Itoa(n >> 10) }
