//go:build linux

package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/port"
)

// Options of [Run].
type Options struct {
	For     time.Duration  // how long, 0: no limit
	Faults  uint64         // how many faults, 0: no limit
	Kinds   *regexp.Regexp // the kinds of faults by name, nil: all
	Workers int            // how many children at once, 0: 4
	BEAMs   int            // how many of them are BEAMs
	Seed    uint64         // of the choice of faults
}

// callBound is when a call is lost; orphanBound when a child without a parent is an
// orphan.
const (
	callBound   = time.Minute
	orphanBound = time.Second
)

// maxFindings is how many unexplained outcomes are kept as text.
const maxFindings = 20

type soak struct {
	run    string
	ledger *Ledger
	kinds  []kind
	fired  []atomic.Uint64
	next   atomic.Int64  // kinds before this one have been tried
	faults atomic.Uint64 // fired so far
	starts atomic.Uint64
	offset atomic.Uint64 // of the next half-written frame
	limit  uint64

	bound, orphanBound time.Duration
	beam               *port.Command

	mu          sync.Mutex
	unexplained uint64
	findings    []string
}

// A worker has a child and makes faults happen to it, one after the other.
type worker struct {
	*soak
	command port.Command
	beam    bool
	rng     *rand.Rand
	p       *port.Process
	lies    uint64 // final frames for no call that the child was told to send
}

// Run injects faults until o says that it is enough, or ctx ends, and reports.
// The error says that it could not work; what it found is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	s := &soak{
		run:    strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		ledger: NewLedger(callBound), limit: o.Faults, bound: callBound, orphanBound: orphanBound,
	}
	for _, k := range kinds {
		if o.Kinds == nil || o.Kinds.MatchString(k.name) {
			s.kinds = append(s.kinds, k)
		}
	}
	if len(s.kinds) == 0 {
		return nil, errors.New("soak: no kind of fault has such a name")
	}
	s.fired = make([]atomic.Uint64, len(s.kinds))
	if o.BEAMs > 0 {
		c, remove, err := beamCommand(s.run)
		if err != nil {
			return nil, err
		}
		defer remove()
		s.beam = &c
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	// The first child of a program makes the runtime open what it keeps.
	warm, err := port.Start(ctx, command("peer", s.run))
	if err != nil {
		return nil, fmt.Errorf("soak: the first child: %w", err)
	}
	if err := warm.Stop(ctx); err != nil {
		return nil, fmt.Errorf("soak: the first child: %w", err)
	}
	base, err := measure(s.run)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	until := ctx
	if o.For > 0 {
		var cancel context.CancelFunc
		until, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	var wg sync.WaitGroup
	for i := range max(o.Workers, o.BEAMs) {
		w := &worker{soak: s, command: command("peer", s.run), rng: rand.New(rand.NewPCG(o.Seed, uint64(i)))}
		if i < o.BEAMs {
			w.command, w.beam = *s.beam, true
		}
		wg.Go(func() { w.work(ctx, until) })
	}
	wg.Wait()
	took := time.Since(began)
	leaked, err := settle(s.run, base, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return s.report(took, leaked), nil
}

// work injects faults until until ends; ctx is the calls'.
func (w *worker) work(ctx, until context.Context) {
	for until.Err() == nil && (w.limit == 0 || w.faults.Load() < w.limit) {
		i, ok := w.choose()
		if !ok {
			return
		}
		if w.p == nil {
			p, err := port.Start(ctx, w.command)
			if err != nil {
				w.found("start", err)
				continue
			}
			w.starts.Add(1)
			w.p, w.lies = p, 0
		}
		w.inject(ctx, i)
	}
	if w.p != nil {
		if err := w.p.Stop(ctx); err != nil {
			w.found("stop", err)
		}
		w.retire()
	}
}

// choose returns a kind that this worker's child can have: each once in turn, and then
// by weight.
func (w *worker) choose() (int, bool) {
	if !w.beam {
		if i := int(w.next.Add(1) - 1); i < len(w.kinds) {
			return i, true
		}
	}
	total := 0
	for _, k := range w.kinds {
		if k.beam || !w.beam {
			total += k.weight
		}
	}
	if total == 0 {
		return 0, false
	}
	n := w.rng.IntN(total)
	for i, k := range w.kinds {
		if !k.beam && w.beam {
			continue
		}
		if n -= k.weight; n < 0 {
			return i, true
		}
	}
	return 0, false
}

// inject makes one fault happen while other calls are under way, which it must not
// harm but by ending the child.
func (w *worker) inject(ctx context.Context, i int) {
	k := w.kinds[i]
	others := make(chan error, 3)
	n := w.rng.IntN(cap(others) + 1)
	for range n {
		go func() { others <- w.do(ctx, "echo", 0, randomSize(), nil) }()
	}
	if err := k.fire(ctx, w); err != nil {
		w.found(k.name, err)
		w.p.Kill() // it is in no known state
	}
	w.fired[i].Add(1)
	w.faults.Add(1)
	if k.fatal {
		select {
		case <-w.p.Done():
		case <-time.After(w.bound):
			w.found(k.name, errors.New("the child has not ended"))
			w.p.Kill()
		}
	}
	for range n {
		err := <-others
		if _, exit := errors.AsType[*port.ExitError](err); err != nil && !(exit && k.fatal) {
			w.found(k.name+", another call", err)
			w.p.Kill()
		}
	}
	select {
	case <-w.p.Conn().Done():
		w.retire()
	default:
	}
}

// retire looks at the counts of a child that has ended.
func (w *worker) retire() {
	<-w.p.Done()
	w.ledger.Unknown(w.p.Conn().Stats().Unknown, w.lies)
	w.p = nil
}

func (w *worker) do(ctx context.Context, op string, arg int64, size int, onLog func(port.Log)) error {
	return w.ledger.Do(ctx, w.p.Conn(), op, arg, size, onLog)
}

// together calls f n times at once and joins the errors.
func (w *worker) together(n int, f func() error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// found records an outcome that no fault explains.
func (s *soak) found(where string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unexplained++
	if len(s.findings) < maxFindings {
		s.findings = append(s.findings, where+": "+err.Error())
	}
}

// alive says whether a process exists and is no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(b[bytes.LastIndexByte(b, ')')+1:])
	return len(state) > 0 && state[0] != 'Z'
}

func (s *soak) report(took time.Duration, leaked Footprint) *Report {
	o, open := s.ledger.Outcomes()
	r := &Report{
		Took: took, Outcomes: o, Open: open, Faults: s.faults.Load(), Starts: s.starts.Load(), Leaked: leaked,
		P50: s.ledger.Latency(0.5), P99: s.ledger.Latency(0.99), Unexplained: s.unexplained, Findings: s.findings,
	}
	for i, k := range s.kinds {
		r.Kinds = append(r.Kinds, KindCount{k.name, s.fired[i].Load()})
	}
	return r
}
