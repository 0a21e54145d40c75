package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/internal/await"
)

// One goroutine reads at a time. If it were always the same, each answer would be
// handed from it to the caller that waits, which costs more than all the rest of a
// short call: so a caller that waits alone reads by itself. Otherwise, and when no
// calls have come for a while, the connection's own goroutine reads.

// idleTime is how long nobody may read after a call, which delays what comes unasked
// in that time; and how long a caller may read before its context is watched, which
// would cost a short call more than its locks do. While calls come one after the other
// it doubles up to mostIdleTime: a timer wakes threads, which take the processor that
// the other side is about to answer on.
const (
	idleTime     = 500 * time.Microsecond
	mostIdleTime = 4 * time.Millisecond
)

// A readTurn says who reads. It is guarded by Conn.mu, but for what says otherwise.
type readTurn struct {
	taken   atomic.Bool   // somebody reads, or nobody will any more; changes with Conn.mu held
	needed  int           // what has to be read for even if nobody waits for a reply, such as open streams
	leader  *call         // whose caller reads, nil if it is the connection's goroutine
	armed   bool          // the timer is running
	used    bool          // since the timer was armed the turn has passed on
	timer   *time.Timer   // looks after what has not moved for period
	period  time.Duration // from idleTime to mostIdleTime
	stop    func() bool   // ends the watch over the leader's context; nil if there is none
	kick    chan struct{} // holds a value when it has to look whether to read
	handing atomic.Bool   // a frame is being handled
	asked   atomic.Bool   // somebody waits for the next one: Conn.heard

	wait      await.Waiter  // waits for the leader's frame, of a program that does nothing else
	deadlines readDeadliner // takes a caller out of a Read; nil where that cannot be had
	cut       chan struct{} // holds a value when the deadline has been set

	// These are of whoever reads.
	buf      []byte // the leader's memory for what it reads
	own      []byte // for short frames that the connection's goroutine reads
	borrowed bool   // the frame lies in one of these, and has to be copied to be kept

	lent *call         // into whose caller's memory a long frame is read; changes with Conn.mu held
	back chan struct{} // closed when that is the caller's again; nil if it does not ask
}

type readDeadliner interface{ SetReadDeadline(time.Time) error }

// cuttable returns rwc if the deadline of a Read can be set by what is known to be
// the stream that is read.
func cuttable(rwc io.ReadWriteCloser) readDeadliner {
	switch rwc := rwc.(type) {
	case *net.TCPConn:
		return rwc
	case *net.UnixConn:
		return rwc
	}
	return cuttablePipes(rwc)
}

// receive is the connection's own goroutine.
func (c *Conn) receive() {
	for {
		c.mu.Lock()
		mine := !c.reading.taken.Load()
		c.reading.taken.Store(true)
		c.mu.Unlock()
		if mine {
			if err := c.readFrames(); err != nil {
				c.finish(err)
				return
			}
		}
		select {
		case <-c.reading.kick:
		case <-c.done:
			return
		}
	}
}

// readFrames reads until the stream ends, with an error, or until it is better to
// leave reading to the next caller.
func (c *Conn) readFrames() error {
	for {
		if err := c.readFrame(); err != nil {
			return err
		}
		if c.leaveIfIdle() {
			return nil
		}
	}
}

// readFrame reads and handles one frame.
func (c *Conn) readFrame() error {
	frame, err := c.readPacket()
	if err != nil {
		return err
	}
	if c.reading.asked.Load() {
		c.mu.Lock()
		c.heardLocked()
		c.mu.Unlock()
	}
	c.reading.handing.Store(true)
	err = c.handle(frame)
	c.reading.handing.Store(false)
	if c.reading.lent != nil {
		c.settle(err)
	}
	return err
}

// endingLocked says that the stream's end is near: the connection's goroutine reads on
// until then.
func (c *Conn) endingLocked() bool { return c.cause != nil || c.broken != nil }

// leaveIfIdle gives up the turn when no call is under way but one has been.
func (c *Conn) leaveIfIdle() bool {
	if c.reading.deadlines == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered || len(c.calls) > 0 || c.reading.needed > 0 || c.endingLocked() {
		return false
	}
	c.leaveLocked()
	return true
}

// leaveLocked gives up the turn.
func (c *Conn) leaveLocked() {
	r := &c.reading
	r.used, c.answered = true, false
	r.taken.Store(false)
	if len(c.calls) > 0 || r.needed > 0 || c.endingLocked() {
		c.kickLocked()
		return
	}
	c.armLocked()
}

