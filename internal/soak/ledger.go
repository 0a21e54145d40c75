package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A Caller makes calls: a [port.Conn] or a [port.Supervisor].
type Caller interface {
	Do(ctx context.Context, r port.Request) (port.Reply, error)
}

// Errors of [Ledger.Do] that are findings.
var (
	ErrLost       = errors.New("soak: the call has not returned in time")
	ErrMismatched = errors.New("soak: the reply is not this call's")
)

// Outcomes counts what became of requests. Requests is the sum of the others, Twice
// excepted, once none is in flight.
type Outcomes struct {
	Requests, Answered, Failed, Cancelled uint64
	Lost                                  uint64 // not returned within the bound
	Mismatched                            uint64 // answered with what belongs to another request
	Twice                                 uint64 // outcomes beyond a request's first
}

// samples is how many latencies a Ledger keeps: a random choice of all.
const samples = 1 << 14

// A Ledger gives each request a nonce and records its outcome. Its methods are safe
// for concurrent use.
type Ledger struct {
	bound time.Duration

	mu        sync.Mutex
	last      int64
	open      map[int64]bool
	counts    Outcomes
	answered  uint64
	latencies []time.Duration
}

// NewLedger returns a Ledger that takes a call for lost when it has not returned
// after bound.
func NewLedger(bound time.Duration) *Ledger {
	return &Ledger{bound: bound, open: make(map[int64]bool)}
}

// Do makes the call {Op, Arg, Nonce, Payload} with a payload of size random bytes and
// records the outcome. The reply has to be {Nonce, Payload}. The error is the call's,
// [ErrLost] or [ErrMismatched]. A call that is lost goes on, and what it returns after
// all counts as a second outcome.
func (l *Ledger) Do(ctx context.Context, c Caller, op string, arg int64, size int, onLog func(port.Log)) error {
	nonce := l.begin()
	payload := pattern(nonce, size)
	began := time.Now()
	done := make(chan error, 1)
	go func() {
		reply, err := c.Do(ctx, port.Request{
			Term:  etf.Tuple(etf.Atom(op), etf.Int(arg), etf.Int(nonce), etf.Binary(payload)),
			OnLog: onLog,
		})
		if err == nil {
			err = check(reply, nonce, payload)
		}
		l.finish(nonce, err, time.Since(began))
		done <- err
	}()
	timer := time.NewTimer(l.bound)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		l.finish(nonce, ErrLost, l.bound)
		return ErrLost
	}
}

// pattern is a payload that no other nonce has.
func pattern(nonce int64, size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(nonce), byte(nonce >> 8), byte(nonce >> 16), byte(nonce >> 24), byte(nonce >> 32)})
	r.Read(b)
	return b
}

func check(reply port.Reply, nonce int64, payload []byte) error {
	t, err := reply.Term()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMismatched, err)
	}
	got, _ := t.At(0).Int64()
	b, _ := t.At(1).Bytes()
	if got != nonce || !bytes.Equal(b, payload) {
		return fmt.Errorf("%w: request %d was answered with %d's and %d bytes", ErrMismatched, nonce, got, len(b))
	}
	return nil
}

func (l *Ledger) begin() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.open[l.last] = true
	l.counts.Requests++
	return l.last
}

// finish records an outcome; one that is not the nonce's first counts as Twice.
func (l *Ledger) finish(nonce int64, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open[nonce] {
		l.counts.Twice++
		return
	}
	delete(l.open, nonce)
	switch {
	case err == nil:
		l.counts.Answered++
		l.sampleLocked(took)
	case errors.Is(err, ErrLost):
		l.counts.Lost++
	case errors.Is(err, ErrMismatched):
		l.counts.Mismatched++
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		l.counts.Cancelled++
	default:
		l.counts.Failed++
	}
}

// sampleLocked keeps each latency with the same probability.
func (l *Ledger) sampleLocked(took time.Duration) {
	l.answered++
	if len(l.latencies) < samples {
		l.latencies = append(l.latencies, took)
	} else if i := rand.Uint64N(l.answered); i < samples {
		l.latencies[i] = took
	}
}

// Unknown records what a connection counted as final frames for no call beside the
// lies that its other side was told to send: those above them are answers given twice.
func (l *Ledger) Unknown(counted, lies uint64) {
	if counted <= lies {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Twice += counted - lies
}

// Outcomes returns the counts so far, and how many requests have none yet.
func (l *Ledger) Outcomes() (o Outcomes, open int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts, len(l.open)
}

// Latency returns the quantile q of the answered requests' latencies.
func (l *Ledger) Latency(q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.latencies) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(l.latencies))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
