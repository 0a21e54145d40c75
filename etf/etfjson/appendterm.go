package etfjson

import (
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/internal/wire"
)

// termWriter is the state of one [Options.AppendTerm], kept between calls for
// the memory it holds. It reads the text once, front to back, and writes as it
// reads. The count of a container, known at its end, is written over the head
// that its start wrote.
type termWriter struct {
	json    []byte
	options Options

	open  []termFrame // the containers not yet ended, outermost first
	names names
	dead  []span // parts of the output that a later duplicate name replaced
	// between says that what is read is not the value of an element, but
	// belongs to the innermost open container: a name, a comma.
	between bool
}

// termFrame is an open object or array.
type termFrame struct {
	head   int   // where its term starts in the output
	count  int   // members or elements so far, replaced ones not counted
	read   int   // members or elements so far
	scope  scope // an object's names
	object bool
}

type span struct{ start, end int }

// binaryHeadLen is how many bytes [wire.AppendBinaryHeader] appends.
var binaryHeadLen = len(wire.AppendBinaryHeader(nil, 0))

// release lets go of what belongs to the caller and of memory that one large
// text needed and the next will not.
func (w *termWriter) release() {
	const most = 1 << 10
	w.json = nil
	w.names.release()
	w.open, w.dead = w.open[:0], w.dead[:0]
	if cap(w.open) > most {
		w.open = nil
	}
	if cap(w.dead) > most {
		w.dead = nil
	}
}

func (w *termWriter) append(dst, json []byte, o Options) ([]byte, error) {
	// Counts and lengths in a term are 32 bits wide; none can exceed the text's.
	if int64(len(json)) > math.MaxUint32 {
		return nil, &LimitError{Limit: limitBytes, Max: math.MaxUint32}
	}
	w.json, w.options, w.between = json, o, false

	start := len(dst)
	if !o.NoVersion {
		dst = etf.AppendVersion(dst)
	}
	dst, end, err := w.value(dst)
	if err != nil {
		err.locate(w.path(dst))
		return nil, err
	}
	if end = skipSpace(json, end); end != len(json) {
		return nil, &SyntaxError{Offset: end, Err: ErrTrailingData}
	}
	return w.bury(dst, start), nil
}

// value appends the text's value with all that it contains and returns where it
// ends.
func (w *termWriter) value(dst []byte) (_ []byte, i int, err located) {
	json := w.json
	i = skipSpace(json, 0)
	for {
		// A value starts here: a scalar is read whole, a container is opened.
		if i >= len(json) {
			return dst, i, w.truncated()
		}
		switch c := json[i]; c {
		case '"':
			dst, i, err = w.string(dst, i)
		case '{', '[':
			if len(w.open) >= w.options.MaxDepth {
				return dst, i, &LimitError{Offset: i, Limit: limitDepth, Max: int64(w.options.MaxDepth)}
			}
			// The frame is made in its place: it is large for a copy.
			w.open = slices.Grow(w.open, 1)[:len(w.open)+1]
			f := &w.open[len(w.open)-1]
			f.head, f.count, f.read, f.object = len(dst), 0, 0, c == '{'
			if f.object {
				w.names.open(&f.scope)
				dst, _ = etf.BeginMap(dst)
			} else {
				dst, _ = etf.BeginList(dst)
			}
			if i = skipSpace(json, i+1); i < len(json) && json[i] == c+2 { // its other bracket
				dst = w.end(dst)
				i++
				break
			}
			if f.object {
				if dst, i, err = w.name(dst, i); err != nil {
					return dst, i, err
				}
			}
			continue
		case 't':
			dst, i, err = w.literal(dst, i, "true", "true")
		case 'f':
			dst, i, err = w.literal(dst, i, "false", "false")
		case 'n':
			dst, i, err = w.literal(dst, i, "null", "nil")
		default:
			if c != '-' && (c < '0' || c > '9') {
				return dst, i, w.unexpected(i, "a value")
			}
			dst, i, err = w.number(dst, i)
		}
		if err != nil {
			return dst, i, err
		}

		// The value has ended, and whatever ends with it.
		for next := false; !next; {
			if len(w.open) == 0 {
				return dst, i, nil
			}
			f := &w.open[len(w.open)-1]
			f.count++
			f.read++
			if i = skipSpace(json, i); i >= len(json) {
				w.between = true
				return dst, i, w.truncated()
			}
			switch c := json[i]; {
			case c == ',':
				comma := i
				i = skipSpace(json, i+1)
				if f.object {
					if i < len(json) && json[i] == '}' {
						w.between = true
						return dst, i, w.unexpected(comma, "the end of the object")
					}
					if dst, i, err = w.name(dst, i); err != nil {
						return dst, i, err
					}
				} else if i < len(json) && json[i] == ']' {
					w.between = true
					return dst, i, w.unexpected(comma, "the end of the array")
				}
				next = true
			case f.object && c == '}', !f.object && c == ']':
				dst = w.end(dst)
				i++
			default:
				w.between = true
				return dst, i, w.unexpected(i, "a comma or the end of the "+f.kind())
			}
		}
	}
}

