package etf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A Raw is an encoded term without the version byte in front: a term from
// inside another, to be read later, passed on or put into another one.
type Raw []byte

// Cursor returns a cursor in front of the term.
func (r Raw) Cursor() Cursor { return Cursor{b: r} }

// A Cursor reads an encoded term piece by piece, from front to back, for code
// that wants neither a tree of Terms nor reflection. It checks what it reads as
// it goes, and what it returns is part of the input; it allocates only where
// that is said. A method that fails does not move the cursor, and a copy of a
// cursor is a bookmark.
//
// The methods named after a kind read a term of that kind, or the beginning of
// a container, and return a [*KindError] if the next term is of another one.
// After the beginning of a tuple come as many terms as it has elements, after
// that of a map a key and a value for each pair, after that of a native record
// the values of its fields. Lists may go on behind what they begin with:
//
//	n, err := c.List()
//	for err == nil && n > 0 {
//		for range n {
//			… // read an element
//		}
//		n, err = c.Tail()
//	}
//
// A cursor follows what its caller asks for: it knows neither depth nor the
// keys of a map that it has read. [Valid] checks a term as a whole,
// [Cursor.Skip], [Cursor.Raw] and [Cursor.Term] the one that they take.
//
// A compressed term cannot be read in place: [Decode] reads it.
type Cursor struct {
	b   []byte
	pos int // of the next tag, or in a STRING_EXT

	// chars is how many characters of a STRING_EXT come next, which read as
	// integers. It is endOfChars when they have been read and [Cursor.Tail] has
	// not been called since.
	chars int
}

const endOfChars = -1

// NewCursor returns a cursor in front of the term in b, behind the version byte.
func NewCursor(b []byte) (Cursor, error) {
	switch {
	case len(b) == 0:
		return Cursor{}, &SyntaxError{Err: io.ErrUnexpectedEOF}
	case b[0] != wire.Version:
		return Cursor{}, &SyntaxError{Err: ErrVersion}
	}
	return Cursor{b: b, pos: 1}, nil
}

// A KindError says that a term is of another kind than the one that was asked
// for.
type KindError struct {
	Offset    int // of the term's tag
	Want, Got Kind
}

func (e *KindError) Error() string {
	return fmt.Sprintf("etf: %v at byte %d, not %v", e.Got, e.Offset, e.Want)
}

// Offset returns where in the input the next term starts.
func (c *Cursor) Offset() int { return c.pos }

// tagKinds says what the tags stand for, but for those where it depends.
var tagKinds = [256]Kind{
	wire.SmallInteger: KindInt, wire.Integer: KindInt, wire.SmallBig: KindBigInt, wire.LargeBig: KindBigInt,
	wire.NewFloat: KindFloat, wire.Float: KindFloat,
	wire.SmallAtomUTF8: KindAtom, wire.AtomUTF8: KindAtom, wire.SmallAtom: KindAtom, wire.Atom: KindAtom,
	wire.Binary: KindBinary, wire.BitBinary: KindBitString,
	wire.SmallTuple: KindTuple, wire.LargeTuple: KindTuple,
	wire.Nil: KindList, wire.String: KindList, wire.List: KindList, wire.Map: KindMap,
	wire.NewPid: KindPid, wire.Pid: KindPid, wire.NewPort: KindPort, wire.V4Port: KindPort, wire.Port: KindPort,
	wire.NewerReference: KindRef, wire.NewReference: KindRef, wire.Reference: KindRef,
	wire.NewFun: KindFun, wire.Export: KindExport, wire.Record: KindRecord,
}

// Kind returns the kind of the next term; of any list it is [KindList], since
// whether one is improper shows at its end. It is [Invalid] at the end of the
// input, and at a tag that starts no term.
func (c *Cursor) Kind() Kind {
	if c.chars == 0 && c.pos < len(c.b) {
		if kind := plainKinds[c.b[c.pos]]; kind != Invalid {
			return kind
		}
	}
	return c.kind()
}

// plainKinds are those of tagKinds that depend on nothing but the tag.
var plainKinds = func() (kinds [256]Kind) {
	for tag, kind := range tagKinds {
		if kind != KindBigInt && tag != wire.BitBinary && tag != wire.List {
			kinds[tag] = kind
		}
	}
	return kinds
}()

// kind is Kind where the tag alone does not tell.
func (c *Cursor) kind() Kind {
	if c.chars != 0 {
		if c.chars > 0 {
			return KindInt
		}
		return Invalid
	}
	pos := c.skipEmpty()
	if pos >= len(c.b) {
		return Invalid
	}
	switch kind := tagKinds[c.b[pos]]; kind {
	case KindBigInt:
		s := scanner{b: c.b}
		if magnitude, negative, end := s.scanBig(pos); end >= 0 {
			if _, ok := smallMagnitude(magnitude, negative); ok {
				return KindInt
			}
		}
		return kind
	case KindBitString:
		if pos+6 <= len(c.b) && c.b[pos+5] == 8 {
			return KindBinary
		}
		return kind
	default:
		return kind
	}
}

