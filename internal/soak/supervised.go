//go:build linux

package soak

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/beamport/beamport/port"
)

// Faults under a [port.Supervisor].

// supervised is a supervisor as a Child: its child at the time.
type supervised struct{ *port.Supervisor }

func (v supervised) Stats() port.Stats {
	stats := v.Supervisor.Stats().Conn
	// Those of children that have ended count no longer.
	stats.InFlight, stats.Abandoned = 0, 0
	if p := v.Process(); p != nil {
		now := p.Conn().Stats()
		stats.InFlight, stats.Abandoned = now.InFlight, now.Abandoned
	}
	return stats
}

func (v supervised) Pid() int {
	if p := v.Process(); p != nil {
		return p.Pid()
	}
	return 0
}

func (v supervised) Kill() error { return v.Stop(killedContext) }

// killedContext is one that has ended: a Stop with it kills.
var killedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// backoff is such that restarts wait, but not for long.
var backoff = port.Restart{Min: 2 * time.Millisecond, Max: 40 * time.Millisecond, Stable: 20 * time.Millisecond, CrashLimit: -1}

// supervisedRestarts has a supervisor's child killed again and again, under callers:
// they are told within a moment, and others are served by the next child.
func supervisedRestarts(s *scenario) {
	ctx, cancel := context.WithTimeout(s.ctx, s.bound)
	defer cancel()
	var waited sync.Map // of *port.Process: how long the restart that made it had waited
	var delay time.Duration
	v, err := port.Supervise(ctx, s.make.command, port.SupervisorOptions{
		Restart:   backoff,
		OnRestart: func(_ int, d time.Duration, _ error) { delay = d },
		OnStart:   func(p *port.Process) { waited.Store(p, delay) },
	})
	if err != nil {
		s.broken("starting a supervisor: %v", err)
		return
	}
	s.starts.Add(1)
	sess := &session{ledger: s.ledger, child: supervised{v}, bound: s.bound}
	sess.explain(killed)
	sess.toil(s.ctx, s.r.Uint64(), 3)
	rounds := s.some(24)
	if s.make.make == BEAM {
		rounds = s.some(4)
	}
	for range rounds {
		s.pause(s.between(0, 30*time.Millisecond))
		if !s.killSupervised(v, sess, &waited) {
			break
		}
		s.starts.Add(1)
	}
	if !sess.relax() {
		s.broken("callers are stuck")
	}
	if stats := v.Stats(); stats.Conn.Unknown > 0 {
		s.ledger.Twice(stats.Conn.Unknown, "final frames of no call under a supervisor")
	}
	if err := v.Stop(ctx); err != nil {
		s.broken("stopping a supervisor: %v", err)
	}
	if !await(v.Done(), s.bound) || !errors.Is(v.Err(), port.ErrClosed) {
		s.broken("a supervisor's end: %v", v.Err())
	}
}

// killSupervised kills the child that is up, and takes the times until calls in flight
// have failed and until the first call of the next child is answered.
func (s *scenario) killSupervised(v *port.Supervisor, sess *session, waited *sync.Map) bool {
	var p *port.Process
	if !within(s.ctx, s.bound, func() bool { p = v.Process(); return p != nil }) {
		s.broken("no child comes up: %v", v.Err())
		return false
	}
	s.fire(1)
	since := time.Now()
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		s.broken("killing a supervised child: %v", err)
		return false
	}
	if !await(p.Conn().Done(), s.bound) {
		s.broken("the death of a child is not reported")
		return false
	}
	s.deaths.add(time.Since(since))
	var next *port.Process
	ok := within(s.ctx, s.bound, func() bool {
		if outcome, _ := sess.ask(s.ctx, query{payload: noise[:100]}); outcome != Answered {
			return false
		}
		next = v.Process()
		return next != p
	})
	if !ok {
		s.broken("the next child does not serve: %v", v.Err())
		return false
	}
	took := time.Since(since)
	if d, ok := waited.Load(next); ok {
		took -= d.(time.Duration)
	}
	s.serving.add(took)
	return true
}

// crashLoop has a child exit whenever it is asked, until its supervisor gives up.
func crashLoop(s *scenario) {
	const limit = 3
	ctx, cancel := context.WithTimeout(s.ctx, s.bound)
	defer cancel()
	for range s.some(4) {
		v, err := port.Supervise(ctx, s.make.command, port.SupervisorOptions{
			Restart: port.Restart{Min: time.Millisecond, Max: 5 * time.Millisecond, CrashLimit: limit},
		})
		if err != nil {
			s.broken("starting a supervisor: %v", err)
			return
		}
		s.fire(1)
		s.starts.Add(limit)
		gaveUp := func(err error) bool {
			_, ok := errors.AsType[*port.CrashLoopError](err)
			return ok
		}
		sess := &session{ledger: s.ledger, child: supervised{v}, bound: s.bound}
		sess.explain(func(err error) bool { return exited(7)(err) || gaveUp(err) })
		for range limit + 1 {
			sess.ask(ctx, query{op: "exit", number: 7})
		}
		if !await(v.Done(), s.bound) || !gaveUp(v.Err()) {
			s.broken("a supervisor of a child that crashes: %v", v.Err())
			v.Stop(killedContext)
			<-v.Done()
		}
	}
}

// durations are [times] that several scenarios take.
type durations struct {
	mu sync.Mutex
	times
	most time.Duration
}

func (d *durations) add(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times.add(took)
	d.most = max(d.most, took)
}