// armLocked starts the timer, if it is not running.
func (c *Conn) armLocked() {
	r := &c.reading
	if r.armed {
		return
	}
	r.armed, r.used = true, false
	if r.timer == nil {
		r.period = idleTime
		r.timer = time.AfterFunc(idleTime, c.idle)
	} else {
		r.timer.Reset(r.period)
	}
}

// hastenLocked has the timer fire sooner for a context that ends before it would.
func (c *Conn) hastenLocked(ctx context.Context) {
	r := &c.reading
	if r.period == idleTime {
		return
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < r.period {
		r.period = idleTime
		r.timer.Reset(idleTime)
	}
}

// kickLocked wakes the connection's goroutine, to read if nobody does.
func (c *Conn) kickLocked() {
	select {
	case c.reading.kick <- struct{}{}:
	default:
	}
}

// idle is called by the timer.
func (c *Conn) idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.reading
	r.armed = false
	if c.err != nil {
		return
	}
	if r.leader != nil && r.stop == nil {
		r.stop = context.AfterFunc(r.leader.ctx, c.cutRead)
	}
	if r.used {
		r.period = min(2*r.period, mostIdleTime)
		c.armLocked()
		return
	}
	r.period = idleTime
	if !r.taken.Load() {
		c.kickLocked()
	}
}

// needLocked says that somebody has to read from now on, until it is told the opposite.
func (c *Conn) needLocked(n int) {
	c.reading.needed += n
	if c.reading.needed > 0 && !c.reading.taken.Load() {
		c.kickLocked()
	}
}

// needForLocked has somebody read for a streamed answer, unless that is over.
func (c *Conn) needForLocked(one *call) {
	if !one.needed && !one.ended && !one.abandoned {
		one.needed = true
		c.needLocked(1)
	}
}

// letLocked is the opposite.
func (c *Conn) letLocked(one *call) {
	if one.needed {
		one.needed = false
		c.needLocked(-1)
	}
}

// lead reads in place of the connection's goroutine until the call has its result,
// which it returns, or the head of a streamed one. ok is false if it has neither: ctx
// ended, the stream did, or somebody else reads.
func (c *Conn) lead(ctx context.Context, call *call, buf []byte) (answer result, ok bool) {
	r := &c.reading
	// Who reads goes on as long as there are calls.
	if r.deadlines == nil || r.taken.Load() {
		return result{}, false
	}
	c.mu.Lock()
	if r.taken.Load() || r.needed > 0 || call.begunLocked() || c.endingLocked() || ctx.Err() != nil {
		c.mu.Unlock()
		return result{}, false
	}
	r.used, r.leader = true, call
	r.taken.Store(true)
	call.ctx = ctx
	c.armLocked()
	c.hastenLocked(ctx)
	c.mu.Unlock()

	r.buf = buf
	var err error
	if c.r.next == c.r.end {
		r.wait.Readable()
	}
	for err == nil && !call.begunLocked() { // which nobody else changes meanwhile
		err = c.readFrame()
	}
	r.buf = nil
	if r.lent == nil || r.lent == call {
		c.r.detach() // what was given by the caller is his again
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if r.lent == call {
		r.lent = nil
	}
	stop := r.stop
	r.leader, r.stop = nil, nil
	if stop != nil && !stop() {
		<-r.cut // which takes no lock
	}
	if ctx.Err() != nil {
		r.deadlines.SetReadDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	if err != nil {
		go c.finish(err) // which may take longer than ctx
	} else {
		c.leaveLocked()
	}
	return call.result, call.begunLocked()
}

// cutRead takes a caller out of its Read.
func (c *Conn) cutRead() {
	c.reading.deadlines.SetReadDeadline(longAgo)
	c.reading.cut <- struct{}{}
}

// finish ends the connection when the stream has. The turn is never given up.
func (c *Conn) finish(err error) {
	switch err {
	case io.EOF:
		err = fmt.Errorf("port: the other side closed the stream: %w", err)
	case io.ErrUnexpectedEOF:
		err = fmt.Errorf("port: the stream ended inside a frame: %w", err)
	default:
		err = prefixed("reading", err)
	}
	c.mu.Lock()
	if c.broken != nil && (errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed)) {
		err = c.broken // came before, and says more
	}
	c.mu.Unlock()
	c.fail(err)
	c.shutdown()
	c.mu.Lock()
	cause := c.cause
	if c.reading.timer != nil {
		c.reading.timer.Stop()
	}
	c.mu.Unlock()
	c.end(c.onEnd(cause))
}
