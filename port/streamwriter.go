package port

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// maxChunk is the longest chunk that is sent, so that others get their turn.
const maxChunk = 64 << 10

var errStreamTwice = errors.New("port: the answer is being streamed already")

// A StreamWriter sends a streamed answer. It may be used until the handler returns,
// by one goroutine at a time; the term that the handler returns ends the stream.
type StreamWriter struct {
	call *ServerCall
	head etf.Term
	body []byte // collected where the other side takes no stream
}

// Stream begins a streamed answer with its head. It can be called once.
//
// If the other side has not asked for a stream, all that is written is collected, and
// answered as {streamed, Head, Body, Done} when the handler returns.
func (c *ServerCall) Stream(head etf.Term) (*StreamWriter, error) {
	if c.stream != nil {
		return nil, errStreamTwice
	}
	if c.streams {
		frame, err := appendAnswer(nil, frameHead, c.id, head)
		if err == nil {
			err = c.conn.sender.check(len(frame))
		}
		if err != nil {
			c.unsent = err
			return nil, err
		}
		if !c.conn.sendIfOpen(c, &outgoing{head: frame}) {
			return nil, c.gone()
		}
	}
	c.stream = &StreamWriter{call: c, head: head}
	return c.stream, nil
}

// Write sends bytes. It waits while the other side has not read enough of what was
// sent, and returns an error when nobody wants the answer any more: the context's. What
// is collected may become too long for a frame: then the error is a [*PacketSizeError],
// for this and all that follows, and the call fails whatever its handler returns.
func (w *StreamWriter) Write(p []byte) (n int, err error) {
	c := w.call
	if c.context.Err() != nil {
		return 0, c.gone()
	}
	if !c.streams {
		return w.collect(p)
	}
	for n < len(p) {
		size, err := c.takeCredit(min(len(p)-n, maxChunk, c.conn.sender.max-chunkHead))
		if err != nil {
			return n, err
		}
		frame := append(appendChunk(make([]byte, 0, chunkHead+size), c.id, size), p[n:n+size]...)
		if !c.conn.sendIfOpen(c, &outgoing{head: frame}) {
			return n, c.gone()
		}
		n += size
	}
	return n, nil
}

// collect adds bytes to those that are sent when the handler has returned.
func (w *StreamWriter) collect(p []byte) (int, error) {
	c := w.call
	if c.unsent == nil {
		c.unsent = c.conn.sender.check(len(w.body) + len(p))
	}
	if c.unsent != nil {
		w.body = nil
		return 0, c.unsent
	}
	w.body = append(w.body, p...)
	return len(p), nil
}

// chunkHead is how many bytes a chunk's frame has besides the bytes, at most.
const chunkHead = 32

// end sends the final frame.
func (w *StreamWriter) end(done etf.Term) {
	c := w.call
	switch {
	case c.streams:
		c.conn.sendTerm(frameDone, c.id, done)
	case c.unsent != nil:
		c.conn.sendFailure(c.id, unsendable(c.unsent))
	default:
		c.conn.sendTerm(frameReply, c.id, etf.Tuple(etf.Atom("streamed"), w.head, etf.Binary(w.body), done))
	}
}

// gone says why a call can be sent nothing any more.
func (c *ServerCall) gone() error {
	err := c.context.Err()
	if err == nil {
		err = errors.New("it has been answered")
	}
	return fmt.Errorf("port: call %d: %w", c.id, err)
}

// takeCredit waits until bytes may be sent and takes at most that many.
func (c *ServerCall) takeCredit(most int) (int, error) {
	for {
		if c.context.Err() != nil {
			return 0, c.gone()
		}
		c.conn.mu.Lock()
		if n := min(int64(most), c.credit); n > 0 {
			c.credit -= n
			c.conn.mu.Unlock()
			return int(n), nil
		}
		if c.more == nil {
			c.more = make(chan struct{})
		}
		more := c.more
		c.conn.mu.Unlock()
		select {
		case <-more:
		case <-c.context.Done():
		}
	}
}

// wakeLocked tells takeCredit that there is more.
func (c *ServerCall) wakeLocked() {
	if c.more != nil {
		close(c.more)
		c.more = nil
	}
}

// sendIfOpen sends a frame of a call that has no final frame so far. It reports false
// if it has one.
func (c *serverConn) sendIfOpen(call *ServerCall, f *outgoing) bool {
	c.sender.awaitRoom()
	c.mu.Lock()
	open := c.open[call.id] == call
	mine := open && c.sender.enqueue(f)
	c.mu.Unlock()
	if mine {
		c.sender.write()
	}
	return open
}
