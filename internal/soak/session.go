//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// errBound is the cause of a request's end that took too long.
var errBound = errors.New("soak: no outcome within the bound")

// A session is a child and what is asked of it.
type session struct {
	ledger *Ledger
	child  Child
	bound  time.Duration

	explained atomic.Pointer[func(error) bool] // whether a fault explains an error
	lies      atomic.Uint64                    // final frames beyond those that calls have

	rest context.CancelFunc // ends the load, or nil
	load sync.WaitGroup

	casts atomic.Int64 // that were sent
}

// explain says which errors of requests are the fault's doing, from now on.
func (s *session) explain(by func(error) bool) { s.explained.Store(&by) }

// A query is what is asked: op with a number, on a payload.
type query struct {
	op      string
	number  int64
	payload []byte
	onLog   func(port.Log)
	raw     []byte // sent instead, if any
}

// ask asks once, and enters the outcome. When ctx ends, the request is cancelled.
func (s *session) ask(ctx context.Context, q query) (Outcome, error) {
	nonce := s.ledger.Open(q.payload)
	request := port.Request{OnLog: q.onLog, Raw: q.raw}
	if q.raw == nil {
		op := q.op
		if op == "" {
			op = "echo"
		}
		request.Term = etf.Tuple(etf.Atom(op), etf.Uint(nonce), etf.Int(q.number), etf.Binary(q.payload))
	}
	bounded, cancel := context.WithTimeoutCause(ctx, s.bound, errBound)
	reply, err := s.child.Do(bounded, request)
	cause := context.Cause(bounded)
	cancel()
	if err == nil {
		var answer etf.Term
		if answer, err = reply.Term(); err == nil {
			return s.answered(nonce, answer, nil)
		}
	}
	return s.failed(ctx, nonce, cause, err)
}

// answered enters an answer, {Nonce, Payload}, or, where the payload was read already,
// {Nonce}.
func (s *session) answered(nonce uint64, answer etf.Term, payload []byte) (Outcome, error) {
	carried, _ := answer.At(0).BigInt()
	ok := true
	if payload == nil {
		payload, ok = answer.At(1).Bytes()
	}
	if carried == nil || !ok {
		return s.settle(nonce, Mismatched, fmt.Errorf("soak: no answer of this run: %v", answer.Kind()))
	}
	return s.ledger.Answer(nonce, carried.Uint64(), payload), nil
}

// failed enters a failure: cause is why the request's context ended, if it has, and ctx
// the caller's.
func (s *session) failed(ctx context.Context, nonce uint64, cause, err error) (Outcome, error) {
	explained := s.explained.Load()
	switch {
	case explained != nil && (*explained)(err):
		return s.settle(nonce, Failed, err)
	case errors.Is(cause, errBound):
		return s.settle(nonce, Lost, err)
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return s.settle(nonce, Cancelled, err)
	default:
		return s.settle(nonce, Unexplained, err)
	}
}

func (s *session) settle(nonce uint64, outcome Outcome, err error) (Outcome, error) {
	s.ledger.Settle(nonce, outcome, err)
	return outcome, err
}

// work has n callers ask without a pause, until relax or an error.
func (s *session) work(ctx context.Context, seed uint64, n int) {
	s.workOn(ctx, seed, n, func(err error) bool { return err == nil })
}

// toil is work that goes on after the failures that a fault explains.
func (s *session) toil(ctx context.Context, seed uint64, n int) {
	s.workOn(ctx, seed, n, func(err error) bool {
		explained := s.explained.Load()
		return err == nil || explained != nil && (*explained)(err)
	})
}

func (s *session) workOn(ctx context.Context, seed uint64, n int, goOn func(error) bool) {
	ctx, s.rest = context.WithCancel(ctx)
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		s.load.Go(func() {
			for ctx.Err() == nil {
				// The context is not the request's: relaxing cancels nothing.
				if _, err := s.ask(context.WithoutCancel(ctx), query{payload: payloadOf(r, sizeOf(r))}); !goOn(err) {
					return
				}
			}
		})
	}
}

// relax waits for what the callers are at. It returns false if they do not end.
func (s *session) relax() bool {
	if s.rest == nil {
		return true
	}
	s.rest()
	s.rest = nil
	return finished(&s.load, 2*s.bound)
}

// finished waits for a group, and returns false if it takes longer than bound.
func finished(g *sync.WaitGroup, bound time.Duration) bool {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	return await(done, bound)
}

// settled checks, in a session whose child lives, that each call has had its one
// final frame, and that no frame was taken for one that is not.
func (s *session) settled(ctx context.Context) {
	// What was sent before this answer has been read when it is here, if the child
	// answers in order.
	s.ask(ctx, query{})
	var stats port.Stats
	within(ctx, s.bound, func() bool {
		stats = s.child.Stats()
		return stats.Abandoned == 0 && stats.InFlight == 0 && stats.Unknown >= s.lies.Load()
	})
	if n := stats.Abandoned + stats.InFlight; n > 0 {
		s.ledger.Misplaced(n, fmt.Sprintf("%d calls without a final frame (%d of them abandoned)", n, stats.Abandoned))
	}
	if lies := s.lies.Load(); stats.Unknown != lies {
		s.ledger.Twice(max(stats.Unknown, lies)-min(stats.Unknown, lies),
			fmt.Sprintf("%d final frames were of no call, but %d were meant to be", stats.Unknown, lies))
	}
}
