package runtimeapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/beamport/beamport/internal/await"
)

const (
	dialTimeout = 5 * time.Second
	// readBuffer holds the head of an answer; no line of it may be longer.
	readBuffer = 32 << 10
	// oneWrite is the length of a body up to which it is sent in one buffer with its
	// head. What is longer may be refused while it is being sent.
	oneWrite = 16 << 10
)

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)

// errClosed says that there was no answer at all.
var errClosed = fmt.Errorf("the connection was closed before the answer: %w", io.EOF)

// connection is a kept-alive HTTP/1.1 connection, used for one request at a time.
//
// What is left out of HTTP here is what the Runtime API has no use for; net/http
// takes 180 allocations and two goroutines to the same effect, and a good part of
// the time that a short invocation has.
type connection struct {
	net   net.Conn
	in    *bufio.Reader
	out   []byte
	parts net.Buffers

	// What ends a request whose context does: kept from one request to the next as
	// long as the context is the same.
	done <-chan struct{}
	stop func() bool

	wait   await.Waiter // waits for answers, of a client whose program does nothing else
	peek   func(fd uintptr) bool
	raw    syscall.RawConn // nil where it cannot be looked whether the other side is there
	closed bool            // what peek found
}

func newConnection(n net.Conn) *connection {
	c := &connection{net: n, in: bufio.NewReaderSize(n, readBuffer)}
	if s, ok := n.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn() // nil means that nothing is looked at
	}
	c.peek = func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		c.closed = err != syscall.EAGAIN
		return true
	}
	return c
}

// close ends the connection, and the watch over its context.
func (c *connection) close() {
	if c.stop != nil {
		c.stop()
	}
	_ = c.net.Close() // nothing that was written is waited for
}

// usable says whether the other side still listens to an idle connection. Any byte
// that it sent unasked is as bad as an end.
func (c *connection) usable() bool {
	if c.in.Buffered() > 0 {
		return false
	}
	if c.raw == nil {
		return true
	}
	c.closed = false
	return c.raw.Read(c.peek) == nil && !c.closed
}

// watch has the end of ctx end what the connection waits for. It returns false when a
// former context has ended that already.
func (c *connection) watch(ctx context.Context) bool {
	if c.stop != nil {
		if c.done == ctx.Done() {
			return true
		}
		if !c.stop() {
			return false
		}
	}
	c.done = ctx.Done()
	c.stop = context.AfterFunc(ctx, func() { _ = c.net.SetDeadline(past) })
	return true
}

// write sends the request in out, and the body behind it.
func (c *connection) write(body []byte) error {
	if len(body) <= oneWrite {
		c.out = append(c.out, body...)
		_, err := c.net.Write(c.out)
		return err
	}
	return c.writeParts(c.out, body)
}

// writeParts sends several slices in one go.
func (c *connection) writeParts(parts ...[]byte) error {
	c.parts = append(c.parts[:0], parts...)
	rest := c.parts
	_, err := rest.WriteTo(c.net)
	clear(c.parts)
	return err
}

// exchange sends the request in out with a body, and reads the head of the answer,
// whose fields are given to field. The rest of the answer is to be read then.
//
// An answer may come before the request has been sent, and often does when that is
// refused: then the request is not sent to its end, and the connection is not used
// again.
func (c *connection) exchange(body []byte, field func(name, value []byte)) (head, error) {
	if len(body) > oneWrite {
		early := c.readEarly(field)
		return early.end(c.writeParts(c.out, body))
	}
	written := c.write(body)
	h, err := c.readHead(field)
	switch {
	case written == nil:
		return h, err
	case err == nil:
		h.close = true
		return h, nil
	default:
		return head{}, written
	}
}

// earlyAnswer is an answer that is read while the request is being sent.
type earlyAnswer struct {
	c    *connection
	came atomic.Bool
	done chan struct{} // closed when the rest is set
	head head
	err  error
}

// readEarly reads the head of the answer in a goroutine of its own, which ends with
// the connection, and with end. When it comes, what is being written is cut off.
func (c *connection) readEarly(field func(name, value []byte)) *earlyAnswer {
	a := &earlyAnswer{c: c, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.head, a.err = c.readHead(field)
		a.came.Store(true)
		_ = c.net.SetWriteDeadline(past)
	}()
	return a
}

// end waits for the answer. written says how the sending ended.
func (a *earlyAnswer) end(written error) (head, error) {
	if written != nil && !a.came.Load() {
		// The answer that explains it may be on its way; if none is, the other side
		// is gone, and reading ends too.
		_ = a.c.net.SetReadDeadline(time.Now().Add(answerGrace))
	}
	<-a.done
	_ = a.c.net.SetWriteDeadline(time.Time{}) // a failure shows in the next request
	switch {
	case a.err == nil && written == nil:
		return a.head, nil
	case a.err == nil:
		a.head.close = true
		return a.head, nil
	case written != nil && !errors.Is(written, os.ErrDeadlineExceeded):
		return head{}, written
	default:
		return head{}, a.err
	}
}

// answerGrace is how long an answer is waited for when the request could not be sent.
const answerGrace = time.Second

// take returns a connection that nobody uses, and makes one if there is none.
func (c *Client) take(ctx context.Context) (*connection, error) {
	for {
		c.mu.Lock()
		if len(c.idle) == 0 {
			c.mu.Unlock()
			break
		}
		last := len(c.idle) - 1
		one := c.idle[last]
		c.idle[last] = nil
		c.idle = c.idle[:last]
		c.mu.Unlock()
		if ctx.Err() == nil && one.usable() && one.watch(ctx) {
			return one, nil
		}
		one.close()
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	n, err := c.dial(ctx)
	if err != nil {
		return nil, &dialError{err}
	}
	one := newConnection(n)
	if c.alone {
		one.wait = await.For(n)
	}
	one.watch(ctx)
	return one, nil
}

// dialError is the failure to make a connection: nothing was sent.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// give takes a connection back whose answer has been read to its end.
func (c *Client) give(one *connection, h head) {
	if cap(one.out) > 4*oneWrite {
		one.out = nil
	}
	if h.close {
		one.close()
		return
	}
	c.mu.Lock()
	c.idle = append(c.idle, one)
	c.mu.Unlock()
}

// failed closes a connection on which a request has failed, and says why: because its
// context ended, or as the connection says.
func failed(ctx context.Context, one *connection, err error) error {
	one.close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == io.EOF {
		return errClosed
	}
	return err
}
