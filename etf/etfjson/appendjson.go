package etfjson

import (
	"github.com/beamport/beamport/etf/internal/wire"
)

// jsonWriter is the state of one [Options.AppendJSON], kept between calls for
// the memory it holds. It reads the term once, front to back, and writes as it
// reads. Its methods that can fail return errors without a path; append adds
// it, from where the state stands then.
type jsonWriter struct {
	termReader
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
	done   int   // pairs or elements already begun
	start  int   // where its term starts in the input
	scope  scope // a map's names
	object bool
}

func (w *jsonWriter) release() {
	const most = 1 << 10
	w.termReader = termReader{}
	w.names.release()
	w.open = w.open[:0]
	if cap(w.open) > most {
		w.open = nil
	}
}

func (w *jsonWriter) append(dst, term []byte, o Options) ([]byte, error) {
	w.termReader = termReader{in: term}
	w.maxDepth, w.maxDigits = o.MaxDepth, o.MaxDigits
	w.own = false
	if !o.NoVersion {
		if err := w.version(); err != nil {
			return nil, err
		}
	}
	dst, err := w.value(dst)
	if err != nil {
		err.locate(w.path(dst))
		return nil, err
	}
	if w.pos != len(term) {
		return nil, &SyntaxError{Offset: w.pos, Err: ErrTrailingData}
	}
	return dst, nil
}

// value appends one term with all that it contains.
func (w *jsonWriter) value(dst []byte) (_ []byte, err located) {
	for {
		// One term: a scalar is written whole, a container is opened.
		if dst, err = w.term(dst); err != nil {
			return dst, err
		}
		// Whatever ends here, and what stands in front of the next term.
		for next := false; !next; {
			if len(w.open) == 0 {
				return dst, nil
			}
			f := &w.open[len(w.open)-1]
			switch {
			case f.left > 0:
				f.left--
				if f.done++; f.done > 1 {
					dst = append(dst, ',')
				}
				if f.object {
					if dst, err = w.key(dst, f); err != nil {
						return dst, err
					}
				}
				next = true
			case f.object:
				w.names.close(f.scope)
				w.open = w.open[:len(w.open)-1]
				dst = append(dst, '}')
			default:
				if dst, err = w.tail(dst, f); err != nil {
					return dst, err
				}
				if f.left == 0 {
					w.open = w.open[:len(w.open)-1]
					dst = append(dst, ']')
				}
			}
		}
	}
}

// term appends a scalar term, or opens a container.
func (w *jsonWriter) term(dst []byte) ([]byte, located) {
	start := w.pos
	tag, err := w.peek()
	if err != nil {
		return dst, err
	}
	switch tag {
	case wire.SmallInteger, wire.Integer, wire.SmallBig, wire.LargeBig:
		return w.integer(dst)
	case wire.NewFloat, wire.Float:
		f, err := w.float()
		if err != nil {
			return dst, err
		}
		return appendFloat(dst, f), nil
	case wire.SmallAtomUTF8, wire.AtomUTF8, wire.SmallAtom, wire.Atom:
		name, err := w.atom()
		if err != nil {
			return dst, err
		}
		switch string(name.bytes) {
		case "true", "false", "null":
			return append(dst, name.bytes...), nil
		case "nil", "undefined":
			return append(dst, "null"...), nil
		}
		return appendAtom(dst, name), nil
	case wire.Binary, wire.BitBinary:
		return w.text(dst)
	case wire.Nil:
		w.pos++
		return w.childless(append(dst, "[]"...), start)
	case wire.String:
		elements, err := w.string()
		if err != nil {
			return dst, err
		}
		dst = appendBytes(append(dst, '['), elements, 0)
		return w.childless(append(dst, ']'), start)
	case wire.List:
		n, err := w.count(1)
		for err == nil && n == 0 {
			// A list of no elements is its tail, whatever that is.
			if tag, err = w.peek(); err == nil && tag != wire.List {
				return w.term(dst)
			} else if err == nil {
				n, err = w.count(1)
			}
		}
		if err != nil {
			return dst, err
		}
		return w.push(append(dst, '['), jsonFrame{left: n, start: start})
	case wire.Map:
		n, err := w.count(2)
		if err != nil {
			return dst, err
		}
		return w.push(append(dst, '{'), jsonFrame{left: n, start: start, scope: w.names.open(), object: true})
	}
	if what := formless(tag); what != "" {
		return dst, &TermError{Offset: start, What: what}
	}
	return dst, &SyntaxError{Offset: start, Err: ErrUnknownTag}
}

func (w *jsonWriter) push(dst []byte, f jsonFrame) ([]byte, located) {
	if len(w.open) >= w.maxDepth {
		return dst, w.tooDeep(f.start)
	}
	w.open = append(w.open, f)
	return dst, nil
}

// childless is for a container that is written whole, without being opened.
func (w *jsonWriter) childless(dst []byte, start int) ([]byte, located) {
	if len(w.open) >= w.maxDepth {
		return dst, w.tooDeep(start)
	}
	return dst, nil
}

