package port

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/beamport/beamport/etf"
)

// A ServerCall is a call that a [Server] was sent. It is its handler's; its methods
// may be used until that returns, and by one goroutine at a time.
type ServerCall struct {
	conn    *serverConn
	id      uint64
	raw     []byte
	cast    bool
	streams bool // the other side takes a streamed answer
	context context.Context
	cancel  context.CancelFunc
	stream  *StreamWriter // once the answer is streamed
	unsent  error         // why a part of the answer could not be sent

	// Guarded by serverConn.mu.
	place  *list.Element // in serverConn.pending, or nil
	credit int64         // bytes that may be sent
	more   chan struct{} // closed when there is more of it; nil if nobody waits
}

// ID returns the number that the other side gave the call.
func (c *ServerCall) ID() uint64 { return c.id }

// Raw returns the request as one encoded term without the version byte, checked to be
// one. It belongs to the handler.
func (c *ServerCall) Raw() []byte { return c.raw }

// Term decodes the request, with the default limits of package etf.
func (c *ServerCall) Term() (etf.Term, error) { return inside.Decode(c.raw) }

// Log sends a line of log that belongs to the call. l's CallID is not looked at; a
// Level that is none of Erlang's is info, its zero Time now, and its zero Meta an empty map. What does not fit a
// frame is cut. It may be called by any goroutine, also after the handler has returned.
func (c *ServerCall) Log(l Log) {
	l.CallID = c.id
	c.conn.log(l)
}

// Logger returns a logger whose lines are the call's: the attributes are the metadata.
func (c *ServerCall) Logger() *slog.Logger { return slog.New(&callHandler{call: c}) }

// run runs the handler and sends the final frame, however the handler ends.
func (c *ServerCall) run() {
	defer c.cancel()
	if c.cast {
		c.runCast()
		return
	}
	if c.context.Err() != nil { // cancelled while it waited
		return
	}
	var answer etf.Term
	failure := goexited // until it returns
	defer func() {
		if v := recover(); v != nil {
			failure = panicked(v)
		}
		if c.conn.finish(c) {
			c.answer(answer, failure)
		}
	}()
	var err error
	answer, err = c.conn.server.Handler.Serve(c.context, c)
	failure = nil
	switch {
	case err == nil:
	case c.unsent != nil && errors.Is(err, c.unsent):
		failure = unsendable(c.unsent)
	default:
		failure = returned(err)
	}
}

// answer sends the final frame.
func (c *ServerCall) answer(term etf.Term, failure *CallError) {
	switch {
	case failure != nil:
		c.conn.sendFailure(c.id, failure)
	case c.stream != nil:
		c.stream.end(term)
	default:
		c.conn.sendTerm(frameReply, c.id, term)
	}
}

// runCast calls OnCast and acknowledges.
func (c *ServerCall) runCast() {
	defer func() {
		if c.conn.finish(c) {
			c.conn.send(&outgoing{head: appendAck(nil, c.id)})
		}
	}()
	defer func() {
		if v := recover(); v != nil {
			f := panicked(v)
			c.Log(Log{Level: "error", Text: "panic in a cast: " + f.Message()})
		}
	}()
	if c.conn.server.OnCast == nil {
		return
	}
	message, err := c.Term()
	if err != nil {
		c.Log(Log{Level: "error", Text: fmt.Sprintf("a cast cannot be decoded: %v", err)})
		return
	}
	c.conn.server.OnCast(c.context, message)
}

// send sends a frame when there is room for it.
func (c *serverConn) send(f *outgoing) {
	c.sender.awaitRoom()
	c.sender.send(f)
}

// whole is a frame as one part, which is not short.
func whole(frame []byte) *outgoing { return &outgoing{head: frame[:0:0], body: frame} }

// sendTerm sends a frame that ends in a term. A term that is none, or too long for a
// frame, becomes an error.
func (c *serverConn) sendTerm(kind string, id uint64, term etf.Term) {
	frame, err := appendAnswer(nil, kind, id, term)
	if err == nil {
		err = c.sender.check(len(frame))
	}
	if err != nil {
		c.sendFailure(id, unsendable(err))
		return
	}
	c.send(whole(frame))
}

// sendFailure sends an error frame.
func (c *serverConn) sendFailure(id uint64, f *CallError) {
	if frame := c.failure(id, f); frame != nil {
		c.send(frame)
	}
}

// failure makes an error frame, if need be without what is too long of it. It returns
// nil if none is short enough.
func (c *serverConn) failure(id uint64, f *CallError) *outgoing {
	frame, err := appendFailure(nil, id, f)
	if err == nil {
		err = c.sender.check(len(frame))
	}
	if err != nil {
		short := returned(errors.New(cut(f.Message(), 200)))
		short.Class = f.Class
		if frame, err = appendFailure(nil, id, short); err != nil || c.sender.check(len(frame)) != nil {
			return nil
		}
	}
	return whole(frame)
}

// log sends a line of log.
func (c *serverConn) log(l Log) {
	if l.Time.IsZero() {
		l.Time = time.Now()
	}
	if l.Meta.Kind() != etf.KindMap {
		l.Meta = etf.Map()
	}
	frame, err := appendLog(nil, l)
	for size := len(l.Text); err == nil && c.sender.check(len(frame)) != nil && size > 0; {
		size /= 2
		l.Meta, l.Text = etf.Map(), cut(l.Text, size)
		frame, err = appendLog(nil, l)
	}
	if err == nil && c.sender.check(len(frame)) == nil {
		c.send(whole(frame))
	}
}
