package port

import (
	"errors"
	"os"
	"time"
)

// Where a frame is read to. A short one goes to memory that is used again, the leader's
// or the connection's, and what has to be kept of it is copied, to the memory that its
// caller has given where that is so. A long reply is read right to there. If its
// caller gives up meanwhile, the reader is taken out of its Read and hands the memory
// back: nobody waits for the rest of the frame.

const (
	// shortFrame is up to how long a frame is copied.
	shortFrame = readAhead
	// peeked is how much of a long frame is looked at to find out whose it is.
	peeked = 64
)

// readPacket reads a frame. If its memory is lent, it stays so: until it has been
// handled.
func (c *Conn) readPacket() ([]byte, error) {
	for {
		if c.reading.lent != nil { // since the last reader was taken out
			c.settle(os.ErrDeadlineExceeded)
		}
		frame, err := c.readToMemory()
		if err == nil || c.reading.lent == nil || !c.settle(err) {
			return frame, err
		}
	}
}

// readToMemory reads a frame to where it is to go, or goes on with that.
func (c *Conn) readToMemory() ([]byte, error) {
	r := &c.reading
	size, err := c.r.open()
	if err != nil {
		return nil, err
	}
	if c.r.filling {
		r.borrowed = false
		return c.r.take(nil)
	}
	var dst []byte
	if size > shortFrame {
		first, err := c.r.peek(peeked)
		if err != nil {
			return nil, err
		}
		dst = c.lend(first, size)
	} else if dst = r.buf; dst == nil {
		if r.own == nil {
			r.own = make([]byte, shortFrame)
		}
		dst = r.own
	}
	r.borrowed = size <= min(cap(dst), shortFrame)
	return c.r.take(dst)
}

// lend returns the memory that the caller of a long reply has given, or nil.
func (c *Conn) lend(first []byte, size int) []byte {
	kind, next, err := parseHead(first)
	if err != nil || kind != frameReply || c.reading.deadlines == nil {
		return nil
	}
	id, _, err := parseID(kind, first, next)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.calls[id]
	if one == nil || one.abandoned || cap(one.buf) < size {
		return nil
	}
	c.reading.lent = one
	return one.buf
}

// settle ends the lending, if there is one, when the frame has been handled, reading has
// failed with err, or the caller asks for his memory. It reports whether that was why it
// failed, so that reading goes on.
func (c *Conn) settle(err error) (again bool) {
	r := &c.reading
	cut := errors.Is(err, os.ErrDeadlineExceeded)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.back == nil {
		if !cut { // otherwise the leader goes, and whoever reads next goes on
			r.lent = nil
		}
		return false
	}
	if cut {
		c.r.detach()
	}
	close(r.back)
	r.lent, r.back = nil, nil
	until := time.Time{}
	if r.leader != nil && r.leader.ctx.Err() != nil {
		until = longAgo // which he takes back
	}
	r.deadlines.SetReadDeadline(until)
	return cut
}

// reclaimLocked asks for a caller's memory, if it is lent. If so, what it returns is
// to be waited for, without the lock.
func (c *Conn) reclaimLocked(one *call) (back <-chan struct{}) {
	r := &c.reading
	if r.lent != one {
		return nil
	}
	r.back = make(chan struct{})
	r.deadlines.SetReadDeadline(longAgo)
	return r.back
}

// ownLocked returns a part of a frame as memory that may be handed to the call.
func (c *Conn) ownLocked(part []byte, owner *call) []byte {
	if !c.reading.borrowed || c.reading.buf != nil && c.reading.leader == owner {
		return part
	}
	if cap(owner.buf) >= len(part) {
		return append(owner.buf[:0], part...)
	}
	own := make([]byte, len(part))
	copy(own, part)
	return own
}