// skipEmpty returns the position of the next term behind heads of lists
// without elements, which stand for their tails.
func (c *Cursor) skipEmpty() int {
	pos := c.pos
	for len(c.b)-pos >= 5 && c.b[pos] == wire.List && binary.BigEndian.Uint32(c.b[pos+1:]) == 0 {
		pos += 5
	}
	return pos
}

// start returns the position of the next term, which is not a character.
func (c *Cursor) start(want Kind) (int, error) {
	if c.chars != 0 {
		if c.chars > 0 {
			return 0, &KindError{Offset: c.pos, Want: want, Got: KindInt}
		}
		return 0, &KindError{Offset: c.pos, Want: want, Got: Invalid}
	}
	pos := c.skipEmpty()
	if pos >= len(c.b) {
		return 0, c.eof()
	}
	return pos, nil
}

func (c *Cursor) eof() error {
	return &SyntaxError{Offset: len(c.b), Err: io.ErrUnexpectedEOF}
}

// other returns the error for a term at pos that is not of the wanted kind.
func (c *Cursor) other(pos int, want Kind) error {
	at := Cursor{b: c.b, pos: pos}
	if got := at.Kind(); got != Invalid {
		return &KindError{Offset: pos, Want: want, Got: got}
	}
	return &SyntaxError{Offset: pos, Err: &TagError{c.b[pos]}}
}

// checked returns the end that a method of s has returned, or its error.
func checked(s *scanner, end int) (int, error) {
	if end < 0 {
		return 0, &SyntaxError{Offset: s.errOffset, Err: s.err}
	}
	return end, nil
}

// Int reads an integer of [KindInt].
func (c *Cursor) Int() (int64, error) {
	if pos := c.pos; c.chars == 0 && len(c.b)-pos >= 5 {
		switch c.b[pos] {
		case wire.SmallInteger:
			c.pos = pos + 2
			return int64(c.b[pos+1]), nil
		case wire.Integer:
			c.pos = pos + 5
			return int64(int32(binary.BigEndian.Uint32(c.b[pos+1:]))), nil
		}
	}
	magnitude, v, _, err := c.integer(KindInt)
	if err == nil && magnitude != nil {
		at := Cursor{b: c.b, pos: v.start}
		return 0, at.other(v.start, KindInt)
	}
	if err != nil {
		return 0, err
	}
	c.step(v.end)
	return v.value, nil
}

// step moves the cursor to end, behind a term.
func (c *Cursor) step(end int) {
	if c.chars > 0 {
		if c.chars--; c.chars == 0 {
			c.chars = endOfChars
		}
	}
	c.pos = end
}

// An intAt is an integer that fits an int64, or where one that does not is.
type intAt struct {
	value      int64
	start, end int
}

// integer finds the next integer, of any tag. magnitude is not nil for one that
// does not fit an int64.
func (c *Cursor) integer(want Kind) (magnitude []byte, v intAt, negative bool, err error) {
	if c.chars > 0 {
		return nil, intAt{int64(c.b[c.pos]), c.pos, c.pos + 1}, false, nil
	}
	if v.start, err = c.start(want); err != nil {
		return nil, v, false, err
	}
	switch c.b[v.start] {
	case wire.SmallInteger:
		v.end = v.start + 2
	case wire.Integer:
		v.end = v.start + 5
	case wire.SmallBig, wire.LargeBig:
		s := scanner{b: c.b}
		magnitude, negative, v.end = s.scanBig(v.start)
		if _, err = checked(&s, v.end); err != nil {
			return nil, v, false, err
		}
		if small, ok := smallMagnitude(magnitude, negative); ok {
			v.value = small
			return nil, v, negative, nil
		}
		return magnitude, v, negative, nil
	default:
		return nil, v, false, c.other(v.start, want)
	}
	if v.end > len(c.b) {
		return nil, v, false, c.eof()
	}
	v.value, _ = smallAt(c.b, v.start, v.end)
	return nil, v, false, nil
}

// Uint reads an integer from 0 to 2^64-1.
func (c *Cursor) Uint() (uint64, error) {
	magnitude, v, negative, err := c.integer(KindInt)
	switch {
	case err != nil:
		return 0, err
	case magnitude == nil && v.value >= 0:
		c.step(v.end)
		return uint64(v.value), nil
	case magnitude == nil:
		return 0, &SyntaxError{Offset: v.start, Err: ErrRange}
	case negative || len(magnitude) > 8:
		return 0, &SyntaxError{Offset: v.start, Err: ErrRange}
	}
	c.step(v.end)
	return binary.LittleEndian.Uint64(magnitude), nil
}

// Big reads an integer of [KindBigInt]. The magnitude has the lowest byte first
// and no leading zeros.
func (c *Cursor) Big() (magnitude []byte, negative bool, err error) {
	magnitude, v, negative, err := c.integer(KindBigInt)
	switch {
	case err != nil:
		return nil, false, err
	case magnitude == nil:
		return nil, false, &KindError{Offset: v.start, Want: KindBigInt, Got: KindInt}
	}
	c.step(v.end)
	return magnitude, negative, nil
}

