package port

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// A ProtocolError says that the other side broke the protocol: it sent a frame
// that is no term, or a term that is no frame of this protocol. The connection is
// dead; there is no telling what else is wrong with it.
type ProtocolError struct {
	Frame  string // the kind of the frame, such as "reply"; empty if it is none that is known
	Offset int    // the byte of the frame, version byte included, where the fault was seen
	Err    error  // what is wrong: one of etf's reasons, io.ErrUnexpectedEOF or another
}

// Error says where and what the fault is, and nothing of what the frame holds.
func (e *ProtocolError) Error() string {
	kind := e.Frame
	if kind == "" {
		kind = "unknown"
	}
	return fmt.Sprintf("port: bad frame (%s) at byte %d: %v", kind, e.Offset, e.Err)
}

// Unwrap returns Err.
func (e *ProtocolError) Unwrap() error { return e.Err }

func violation(kind string, offset int, reason error) *ProtocolError {
	return &ProtocolError{Frame: kind, Offset: offset, Err: reason}
}

// termViolation is err, which etf gave for the term at offset base of a frame. It
// leaves out the path, which may quote the keys of maps.
func termViolation(kind string, base int, err error) *ProtocolError {
	if syntax, ok := errors.AsType[*etf.SyntaxError](err); ok {
		return violation(kind, base+syntax.Offset, syntax.Err)
	}
	return violation(kind, base, err)
}
