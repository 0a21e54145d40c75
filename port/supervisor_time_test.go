//go:build linux || darwin

package port

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A nursery starts children that are no processes: their time is the bubble's.
type nursery struct {
	starts  []time.Time
	newborn *Process
	fail    error // what the next starts fail with
}

func (n *nursery) start(_ context.Context, c Command) (*Process, error) {
	n.starts = append(n.starts, time.Now())
	if n.fail != nil {
		return nil, n.fail
	}
	near, far := net.Pipe()
	p := newProcess(c)
	p.gone = true // there is no pid to send signals to
	p.conn = newConn(near, Options{}, func(error) error {
		far.Close()
		close(p.ended)
		p.mu.Lock()
		p.err = &ExitError{Code: 1}
		p.mu.Unlock()
		close(p.done)
		return p.err
	})
	n.newborn = p
	return p, nil
}

// die ends the child that is up and lets its supervisor notice.
func (n *nursery) die() {
	n.newborn.conn.Close()
	synctest.Wait()
}

func TestRestartsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n nursery
		var delays []time.Duration
		s, err := supervise(t.Context(), Command{}, SupervisorOptions{
			Restart:   Restart{Jitter: -1, CrashLimit: -1},
			OnRestart: func(_ int, delay time.Duration, _ error) { delays = append(delays, delay) },
		}, n.start)
		require.NoError(t, err)
		for range 9 {
			n.die()
			_, err := s.acquire(t.Context())
			require.NoError(t, err)
		}
		ms := time.Millisecond
		require.Equal(t, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 10000 * ms, 10000 * ms}, delays)
		for i, delay := range delays {
			require.Equal(t, delay, n.starts[i+1].Sub(n.starts[i]))
		}
		time.Sleep(10 * time.Second) // the bubble's: the child is stable
		n.die()
		require.Equal(t, 100*ms, delays[9])

		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		_, err = s.acquire(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, s.Stop(t.Context())) // in the delay
		require.Len(t, n.starts, 10)
		require.ErrorIs(t, s.Err(), ErrClosed)
	})
}

func TestCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n nursery
		s, err := supervise(t.Context(), Command{}, SupervisorOptions{Restart: Restart{Jitter: -1}}, n.start)
		require.NoError(t, err)
		for range 5 { // never five within the window
			n.die()
			_, err := s.acquire(t.Context())
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
		}
		n.fail = errors.New("no program")
		n.die()
		_, err = s.acquire(t.Context())
		loop, ok := errors.AsType[*CrashLoopError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, 5, loop.Crashes)
		require.LessOrEqual(t, loop.Within, DefaultCrashWindow)
		require.ErrorIs(t, loop, n.fail)
		<-s.Done()
		require.Equal(t, loop, s.Err())
		require.Equal(t, SupervisorStats{Starts: 6, Restarts: 5, Crashes: uint64(len(n.starts))}, s.Stats())
	})
}

func TestJitter(t *testing.T) {
	b := backoff{restart: Restart{Min: time.Second, Jitter: 0.5}.withDefaults()}
	seen := make(map[time.Duration]bool)
	for range 100 {
		b.attempt = 0
		_, delay := b.next()
		require.Greater(t, delay, time.Second/2)
		require.LessOrEqual(t, delay, time.Second)
		seen[delay] = true
	}
	require.Greater(t, len(seen), 1)
}
