//go:build linux

package soak

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/beamport/beamport/port"
)

// Faults that end the child.

// rounds is how many children a scenario does away with.
func (s *scenario) rounds() int {
	switch s.make.make {
	case BEAM:
		return s.some(2)
	case Socket: // which does away with connections
		return s.some(12)
	}
	return s.some(8)
}

func childKilled(s *scenario) {
	rounds := s.rounds()
	if s.make.make == Socket {
		rounds = 1
	}
	for range rounds {
		sess := s.busy(6)
		if sess == nil {
			return
		}
		s.pause(s.between(0, 20*time.Millisecond))
		sess.explain(s.killing())
		if err := syscall.Kill(sess.child.Pid(), syscall.SIGKILL); err != nil {
			s.broken("killing a child: %v", err)
		}
		s.fire(1)
		s.ended(sess)
	}
}

// calledToEnd has a child that others call end by a call of its own.
func (s *scenario) calledToEnd(q query, by func(error) bool) {
	sess := s.busy(4)
	if sess == nil {
		return
	}
	s.pause(s.between(0, 5*time.Millisecond))
	sess.explain(by)
	s.fire(1)
	if outcome, err := sess.ask(s.ctx, q); outcome != Failed {
		s.broken("the call that ends the child: %s: %v", outcome, err)
		sess.child.Kill()
	}
	s.ended(sess)
}

func exitInCall(s *scenario) {
	for range s.rounds() {
		code := 1 + s.r.IntN(80)
		s.calledToEnd(query{op: "exit", number: int64(code)}, exited(code))
	}
}

func outOfMemory(s *scenario) {
	// It is the one scenario whose child is under a limit from the start, if it
	// cannot set one itself.
	whole := s.make
	s.make.command = s.make.limited
	for range s.some(2) {
		s.calledToEnd(query{op: "oom", number: 64 << 20}, crashed)
	}
	s.make = whole
}

func badHeader(s *scenario) {
	for range s.rounds() {
		s.calledToEnd(query{op: "header", number: int64(s.r.IntN(0x80))}, tooLong(1<<31))
	}
}

func oversizedReply(s *scenario) {
	for range s.rounds() {
		s.calledToEnd(query{op: "oversize", number: 1 + s.r.Int64N(1<<20)}, tooLong(maxPacket+1))
	}
}

func malformedTerm(s *scenario) {
	for range s.some(len(malformed)) {
		s.calledToEnd(query{op: "malformed", number: int64(s.turn())}, malformedFrame)
	}
}

// malformedRequest sends what is no term inside of a frame that is one otherwise.
func malformedRequest(s *scenario) {
	bad := [][]byte{{255}, {104, 4, 119}, {106, 106}, {109, 255, 255, 255, 255, 1}, {119, 9, 'n', 'e', 'v', 'e', 'r'}}
	for range s.rounds() {
		s.calledToEnd(query{raw: bad[s.turn()%len(bad)]}, crashed)
	}
}

// halfOffsets are more than the bytes of the frame that is written in part, which
// carries halfPayload bytes.
const (
	halfOffsets = 80
	halfPayload = 20
)

// half has the child write a part of an answer: the next number of its bytes, or as
// many as no pipe holds.
func (s *scenario) half() query {
	turn := s.turn()
	if turn%8 == 7 {
		return query{op: "half", payload: payloadOf(s.r, maxPayload), number: s.r.Int64N(maxPayload)}
	}
	return query{op: "half", payload: payloadOf(s.r, halfPayload), number: int64((turn - turn/8) % halfOffsets)}
}

func halfReply(s *scenario) {
	for range s.offsets {
		sess := s.begin()
		if sess == nil {
			return
		}
		sess.explain(exited(3))
		s.fire(1)
		sess.ask(s.ctx, s.half())
		s.ended(sess)
	}
}

func restartStorm(s *scenario) {
	storms := s.some(3)
	if s.make.make < BEAM {
		storms = s.some(24)
	}
	var (
		wg   sync.WaitGroup
		left atomic.Int64
	)
	left.Store(int64(storms))
	for range min(3, storms) {
		seeds := [2]uint64{s.r.Uint64(), s.r.Uint64()}
		wg.Go(func() {
			mine := s.apart(seeds)
			for left.Add(-1) >= 0 {
				mine.startAndEnd()
			}
		})
	}
	if !finished(&wg, 4*s.bound) {
		s.broken("the storm does not end")
	}
}

// startAndEnd starts a child and ends it in one way or another, if need be before it
// is ready.
func (s *scenario) startAndEnd() {
	s.fire(1)
	if s.r.IntN(4) == 0 {
		ctx, cancel := context.WithTimeout(s.ctx, s.between(0, 10*time.Millisecond))
		defer cancel()
		child, err := s.start(ctx, s.make.command)
		switch {
		case err == nil:
			child.Kill()
			<-child.Done()
		case !errors.Is(err, context.DeadlineExceeded):
			s.broken("a start that was given up: %v", err)
		}
		return
	}
	sess := s.begin()
	if sess == nil {
		return
	}
	sess.ask(s.ctx, query{payload: s.payload()})
	switch s.r.IntN(3) {
	case 0:
		s.finish(sess)
	case 1:
		sess.explain(killed)
		sess.child.Kill()
		s.ended(sess)
	case 2:
		sess.explain(exit(func(e *port.ExitError) bool { return e.Code == 7 && byItself(e) }))
		sess.ask(s.ctx, query{op: "exit", number: 7})
		s.ended(sess)
	}
}
