package port

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/beamport/beamport/etf"
)

// What may be wrong with a frame from the calling side.
var (
	errCallTwice  = errors.New("an id that is open came twice")
	errBytes      = errors.New("not a number of bytes")
	errStopReason = errors.New("not an atom")
	errFlood      = errors.New("more calls than the queue holds")
	errUnread     = errors.New("more answers than the queue holds are not read")
)

// A request is a frame from the calling side.
type request struct {
	kind   string
	id     uint64 // of call, cast, credit and cancel; the number of a ping
	raw    []byte // the term of call and cast, checked
	credit int64  // of call, -1 if it has none; of credit
	reason string // of stop
}

// parseRequest reads a frame from the calling side.
func parseRequest(frame []byte) (request, error) {
	if len(frame) == 0 {
		return request{}, violation("", 0, io.ErrUnexpectedEOF)
	}
	if frame[0] != termVersion {
		return request{}, violation("", 0, errNoVersion)
	}
	size, next, err := parseTuple(frame, 1)
	if err != nil {
		return request{}, err
	}
	name, next, err := parseAtom(frame, next)
	if err != nil {
		return request{}, err
	}
	r := request{credit: -1}
	switch string(name) {
	case frameCall:
		r.kind = frameCall
		if size != 4 && size != 3 {
			return r, violation(r.kind, 1, errArity)
		}
		return r, r.parseCall(frame, next, size == 4)
	case frameCast:
		r.kind = frameCast
		if size != 3 {
			return r, violation(r.kind, 1, errArity)
		}
		return r, r.parseCall(frame, next, false)
	case frameCredit:
		r.kind = frameCredit
		if size != 3 {
			return r, violation(r.kind, 1, errArity)
		}
		if r.id, next, err = parseID(r.kind, frame, next); err != nil {
			return r, err
		}
		next, err = r.parseCredit(frame, next)
		if err == nil && r.credit == 0 {
			err = violation(r.kind, next, errBytes)
		}
	case frameCancel, framePing:
		r.kind = frameCancel
		if name[0] == framePing[0] {
			r.kind = framePing
		}
		if size != 2 {
			return r, violation(r.kind, 1, errArity)
		}
		r.id, next, err = parseID(r.kind, frame, next)
	case frameStop:
		r.kind = frameStop
		if size != 2 {
			return r, violation(r.kind, 1, errArity)
		}
		return r, r.parseStop(frame, next)
	default:
		return r, violation("", 1, errUnknown)
	}
	if err == nil && next != len(frame) {
		err = violation(r.kind, next, errTrailing)
	}
	return r, err
}

// parseCall reads the id, the term, and the credit if there is one.
func (r *request) parseCall(frame []byte, next int, credit bool) (err error) {
	if r.id, next, err = parseID(r.kind, frame, next); err != nil {
		return err
	}
	if r.id > maxID {
		return violation(r.kind, next, errNotID)
	}
	end := len(frame)
	if credit {
		if end, err = termEnd(r.kind, frame, next); err != nil {
			return err
		}
		after, err := r.parseCredit(frame, end)
		if err != nil {
			return err
		}
		if after != len(frame) {
			return violation(r.kind, after, errTrailing)
		}
	}
	r.raw = frame[next:end]
	if err := checked.Valid(r.raw); err != nil && !errors.Is(err, etf.ErrLimit) {
		return termViolation(r.kind, next, err)
	}
	return nil
}

// termEnd returns where the term at next ends.
func termEnd(kind string, frame []byte, next int) (int, error) {
	cursor := etf.Raw(frame[next:]).Cursor()
	err := cursor.Skip()
	n := cursor.Offset()
	if errors.Is(err, etf.ErrLimit) { // which is the handler's concern, see Term
		_, n, err = checked.DecodePrefix(frame[next:])
	}
	if err != nil {
		return 0, termViolation(kind, next, err)
	}
	return next + n, nil
}

func (r *request) parseCredit(frame []byte, at int) (next int, err error) {
	credit, next, err := parseID(r.kind, frame, at)
	if err != nil {
		return 0, violation(r.kind, at, errBytes)
	}
	r.credit = int64(min(credit, math.MaxInt64))
	return next, nil
}

func (r *request) parseStop(frame []byte, next int) error {
	term, err := inside.Decode(frame[next:])
	if err != nil {
		return termViolation(r.kind, next, err)
	}
	var ok bool
	if r.reason, ok = term.AtomName(); !ok {
		return violation(r.kind, next, errStopReason)
	}
	return nil
}

// appendReady appends {ready, 1, Info}.
func appendReady(dst []byte, info etf.Term) ([]byte, error) {
	return appendTerm(appendID(appendHead(dst, 3, frameReady), Version), info)
}

// appendAnswer appends {reply | head | done, Id, Term}.
func appendAnswer(dst []byte, kind string, id uint64, term etf.Term) ([]byte, error) {
	return appendTerm(appendID(appendHead(dst, 3, kind), id), term)
}

// appendFailure appends {error, Id, Class, Reason, Stack}.
func appendFailure(dst []byte, id uint64, f *CallError) ([]byte, error) {
	stack := make([]etf.Term, len(f.Stack))
	for i, line := range f.Stack {
		stack[i] = etf.String(line)
	}
	dst = appendName(appendID(appendHead(dst, 5, frameError), id), classOf(f))
	dst, err := appendTerm(dst, f.Reason)
	if err != nil {
		return nil, err
	}
	return appendTerm(dst, etf.List(stack...))
}

// classOf returns the class of a failure, which may be one that a handler has made, as
// the protocol has it.
func classOf(f *CallError) string {
	switch f.Class {
	case "error", "exit", "throw", "returned":
		return f.Class
	}
	return "error"
}

// appendChunk appends {chunk, Id, Binary} up to the bytes, which follow.
func appendChunk(dst []byte, id uint64, size int) []byte {
	dst = append(appendID(appendHead(dst, 3, frameChunk), id), tagBinary)
	return binary.BigEndian.AppendUint32(dst, uint32(size))
}

// appendAck appends {ack, Id}.
func appendAck(dst []byte, id uint64) []byte { return appendID(appendHead(dst, 2, frameAck), id) }

// appendPong appends {pong, N}.
func appendPong(dst []byte, n uint64) []byte { return appendID(appendHead(dst, 2, framePong), n) }

// appendLog appends {log, Level, Time, Id, Text, Meta}.
func appendLog(dst []byte, l Log) ([]byte, error) {
	level := l.Level
	if !isLevel(level) {
		level = "info"
	}
	dst = appendName(appendHead(dst, 6, frameLog), level)
	dst, err := appendTerm(dst, etf.Int(l.Time.UnixMicro()))
	if err != nil {
		return nil, err
	}
	if l.CallID == 0 {
		dst = appendName(dst, "nil")
	} else {
		dst = appendID(dst, l.CallID)
	}
	if dst, err = appendTerm(dst, etf.String(l.Text)); err != nil {
		return nil, err
	}
	return appendTerm(dst, l.Meta)
}

func appendTerm(dst []byte, t etf.Term) ([]byte, error) {
	dst, err := etf.EncodeOptions{NoVersion: true}.Append(dst, t)
	if err != nil {
		return nil, fmt.Errorf("port: encoding a frame: %w", err)
	}
	return dst, nil
}
