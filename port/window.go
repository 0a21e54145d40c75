package port

import (
	"context"
	"fmt"
)

// Defaults of [Options].
const (
	DefaultMaxInFlight      = 1024
	DefaultMaxInFlightBytes = 64 << 20
)

// A window bounds what the other side has been sent and has not answered. Whoever
// finds it full waits; those who wait get in in the order in which they came. All
// fields are guarded by Conn.mu.
type window struct {
	maxCalls, maxBytes int
	calls, bytes       int
	waiting            []*waiter
	over               bool // the connection has ended: nothing is counted any more
}

// A waiter waits to be let in.
type waiter struct {
	bytes int
	in    chan struct{} // closed when it has been let in
}

// fits reports whether a request of that many bytes may be sent now. One that is
// larger than the window goes alone.
func (w *window) fits(bytes int) bool {
	return w.calls < w.maxCalls && (w.bytes+bytes <= w.maxBytes || w.calls == 0)
}

// enter lets a request in, or returns what to wait for.
func (w *window) enter(bytes int) *waiter {
	if w.over {
		return nil
	}
	if len(w.waiting) == 0 && w.fits(bytes) {
		w.calls++
		w.bytes += bytes
		return nil
	}
	one := &waiter{bytes: bytes, in: make(chan struct{})}
	w.waiting = append(w.waiting, one)
	return one
}

// leave ends a request's stay, and lets in who comes next.
func (w *window) leave(bytes int) {
	if w.over {
		return
	}
	w.calls--
	w.bytes -= bytes
	w.admit()
}

// end empties the window, line included.
func (w *window) end() { *w = window{over: true} }

// admit lets in those at the head of the line for whom there is room.
func (w *window) admit() {
	for len(w.waiting) > 0 && w.fits(w.waiting[0].bytes) {
		one := w.waiting[0]
		w.waiting[0] = nil
		w.waiting = w.waiting[1:]
		w.calls++
		w.bytes += one.bytes
		close(one.in)
	}
}

// giveUp takes a waiter out of the line. It reports false if it has been let in.
func (w *window) giveUp(one *waiter) bool {
	for i, other := range w.waiting {
		if other == one {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			w.admit() // it may have been what the others waited for
			return true
		}
	}
	return false
}

// awaitRoom waits to be let in, or for the end of the connection. The error is ctx's.
func (c *Conn) awaitRoom(ctx context.Context, one *waiter) error {
	select {
	case <-one.in:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.window.giveUp(one) {
			c.window.leave(one.bytes)
		}
		return fmt.Errorf("port: waiting for room in the window: %w", ctx.Err())
	case <-c.done: // of which enter tells
		return nil
	}
}
