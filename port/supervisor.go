//go:build linux || darwin

package port

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
)

// SupervisorOptions say how a [Supervisor] works. The zero value is ready for use.
//
// The hooks are called one at a time, in the order of what they tell of: the first
// OnStart by the goroutine that called [Supervise], the others by one of the
// Supervisor's own. While one runs, nothing is restarted, so they should return soon.
// They may make calls through the [Process] that they are given, but must not wait for
// the Supervisor itself: not for Do, Call, Cast, Stop or Done.
type SupervisorOptions struct {
	// Restart says when another child is started.
	Restart Restart
	// OnStart is given each child when it is ready and before any call is.
	OnStart func(*Process)
	// OnExit is given each child that has ended, and its [*ExitError]. The calls that
	// were in flight have failed or are about to.
	OnExit func(*Process, error)
	// OnRestart is called before each attempt to start another child: with its
	// number since a child was up for Restart.Stable, from 1; the delay until then,
	// which begins when OnRestart returns; and what made it necessary, an [*ExitError]
	// or why the last attempt failed.
	OnRestart func(attempt int, delay time.Duration, cause error)
}

// SupervisorStats counts what a [Supervisor] has done so far.
type SupervisorStats struct {
	Starts   uint64 // children that became ready
	Restarts uint64 // of which not the first
	Crashes  uint64 // ends of children without Stop, and restarts that failed
	Conn     Stats  // the sum over the connections of all children
}

// A Supervisor keeps a child running: when it ends, whatever its exit status, another
// one is started after a delay, until [Supervisor.Stop] or too many crashes. Its
// methods are safe for concurrent use.
//
// A call that is in flight when its child ends fails with the child's
// [*ExitError]. It is never sent again: nobody knows whether it was done. One that waits,
// for a child or for room in the window of one, goes to the next child.
type Supervisor struct {
	command Command
	options SupervisorOptions
	launch  func(context.Context, Command) (*Process, error) // is Start
	backoff backoff
	crashes crashes

	context  context.Context // ends when stopping begins
	stopping context.CancelFunc
	done     chan struct{} // closed when err is set and nothing is left

	mu      sync.Mutex
	child   *Process      // that has been started and has not ended
	up      bool          // calls may be given to child
	changed chan struct{} // closed, and replaced, when up or err is set
	err     error
	stats   SupervisorStats // those of child not included
	old     sync.WaitGroup  // the children of which something may be left
}

// Supervise starts a child as [Start] does, which also says what ctx is for and what
// the errors are, and keeps one running from then on.
func Supervise(ctx context.Context, c Command, o SupervisorOptions) (*Supervisor, error) {
	return supervise(ctx, c, o, Start)
}

