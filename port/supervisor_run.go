//go:build linux || darwin

package port

import (
	"context"
	"time"
)

// start starts a child and opens it for calls.
func (s *Supervisor) start(ctx context.Context) (*Process, error) {
	p, err := s.launch(ctx, s.command)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.context.Err() != nil {
		s.mu.Unlock()
		p.Stop(context.Background())
		return nil, ErrClosed
	}
	s.child = p
	s.stats.Starts++
	s.mu.Unlock()
	s.options.OnStart(p)
	s.mu.Lock()
	s.up = true
	s.changeLocked()
	s.mu.Unlock()
	return p, nil
}

// changeLocked wakes those who wait for a child.
func (s *Supervisor) changeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// run keeps a child running, p first.
func (s *Supervisor) run(p *Process) {
	var err error
	for err == nil {
		cause := s.watch(p)
		p, err = s.revive(cause)
	}
	s.stopping()
	s.mu.Lock()
	s.err = err
	s.changeLocked()
	s.mu.Unlock()
	s.old.Wait()
	close(s.done)
}

// watch waits for a child's end and returns its error.
func (s *Supervisor) watch(p *Process) error {
	since := time.Now()
	select {
	case <-p.conn.Done():
	case <-p.done: // before it, if an OnLog hangs
	}
	s.backoff.wasUp(time.Since(since))
	s.mu.Lock()
	s.child, s.up = nil, false
	// It may not have noticed so far that its calls are lost.
	s.stats.Conn = addStats(s.stats.Conn, p.conn.Stats().past())
	s.mu.Unlock()
	s.old.Go(func() { <-p.done })
	err := p.Err()
	s.options.OnExit(p, err)
	return err
}

// revive starts children until one is up. The error is what ends the Supervisor.
func (s *Supervisor) revive(cause error) (*Process, error) {
	for {
		if s.context.Err() != nil {
			return nil, ErrClosed
		}
		s.mu.Lock()
		s.stats.Crashes++
		s.mu.Unlock()
		if err := s.crashes.add(time.Now(), cause); err != nil {
			return nil, err
		}
		attempt, delay := s.backoff.next()
		s.options.OnRestart(attempt, delay, cause)
		select {
		case <-time.After(delay):
		case <-s.context.Done():
			return nil, ErrClosed
		}
		p, err := s.start(s.context)
		if err == nil {
			return p, nil
		}
		cause = err
	}
}
