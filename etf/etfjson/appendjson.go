package etfjson

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/internal/wire"
)

// jsonWriter is the state of one [Options.AppendJSON], kept between calls for
// the memory it holds. It reads the term once, front to back, and writes as it
// reads. Its methods that can fail return errors without a path; append adds
// it, from where the state stands then.
//
// Terms in the encodings that OTP writes are read here, and others with a cursor,
// see otherterm.go. Behind each value a comma is written at once, whose place the
// end of the container takes if the value was its last.
type jsonWriter struct {
	input               []byte
	maxDepth, maxDigits int

	open  []jsonFrame // the containers not yet ended, outermost first
	names names
	// own says that what is being read is not the value of an element but
	// belongs to the innermost open container: a key, or a list's tail.
	own bool
}

// jsonFrame is an open map or list.
type jsonFrame struct {
	left   int   // pairs or elements still to come
	size   int   // pairs or elements that were announced so far
	start  int   // where its term starts in the input
	scope  scope // a map's names
	object bool
}

func (w *jsonWriter) release() {
	const most = 1 << 10
	w.input = nil
	w.names.release()
	w.open = w.open[:0]
	if cap(w.open) > most {
		w.open = nil
	}
}

func (w *jsonWriter) append(dst, term []byte, o Options) ([]byte, error) {
	w.input, w.maxDepth, w.maxDigits, w.own = term, o.MaxDepth, o.MaxDigits, false
	pos := 0
	if !o.NoVersion {
		c, err := etf.NewCursor(term)
		if err != nil {
			return nil, unreadable(err, 0)
		}
		pos = c.Offset()
	}
	dst, pos, err := w.value(dst, pos)
	if err != nil {
		err.locate(w.path(dst))
		return nil, err
	}
	if pos != len(term) {
		return nil, &SyntaxError{Offset: pos, Err: ErrTrailingData}
	}
	return dst[:len(dst)-1], nil
}

// value appends the term at pos with all that it contains, and a comma, and returns
// where it ends.
func (w *jsonWriter) value(dst []byte, pos int) (_ []byte, end int, err located) {
	b := w.input
	for {
		// One term: a scalar is written whole, a container is opened.
		if pos >= len(b) {
			return dst, pos, w.truncated()
		}
		switch b[pos] {
		case wire.Binary:
			if dst, pos, err = w.binary(dst, pos, ','); err != nil {
				return dst, pos, err
			}
		case wire.SmallInteger:
			if len(b)-pos < 2 {
				return dst, pos, w.truncated()
			}
			dst = appendByte(dst, b[pos+1])
			pos += 2
		case wire.Integer:
			if len(b)-pos < 5 {
				return dst, pos, w.truncated()
			}
			dst = append(appendInt(dst, int64(int32(binary.BigEndian.Uint32(b[pos+1:])))), ',')
			pos += 5
		case wire.SmallBig:
			if dst, pos, err = w.smallBig(dst, pos); err != nil {
				return dst, pos, err
			}
			dst = append(dst, ',')
		case wire.NewFloat:
			if len(b)-pos < 9 {
				return dst, pos, w.truncated()
			}
			f := math.Float64frombits(binary.BigEndian.Uint64(b[pos+1:]))
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return dst, pos, &SyntaxError{Offset: pos, Err: ErrInvalidFloat}
			}
			dst = append(appendFloat(dst, f), ',')
			pos += 9
		case wire.SmallAtomUTF8:
			if dst, pos, err = w.atom(dst, pos); err != nil {
				return dst, pos, err
			}
		case wire.Map:
			if dst, pos, err = w.object(dst, pos); err != nil {
				return dst, pos, err
			}
		case wire.List:
			n, end := w.count(pos, 1)
			if end < 0 || n > 0 && n == len(b)-end { // its tail takes a byte too
				return dst, pos, w.truncated()
			}
			if n == 0 { // it stands for its tail
				pos = end
				continue
			}
			if err = w.push(n, pos, false); err != nil {
				return dst, pos, err
			}
			dst = append(dst, '[')
			pos = end
		case wire.Nil, wire.String:
			if dst, pos, err = w.bytes(dst, pos); err != nil {
				return dst, pos, err
			}
		default:
			if dst, pos, err = w.other(dst, pos); err != nil {
				return dst, pos, err
			}
		}

		// Whatever ends here, and what stands in front of the next term.
		for next := false; !next; {
			if len(w.open) == 0 {
				return dst, pos, nil
			}
			f := &w.open[len(w.open)-1]
			switch {
			case f.left > 0:
				f.left--
				if f.object {
					if dst, pos, err = w.key(dst, pos, f); err != nil {
						return dst, pos, err
					}
				}
				next = true
			case f.object:
				w.names.close(&f.scope)
				w.open = w.open[:len(w.open)-1]
				dst[len(dst)-1] = '}'
				dst = append(dst, ',')
			default:
				if dst, pos, err = w.tail(dst, pos, f); err != nil {
					return dst, pos, err
				}
				if f.left == 0 {
					w.open = w.open[:len(w.open)-1]
					dst[len(dst)-1] = ']'
					dst = append(dst, ',')
				}
			}
		}
	}
}

