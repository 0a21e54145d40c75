package port

import (
	"container/list"
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
	// the connection, and so are as many answers to what the other side has cancelled
	// that it does not read.
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
// By then all handlers have returned, or Grace is over. But for stop, their contexts
// have ended and the stream was closed before they were waited for.
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
		c.cancel()
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
	pending  list.List   // of the *ServerCall that wait until others have ended
	stopping bool        // the other side has said so: no more calls are taken
	broken   error       // what ended writing
	drain    *time.Timer // gives reading some time then
	over     bool        // why it ends is settled
	cause    error       // why it ends, if not by the stream's end or by stop

	pong outgoing // the reader's
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

// failWriting notes that nothing more can be written, so that nobody waits for what
// handlers do. If that is because the other side is gone, reading will say so.
func (c *serverConn) failWriting(err error) {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil && !c.over {
		c.broken = fmt.Errorf("port: writing: %w", err)
		c.drain = time.AfterFunc(drainTime, func() { c.rwc.Close() })
	}
}

var errStopped = errors.New("port: stopped")

// serve reads until the end, lets go of the stream, and waits for the handlers.
func (c *serverConn) serve() error {
	err := c.readFrames()
	c.mu.Lock()
	cause, broken := c.cause, c.broken
	c.over = true
	if c.drain != nil {
		c.drain.Stop()
	}
	c.mu.Unlock()
	c.cancel()
	c.sender.close()
	c.rwc.Close()
	c.awaitHandlers()
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
			if err := c.abort(r.id); err != nil {
				return err
			}
		case frameCredit:
			c.grant(r.id, r.credit)
		case framePing:
			c.sender.sendLatest(&c.pong, appendPong(nil, r.id))
		case frameStop:
			c.stop(r.reason)
		}
	}
}

// begin runs a call or lets it wait.
func (c *serverConn) begin(r request) error {
	call := &ServerCall{conn: c, id: r.id, raw: r.raw, cast: r.kind == frameCast, streams: r.credit >= 0, credit: max(r.credit, 0)}
	refused, err := c.take(call)
	if refused {
		return c.answerUnpaced(call, stopping)
	}
	if err != nil {
		return violation(r.kind, 0, err)
	}
	return nil
}

// take runs a call or lets it wait, or reports that no more are taken.
func (c *serverConn) take(call *ServerCall) (refused bool, err error) {
	most := c.server.MaxConcurrent
	if most <= 0 {
		most = DefaultMaxConcurrent
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.open[call.id] != nil:
		return false, errCallTwice
	case c.stopping:
		return true, nil
	case c.running == most && c.pending.Len() == maxPending:
		return false, errFlood
	}
	call.context, call.cancel = context.WithCancel(c.context)
	c.open[call.id] = call
	if c.running == most {
		call.place = c.pending.PushBack(call)
		return false, nil
	}
	c.running++
	c.handlers.Go(func() { c.run(call) })
	return false, nil
}

// answerUnpaced sends the final frame of a call for which no handler does. It is for
// the reader, which waits for nothing.
func (c *serverConn) answerUnpaced(call *ServerCall, failure *CallError) error {
	kind, frame := frameCall, c.failure(call.id, failure)
	if call.cast {
		kind, frame = frameCast, &outgoing{head: appendAck(nil, call.id)}
	}
	if frame != nil && !c.sender.sendUnpaced(frame) {
		return violation(kind, 0, errUnread)
	}
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
	first := c.pending.Front()
	if first == nil || c.context.Err() != nil {
		c.running--
		return
	}
	call := c.pending.Remove(first).(*ServerCall)
	call.place = nil
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

// abort is the other side's cancel. The call is answered at once, whatever its handler
// does.
func (c *serverConn) abort(id uint64) error {
	c.mu.Lock()
	call := c.open[id]
	if call == nil {
		c.mu.Unlock()
		return nil
	}
	delete(c.open, id)
	if call.place != nil {
		c.pending.Remove(call.place)
		call.place = nil
	}
	c.mu.Unlock()
	call.cancel()
	return c.answerUnpaced(call, cancelled)
}

// grant is the other side's credit.
func (c *serverConn) grant(id uint64, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.open[id]; call != nil {
		call.credit += min(bytes, math.MaxInt64-call.credit)
		call.wakeLocked()
	}
}
