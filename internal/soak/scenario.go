//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/beamport/beamport/port"
)

// A scenario injects one kind of fault into children of one make.
type scenario struct {
	*run
	ctx  context.Context
	kind *tally
	make maker
	r    *rand.Rand

	more    float64 // than usual is what it does
	program program // under an emulator, of the make Worker
}

// fire counts faults.
func (s *scenario) fire(n int) {
	s.kind.fired[s.make.make].Add(uint64(n))
	s.faults.Add(uint64(n))
}

// turn numbers the scenarios' choices among variants, so that all have theirs.
func (s *scenario) turn() int { return int(s.kind.turns[s.make.make].Add(1) - 1) }

// broken enters a promise that was not kept.
func (s *scenario) broken(format string, args ...any) {
	s.promises.Add(1)
	s.ledger.Note(fmt.Sprintf("%s (%s): ", s.kind.Name, s.make.make)+format, args...)
}

// begin starts a child; it returns nil if there is none, which is a broken promise.
func (s *scenario) begin() *session { return s.beginWith(s.make.command) }

func (s *scenario) beginWith(c port.Command) *session {
	child, err := s.start(s.ctx, c)
	if err == nil && s.make.dress != nil {
		child, err = s.dressed(child)
	}
	if err != nil {
		s.broken("starting a child: %v", err)
		return nil
	}
	s.starts.Add(1)
	return &session{ledger: s.ledger, child: child, bound: s.bound}
}

// dressed is what a make adds to a child, which ends if that fails.
func (s *scenario) dressed(child Child) (Child, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.bound)
	defer cancel()
	dressed, err := s.make.dress(ctx, s, child)
	if err != nil {
		child.Kill()
		<-child.Done()
	}
	return dressed, err
}

// busy is begin with callers at work.
func (s *scenario) busy(callers int) *session {
	sess := s.begin()
	if sess != nil {
		sess.work(s.ctx, s.r.Uint64(), callers)
	}
	return sess
}

// finish ends a session whose child lives and has to be well.
func (s *scenario) finish(sess *session) {
	if !sess.relax() {
		s.broken("callers are stuck")
	}
	sess.settled(s.ctx)
	ctx, cancel := context.WithTimeout(s.ctx, s.bound)
	defer cancel()
	if err := sess.child.Stop(ctx); err != nil {
		s.broken("stopping a child: %v", err)
	}
	s.reaped(sess)
}

// ended ends a session whose child ends by the fault. Its end and the failures of
// its calls have to be explained.
func (s *scenario) ended(sess *session) {
	s.reaped(sess)
	if !sess.relax() {
		s.broken("callers are stuck after the child's end")
	}
	if by := sess.explained.Load(); by != nil && sess.child.Err() != nil && !(*by)(sess.child.Err()) {
		s.broken("the child's end: %v", sess.child.Err())
	}
	if stats := sess.child.Stats(); stats.Unknown > sess.lies.Load() {
		sess.ledger.Twice(stats.Unknown-sess.lies.Load(), "final frames of no call before the child's end")
	}
}

// reaped waits until nothing is left of the child, and makes sure of it.
func (s *scenario) reaped(sess *session) {
	if !await(sess.child.Done(), s.bound) {
		s.broken("a child has not ended in %v", s.bound)
		sess.child.Kill()
		await(sess.child.Done(), s.bound)
	}
}

// await waits for a channel to be closed, and returns false at the bound.
func await(done <-chan struct{}, bound time.Duration) bool {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// payload is a random one.
func (s *scenario) payload() []byte { return payloadOf(s.r, sizeOf(s.r)) }

// some is n to the scale of the run.
func (s *scenario) some(n int) int { return max(1, int(float64(n)*s.scale*s.more)) }

// pause is how long a fault lasts.
func (s *scenario) pause(d time.Duration) { time.Sleep(d) }

// between is a random duration.
func (s *scenario) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.r.Int64N(int64(most-least)))
}

// What explains an error.

func exit(is func(e *port.ExitError) bool) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*port.ExitError](err)
		return ok && is(e)
	}
}

// byItself is an end that nobody on our side brought about.
func byItself(e *port.ExitError) bool {
	var (
		protocol *port.ProtocolError
		size     *port.PacketSizeError
	)
	return !errors.As(e.Err, &protocol) && !errors.As(e.Err, &size) && !errors.Is(e.Err, port.ErrClosed)
}

func killed(err error) bool {
	return exit(func(e *port.ExitError) bool { return e.Signal == syscall.SIGKILL && byItself(e) })(err)
}

// killing is what a child's end by a signal looks like.
func (s *scenario) killing() func(error) bool {
	if s.make.make == Socket {
		return cut
	}
	return killed
}

func exited(code int) func(error) bool {
	return exit(func(e *port.ExitError) bool { return e.Code == code && byItself(e) })
}

// crashed is any end but an orderly one.
func crashed(err error) bool {
	return exit(func(e *port.ExitError) bool { return (e.Code > 0 || e.Signal != 0) && byItself(e) })(err)
}

func tooLong(least uint64) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*port.PacketSizeError](err)
		return ok && e.Size >= least
	}
}

func malformedFrame(err error) bool {
	_, ok := errors.AsType[*port.ProtocolError](err)
	_, ended := errors.AsType[*port.ExitError](err)
	return ok && ended
}

func callFailed(kind string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*port.CallError](err)
		return ok && e.Type() == kind
	}
}
