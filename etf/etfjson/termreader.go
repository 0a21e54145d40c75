package etfjson

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/beamport/beamport/etf/internal/wire"
)

// termReader takes an encoded term apart, one piece after the other. What it
// returns is part of the input.
type termReader struct {
	in  []byte
	pos int // of the next tag
}

func (r *termReader) truncated() located {
	return &SyntaxError{Offset: len(r.in), Err: io.ErrUnexpectedEOF}
}

func (r *termReader) version() located {
	switch {
	case len(r.in) == 0:
		return r.truncated()
	case r.in[0] != wire.Version:
		return &SyntaxError{Offset: 0, Err: ErrNoVersion}
	}
	r.pos = 1
	return nil
}

// peek returns the tag at pos.
func (r *termReader) peek() (byte, located) {
	if r.pos >= len(r.in) {
		return 0, r.truncated()
	}
	return r.in[r.pos], nil
}

// head reads the tag at pos and n bytes after it, and steps over them.
func (r *termReader) head(n int) ([]byte, located) {
	rest := r.in[r.pos+1:]
	if n > len(rest) {
		return nil, r.truncated()
	}
	r.pos += 1 + n
	return rest[:n], nil
}

// body reads the next n bytes and steps over them.
func (r *termReader) body(n uint32) ([]byte, located) {
	rest := r.in[r.pos:]
	if uint64(n) > uint64(len(rest)) {
		return nil, r.truncated()
	}
	r.pos += int(n)
	return rest[:n:n], nil
}

// count reads a tag and a 32-bit count of things that each take at least size
// bytes: a count that the rest of the input cannot hold is refused at once.
func (r *termReader) count(size uint64) (int, located) {
	head, err := r.head(4)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(head)
	if uint64(n)*size > uint64(len(r.in)-r.pos) {
		return 0, r.truncated()
	}
	return int(n), nil
}

// bignum is an integer in the form of the wire: its magnitude has the lowest
// byte first and may have leading zeros.
type bignum struct {
	negative  bool
	magnitude []byte
}

// integer reads an integer of any tag: as n, or as a bignum whose magnitude is
// not nil.
func (r *termReader) integer() (n int64, big bignum, err located) {
	var head []byte
	var length uint32
	switch r.in[r.pos] {
	case wire.SmallInteger:
		if head, err = r.head(1); err != nil {
			return 0, big, err
		}
		return int64(head[0]), big, nil
	case wire.Integer:
		if head, err = r.head(4); err != nil {
			return 0, big, err
		}
		return int64(int32(binary.BigEndian.Uint32(head))), big, nil
	case wire.SmallBig:
		if head, err = r.head(2); err != nil {
			return 0, big, err
		}
		length = uint32(head[0])
	default: // LARGE_BIG_EXT
		if head, err = r.head(5); err != nil {
			return 0, big, err
		}
		length = binary.BigEndian.Uint32(head)
	}
	sign := head[len(head)-1]
	if sign > 1 {
		return 0, big, &SyntaxError{Offset: r.pos - 1, Err: ErrInvalidBignum}
	}
	if big.magnitude, err = r.body(length); err != nil {
		return 0, big, err
	}
	big.negative = sign == 1
	return 0, big, nil
}

// float reads a float of either tag.
func (r *termReader) float() (float64, located) {
	start := r.pos
	if r.in[start] == wire.NewFloat {
		b, err := r.head(8)
		if err != nil {
			return 0, err
		}
		f := math.Float64frombits(binary.BigEndian.Uint64(b))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, &SyntaxError{Offset: start, Err: ErrInvalidFloat}
		}
		return f, nil
	}
	b, err := r.head(wire.FloatLen)
	if err != nil {
		return 0, err
	}
	f, ok := wire.ParseFloat(b)
	if !ok {
		return 0, &SyntaxError{Offset: start, Err: ErrInvalidFloat}
	}
	return f, nil
}

// atom is an atom's name: Latin-1 or checked UTF-8.
type atom struct {
	bytes  []byte
	latin1 bool
}

func isAtom(tag byte) bool {
	return tag == wire.SmallAtomUTF8 || tag == wire.AtomUTF8 || tag == wire.SmallAtom || tag == wire.Atom
}

