//go:build linux

package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/beamport/beamport/port"
)

// Faults of what is sent, which the child and its connection outlive.

func oversizedAnswer(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	sess.explain(callFailed("Function.ResponseSizeTooLarge"))
	for range s.some(10) {
		s.fire(1)
		if outcome, err := sess.ask(s.ctx, query{op: "oversize", number: 1 + s.r.Int64N(1<<20)}); outcome != Failed {
			s.broken("an answer too long: %s: %v", outcome, err)
		}
	}
	s.finish(sess)
}

// unknownAtoms names what the emulator has never heard of: nothing but the call fails.
func unknownAtoms(s *scenario) {
	sess := s.busy(3)
	if sess == nil {
		return
	}
	sess.explain(callFailed("Runtime.UnknownAtom"))
	for range s.some(40) {
		s.fire(1)
		name := fmt.Sprintf("never heard of %d", s.turn())
		raw := append([]byte{104, 2, 119, byte(len(name))}, name...)
		if outcome, err := sess.ask(s.ctx, query{raw: append(raw, 106)}); outcome != Failed {
			s.broken("a request with an unknown atom: %s: %v", outcome, err)
		}
	}
	s.finish(sess)
}

func oversizedRequest(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	sess.explain(tooLong(maxPacket + 1))
	for range s.some(20) {
		s.fire(1)
		if outcome, err := sess.ask(s.ctx, query{payload: make([]byte, maxPacket+s.r.IntN(1<<20))}); outcome != Failed {
			s.broken("a request too long: %s: %v", outcome, err)
		}
	}
	s.finish(sess)
}

func lyingIDs(s *scenario)         { s.falseFrames("lie") }
func duplicateReplies(s *scenario) { s.falseFrames("dup") }

// falseFrames has calls answered with final frames that are nobody's besides.
func (s *scenario) falseFrames(op string) {
	s.program.role = "child"
	sess := s.busy(4)
	if sess == nil {
		return
	}
	s.each(s.some(24), 4, func(r *rand.Rand) {
		n := 1 + r.IntN(10)
		sess.lies.Add(uint64(n))
		s.fire(n)
		sess.ask(s.ctx, query{op: op, number: int64(n), payload: payloadOf(r, r.IntN(4<<10))})
	})
	s.finish(sess)
}

// each does something n times, with several at it.
func (s *scenario) each(n, callers int, do func(r *rand.Rand)) {
	var wg sync.WaitGroup
	for range callers {
		r := rand.New(rand.NewPCG(s.r.Uint64(), s.r.Uint64()))
		wg.Go(func() {
			for range n / callers {
				do(r)
			}
		})
	}
	if !finished(&wg, 4*s.bound) {
		s.broken("callers are stuck")
	}
}

func cancelledContexts(s *scenario) { s.cancel("hold", 180) }
func lateReplies(s *scenario)       { s.cancel("late", 120) }

// cancel gives up requests of which half would not be answered otherwise, and
// half are under way.
func (s *scenario) cancel(op string, n int) {
	sess := s.busy(3)
	if sess == nil {
		return
	}
	s.each(s.some(n), 12, func(r *rand.Rand) {
		q := query{op: op, payload: payloadOf(r, r.IntN(4<<10))}
		if r.IntN(4) == 0 {
			q.op, q.payload = "echo", payloadOf(r, sizeOf(r))
		}
		ctx, cancel := context.WithCancel(s.ctx)
		stop := time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, cancel)
		if outcome, _ := sess.ask(ctx, q); outcome == Cancelled {
			s.fire(1)
		}
		stop.Stop()
		cancel()
	})
	s.finish(sess)
}

func noisyStdout(s *scenario) {
	sess := s.busy(3)
	if sess == nil {
		return
	}
	for range s.some(10) {
		s.fire(1)
		sess.ask(s.ctx, query{op: "noise", number: 200, payload: s.payload()})
	}
	s.finish(sess)
}

func longLine(s *scenario) {
	var came int // by the goroutine that drains stderr, until Done
	c := s.make.command
	c.OnOutput = func(stream port.Output, line []byte) {
		if stream == port.Stderr {
			came += len(line)
		}
	}
	sess := s.beginWith(c)
	if sess == nil {
		return
	}
	sess.work(s.ctx, s.r.Uint64(), 2)
	s.fire(1)
	sess.ask(s.ctx, query{op: "line", number: int64(s.line), payload: s.payload()})
	s.finish(sess)
	if came != s.line {
		s.broken("of a line of %d bytes came %d", s.line, came)
	}
}
