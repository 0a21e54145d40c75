package etfjson

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/beamport/beamport/etf/internal/wire"
)

// termWriter is the state of one [Options.AppendTerm], kept between calls for
// the memory it holds. jsontext reads the tokens and checks the grammar; what
// a token becomes is written at once. The count of a container, known at its
// end, is written over the head that its start wrote.
type termWriter struct {
	decoder jsontext.Decoder
	source  bytes.Buffer // json, as the decoder wants it
	json    []byte
	options Options

	open  []termFrame // the containers not yet ended, outermost first
	names names
	dead  []span // parts of the output that a later duplicate name replaced
}

// termFrame is an open object or array.
type termFrame struct {
	head   int   // where its term starts in the output
	count  int   // members or elements so far, replaced ones not counted
	scope  scope // an object's names
	object bool
	name   bool // the next token is a name, or ends the object
}

type span struct{ start, end int }

var (
	decoderOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(false)}
	nothing        = new(bytes.Buffer)
)

// binaryHeadLen is how many bytes [wire.AppendBinaryHeader] appends.
var binaryHeadLen = len(wire.AppendBinaryHeader(nil, 0))

// release lets go of what belongs to the caller and of memory that one large
// text needed and the next will not.
func (w *termWriter) release() {
	const most = 1 << 10
	w.decoder.Reset(nothing, decoderOptions...)
	w.source, w.json = bytes.Buffer{}, nil
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
	w.json, w.options = json, o
	w.source = *bytes.NewBuffer(json)
	w.decoder.Reset(&w.source, decoderOptions...)

	start := len(dst)
	if !o.NoVersion {
		dst = append(dst, wire.Version)
	}
	dst, err := w.value(dst)
	if err != nil {
		return nil, err
	}
	if end := skipSpace(json, int(w.decoder.InputOffset())); end != len(json) {
		return nil, &SyntaxError{Offset: end, Err: ErrTrailingData}
	}
	return w.bury(dst, start), nil
}

// value appends the next value with all that it contains.
func (w *termWriter) value(dst []byte) ([]byte, error) {
	maxDepth := w.options.MaxDepth
	end := 0
	for {
		start := end
		if _, err := w.decoder.ReadToken(); err != nil {
			return nil, w.syntaxError(err)
		}
		end = int(w.decoder.InputOffset())
		start = skipDelimiters(w.json, start)
		token := w.json[start:end]

		switch token[0] {
		case '{', '[':
			if len(w.open) >= maxDepth {
				return nil, w.limitError(start, limitDepth, maxDepth)
			}
			f := termFrame{head: len(dst)}
			if token[0] == '{' {
				f.object, f.name = true, true
				f.scope = w.names.open()
				dst = wire.AppendMapHeader(dst, 0)
			} else {
				dst = wire.AppendListHeader(dst, 0)
			}
			w.open = append(w.open, f)
			continue
		case '}':
			f := &w.open[len(w.open)-1]
			wire.AppendMapHeader(dst[:f.head], f.count)
			w.names.close(f.scope)
			w.open = w.open[:len(w.open)-1]
		case ']':
			f := &w.open[len(w.open)-1]
			dst = endList(dst, f.head, f.count)
			w.open = w.open[:len(w.open)-1]
		case '"':
			at := len(dst)
			dst = appendString(dst, token)
			if len(w.open) > 0 {
				if f := &w.open[len(w.open)-1]; f.name {
					f.name = false
					w.named(f, dst, at)
					continue
				}
			}
		case 'n':
			dst = wire.AppendAtomUTF8(dst, "nil")
		case 't':
			dst = wire.AppendAtomUTF8(dst, "true")
		case 'f':
			dst = wire.AppendAtomUTF8(dst, "false")
		default:
			var err error
			if dst, err = w.number(dst, token, start); err != nil {
				return nil, err
			}
		}

		if len(w.open) == 0 {
			return dst, nil
		}
		f := &w.open[len(w.open)-1]
		f.count++
		f.name = f.object
	}
}

