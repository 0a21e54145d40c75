//go:build linux

package soak

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// failingCasts sends casts of which half fail. All are dealt with, once each.
func failingCasts(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	s.each(s.some(80), 4, func(r *rand.Rand) {
		fails := r.IntN(2) == 0
		if fails {
			s.fire(1)
		}
		if err := sess.child.Cast(s.ctx, etf.Tuple(etf.Atom("cast"), etf.Bool(fails))); err != nil {
			s.broken("a cast: %v", err)
			return
		}
		sess.casts.Add(1)
	})
	var came int64
	within(s.ctx, s.bound, func() bool {
		came = sess.castsThatCame(s)
		return came >= sess.casts.Load()
	})
	if sent := sess.casts.Load(); came != sent {
		s.broken("of %d casts came %d", sent, came)
	}
	s.finish(sess)
}

// castsThatCame asks the child how many it was sent.
func (s *session) castsThatCame(of *scenario) int64 {
	n, err := control(of.ctx, s.child, etf.Atom("casts"), s.bound)
	if err != nil {
		of.broken("counting casts: %v", err)
	}
	count, _ := n.Int64()
	return count
}

// control asks a child for what is no request of the run's.
func control(ctx context.Context, child Child, request etf.Term, bound time.Duration) (etf.Term, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	reply, err := child.Do(ctx, port.Request{Term: request})
	if err != nil {
		return etf.Term{}, err
	}
	return reply.Term()
}
