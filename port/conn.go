package port

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is the error of a connection that [Conn.Close] ended.
var ErrClosed = errors.New("port: connection closed")

// drainTime is how long the reader goes on after a write has failed: what the
// other side answered before it stopped reading is still good.
const drainTime = time.Second

// Options say how a [Conn] works. The zero value is ready for use.
type Options struct {
	// Packet is the form of the frames' length; 0 is [Packet4].
	Packet Packet
	// MaxPacket is the maximum length of a frame both ways; 0 is [DefaultMaxPacket].
	MaxPacket int
	// MaxInFlight is how many calls and casts the other side may have without having
	// answered or acknowledged them, those that were given up included; whoever
	// comes next waits. 0 is [DefaultMaxInFlight].
	MaxInFlight int
	// MaxInFlightBytes is how many bytes these may take, as encoded. A request that
	// is longer goes alone. 0 is [DefaultMaxInFlightBytes].
	MaxInFlightBytes int
	// Heartbeat is how long the other side may give no sign of life before it is asked
	// whether it is alive. Without one for three times as long again the
	// connection ends with [ErrUnresponsive]. A sign of life is any byte from it, or
	// that it takes some of what waits to be written. The time is counted in ticks of this
	// long of our own, so that one in which this process was stopped, or the
	// machine frozen, counts once. 0 is for no heartbeat.
	Heartbeat time.Duration
	// Alone says that the program has nothing else to do while one call is under way.
	// Its thread waits for the answer by itself for a millisecond, then, out of the
	// scheduler's sight, which gets the answer to it sooner. On Linux only.
	Alone bool
	// OnLog is given the log lines that belong to no call, and those of calls
	// without a [Request.OnLog]. See there for what it may do, and [LogHandler]
	// for one. Nil drops them.
	OnLog func(Log)
}

// A Conn speaks the beamport protocol, version 1, from the calling side: it calls, the
// other side answers. Its methods are safe for concurrent use, and any number of
// calls may be under way at once.
//
// A Conn ends when [Conn.Close] is called, when the stream ends or fails, or when
// the other side breaks the protocol; then all calls in flight fail with
// the error that [Conn.Err] returns.
type Conn struct {
	options Options
	rwc     io.ReadWriteCloser
	r       *Reader                 // used by whoever reads
	onLog   func(Log)               // never nil
	onEnd   func(cause error) error // makes Err of what ended the stream
	sender  *sender

	readied chan struct{} // closed when ready is set
	ready   Ready
	done    chan struct{} // closed with err set: before the calls in flight fail

	reading readTurn
	pings   atomic.Uint64 // that were sent

	mu       sync.Mutex
	calls    map[uint64]*call // without a final frame so far
	spare    []*call          // see recycle
	answered bool             // a call has been since the turn to read was taken
	window   window
	lastID   uint64
	late     [lateCalls]lateLog // of the last calls that have ended
	lateNext int                // the oldest of them
	stats    Stats
	broken   error         // what ended writing
	cause    error         // what ended the stream
	err      error         // what calls fail with, set when they have
	drained  chan struct{} // made by Shutdown, closed when no call is in flight
	drain    *time.Timer
	shut     bool          // rwc was closed
	heard    chan struct{} // closed at the next frame, if anybody waits for it
}

// Stats counts what a connection has done so far.
type Stats struct {
	Calls     uint64 // that were given an id
	Streams   uint64 // calls of Stream, the same
	Casts     uint64 // the same
	InFlight  int    // calls that somebody waits for, and casts that are not acknowledged
	Abandoned int    // calls that nobody waits for any more and that have no final frame yet
	Bytes     int    // of the requests of these two, as encoded
	Waiting   int    // callers that wait for room in the window
	Late      uint64 // final frames dropped because the call had been abandoned
	Unknown   uint64 // final frames dropped because no call had their id
}

