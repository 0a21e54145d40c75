package etfjson

import (
	"strings"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/internal/wire"
)

// other appends the term at pos, of a tag that is rare, as a value, and a comma. An
// error of a term that has no form in JSON is found here as well.
func (w *jsonWriter) other(dst []byte, pos int) ([]byte, int, located) {
	c := etf.Raw(w.input[pos:]).Cursor()
	switch c.Kind() {
	case etf.KindBinary:
		return w.otherBinary(dst, pos, ',')
	case etf.KindInt, etf.KindBigInt:
		dst, end, err := w.otherInteger(dst, pos)
		return append(dst, ','), end, err
	case etf.KindAtom:
		name, err := c.Atom()
		if err != nil {
			return dst, pos, unreadable(err, pos)
		}
		dst, _ = appendAtom(dst, name) // its UTF-8 has been checked
		return dst, pos + c.Offset(), nil
	case etf.KindFloat:
		f, err := c.Float()
		if err != nil {
			return dst, pos, unreadable(err, pos)
		}
		return append(appendFloat(dst, f), ','), pos + c.Offset(), nil
	}
	return dst, pos, w.formless(pos, "")
}

// otherBinary appends a binary that is encoded as a bit string.
func (w *jsonWriter) otherBinary(dst []byte, pos int, after byte) ([]byte, int, located) {
	c := etf.Raw(w.input[pos:]).Cursor()
	text, err := c.Binary()
	if err != nil {
		return dst, pos, unreadable(err, pos)
	}
	end := pos + c.Offset()
	dst, bad := appendQuoted(dst, text, after)
	if bad >= 0 {
		return dst, pos, &SyntaxError{Offset: end - len(text) + bad, Err: ErrInvalidUTF8}
	}
	return dst, end, nil
}

// otherInteger appends an integer of any encoding.
func (w *jsonWriter) otherInteger(dst []byte, pos int) ([]byte, int, located) {
	c := etf.Raw(w.input[pos:]).Cursor()
	if c.Kind() == etf.KindInt {
		n, err := c.Int()
		if err != nil {
			return dst, pos, unreadable(err, pos)
		}
		return appendInt(dst, n), pos + c.Offset(), nil
	}
	magnitude, negative, err := c.Big()
	if err != nil {
		return dst, pos, unreadable(err, pos)
	}
	dst, ok := appendDecimal(dst, negative, magnitude, w.maxDigits)
	if !ok {
		return dst, pos, &LimitError{Offset: pos, Limit: limitDigits, Max: int64(w.maxDigits)}
	}
	return dst, pos + c.Offset(), nil
}

// otherKey appends the key at pos of the map f, of a tag that is rare for one, as a
// name, and a colon, and returns the name as it is without quoting.
func (w *jsonWriter) otherKey(dst []byte, pos int, f *jsonFrame) (name, _ []byte, end int, err located) {
	// The head of a list without elements stands for its tail.
	for w.input[pos] == wire.List {
		n, end := w.count(pos, 1)
		if n > 0 || end < 0 {
			break
		}
		if pos = end; pos >= len(w.input) {
			return nil, dst, pos, w.truncated()
		}
	}
	c := etf.Raw(w.input[pos:]).Cursor()
	switch c.Kind() {
	case etf.KindBinary:
		dst, end, err = w.otherBinary(dst, pos, ':')
		name, _ = c.Binary()
		return name, dst, end, err
	case etf.KindAtom:
		name, bad := c.Atom()
		if bad != nil {
			return nil, dst, pos, unreadable(bad, pos)
		}
		end = pos + c.Offset()
		if string(name) == structKey {
			return nil, dst, pos, w.structError(end, f)
		}
		dst, _ = appendQuoted(dst, name, ':')
		return name, dst, end, nil
	case etf.KindInt, etf.KindBigInt:
		start := len(dst) + 1
		dst, end, err = w.otherInteger(append(dst, '"'), pos)
		return dst[start:], append(dst, `":`...), end, err
	case etf.KindBitString:
		return nil, dst, pos, w.formless(pos, "")
	}
	return nil, dst, pos, w.formless(pos, " as a key of a map")
}

// formless is the error for the term at pos, which JSON has no form for or which is
// none. what it is as, besides itself, may be added.
func (w *jsonWriter) formless(pos int, as string) located {
	c := etf.Raw(w.input[pos:]).Cursor()
	kind := c.Kind()
	switch kind {
	case etf.Invalid:
		if pos < len(w.input) && w.input[pos] == wire.Compressed {
			return &TermError{Offset: pos, What: "a compressed term (tag 80)"}
		}
		return unreadable(c.Skip(), pos)
	case etf.KindBitString:
		// It may be a binary, all but for its end.
		if _, _, err := c.BitString(); err != nil {
			return unreadable(err, pos)
		}
	}
	return &TermError{Offset: pos, What: kindWords[kind] + as}
}

// kindWords says in words what terms of the kinds are that have no form somewhere.
var kindWords = map[etf.Kind]string{
	etf.KindFloat: "a float", etf.KindBitString: "a bit string", etf.KindTuple: "a tuple", etf.KindList: "a list",
	etf.KindMap: "a map", etf.KindPid: "a pid", etf.KindPort: "a port", etf.KindRef: "a reference",
	etf.KindFun: "a fun", etf.KindExport: "an external fun", etf.KindRecord: "a native record",
}

// structKey is the atom key that makes a map an Elixir struct.
const structKey = "__struct__"

// structError names the struct that the map f is: its module is at pos, behind the
// atom key.
func (w *jsonWriter) structError(pos int, f *jsonFrame) located {
	c := etf.Raw(w.input[pos:]).Cursor()
	e := &TermError{Offset: f.start, What: "a map with the atom key __struct__"}
	switch c.Kind() {
	case etf.Invalid:
		return w.formless(pos, "")
	case etf.KindAtom:
		module, err := c.Atom()
		if err != nil {
			return unreadable(err, pos)
		}
		e.Struct = shorten(strings.TrimPrefix(string(module), "Elixir."))
		e.What = "the struct " + e.Struct
	}
	return e
}