func (w *jsonWriter) truncated() located {
	return &SyntaxError{Offset: len(w.input), Err: io.ErrUnexpectedEOF}
}

// binary appends the BINARY_EXT at pos as a JSON string, and then the byte after.
func (w *jsonWriter) binary(dst []byte, pos int, after byte) ([]byte, int, located) {
	b := w.input
	start := pos + 5
	if start > len(b) || uint(binary.BigEndian.Uint32(b[pos+1:])) > uint(len(b)-start) {
		return dst, pos, w.truncated()
	}
	end := start + int(binary.BigEndian.Uint32(b[pos+1:]))
	dst, bad := appendQuoted(dst, b[start:end], after)
	if bad >= 0 {
		return dst, pos, &SyntaxError{Offset: start + bad, Err: ErrInvalidUTF8}
	}
	return dst, end, nil
}

// smallAtom returns the name in the SMALL_ATOM_UTF8_EXT at pos, whose UTF-8 is yet to
// be checked, and where it ends, which is -1 if it does not.
func (w *jsonWriter) smallAtom(pos int) (name []byte, end int) {
	b := w.input
	if len(b)-pos < 2 || int(b[pos+1]) > len(b)-pos-2 {
		return nil, -1
	}
	end = pos + 2 + int(b[pos+1])
	return b[pos+2 : end], end
}

// atom appends the SMALL_ATOM_UTF8_EXT at pos as a value.
func (w *jsonWriter) atom(dst []byte, pos int) ([]byte, int, located) {
	name, end := w.smallAtom(pos)
	if end < 0 {
		return dst, pos, w.truncated()
	}
	dst, ok := appendAtom(dst, name)
	if !ok {
		return dst, pos, &SyntaxError{Offset: pos, Err: ErrInvalidAtom}
	}
	return dst, end, nil
}

// appendAtom appends an atom as a value, and a comma. ok is false if its name is not
// UTF-8.
func appendAtom(dst, name []byte) (_ []byte, ok bool) {
	switch string(name) {
	case "true":
		return append(dst, "true,"...), true
	case "false":
		return append(dst, "false,"...), true
	case "null", "nil", "undefined":
		return append(dst, "null,"...), true
	}
	dst, bad := appendQuoted(dst, name, ',')
	return dst, bad < 0
}

// smallBig appends the SMALL_BIG_EXT at pos.
func (w *jsonWriter) smallBig(dst []byte, pos int) ([]byte, int, located) {
	const head = 3
	if b := w.input[pos:]; len(b) >= head+8 {
		// Up to eight bytes are a word, of no more digits than any limit allows.
		if n, negative := int(b[1]), int(b[2]); n <= 8 && negative <= 1 {
			magnitude := binary.LittleEndian.Uint64(b[head:]) << (64 - 8*n) >> (64 - 8*n)
			if magnitude == 0 {
				negative = 0
			}
			return appendSigned(dst, magnitude, negative), pos + head + n, nil
		}
	}
	return w.otherInteger(dst, pos)
}

// count reads the count behind the tag at pos, of things that take at least size
// bytes each, and returns where they start, or -1 if the input cannot hold them.
func (w *jsonWriter) count(pos int, size uint) (n, end int) {
	b := w.input
	if len(b)-pos < 5 {
		return 0, -1
	}
	count := binary.BigEndian.Uint32(b[pos+1:])
	if uint(count) > uint(len(b)-pos-5)/size {
		return 0, -1
	}
	return int(count), pos + 5
}

// object opens the map at pos, or appends it if it is empty.
func (w *jsonWriter) object(dst []byte, pos int) ([]byte, int, located) {
	n, end := w.count(pos, 2)
	if end < 0 {
		return dst, pos, w.truncated()
	}
	if n == 0 {
		return append(dst, "{},"...), end, w.childless(pos)
	}
	return append(dst, '{'), end, w.push(n, pos, true)
}

