package etfjson

import (
	"strconv"
	"strings"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/internal/wire"
)

// jsonWriter is the state of one [Options.AppendJSON], kept between calls for
// the memory it holds. It reads the term once, front to back, and writes as it
// reads. Its methods that can fail return errors without a path; append adds
// it, from where the state stands then.
type jsonWriter struct {
	etf.Cursor
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
	done   int   // pairs or elements already begun
	start  int   // where its term starts in the input
	scope  scope // a map's names
	object bool
}

func (w *jsonWriter) release() {
	const most = 1 << 10
	w.Cursor, w.input = etf.Cursor{}, nil
	w.names.release()
	w.open = w.open[:0]
	if cap(w.open) > most {
		w.open = nil
	}
}

func (w *jsonWriter) append(dst, term []byte, o Options) ([]byte, error) {
	w.input, w.maxDepth, w.maxDigits, w.own = term, o.MaxDepth, o.MaxDigits, false
	if o.NoVersion {
		w.Cursor = etf.Raw(term).Cursor()
	} else {
		c, err := etf.NewCursor(term)
		if err != nil {
			return nil, unreadable(err)
		}
		w.Cursor = c
	}
	dst, err := w.value(dst)
	if err != nil {
		err.locate(w.path(dst))
		return nil, err
	}
	if w.Offset() != len(term) {
		return nil, &SyntaxError{Offset: w.Offset(), Err: ErrTrailingData}
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
	switch kind := w.Kind(); kind {
	case etf.KindBinary:
		return w.text(dst)
	case etf.KindInt, etf.KindBigInt:
		return w.integer(dst, kind)
	case etf.KindAtom:
		name, err := w.Atom()
		if err != nil {
			return dst, unreadable(err)
		}
		switch string(name) {
		case "true", "false", "null":
			return append(dst, name...), nil
		case "nil", "undefined":
			return append(dst, "null"...), nil
		}
		dst, _ = appendQuoted(dst, name) // its UTF-8 has been checked
		return dst, nil
	case etf.KindFloat:
		f, err := w.Float()
		if err != nil {
			return dst, unreadable(err)
		}
		return appendFloat(dst, f), nil
	case etf.KindMap:
		start := w.Offset()
		n, err := w.Map()
		if err != nil {
			return dst, unreadable(err)
		}
		return w.push(append(dst, '{'), jsonFrame{left: n, start: start, scope: w.names.open(), object: true})
	case etf.KindList:
		start := w.Offset()
		if elements, ok := w.Chars(); ok {
			dst = appendBytes(append(dst, '['), elements)
			return w.childless(append(dst, ']'), start)
		}
		n, err := w.List()
		if err != nil {
			return dst, unreadable(err)
		}
		if n == 0 {
			return w.childless(append(dst, "[]"...), start)
		}
		return w.push(append(dst, '['), jsonFrame{left: n, start: start})
	}
	return dst, w.formless("")
}

// formless is the error for the next term, which JSON has no form for or which
// is none. what it is as, besides itself, may be added.
func (w *jsonWriter) formless(as string) located {
	kind, start := w.Kind(), w.Offset()
	switch kind {
	case etf.Invalid:
		if start < len(w.input) && w.input[start] == wire.Compressed {
			return &TermError{Offset: start, What: "a compressed term (tag 80)"}
		}
		return unreadable(w.Skip())
	case etf.KindBitString:
		// It may be a binary, all but for its end.
		if _, _, err := w.BitString(); err != nil {
			return unreadable(err)
		}
	}
	return &TermError{Offset: start, What: kindWords[kind] + as}
}

// kindWords says in words what terms of the kinds are that have no form somewhere.
var kindWords = map[etf.Kind]string{
	etf.KindFloat: "a float", etf.KindBitString: "a bit string", etf.KindTuple: "a tuple", etf.KindList: "a list",
	etf.KindMap: "a map", etf.KindPid: "a pid", etf.KindPort: "a port", etf.KindRef: "a reference",
	etf.KindFun: "a fun", etf.KindExport: "an external fun",
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
	n, err := w.Tail()
	switch {
	case err != nil:
		return dst, unreadable(err)
	case n < 0 && w.Kind() == etf.Invalid:
		return dst, w.formless("")
	case n < 0:
		return dst, &TermError{Offset: f.start, What: "an improper list"}
	}
	w.own = false
	f.left = n
	return dst, nil
}

// key appends a key of the map f as a name, and the colon after it.
func (w *jsonWriter) key(dst []byte, f *jsonFrame) ([]byte, located) {
	w.own = true
	start, at := w.Offset(), len(dst)
	var err located
	switch kind := w.Kind(); kind {
	case etf.KindBinary:
		dst, err = w.text(dst)
	case etf.KindAtom:
		name, bad := w.Atom()
		switch {
		case bad != nil:
			err = unreadable(bad)
		case string(name) == "__struct__":
			err = w.structError(f)
		default:
			dst, _ = appendQuoted(dst, name)
		}
	case etf.KindInt, etf.KindBigInt:
		if dst, err = w.integer(append(dst, '"'), kind); err == nil {
			dst = append(dst, '"')
		}
	case etf.KindBitString:
		err = w.formless("")
	default:
		err = w.formless(" as a key of a map")
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
	switch w.Kind() {
	case etf.Invalid:
		return w.formless("")
	case etf.KindAtom:
		module, err := w.Atom()
		if err != nil {
			return unreadable(err)
		}
		e.Struct = shorten(strings.TrimPrefix(string(module), "Elixir."))
		e.What = "the struct " + e.Struct
	}
	return e
}

// text appends the binary that is next as a JSON string.
func (w *jsonWriter) text(dst []byte) ([]byte, located) {
	text, err := w.Binary()
	if err != nil {
		return dst, unreadable(err)
	}
	dst, bad := appendQuoted(dst, text)
	if bad >= 0 {
		return dst, &SyntaxError{Offset: w.Offset() - len(text) + bad, Err: ErrInvalidUTF8}
	}
	return dst, nil
}

// integer appends the integer that is next, of one of the two kinds.
func (w *jsonWriter) integer(dst []byte, kind etf.Kind) ([]byte, located) {
	start := w.Offset()
	if kind == etf.KindInt {
		n, err := w.Int()
		if err != nil {
			return dst, unreadable(err)
		}
		return appendInt(dst, n), nil
	}
	magnitude, negative, err := w.Big()
	if err != nil {
		return dst, unreadable(err)
	}
	dst, ok := appendDecimal(dst, negative, magnitude, w.maxDigits)
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
	for _, f := range open {
		p = append(p, '/')
		if !f.object {
			p = strconv.AppendInt(p, int64(f.done-1), 10)
			continue
		}
		m := w.names.members[f.scope.last]
		p = appendPointerToken(p, dst[m.start:m.end])
	}
	return string(p)
}
