package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
)

// Defaults of [Server].
const (
	DefaultMaxConcurrent = 1024
	DefaultGrace         = 5 * time.Second
)

// maxPending is how many calls wait for a handler to return when MaxConcurrent run; the
// other side's window is meant to keep it from sending more.
const maxPending = 16 << 10

// A Handler answers calls.
type Handler interface {
	// Serve answers a call with a term, or with an error, of which [ErrorReason] says
	// what the other side sees. It runs in a goroutine of its own. A panic is answered
	// as an error of the class "error", and harms no other call.
	//
	// ctx ends when the other side cancels the call or is gone; what Serve returns
	// then is not looked at.
	Serve(ctx context.Context, c *ServerCall) (etf.Term, error)
}

// A HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, c *ServerCall) (etf.Term, error)

// Serve calls f.
func (f HandlerFunc) Serve(ctx context.Context, c *ServerCall) (etf.Term, error) { return f(ctx, c) }

// A Server speaks the beamport protocol, version 1, from the serving side: the other
// side calls, it answers. Its fields must not change while it serves. It may serve any
// number of connections.
type Server struct {
	// Handler answers the calls.
	Handler Handler
	// OnCast is given each message that is not to be answered, in a goroutine of its
	// own. A panic is logged to the other side. Nil drops them.
	OnCast func(ctx context.Context, message etf.Term)
	// OnStop is called when the other side says that it is going to stop, before the
	// calls in flight are waited for. Nil does nothing.
	OnStop func(reason string)
	// Info goes into the ready frame: a map with atom keys; the zero Term is for one of
	// go, the version of Go, and pid.
	Info etf.Term

	// Packet is the form of the frames' length; 0 is [Packet4].
	Packet Packet
	// MaxPacket is the maximum length of a frame both ways; 0 is [DefaultMaxPacket].
	MaxPacket int
	// MaxConcurrent is how many handlers run at once, for each connection; 0 is
	// [DefaultMaxConcurrent]. Calls beyond that wait; 16,384 that wait are the end of
	// the connection.
	MaxConcurrent int
	// Grace is how long handlers may take to return when the other side is gone or has
	// said that it stops; 0 is [DefaultGrace].
	Grace time.Duration
}

// ServeConn sends the ready frame on rwc and answers calls until the stream ends, the
// other side says stop, or ctx ends, and closes it. It returns nil in the first two
// cases, ctx's error in the third, and otherwise what ended it: a [*ProtocolError], a
// [*PacketSizeError], or an error of reading or writing.
//
// By then all handlers have returned, or Grace is over.
func (s *Server) ServeConn(ctx context.Context, rwc io.ReadWriteCloser) error {
	if s.Handler == nil {
		rwc.Close()
		return errors.New("port: a server without a handler")
	}
	c := s.newServerConn(ctx, rwc)
	stop := context.AfterFunc(ctx, func() { c.fail(ctx.Err()) })
	defer stop()
	ready, err := appendReady(nil, c.info())
	if err == nil {
		err = c.sender.check(len(ready))
	}
	if err != nil {
		rwc.Close()
		return err
	}
	c.sender.send(&outgoing{head: ready})
	return c.serve()
}

// A serverConn is a connection that a Server serves.
type serverConn struct {
	server  *Server
	rwc     io.ReadWriteCloser
	r       *Reader
	sender  *sender
	context context.Context // of all handlers
	cancel  context.CancelFunc

	handlers sync.WaitGroup

	mu       sync.Mutex
	open     map[uint64]*ServerCall // calls without a final frame, and casts without an ack
	running  int
	pending  []*ServerCall // that wait until others have ended
	stopping bool          // the other side has said so: no more calls are taken
	broken   error         // what ended writing
	drain    *time.Timer   // gives reading some time then
	over     bool          // why it ends is settled
	cause    error         // why it ends, if not by the stream's end or by stop
}

func (s *Server) newServerConn(ctx context.Context, rwc io.ReadWriteCloser) *serverConn {
	packet := s.Packet
	if packet == 0 {
		packet = Packet4
	}
	c := &serverConn{
		server: s,
		rwc:    rwc,
		r:      NewReader(rwc, packet, s.MaxPacket),
		open:   make(map[uint64]*ServerCall),
	}
	c.context, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.sender = newSender(rwc, packet, s.MaxPacket, c.failWriting)
	return c
}

func (c *serverConn) info() etf.Term {
	if c.server.Info.Kind() != etf.Invalid {
		return c.server.Info
	}
	return etf.Map(
		etf.Pair{Key: etf.Atom("go"), Value: etf.String(runtime.Version())},
		etf.Pair{Key: etf.Atom("pid"), Value: etf.Int(int64(os.Getpid()))},
	)
}

// fail ends the connection; the first reason counts.
func (c *serverConn) fail(cause error) {
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	c.mu.Unlock()
	c.sender.close()
	c.rwc.Close()
}