// bytes appends the list at pos, NIL_EXT or STRING_EXT.
func (w *jsonWriter) bytes(dst []byte, pos int) ([]byte, int, located) {
	elements, end := w.chars(pos)
	if end < 0 {
		return dst, pos, w.truncated()
	}
	if len(elements) == 0 {
		return append(dst, "[],"...), end, w.childless(pos)
	}
	dst = appendBytes(append(dst, '['), elements)
	dst[len(dst)-1] = ']'
	return append(dst, ','), end, w.childless(pos)
}

// chars returns the elements of a NIL_EXT, none, or STRING_EXT, and where it ends, or -1.
func (w *jsonWriter) chars(pos int) (elements []byte, end int) {
	b := w.input[pos:]
	if b[0] == wire.Nil {
		return nil, pos + 1
	}
	if len(b) < 3 || int(binary.BigEndian.Uint16(b[1:])) > len(b)-3 {
		return nil, -1
	}
	size := int(binary.BigEndian.Uint16(b[1:]))
	return b[3 : 3+size], pos + 3 + size
}

// push opens a container of n pairs or elements whose term starts at start.
func (w *jsonWriter) push(n, start int, object bool) located {
	if err := w.childless(start); err != nil {
		return err
	}
	// The frame is made in its place: it is large for a copy.
	w.open = slices.Grow(w.open, 1)[:len(w.open)+1]
	f := &w.open[len(w.open)-1]
	f.left, f.size, f.start, f.object = n, n, start, object
	if object {
		w.names.open(&f.scope)
	}
	return nil
}

// childless is for a container that is written whole, without being opened.
func (w *jsonWriter) childless(start int) located {
	if len(w.open) >= w.maxDepth {
		return &LimitError{Offset: start, Limit: limitDepth, Max: int64(w.maxDepth)}
	}
	return nil
}

// tail reads what follows the last element of a list. A list there carries the
// array on, as it does when the BEAM reads it.
func (w *jsonWriter) tail(dst []byte, pos int, f *jsonFrame) ([]byte, int, located) {
	b := w.input
	for pos < len(b) && b[pos] == wire.List { // of no elements it stands for its tail
		n, end := w.count(pos, 1)
		if end < 0 || n >= len(b)-end {
			break
		}
		if pos = end; n > 0 {
			f.left, f.size = n, f.size+n
			return dst, pos, nil
		}
	}
	if pos < len(b) && (b[pos] == wire.Nil || b[pos] == wire.String) {
		if elements, end := w.chars(pos); end >= 0 {
			return appendBytes(dst, elements), end, nil
		}
	}
	// It is none, and that is an error.
	w.own = true
	c := etf.Raw(w.input[pos:]).Cursor()
	if _, err := c.Tail(); err != nil {
		return dst, pos, unreadable(err, pos)
	}
	if c.Kind() == etf.Invalid {
		return dst, pos, w.formless(pos, "")
	}
	return dst, pos, &TermError{Offset: f.start, What: "an improper list"}
}

// key appends a key of the map f as a name, and the colon after it.
func (w *jsonWriter) key(dst []byte, pos int, f *jsonFrame) (_ []byte, _ int, err located) {
	w.own = true
	b := w.input
	start, at := pos, len(dst)
	if pos >= len(b) {
		return dst, pos, w.truncated()
	}
	var name []byte
	switch b[pos] {
	case wire.Binary:
		if dst, pos, err = w.binary(dst, pos, ':'); err == nil {
			name = b[start+binaryHeadLen : pos]
		}
	case wire.SmallAtomUTF8:
		var end int
		if name, end = w.smallAtom(pos); end < 0 {
			return dst, pos, w.truncated()
		}
		if string(name) == structKey {
			return dst, pos, w.structError(end, f)
		}
		var bad int
		if dst, bad = appendQuoted(dst, name, ':'); bad >= 0 {
			err = &SyntaxError{Offset: pos, Err: ErrInvalidAtom}
		}
		pos = end
	default:
		name, dst, pos, err = w.otherKey(dst, pos, f)
	}
	if err != nil {
		return dst, pos, err
	}
	if end := len(dst) - 1; w.names.add(&f.scope, dst, at, end, firstBytes(name)) >= 0 {
		return dst, pos, &TermError{Offset: start, What: "two keys with the name " + shorten(string(dst[at:end])) + " in one map"}
	}
	w.own = false
	return dst, pos, nil
}

// path is the JSON pointer of what was being read last.
func (w *jsonWriter) path(dst []byte) string {
	open := w.open
	if w.own {
		open = open[:len(open)-1]
	}
	var p []byte
	for _, f := range open {
		p = append(p, '/')
		if !f.object {
			p = strconv.AppendInt(p, int64(f.size-f.left-1), 10)
			continue
		}
		m := w.names.members[f.scope.last]
		p = appendPointerToken(p, dst[m.start:m.end])
	}
	return string(p)
}
