//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
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
	// Kinds are those of which faults are injected, and Makes those of the children
	// into which; nil is all.
	Kinds []Kind
	Makes []Make
	// Each is how often a kind has to be injected into children of each make that it
	// is for; 0 is once. Least is how often some have to be, by name, whatever the make.
	// When For and Faults are reached, more phases inject what is lacking.
	Each  uint64
	Least map[string]uint64
	// Seed is where the choices come from; two runs of one seed make the same.
	Seed uint64
	// Lanes is how many scenarios go on at once; 0 is 3.
	Lanes int
	// BEAM is the share of phases in which emulators take part, from 0 to 1. Where
	// it is more than 0 the first phase is one. It is 0 where Makes has no emulator.
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
	if c.Makes == nil {
		for m := range makes {
			c.Makes = append(c.Makes, m)
		}
	}
	if !slices.ContainsFunc(c.Makes, Make.emulator) {
		c.BEAM = 0
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

// A run is what scenarios share.
type run struct {
	id      string // the value of runVariable
	ledger  *Ledger
	start   starter
	bound   time.Duration
	line    int
	offsets int
	scale   float64

	each     uint64
	least    map[string]uint64
	tallies  []*tally
	deaths   durations // until the calls of a child that was killed have failed
	serving  durations // until the next one has answered
	faults   atomic.Uint64
	starts   atomic.Uint64
	promises atomic.Uint64 // that were not kept
	orphans  atomic.Int64
}

func newRun(c Config) *run {
	r := &run{
		id:     fmt.Sprintf("%d-%x", os.Getpid(), rand.Uint64()),
		ledger: NewLedger(), start: c.start, bound: c.Bound, line: c.Line, offsets: c.Offsets, scale: c.Scale,
		each: max(1, c.Each), least: c.Least,
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
	makers, remove, err := c.makers(ctx, r.id)
	if err != nil {
		return nil, err
	}
	defer remove()
	defer endAll(r.id) // if something is left

	choices := rand.New(rand.NewPCG(c.Seed, 0))
	before, err := r.baseline(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Seed: c.Seed}
	began := time.Now()
	said := 0
	var beams float64
	for phase := 1; ; phase++ {
		enough := time.Since(began) >= c.For && r.faults.Load() >= c.Faults && phase > 1
		lacking := r.short(c.Makes)
		if ctx.Err() != nil || enough && len(lacking) == 0 {
			break
		}
		emulators, more := enough, 1.0
		if enough {
			more = lackingScale
		}
		if beams += c.BEAM; c.BEAM > 0 && (phase == 1 || beams >= 1) {
			emulators = true
			beams = max(0, beams-1)
		}
		r.phase(ctx, c.Lanes, makers, choices, more, func(t *tally, m Make) bool {
			return (emulators || !m.emulator()) && (!enough || r.lacks(t, m))
		})
		left, err := leaked(context.WithoutCancel(ctx), r.id, before, r.bound)
		if err != nil {
			return nil, err
		}
		report.Leaked.add(left)
		report.Phases = phase
		if left != (Remains{}) {
			c.Log(fmt.Sprintf("phase %d leaves %+v\n%s", phase, left, stacks()))
			left.Processes = 0 // they were ended
			before.add(left)   // the others count once
		}
		c.Log(fmt.Sprintf("phase %d: %d faults, %d requests, %v", phase, r.faults.Load(), r.ledger.settled(), time.Since(began).Round(time.Second)))
		for _, note := range r.ledger.notesFrom(&said) {
			c.Log(note)
		}
		if now := r.short(c.Makes); enough && slices.Equal(now, lacking) {
			break // what is lacking does not come
		}
	}
	r.fill(report, c.Makes, time.Since(began))
	return report, ctx.Err()
}

// lackingScale is how much more scenarios do that inject what is lacking.
const lackingScale = 10

// makers are those of a run. remove deletes what they have written.
func (c Config) makers(ctx context.Context, id string) (all []maker, remove func(), err error) {
	remove = func() {}
	for m, role := range map[Make]string{Light: "child", Server: "server"} {
		command, err := ownCommand(id, role)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, maker{make: m, command: command, limited: command})
	}
	if slices.ContainsFunc(c.Makes, Make.emulator) && c.BEAM > 0 {
		var emulators []maker
		if emulators, remove, err = beamMakers(ctx, id); err != nil {
			return nil, nil, err
		}
		all = append(all, emulators...)
	}
	slices.SortFunc(all, func(a, b maker) int { return int(a.make - b.make) })
	return slices.DeleteFunc(all, func(m maker) bool { return !slices.Contains(c.Makes, m.make) }), remove, nil
}

// baseline is what there is when a child has come and gone: what the runtime opens
// when it is first needed is there.
func (r *run) baseline(ctx context.Context) (Remains, error) {
	command, err := ownCommand(r.id, "child")
	if err != nil {
		return Remains{}, err
	}
	child, err := r.start(ctx, command)
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
	now.Heap = heap()
	return now, err
}

// phase has each kind injected once by each maker that can, and that is in turn. more is
// how much more than usual they do.
func (r *run) phase(ctx context.Context, lanes int, makers []maker, choices *rand.Rand, more float64, inTurn func(*tally, Make) bool) {
	var jobs []func()
	for _, t := range r.tallies {
		for _, m := range makers {
			inject := t.by[m.make]
			if inject == nil || !inTurn(t, m.make) {
				continue
			}
			// A scenario that has begun is finished: what breaks it off would look like a
			// fault.
			s := &scenario{run: r, ctx: context.WithoutCancel(ctx), kind: t, make: m, more: more, r: rand.New(rand.NewPCG(choices.Uint64(), choices.Uint64()))}
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

func kilobytes(n int) string { return strconv.Itoa(n >> 10) }