// NewConn starts the protocol on rwc, which belongs to the Conn from now on. Its
// Close has to end a Read and a Write that are under way, as those of network
// connections and pipes do. Read and Write are called by one goroutine at a time
// each. If it has a SetWriteDeadline, as [net.Conn] and [os.File] do, that is used
// to take callers whose context ends out of a Write that does not.
func NewConn(rwc io.ReadWriteCloser, o Options) *Conn {
	return newConn(rwc, o, func(cause error) error { return cause })
}

func newConn(rwc io.ReadWriteCloser, o Options, onEnd func(error) error) *Conn {
	if o.Packet == 0 {
		o.Packet = Packet4
	}
	if o.OnLog == nil {
		o.OnLog = func(Log) {}
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	if o.MaxInFlightBytes <= 0 {
		o.MaxInFlightBytes = DefaultMaxInFlightBytes
	}
	c := &Conn{
		options: o,
		rwc:     rwc,
		r:       NewReader(rwc, o.Packet, o.MaxPacket),
		onLog:   o.OnLog,
		onEnd:   onEnd,
		readied: make(chan struct{}),
		done:    make(chan struct{}),
		calls:   make(map[uint64]*call),
		window:  window{maxCalls: o.MaxInFlight, maxBytes: o.MaxInFlightBytes},
		reading: readTurn{
			kick:      make(chan struct{}, 1),
			cut:       make(chan struct{}, 1),
			deadlines: cuttable(rwc),
		},
	}
	if o.Alone {
		c.reading.wait = awaiter(rwc)
	}
	c.sender = newSender(rwc, o.Packet, o.MaxPacket, c.failWriting)
	go c.receive()
	if o.Heartbeat > 0 {
		go c.watch(o.Heartbeat)
	}
	return c
}

// Close ends the connection: calls in flight fail with [ErrClosed]. It returns
// what closing the stream returned, and does not wait for [Conn.Done].
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	return c.shutdown()
}

// Done returns a channel that is closed when the connection has ended: nothing is
// read any more, and the calls in flight fail next. A caller that has seen one
// fail with [Conn.Err] finds it closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil until [Conn.Done] is closed and then what ended the connection:
// [ErrClosed], a [*ProtocolError], [*VersionError] or [*PacketSizeError] by the
// other side, an error that wraps [io.EOF] if it closed the stream between frames,
// or [io.ErrUnexpectedEOF] if within one, or another of reading and writing. If the
// connection is that of a [Process] it is an [*ExitError] that wraps these.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Stats returns the counts so far.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.InFlight = len(c.calls) - s.Abandoned
	s.Bytes, s.Waiting = c.window.bytes, len(c.window.waiting)
	return s
}

// fail records why the connection ends; the first reason counts. From now on
// nothing more is sent, and somebody reads until the stream's end.
func (c *Conn) fail(cause error) {
	c.sender.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
	}
	c.kickLocked()
}

// failWriting records that nothing more can be written, and leaves the reader some
// time: what the other side answered before it stopped reading is still good, and
// what it reads may tell more of why.
func (c *Conn) failWriting(err error) {
	c.sender.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = fmt.Errorf("port: writing: %w", err)
	}
	if c.drain == nil && !c.shut {
		c.drain = time.AfterFunc(drainTime, func() { c.shutdown() })
	}
	c.kickLocked()
}

// shutdown closes the stream, once.
func (c *Conn) shutdown() error {
	c.mu.Lock()
	first := !c.shut
	c.shut = true
	if c.drain != nil {
		c.drain.Stop()
	}
	c.mu.Unlock()
	if !first {
		return nil
	}
	return c.rwc.Close()
}

// end fails every call that is left.
func (c *Conn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	// Before any call fails: whoever sees one fail sees the connection done.
	close(c.done)
	calls := c.calls
	c.calls = nil
	c.stats.Abandoned = 0
	c.window.end()
	for _, call := range calls {
		call.goneLocked()
		if !call.abandoned && call.kind != castCall {
			call.endLocked(result{err: call.errorf(err)}, false)
		}
	}
	if c.drained != nil {
		c.drainedLocked()
	}
}
