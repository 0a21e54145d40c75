package port

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
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
	// OnLog is given the log lines that belong to no call, and those of calls
	// without a [Request.OnLog]. See there for what it may do. Nil drops them.
	OnLog func(Log)
}

// A Conn speaks the beamport protocol, version 1, from the Go side: it calls, the
// other side answers. Its methods are safe for concurrent use, and any number of
// calls may be under way at once.
//
// A Conn ends when [Conn.Close] is called, when the stream ends or fails, or when
// the other side breaks the protocol; then all calls in flight fail with
// the error that [Conn.Err] returns.
type Conn struct {
	options Options
	rwc     io.ReadWriteCloser
	r       *Reader                 // used by the reader alone
	onLog   func(Log)               // never nil
	onEnd   func(cause error) error // makes Err of what ended the stream

	turn      chan struct{} // holds a value while somebody writes
	w         *Writer       // used by the holder of the turn
	deadlines deadliner     // of what w writes to
	feed      io.Closer     // between w and rwc, or nil

	readied chan struct{} // closed when ready is set
	ready   Ready
	failing chan struct{} // closed when cause is set
	done    chan struct{} // closed with err set: before the calls in flight fail

	mu         sync.Mutex
	calls      map[uint64]*call // without a final frame so far
	lastID     uint64
	cancels    []uint64 // ids of which the other side is still to be told
	cancelling bool     // a goroutine is doing so
	stats      Stats
	cause      error // what ended the stream
	err        error // what calls fail with, set when they have
	drain      *time.Timer
	shut       bool // rwc was closed
}

// Stats counts what a connection has done so far.
type Stats struct {
	Calls     uint64 // that were given an id
	InFlight  int    // calls that somebody waits for
	Abandoned int    // calls that nobody waits for any more and that have no final frame yet
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
	c := &Conn{
		options: o,
		rwc:     rwc,
		r:       NewReader(rwc, o.Packet, o.MaxPacket),
		onLog:   o.OnLog,
		onEnd:   onEnd,
		turn:    make(chan struct{}, 1),
		readied: make(chan struct{}),
		failing: make(chan struct{}),
		done:    make(chan struct{}),
		calls:   make(map[uint64]*call),
	}
	c.attachWriter()
	go c.receive()
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
	return s
}

// fail records why the connection ends; the first reason counts. From now on
// nothing is written.
func (c *Conn) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
		close(c.failing)
	}
}

// failWriting is fail for a write: the reader has some time left.
func (c *Conn) failWriting(cause error) {
	c.fail(fmt.Errorf("port: writing: %w", cause))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drain == nil && !c.shut {
		c.drain = time.AfterFunc(drainTime, func() { c.shutdown() })
	}
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
	err := c.rwc.Close()
	if c.feed != nil {
		c.feed.Close()
	}
	return err
}

// end fails every call that is left.
func (c *Conn) end(err error) {
	c.mu.Lock()
	c.err = err
	// Before any call fails: whoever sees one fail sees the connection done.
	close(c.done)
	calls := c.calls
	c.calls = nil
	c.cancels = nil
	c.stats.Abandoned = 0
	c.mu.Unlock()
	for _, call := range calls {
		if !call.abandoned {
			call.result <- result{err: call.errorf(err)}
		}
	}
}

// decode reads a whole frame, which is known to be of that kind.
func (c *Conn) decode(kind string, frame []byte) (etf.Term, error) {
	t, err := etf.DecodeOptions{MaxBytes: etf.LargestMaxBytes, NoCompression: true}.Decode(frame)
	if err != nil {
		return etf.Term{}, termViolation(kind, 0, err)
	}
	return t, nil
}