// failWriting notes that nothing more can be written. If that is because the other
// side is gone, reading will say so.
func (c *serverConn) failWriting(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil && !c.over {
		c.broken = fmt.Errorf("port: writing: %w", err)
		c.drain = time.AfterFunc(drainTime, func() { c.rwc.Close() })
	}
}

var errStopped = errors.New("port: stopped")

// serve reads until the end, and waits for the handlers.
func (c *serverConn) serve() error {
	err := c.readFrames()
	c.cancel()
	c.awaitHandlers()
	c.mu.Lock()
	cause, broken := c.cause, c.broken
	c.over = true
	if c.drain != nil {
		c.drain.Stop()
	}
	c.mu.Unlock()
	c.sender.close()
	c.rwc.Close()
	c.sender.awaitSent(c.grace()) // a write that Close has not ended yet
	switch {
	case cause == errStopped:
		return nil
	case cause != nil:
		return cause
	case err == io.EOF:
		return nil
	case broken != nil:
		return broken
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("port: the stream ended inside a frame: %w", err)
	}
	return prefixed("reading", err)
}

// stop lets the calls in flight come to their end, while reading goes on: they may
// need credit.
func (c *serverConn) stop(reason string) {
	c.mu.Lock()
	again := c.stopping
	c.stopping = true
	c.mu.Unlock()
	if again {
		return
	}
	go func() {
		if c.server.OnStop != nil {
			c.server.OnStop(reason)
		}
		c.awaitHandlers()
		c.sender.awaitSent(c.grace())
		c.fail(errStopped)
	}()
}

func (c *serverConn) grace() time.Duration {
	if c.server.Grace == 0 {
		return DefaultGrace
	}
	return c.server.Grace
}

// awaitHandlers waits until no handler runs, but not for ever.
func (c *serverConn) awaitHandlers() {
	ended := make(chan struct{})
	go func() {
		c.handlers.Wait()
		close(ended)
	}()
	timer := time.NewTimer(c.grace())
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// readFrames reads until the stream ends. It waits for no handler and no write.
func (c *serverConn) readFrames() error {
	for {
		frame, err := c.r.ReadPacket(nil)
		if err != nil {
			return err
		}
		r, err := parseRequest(frame)
		if err != nil {
			return err
		}
		switch r.kind {
		case frameCall, frameCast:
			if err := c.begin(r); err != nil {
				return err
			}
		case frameCancel:
			c.abort(r.id)
		case frameCredit:
			c.grant(r.id, r.credit)
		case framePing:
			c.sender.send(&outgoing{head: appendPong(nil, r.id)})
		case frameStop:
			c.stop(r.reason)
		}
	}
}

// begin runs a call or lets it wait.
func (c *serverConn) begin(r request) error {
	call := &ServerCall{conn: c, id: r.id, raw: r.raw, cast: r.kind == frameCast, streams: r.credit >= 0, credit: max(r.credit, 0)}
	call.context, call.cancel = context.WithCancel(c.context)
	most := c.server.MaxConcurrent
	if most <= 0 {
		most = DefaultMaxConcurrent
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[r.id] != nil {
		return violation(r.kind, 0, errCallTwice)
	}
	if c.stopping {
		if call.cast {
			c.sender.send(&outgoing{head: appendAck(nil, r.id)})
		} else {
			c.sendFailure(r.id, stopping)
		}
		return nil
	}
	if c.running == most {
		if len(c.pending) == maxPending {
			return violation(r.kind, 0, errFlood)
		}
		c.open[r.id] = call
		c.pending = append(c.pending, call)
		return nil
	}
	c.open[r.id] = call
	c.running++
	c.handlers.Go(func() { c.run(call) })
	return nil
}

// run runs a call.
func (c *serverConn) run(call *ServerCall) {
	defer c.next() // also when the handler ends its goroutine
	call.run()
}

// next runs the call that has waited longest.
func (c *serverConn) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 || c.context.Err() != nil {
		c.running--
		return
	}
	call := c.pending[0]
	c.pending[0] = nil
	c.pending = c.pending[1:]
	c.handlers.Go(func() { c.run(call) })
}

// finish takes a call out of those that are open. It reports false if its final frame
// has been sent: whoever gets true sends it.
func (c *serverConn) finish(call *ServerCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[call.id] != call {
		return false
	}
	delete(c.open, call.id)
	return true
}

// abort is the other side's cancel.
func (c *serverConn) abort(id uint64) {
	c.mu.Lock()
	call := c.open[id]
	c.mu.Unlock()
	if call == nil || call.cast {
		return
	}
	call.cancel()
	if c.finish(call) {
		c.sendFailure(call.id, cancelled)
	}
}

// grant is the other side's credit.
func (c *serverConn) grant(id uint64, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.open[id]; call != nil {
		call.credit += min(bytes, math.MaxInt-call.credit)
		call.wakeLocked()
	}
}