func (w *jsonWriter) tooDeep(start int) located {
	return &LimitError{Offset: start, Limit: limitDepth, Max: int64(w.maxDepth)}
}

// tail reads what follows the last element of a list. A list there carries the
// array on, as it does when the BEAM reads it.
func (w *jsonWriter) tail(dst []byte, f *jsonFrame) ([]byte, located) {
	w.own = true
	for {
		tag, err := w.peek()
		if err != nil {
			return dst, err
		}
		switch tag {
		case wire.Nil:
			w.pos++
			w.own = false
			return dst, nil
		case wire.String:
			elements, err := w.string()
			if err != nil {
				return dst, err
			}
			w.own = false
			return appendBytes(dst, elements, f.done), nil
		case wire.List:
			n, err := w.count(1)
			if err != nil {
				return dst, err
			}
			if n > 0 {
				f.left = n
				w.own = false
				return dst, nil
			}
		default:
			if _, known := kinds[tag]; !known {
				return dst, &SyntaxError{Offset: w.pos, Err: ErrUnknownTag}
			}
			return dst, &TermError{Offset: f.start, What: "an improper list"}
		}
	}
}

// key appends a key of the map f as a name, and the colon after it.
func (w *jsonWriter) key(dst []byte, f *jsonFrame) ([]byte, located) {
	w.own = true
	start, at := w.pos, len(dst)
	tag, err := w.peek()
	if err != nil {
		return dst, err
	}
	switch tag {
	case wire.Binary, wire.BitBinary:
		dst, err = w.text(dst)
	case wire.SmallAtomUTF8, wire.AtomUTF8, wire.SmallAtom, wire.Atom:
		var name atom
		if name, err = w.atom(); err == nil {
			if string(name.bytes) == "__struct__" {
				return dst, w.structError(f)
			}
			dst = appendAtom(dst, name)
		}
	case wire.SmallInteger, wire.Integer, wire.SmallBig, wire.LargeBig:
		if dst, err = w.integer(append(dst, '"')); err == nil {
			dst = append(dst, '"')
		}
	case wire.Compressed:
		err = &TermError{Offset: start, What: formless(tag)}
	default:
		if what, known := kinds[tag]; known {
			err = &TermError{Offset: start, What: what + " as a key of a map"}
		} else {
			err = &SyntaxError{Offset: start, Err: ErrUnknownTag}
		}
	}
	if err != nil {
		return dst, err
	}
	if w.names.add(&f.scope, dst, at, len(dst)) >= 0 {
		return dst, &TermError{Offset: start, What: "two keys with the name " + shorten(string(dst[at:])) + " in one map"}
	}
	w.own = false
	return append(dst, ':'), nil
}

// structError names the struct that the map f is: its atom key __struct__ has
// just been read, its module comes next.
func (w *jsonWriter) structError(f *jsonFrame) located {
	e := &TermError{Offset: f.start, What: "a map with the atom key __struct__"}
	if tag, err := w.peek(); err == nil && isAtom(tag) {
		name, err := w.atom()
		if err != nil {
			return err
		}
		e.Struct = name.module()
		e.What = "the struct " + e.Struct
	}
	return e
}

// text appends the binary at w.pos as a JSON string.
func (w *jsonWriter) text(dst []byte) ([]byte, located) {
	text, err := w.binary()
	if err != nil {
		return dst, err
	}
	dst, bad := appendQuoted(dst, text)
	if bad >= 0 {
		return dst, &SyntaxError{Offset: w.pos - len(text) + bad, Err: ErrInvalidUTF8}
	}
	return dst, nil
}

// integer appends the integer at w.pos, of any tag.
func (w *jsonWriter) integer(dst []byte) ([]byte, located) {
	start := w.pos
	n, big, err := w.termReader.integer()
	switch {
	case err != nil:
		return dst, err
	case big.magnitude == nil:
		return appendInt(dst, n), nil
	}
	dst, ok := appendDecimal(dst, big.negative, big.magnitude, w.maxDigits)
	if !ok {
		return dst, &LimitError{Offset: start, Limit: limitDigits, Max: int64(w.maxDigits)}
	}
	return dst, nil
}

// path is the JSON pointer of what was being read last.
func (w *jsonWriter) path(dst []byte) string {
	open := w.open
	if w.own {
		open = open[:len(open)-1]
	}
	var p []byte
	for i, f := range open {
		p = append(p, '/')
		if !f.object {
			p = appendInt(p, int64(f.done-1))
			continue
		}
		// The names of a map end where those of the next map begin.
		last := len(w.names.members)
		for _, inner := range w.open[i+1:] {
			if inner.object {
				last = inner.scope.members
				break
			}
		}
		m := w.names.members[last-1]
		p = appendPointerToken(p, dst[m.start:m.end])
	}
	return string(p)
}
