package port

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

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
		if c.ready, err = decodeReady(frame); err != nil {
			return err
		}
		close(c.readied)
		return nil
	}
	switch kind {
	case frameReply, frameHead, frameDone:
		return c.handleTerm(kind, frame, next)
	case frameChunk:
		return c.handleChunk(frame, next)
	case frameAck:
		id, end, err := parseID(kind, frame, next)
		if err != nil {
			return err
		}
		if end != len(frame) {
			return violation(kind, end, errTrailing)
		}
		return c.deliver(kind, id, result{})
	case frameError:
		id, failure, err := decodeError(frame, next)
		if err != nil {
			return err
		}
		return c.deliver(kind, id, result{err: failure})
	case frameLog:
		line, err := decodeLog(frame)
		if err != nil {
			return err
		}
		c.logOf(line.CallID)(line)
	case framePong: // came, which is all that it has to say
		_, end, err := parseID(kind, frame, next)
		if err == nil && end != len(frame) {
			err = violation(kind, end, errTrailing)
		}
		return err
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

// handleTerm hands over the term of {reply | head | done, Id, Term} as it is, without
// building it.
func (c *Conn) handleTerm(kind string, frame []byte, next int) error {
	id, next, err := parseID(kind, frame, next)
	if err != nil {
		return err
	}
	r := result{raw: frame[next:]}
	switch err := checked.Valid(r.raw); {
	case err == nil:
	case errors.Is(err, etf.ErrLimit):
		r = result{err: overLimit(kind, id, err)}
	default:
		return termViolation(kind, next, err)
	}
	if kind == frameHead {
		return c.deliverHead(id, r)
	}
	return c.deliver(kind, id, r)
}

// overLimit is what a call fails with whose frame is too deep or too large for us. It
// is a frame nevertheless: the stream goes on.
func overLimit(kind string, id uint64, err error) error {
	return fmt.Errorf("port: call %d: the %s: %w", id, kind, err)
}

// decode reads a whole frame, with the default limits of package etf. tooMuch is
// not nil if it is over one of them, but valid otherwise.
func decode(kind string, frame []byte) (t etf.Term, tooMuch, err error) {
	t, err = inside.Decode(frame[1:]) // behind the version byte, which is known to be there
	if errors.Is(err, etf.ErrLimit) {
		tooMuch, err = err, checked.Valid(frame[1:])
		if errors.Is(err, etf.ErrLimit) {
			err = nil
		}
	}
	if err != nil {
		return etf.Term{}, nil, termViolation(kind, 1, err)
	}
	return t, tooMuch, nil
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