// BigInt reads any integer. The result is the caller's.
func (c *Cursor) BigInt() (*big.Int, error) {
	magnitude, v, negative, err := c.integer(KindBigInt)
	if err != nil {
		return nil, err
	}
	c.step(v.end)
	if magnitude == nil {
		return big.NewInt(v.value), nil
	}
	return bigInt(magnitude, negative), nil
}

// bigInt makes a big.Int of a magnitude with the lowest byte first.
func bigInt(magnitude []byte, negative bool) *big.Int {
	magnitude = slices.Clone(magnitude)
	slices.Reverse(magnitude)
	v := new(big.Int).SetBytes(magnitude)
	if negative {
		v.Neg(v)
	}
	return v
}

// Float reads a float.
func (c *Cursor) Float() (float64, error) {
	pos, err := c.start(KindFloat)
	if err != nil {
		return 0, err
	}
	switch c.b[pos] {
	case wire.NewFloat:
		if len(c.b)-pos < 9 {
			return 0, c.eof()
		}
		v := math.Float64frombits(binary.BigEndian.Uint64(c.b[pos+1:]))
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, &SyntaxError{Offset: pos, Err: ErrFloat}
		}
		c.pos = pos + 9
		return v, nil
	case wire.Float:
		if len(c.b)-pos < 1+wire.FloatLen {
			return 0, c.eof()
		}
		v, ok := wire.ParseFloat(c.b[pos+1 : pos+1+wire.FloatLen])
		if !ok {
			return 0, &SyntaxError{Offset: pos, Err: ErrFloat}
		}
		c.pos = pos + 1 + wire.FloatLen
		return v, nil
	}
	return 0, c.other(pos, KindFloat)
}

// Atom reads an atom and returns its name, which is UTF-8. It allocates only
// for one that was encoded as latin1 and is not ASCII.
func (c *Cursor) Atom() ([]byte, error) {
	if pos := c.pos; c.chars == 0 && len(c.b)-pos >= 2 && c.b[pos] == wire.SmallAtomUTF8 {
		if end := pos + 2 + int(c.b[pos+1]); end <= len(c.b) {
			if name := c.b[pos+2 : end : end]; validAtom(name) {
				c.pos = end
				return name, nil
			}
		}
	}
	pos, err := c.start(KindAtom)
	if err != nil {
		return nil, err
	}
	if tagKinds[c.b[pos]] != KindAtom {
		return nil, c.other(pos, KindAtom)
	}
	s := scanner{b: c.b}
	end, err := checked(&s, s.scanAtom(pos))
	if err != nil {
		return nil, err
	}
	name, _ := atomText(c.b, pos)
	c.pos = end
	return name, nil
}

// Bool reads one of the atoms true and false. The [KindError] for another atom
// has [KindAtom] as Want and Got.
func (c *Cursor) Bool() (bool, error) {
	before := *c
	name, err := c.Atom()
	if err != nil {
		return false, err
	}
	switch string(name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	*c = before
	return false, &KindError{Offset: c.pos, Want: KindAtom, Got: KindAtom}
}

// Binary reads a binary.
func (c *Cursor) Binary() ([]byte, error) {
	if pos := c.pos; c.chars == 0 && len(c.b)-pos >= 5 && c.b[pos] == wire.Binary {
		size := binary.BigEndian.Uint32(c.b[pos+1:])
		if uint(size) > uint(len(c.b)-pos-5) {
			return nil, c.eof()
		}
		end := pos + 5 + int(size)
		c.pos = end
		return c.b[pos+5 : end : end], nil
	}
	before := *c
	b, lastBits, err := c.bits(KindBinary)
	if err == nil && lastBits != 8 {
		*c = before
		return nil, c.other(c.skipEmpty(), KindBinary)
	}
	return b, err
}

// BitString reads a bit string or binary, and returns how many bits of its last
// byte count: the 1 to 8 most significant ones (8 for a binary, the empty one
// too). The others may be anything.
func (c *Cursor) BitString() (b []byte, lastBits uint8, err error) { return c.bits(KindBitString) }

func (c *Cursor) bits(want Kind) (b []byte, lastBits uint8, err error) {
	pos, err := c.start(want)
	if err != nil {
		return nil, 0, err
	}
	switch c.b[pos] {
	case wire.Binary:
		if len(c.b)-pos < 5 || uint(binary.BigEndian.Uint32(c.b[pos+1:])) > uint(len(c.b)-pos-5) {
			return nil, 0, c.eof()
		}
		c.pos = pos + 5 + int(binary.BigEndian.Uint32(c.b[pos+1:]))
		return c.b[pos+5 : c.pos : c.pos], 8, nil
	case wire.BitBinary:
		s := scanner{b: c.b}
		end, err := checked(&s, s.scanBits(pos))
		if err != nil {
			return nil, 0, err
		}
		c.pos = end
		return c.b[pos+6 : end : end], c.b[pos+5], nil
	}
	return nil, 0, c.other(pos, want)
}
