package port

import (
	"errors"
	"fmt"
	"io"

	"github.com/beamport/beamport/etf"
)

// receive is the reader: the one goroutine that reads. It never waits for the
// writer or for a caller.
func (c *Conn) receive() {
	c.fail(c.readFrames())
	c.shutdown()
	c.mu.Lock()
	cause := c.cause
	c.mu.Unlock()
	c.end(c.onEnd(cause))
}

// readFrames reads until something ends the stream.
func (c *Conn) readFrames() error {
	for {
		// Every frame has memory of its own: a reply's is handed to the caller.
		frame, err := c.r.ReadPacket(nil)
		if err == nil {
			err = c.handle(frame)
		}
		switch err {
		case nil:
		case io.EOF:
			return fmt.Errorf("port: the other side closed the stream: %w", err)
		case io.ErrUnexpectedEOF:
			return fmt.Errorf("port: the stream ended inside a frame: %w", err)
		default:
			return prefixed("reading", err)
		}
	}
}

// prefixed puts what was done before an error that is not of this package.
func prefixed(doing string, err error) error {
	switch err.(type) {
	case *ProtocolError, *VersionError, *PacketSizeError:
		return err
	}
	return fmt.Errorf("port: %s: %w", doing, err)
}

// handle does what a frame says.
func (c *Conn) handle(frame []byte) error {
	kind, next, err := parseHead(frame)
	if err != nil {
		return err
	}
	if !c.isReady() {
		if kind != frameReady {
			return violation(kind, 0, errOutOfOrder)
		}
		if c.ready, err = c.decodeReady(frame); err != nil {
			return err
		}
		close(c.readied)
		return nil
	}
	switch kind {
	case frameReply:
		return c.handleReply(frame, next)
	case frameError:
		failure, err := c.decodeError(frame)
		if err != nil {
			return err
		}
		c.deliver(failure.ID, result{err: failure})
	case frameLog:
		line, err := c.decodeLog(frame)
		if err != nil {
			return err
		}
		c.logOf(line.CallID)(line)
	default:
		return violation(kind, 0, errTwice)
	}
	return nil
}

// isReady is for the reader.
func (c *Conn) isReady() bool {
	select {
	case <-c.readied:
		return true
	default:
		return false
	}
}

// handleReply hands over the term of {reply, Id, Term} as it is, without building
// it.
func (c *Conn) handleReply(frame []byte, next int) error {
	id, next, err := parseID(frameReply, frame, next)
	if err != nil {
		return err
	}
	raw := frame[next:]
	switch err := validRaw(raw); {
	case err == nil:
		c.deliver(id, result{raw: raw})
	case errors.Is(err, etf.ErrLimit):
		// Too deep or too large for us, but a frame: the stream goes on.
		c.deliver(id, result{err: fmt.Errorf("port: call %d: the reply: %w", id, err)})
	default:
		return termViolation(frameReply, next, err)
	}
	return nil
}

// inside are the options for a term from inside a frame, and checked those with
// which it is looked at before anybody knows what for: as lenient as they can be.
var (
	inside  = etf.DecodeOptions{MaxBytes: etf.LargestMaxBytes, NoVersion: true, NoCompression: true}
	checked = etf.DecodeOptions{
		MaxDepth: etf.LargestMaxDepth, MaxTerms: etf.LargestMaxTerms, MaxBytes: etf.LargestMaxBytes,
		NoVersion: true, NoCompression: true,
	}
)

func validRaw(raw []byte) error { return checked.Valid(raw) }
