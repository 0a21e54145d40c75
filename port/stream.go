package port

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// DefaultStreamWindow is [Request.Window] where none is given.
const DefaultStreamWindow = 256 << 10

var (
	errStreamClosed = errors.New("port: stream closed")
	errStreamOpen   = errors.New("port: the stream has not ended")
)

// A Stream is an answer that comes in parts: a head, chunks of bytes, and a final
// term. It has to be read to its end or closed. Its methods may be called by one
// goroutine at a time, but for Close, which may be called at any time.
//
// The other side sends no more than [Request.Window] bytes ahead of what is read. So a
// stream that is read slowly slows down the one that writes it, and nothing else.
type Stream struct {
	c      *Conn
	call   *call
	window int
	stop   func() bool   // ends the watch over the context
	wake   chan struct{} // holds a value when something has changed

	// Guarded by Conn.mu.
	headed bool
	head   result
	chunks [][]byte
	room   int   // bytes that the other side may still send
	read   int   // bytes for which it has no new credit so far
	err    error // why Read ends before the answer does
}

// Stream sends a request whose answer may come in parts, and returns when it
// begins: with its head, or with a reply if the other side does not stream the answer.
//
// The errors are those of [Conn.Do]. ctx holds for the whole stream: when it ends, the
// other side is told to cancel the call, and Read returns ctx's error.
func (c *Conn) Stream(ctx context.Context, r Request) (*Stream, error) {
	raw, err := r.encoded()
	if err != nil {
		return nil, err
	}
	s := &Stream{c: c, window: r.Window, wake: make(chan struct{}, 1)}
	if s.window <= 0 {
		s.window = DefaultStreamWindow
	}
	s.room = s.window
	r.named(0)
	call, err := c.begin(ctx, streamCall, raw, &r, s)
	if err != nil {
		return nil, err
	}
	s.call = call
	r.named(call.id)
	if _, begun := c.lead(ctx, call, r.Buf); !begun {
		c.mu.Lock()
		c.needForLocked(call)
		c.mu.Unlock()
	}
	s.watch(ctx)
	if err := s.begun(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// watch has the end of ctx end the stream, unless its end has come already.
func (s *Stream) watch(ctx context.Context) {
	s.c.mu.Lock()
	ended := s.call.ended
	s.c.mu.Unlock()
	s.stop = func() bool { return true }
	if !ended {
		s.stop = context.AfterFunc(ctx, func() { s.abandon(s.call.errorf(ctx.Err())) })
	}
}

// begun waits for the first frame of the answer. An answer that is a failure from
// its start is an error.
func (s *Stream) begun() error {
	for {
		s.c.mu.Lock()
		headed, ended, answer, err := s.headed, s.call.ended, s.call.result, s.err
		s.c.mu.Unlock()
		switch {
		case err != nil:
			return err
		case headed:
			return s.head.err
		case ended:
			return answer.err
		}
		<-s.wake
	}
}

// Head returns the term that the answer began with. ok is false if it was not
// streamed: then there is nothing to read, and Result has the reply.
func (s *Stream) Head() (head Reply, ok bool) {
	return Reply{Raw: s.head.raw}, s.headed
}

// Read reads the next bytes of the answer. It returns [io.EOF] when the final
// frame has come, and what Result returns if that says that the call failed.
func (s *Stream) Read(p []byte) (int, error) {
	chunk, err := s.next(len(p))
	return copy(p, chunk), err
}

// WriteTo writes the rest of the answer to w, chunk by chunk.
func (s *Stream) WriteTo(w io.Writer) (n int64, err error) {
	for {
		chunk, err := s.next(s.window)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		written, err := w.Write(chunk)
		n += int64(written)
		if err != nil {
			return n, err
		}
	}
}

// next waits for bytes and takes at most that many of a chunk.
func (s *Stream) next(most int) ([]byte, error) {
	for {
		s.c.mu.Lock()
		switch {
		case s.err != nil:
			defer s.c.mu.Unlock()
			return nil, s.err
		case len(s.chunks) > 0:
			return s.takeAndUnlock(most), nil
		case s.call.ended:
			defer s.c.mu.Unlock()
			s.stop()
			if s.call.result.err != nil {
				return nil, s.call.result.err
			}
			return nil, io.EOF
		}
		s.c.mu.Unlock()
		<-s.wake
	}
}

// takeAndUnlock takes bytes of the first chunk, and grants the other side new credit
// when half of the window has been read.
func (s *Stream) takeAndUnlock(most int) []byte {
	chunk := s.chunks[0]
	if len(chunk) > most {
		chunk = chunk[:most:most]
		s.chunks[0] = s.chunks[0][most:]
	} else {
		s.chunks[0] = nil
		s.chunks = s.chunks[1:]
	}
	s.read += len(chunk)
	grant := 0
	if s.read >= (s.window+1)/2 && !s.call.ended {
		grant, s.read = s.read, 0
		s.room += grant
	}
	s.c.mu.Unlock()
	if grant > 0 {
		s.c.sender.send(&outgoing{head: appendCredit(nil, s.call.id, grant)})
	}
	return chunk
}

// Result returns the term of the final frame, once Read has returned [io.EOF] or
// Head has said that the answer is a reply; or the call's failure.
func (s *Stream) Result() (Reply, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	switch {
	case s.err != nil:
		return Reply{}, s.err
	case !s.call.ended || len(s.chunks) > 0:
		return Reply{}, errStreamOpen
	}
	return Reply{Raw: s.call.result.raw}, s.call.result.err
}

// Close ends the stream. If the answer has not come to its end, the other side is told
// to cancel the call. It always returns nil.
func (s *Stream) Close() error {
	s.stop()
	s.abandon(errStreamClosed)
	return nil
}

// abandon ends the stream on this side.
func (s *Stream) abandon(err error) {
	s.c.mu.Lock()
	over := s.err != nil || s.call.ended && len(s.chunks) == 0
	if !over {
		s.err, s.chunks = err, nil
		s.wakeLocked()
	}
	ended := s.call.ended
	s.c.mu.Unlock()
	if !over && !ended {
		s.c.abandon(s.call)
	}
}

// wakeLocked tells whoever waits that something has changed.
func (s *Stream) wakeLocked() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliverHead begins a streamed answer.
func (c *Conn) deliverHead(id uint64, r result) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[id]
	switch {
	case call == nil: // late: its final frame counts
		return nil
	case call.kind != streamCall:
		return violation(frameHead, 0, errNotAsked)
	case call.stream.headed:
		return violation(frameHead, 0, errHeads)
	}
	r.raw = c.ownLocked(r.raw, call)
	call.stream.headed, call.stream.head = true, r
	c.needForLocked(call)
	call.stream.wakeLocked()
	return nil
}

// What may be wrong with a chunk.
var (
	errEmptyChunk = errors.New("the chunk is empty")
	errCredit     = errors.New("more bytes than there was credit for")
)

// handleChunk adds {chunk, Id, Binary} to its stream.
func (c *Conn) handleChunk(frame []byte, next int) error {
	id, next, err := parseID(frameChunk, frame, next)
	if err != nil {
		return err
	}
	chunk, err := parseChunk(frame, next)
	if err != nil {
		return err
	}
	if len(chunk) == 0 {
		return violation(frameChunk, next, errEmptyChunk)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[id]
	if call == nil {
		return nil
	}
	s := call.stream
	switch {
	case call.kind != streamCall:
		return violation(frameChunk, next, errNotAsked)
	case !s.headed:
		return violation(frameChunk, next, errHeadless)
	case len(chunk) > s.room:
		return violation(frameChunk, next, fmt.Errorf("%w: %d, %d left", errCredit, len(chunk), s.room))
	}
	s.room -= len(chunk)
	if !call.abandoned {
		s.chunks = append(s.chunks, c.ownLocked(chunk, call))
		s.wakeLocked()
	}
	return nil
}