func (f *termFrame) kind() string {
	if f.object {
		return "object"
	}
	return "array"
}

// end ends the innermost container.
func (w *termWriter) end(dst []byte) []byte {
	f := &w.open[len(w.open)-1]
	if f.object {
		dst = etf.EndMap(dst, f.head, f.count)
		w.names.close(&f.scope)
	} else {
		dst = wire.PackChars(etf.EndList(dst, f.head, f.count), f.head, f.count)
	}
	w.open = w.open[:len(w.open)-1]
	return dst
}

// name appends the name of a member, and returns where its value starts.
func (w *termWriter) name(dst []byte, i int) (_ []byte, next int, err located) {
	json := w.json
	w.between = true
	if i >= len(json) {
		return dst, i, w.truncated()
	}
	if json[i] != '"' {
		return dst, i, w.unexpected(i, "a name")
	}
	at := len(dst)
	if dst, i, err = w.string(dst, i); err != nil {
		return dst, i, err
	}
	w.named(&w.open[len(w.open)-1], dst, at)
	if i = skipSpace(json, i); i >= len(json) {
		return dst, i, w.truncated()
	}
	if json[i] != ':' {
		return dst, i, w.unexpected(i, "a colon")
	}
	w.between = false
	return dst, skipSpace(json, i+1), nil
}

// literal appends the atom that a literal stands for.
func (w *termWriter) literal(dst []byte, i int, text, name string) ([]byte, int, located) {
	rest := w.json[i:]
	if len(rest) >= len(text) && string(rest[:len(text)]) == text {
		return wire.AppendAtomUTF8(dst, name), i + len(text), nil
	}
	for n := range text {
		if n == len(rest) {
			return dst, i, w.truncated()
		}
		if rest[n] != text[n] {
			i += n
			break
		}
	}
	return dst, i, w.unexpected(i, "the literal "+text)
}

// named takes up the name that was written at dst[at:]. If the object had it
// before, the earlier member will be taken out of the output: it reaches up to
// where the one after it starts.
func (w *termWriter) named(f *termFrame, dst []byte, at int) {
	start := at + binaryHeadLen
	i := w.names.add(&f.scope, dst, start, len(dst), firstBytes(dst[start:]))
	if i < 0 {
		return
	}
	w.dead = append(w.dead, span{w.names.members[i].start - binaryHeadLen, w.names.members[i+1].start - binaryHeadLen})
	f.count--
}

// bury takes the dead parts out of the output. It is done once, at the end, so
// that each byte moves at most once; the counts have been right all along.
func (w *termWriter) bury(dst []byte, start int) []byte {
	if len(w.dead) == 0 {
		return dst
	}
	slices.SortFunc(w.dead, func(a, b span) int { return a.start - b.start })
	kept, next := start, start // dst[:kept] is final; dst[next:] is to be looked at
	for _, d := range w.dead {
		if d.start < next {
			continue // within a part that is dead as a whole
		}
		kept += copy(dst[kept:], dst[next:d.start])
		next = d.end
	}
	kept += copy(dst[kept:], dst[next:])
	return dst[:kept]
}

func (w *termWriter) truncated() located {
	return &SyntaxError{Offset: len(w.json), Err: io.ErrUnexpectedEOF}
}

// unexpected is the error for a byte that is not what the grammar wants there.
func (w *termWriter) unexpected(i int, wanted string) located {
	return &SyntaxError{Offset: i, Err: &GrammarError{Byte: w.json[i], Wanted: wanted}}
}

// path is the JSON pointer of what was being read last.
func (w *termWriter) path(dst []byte) string {
	open := w.open
	if w.between && len(open) > 0 {
		open = open[:len(open)-1]
	}
	var p []byte
	for _, f := range open {
		p = append(p, '/')
		if !f.object {
			p = strconv.AppendInt(p, int64(f.read), 10)
			continue
		}
		m := w.names.members[f.scope.last]
		p = escapePointer(p, dst[m.start:m.end])
	}
	return string(p)
}

// skipSpace returns where the first byte that is no JSON white space is.
func skipSpace(json []byte, i int) int {
	const spaces uint64 = 1<<' ' | 1<<'\n' | 1<<'\t' | 1<<'\r'
	for i < len(json) && json[i] <= ' ' && 1<<json[i]&spaces != 0 {
		i++
	}
	return i
}
