package port

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// What send returns besides errors of the frame or the context.
var (
	// errBroken says that the connection is ending.
	errBroken = errors.New("port: connection is ending")
	// errUnfinished says that the context ended while the frame was being written;
	// the rest follows.
	errUnfinished = errors.New("port: frame under way")
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// attachWriter makes w. It needs a stream whose writes can be broken off; where
// rwc is none, a goroutine feeds it from a pipe that is.
func (c *Conn) attachWriter() {
	var stream io.Writer = c.rwc
	if s, ok := c.rwc.(deadliner); ok && s.SetWriteDeadline(time.Time{}) == nil {
		c.deadlines = s
	} else {
		near, far := net.Pipe()
		stream, c.deadlines, c.feed = near, near, near
		go func() {
			defer far.Close()
			if _, err := io.Copy(c.rwc, far); err != nil {
				c.failWriting(err)
			}
		}()
	}
	c.w = NewWriter(stream, c.options.Packet, c.options.MaxPacket)
}

type deadliner interface{ SetWriteDeadline(time.Time) error }

// takeTurn waits until nobody else writes. With an error the turn is not taken.
func (c *Conn) takeTurn(ctx context.Context) error {
	select {
	case <-c.failing:
		return errBroken
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-c.failing:
		return errBroken
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Conn) passTurn() { <-c.turn }

// send writes one frame, made of head and body, in the caller's goroutine; head
// and body are not used after it has returned. It returns
//   - nil when the frame is written,
//   - errUnfinished when ctx ended while it was being written: the rest is
//     written behind the caller's back, for a started frame has to be finished,
//   - errBroken when the connection is ending, which may be this frame's doing,
//   - another error, which is ctx's or a [*PacketSizeError], when nothing was sent.
func (c *Conn) send(ctx context.Context, head, body []byte) error {
	if err := c.takeTurn(ctx); err != nil {
		return err
	}
	err := c.write(ctx, head, body)
	if err == errUnfinished {
		c.w.keep()
		go func() {
			defer c.passTurn()
			if err := c.w.resume(); err != nil {
				c.failWriting(err)
			}
		}()
		return err
	}
	c.passTurn()
	return err
}

// write is send for who has the turn.
func (c *Conn) write(ctx context.Context, head, body []byte) error {
	release := c.breakOff(ctx)
	err := c.w.WritePacket(head, body)
	cut := release()
	switch {
	case err == nil:
		return nil
	case cut && errors.Is(err, os.ErrDeadlineExceeded):
		if c.w.started {
			return errUnfinished
		}
		return ctx.Err()
	}
	if _, ok := errors.AsType[*PacketSizeError](err); ok {
		return err
	}
	c.failWriting(err)
	return errBroken
}

// breakOff lets ctx's end break off a write by means of a deadline. The returned
// function ends that, leaves no deadline behind, and reports whether it happened.
func (c *Conn) breakOff(ctx context.Context) (release func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.deadlines.SetWriteDeadline(longAgo)
		close(cut)
	})
	return func() bool {
		if stop() {
			return false
		}
		<-cut
		c.deadlines.SetWriteDeadline(time.Time{})
		return true
	}
}

// sendCancels tells the other side of the calls that were abandoned and have no
// final frame yet.
func (c *Conn) sendCancels() {
	var buf []byte
	for {
		ids := c.takeCancels()
		if len(ids) == 0 {
			return
		}
		for _, id := range ids {
			buf = appendCancel(buf[:0], id)
			if c.send(context.Background(), buf, nil) != nil {
				return // the connection is ending
			}
		}
	}
}

// takeCancels returns the ids to cancel; if there are none, the goroutine that
// asks is no more the one that cancels.
func (c *Conn) takeCancels() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []uint64
	for _, id := range c.cancels {
		if c.calls[id] != nil {
			ids = append(ids, id)
		}
	}
	c.cancels = nil
	c.cancelling = len(ids) > 0
	return ids
}