// named takes up the name that was written at dst[at:]. If the object had it
// before, the earlier member will be taken out of the output: it reaches up to
// where the one after it starts.
func (w *termWriter) named(f *termFrame, dst []byte, at int) {
	i := w.names.add(&f.scope, dst, at+binaryHeadLen, len(dst))
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

// endList finishes the list that starts at dst[head:], whose elements have all
// been appended.
func endList(dst []byte, head, count int) []byte {
	if count == 0 {
		return append(dst[:head], wire.Nil)
	}
	body := len(wire.AppendListHeader(dst[:head], count))
	elements := dst[body:]
	if len(elements) != 2*count || count > wire.MaxStringLen || !allBytes(elements) {
		return append(dst, wire.Nil)
	}
	// A list of nothing but bytes, which OTP writes as STRING_EXT.
	dst = wire.AppendStringHeader(dst[:head], count)
	for i := range count {
		dst = append(dst, elements[2*i+1])
	}
	return dst
}

// allBytes says whether elements, encoded terms one after the other, are
// nothing but SMALL_INTEGER_EXT: since one takes two bytes, each second byte is
// then a tag.
func allBytes(elements []byte) bool {
	for i := 0; i < len(elements); i += 2 {
		if elements[i] != wire.SmallInteger {
			return false
		}
	}
	return true
}

// appendString appends a JSON string, quotes included, as a binary.
func appendString(dst, quoted []byte) []byte {
	text := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(text, '\\') < 0 {
		return append(wire.AppendBinaryHeader(dst, len(text)), text...)
	}
	head := len(dst)
	dst = wire.AppendBinaryHeader(dst, 0)
	body := len(dst)
	dst, _ = jsontext.AppendUnquote(dst, quoted) // the decoder has found it to be valid
	wire.AppendBinaryHeader(dst[:head], len(dst)-body)
	return dst
}

func (w *termWriter) number(dst, number []byte, offset int) ([]byte, error) {
	if isInteger(number) {
		digits := len(number)
		if number[0] == '-' {
			digits--
		}
		if most := w.options.MaxDigits; digits > most {
			return nil, w.limitError(offset, limitDigits, most)
		}
		return appendInteger(dst, number), nil
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil { // the grammar is JSON's, so it can only be the range
		return nil, &SyntaxError{Offset: offset, Path: string(w.decoder.StackPointer()), Err: ErrNumberRange}
	}
	return wire.AppendFloat(dst, f), nil
}

func (w *termWriter) limitError(offset int, name string, most int) error {
	return &LimitError{Offset: offset, Path: string(w.decoder.StackPointer()), Limit: name, Max: int64(most)}
}

func (w *termWriter) syntaxError(err error) error {
	var se *jsontext.SyntacticError
	if !errors.As(err, &se) {
		// The end of the text where a value should have been.
		return &SyntaxError{Offset: len(w.json), Err: io.ErrUnexpectedEOF}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &SyntaxError{Offset: len(w.json), Path: string(se.JSONPointer), Err: io.ErrUnexpectedEOF}
	}
	e := &SyntaxError{Offset: int(se.ByteOffset), Path: string(se.JSONPointer), Err: se.Err}
	if e.Offset < len(w.json) && len(w.open) == LargestMaxDepth {
		if c := w.json[e.Offset]; c == '{' || c == '[' {
			return w.limitError(e.Offset, limitDepth, LargestMaxDepth) // the decoder's own limit is the highest of ours
		}
	}
	if e.Offset < len(w.json) && w.json[e.Offset] >= utf8.RuneSelf {
		if r, n := utf8.DecodeRune(w.json[e.Offset:]); r == utf8.RuneError && n <= 1 {
			e.Err = ErrInvalidUTF8
		}
	}
	return e
}

// skipSpace returns where the first byte that is no JSON white space is.
func skipSpace(json []byte, i int) int {
	for i < len(json) && (json[i] == ' ' || json[i] == '\n' || json[i] == '\t' || json[i] == '\r') {
		i++
	}
	return i
}

// skipDelimiters returns where the token after a token starts: white space and
// at most one comma or colon lie between them, as the decoder has checked.
func skipDelimiters(json []byte, i int) int {
	for {
		switch json[i] {
		case ' ', '\n', '\t', '\r', ',', ':':
			i++
		default:
			return i
		}
	}
}