func supervise(ctx context.Context, c Command, o SupervisorOptions, launch func(context.Context, Command) (*Process, error)) (*Supervisor, error) {
	if o.OnStart == nil {
		o.OnStart = func(*Process) {}
	}
	if o.OnExit == nil {
		o.OnExit = func(*Process, error) {}
	}
	if o.OnRestart == nil {
		o.OnRestart = func(int, time.Duration, error) {}
	}
	o.Restart = o.Restart.withDefaults()
	s := &Supervisor{
		command: c,
		options: o,
		launch:  launch,
		backoff: backoff{restart: o.Restart},
		crashes: crashes{restart: o.Restart},
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	s.context, s.stopping = context.WithCancel(context.Background())
	p, err := s.start(ctx)
	if err != nil {
		s.stopping()
		return nil, err
	}
	go s.run(p)
	return s, nil
}

// Do is [Conn.Do] on the child that is up. If none is, it waits until one is or ctx
// ends. Besides Conn.Do's errors there is that of the Supervisor ([Supervisor.Err]).
func (s *Supervisor) Do(ctx context.Context, r Request) (Reply, error) {
	var reply Reply
	err := s.try(ctx, func(c *Conn) (err error) {
		reply, err = c.Do(ctx, r)
		return err
	})
	return reply, err
}

// Call is [Supervisor.Do] for terms.
func (s *Supervisor) Call(ctx context.Context, request etf.Term) (etf.Term, error) {
	reply, err := s.Do(ctx, Request{Term: request})
	if err != nil {
		return etf.Term{}, err
	}
	return reply.Term()
}

// Stream is [Conn.Stream] on the child that is up, for which it waits as Do does.
func (s *Supervisor) Stream(ctx context.Context, r Request) (*Stream, error) {
	var stream *Stream
	err := s.try(ctx, func(c *Conn) (err error) {
		stream, err = c.Stream(ctx, r)
		return err
	})
	return stream, err
}

// Cast is [Conn.Cast] on the child that is up, for which it waits as Do does.
func (s *Supervisor) Cast(ctx context.Context, message etf.Term) error {
	return s.try(ctx, func(c *Conn) error { return c.Cast(ctx, message) })
}

// try does something on the child that is up, and on the next one if that ends before
// anything is sent.
func (s *Supervisor) try(ctx context.Context, do func(*Conn) error) error {
	for {
		p, err := s.acquire(ctx)
		if err != nil {
			return err
		}
		if err = do(p.conn); err == nil || err != p.conn.Err() {
			return err
		}
	}
}

// acquire returns the child that is up, and waits for one as long as ctx lets it.
func (s *Supervisor) acquire(ctx context.Context) (*Process, error) {
	for {
		s.mu.Lock()
		p, changed, err := s.upLocked(), s.changed, s.err
		s.mu.Unlock()
		switch {
		case p != nil:
			return p, nil
		case err != nil:
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("port: waiting for a child: %w", ctx.Err())
		}
	}
}

// upLocked returns the child that calls may be given to, or nil.
func (s *Supervisor) upLocked() *Process {
	if !s.up {
		return nil
	}
	select {
	case <-s.child.ended: // which the supervisor has not noticed so far
		return nil
	case <-s.child.conn.Done():
		return nil
	default:
		return s.child
	}
}

// Process returns the child that is up, or nil while none is.
func (s *Supervisor) Process() *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.upLocked()
}

// Done returns a channel that is closed when the Supervisor has ended, by
// [Supervisor.Stop] or by itself, and nothing of its children is left.
func (s *Supervisor) Done() <-chan struct{} { return s.done }

// Err returns nil while the Supervisor works, [ErrClosed] when Stop has ended it, and
// a [*CrashLoopError] when it has given up.
func (s *Supervisor) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stats returns the counts so far.
func (s *Supervisor) Stats() SupervisorStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Restarts = max(stats.Starts, 1) - 1
	if s.child != nil {
		stats.Conn = addStats(stats.Conn, s.child.conn.Stats())
	}
	return stats
}

// past returns what is left of a connection that has ended: nothing is under way.
func (s Stats) past() Stats {
	s.InFlight, s.Abandoned, s.Bytes, s.Waiting = 0, 0, 0, 0
	return s
}

func addStats(a, b Stats) Stats {
	a.Calls += b.Calls
	a.Streams += b.Streams
	a.Casts += b.Casts
	a.InFlight += b.InFlight
	a.Abandoned += b.Abandoned
	a.Bytes += b.Bytes
	a.Waiting += b.Waiting
	a.Late += b.Late
	a.Unknown += b.Unknown
	return a
}

// Stop ends the child with [Process.Stop], to which ctx means the same, and the
// Supervisor, and waits for [Supervisor.Done]. It returns what Process.Stop does,
// nil if there was no child, or ctx's error if a hook does not return in time.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopping()
	p := s.child
	s.mu.Unlock()
	var err error
	if p != nil {
		err = p.Stop(ctx)
	}
	select {
	case <-s.done:
		return err
	case <-ctx.Done():
	}
	// All that is left to wait for is bounded, unless a hook hangs.
	grace := time.NewTimer(2 * lingerTime)
	defer grace.Stop()
	select {
	case <-s.done:
		return err
	case <-grace.C:
		return fmt.Errorf("port: stopping a supervisor: %w", ctx.Err())
	}
}