// atom reads an atom of any tag.
func (r *termReader) atom() (a atom, err located) {
	start := r.pos
	tag := r.in[start]
	var length uint32
	var head []byte
	if tag == wire.SmallAtomUTF8 || tag == wire.SmallAtom {
		if head, err = r.head(1); err != nil {
			return a, err
		}
		length = uint32(head[0])
	} else {
		if head, err = r.head(2); err != nil {
			return a, err
		}
		length = uint32(binary.BigEndian.Uint16(head))
	}
	if a.bytes, err = r.body(length); err != nil {
		return a, err
	}
	characters := len(a.bytes)
	if a.latin1 = tag == wire.SmallAtom || tag == wire.Atom; !a.latin1 {
		if !utf8.Valid(a.bytes) {
			return a, &SyntaxError{Offset: r.pos - len(a.bytes) + invalidUTF8(a.bytes), Err: ErrInvalidUTF8}
		}
		if characters > wire.MaxAtomCharacters {
			characters = utf8.RuneCount(a.bytes)
		}
	}
	if characters > wire.MaxAtomCharacters {
		return a, &SyntaxError{Offset: start, Err: ErrInvalidAtom}
	}
	return a, nil
}

// module is the name of an Elixir module as its source has it.
func (a atom) module() string {
	name := a.bytes
	if a.latin1 {
		name = appendLatin1(nil, name)
	}
	return shorten(strings.TrimPrefix(string(name), "Elixir."))
}

// binary reads a binary, also one in the form of a bit string of whole bytes.
func (r *termReader) binary() ([]byte, located) {
	start := r.pos
	if r.in[start] == wire.Binary {
		head, err := r.head(4)
		if err != nil {
			return nil, err
		}
		return r.body(binary.BigEndian.Uint32(head))
	}
	head, err := r.head(5)
	if err != nil {
		return nil, err
	}
	lastBits := head[4]
	b, err := r.body(binary.BigEndian.Uint32(head))
	switch {
	case err != nil:
		return nil, err
	case lastBits == 0 || lastBits > 8 || len(b) == 0:
		return nil, &SyntaxError{Offset: start + 5, Err: ErrInvalidBits}
	case lastBits < 8:
		return nil, &TermError{Offset: start, What: kinds[wire.BitBinary]}
	}
	return b, nil
}

// string reads a STRING_EXT: a list of bytes.
func (r *termReader) string() ([]byte, located) {
	head, err := r.head(2)
	if err != nil {
		return nil, err
	}
	return r.body(uint32(binary.BigEndian.Uint16(head)))
}

// kinds says in words what each tag that can stand for a term is.
var kinds = map[byte]string{
	wire.SmallInteger: "an integer", wire.Integer: "an integer", wire.SmallBig: "an integer", wire.LargeBig: "an integer",
	wire.NewFloat: "a float", wire.Float: "a float",
	wire.SmallAtomUTF8: "an atom", wire.AtomUTF8: "an atom", wire.SmallAtom: "an atom", wire.Atom: "an atom",
	wire.Binary: "a binary", wire.BitBinary: "a bit string",
	wire.Nil: "a list", wire.List: "a list", wire.String: "a list", wire.Map: "a map",
	wire.SmallTuple: "a tuple", wire.LargeTuple: "a tuple",
	wire.Pid: "a pid", wire.NewPid: "a pid",
	wire.Port: "a port", wire.NewPort: "a port", wire.V4Port: "a port",
	wire.Reference: "a reference", wire.NewReference: "a reference", wire.NewerReference: "a reference",
	wire.NewFun: "a fun", wire.Export: "an external fun", wire.Record: "a native record",
}

// formless says in words what a tag stands for that JSON has no form for, or
// nothing for other tags.
func formless(tag byte) string {
	switch tag {
	case wire.Compressed:
		return "a compressed term (tag 80)"
	case wire.SmallTuple, wire.LargeTuple, wire.Pid, wire.NewPid, wire.Port, wire.NewPort, wire.V4Port,
		wire.Reference, wire.NewReference, wire.NewerReference, wire.NewFun, wire.Export, wire.Record:
		return kinds[tag]
	}
	return ""
}
