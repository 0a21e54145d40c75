package etf

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/beamport/beamport/etf/internal/wire"
)

// maxBigBytes is the longest magnitude that OTP accepts in a bignum. It is a
// limit of the 64-bit emulator, not of the format.
const maxBigBytes = (1<<19 - 1) * 8

// maxSmall is the largest integer that the 64-bit emulator keeps in a word.
// Where OTP wants such a one (arities, indexes of funs) it takes no larger.
const maxSmall = 1<<59 - 1

// scanRare checks the term without children that starts at pos, whose tag is
// not one of those that scan itself knows.
func (s *scanner) scanRare(pos int, tag byte) int {
	b := s.b
	switch tag {
	case wire.Atom, wire.SmallAtom, wire.AtomUTF8, wire.SmallAtomUTF8, wire.AtomCacheRef:
		return s.scanAtom(pos)
	case wire.SmallBig, wire.LargeBig:
		magnitude, negative, end := s.scanBig(pos)
		if _, ok := smallMagnitude(magnitude, negative); !ok {
			s.copied = true // the term will point at its digits
		}
		return end
	case wire.Float:
		if pos+1+wire.FloatLen > len(b) {
			return s.eof()
		}
		if _, ok := wire.ParseFloat(b[pos+1 : pos+1+wire.FloatLen]); !ok {
			return s.fail(pos, ErrFloat)
		}
		return pos + 1 + wire.FloatLen
	case wire.BitBinary:
		return s.scanBits(pos)
	case wire.NewPid, wire.Pid:
		return s.scanPid(pos)
	case wire.NewPort, wire.V4Port, wire.Port:
		return s.scanPort(pos)
	case wire.NewerReference, wire.NewReference, wire.Reference:
		return s.scanRef(pos)
	case wire.Export:
		return s.scanExport(pos)
	}
	return s.fail(pos, &TagError{tag})
}

// validAtom reports whether b is UTF-8 of at most 255 characters.
func validAtom(b []byte) bool {
	if len(b) <= wire.MaxAtomCharacters {
		return isASCII(b) || utf8.Valid(b)
	}
	characters := 0
	for _, c := range b {
		if c&0xC0 != 0x80 { // not a continuation byte
			characters++
		}
	}
	return characters <= wire.MaxAtomCharacters && utf8.Valid(b)
}

// isASCII looks at words of b, some bytes twice.
func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	n := len(b)
	switch {
	case n >= 8:
		bits := binary.LittleEndian.Uint64(b[n-8:])
		for ; len(b) > 8; b = b[8:] {
			bits |= binary.LittleEndian.Uint64(b)
		}
		return bits&high == 0
	case n >= 4:
		return (binary.LittleEndian.Uint32(b)|binary.LittleEndian.Uint32(b[n-4:]))&(high>>32) == 0
	}
	var bits byte
	for _, c := range b {
		bits |= c
	}
	return bits < utf8.RuneSelf
}

// atomBytes returns the bytes of the valid atom at pos, whether they are latin1,
// and where they end.
func atomBytes(b []byte, pos int) (name []byte, latin1 bool, end int) {
	tag := b[pos]
	if tag == wire.SmallAtom || tag == wire.SmallAtomUTF8 {
		end = pos + 2 + int(b[pos+1])
		return b[pos+2 : end], tag == wire.SmallAtom, end
	}
	end = pos + 3 + int(binary.BigEndian.Uint16(b[pos+1:]))
	return b[pos+3 : end], tag == wire.Atom, end
}

// scanAtom checks the atom at pos.
func (s *scanner) scanAtom(pos int) int {
	b := s.b
	if pos >= len(b) {
		return s.eof()
	}
	head := 2
	switch b[pos] {
	case wire.Atom, wire.AtomUTF8:
		head = 3
	case wire.SmallAtom, wire.SmallAtomUTF8:
	case wire.AtomCacheRef:
		return s.scanCacheRef(pos)
	default:
		return s.fail(pos, s.notA(b[pos], ErrAtom))
	}
	if pos+head > len(b) {
		return s.eof()
	}
	size := int(b[pos+1])
	if head == 3 {
		size = size<<8 | int(b[pos+2])
	}
	latin1 := b[pos] == wire.Atom || b[pos] == wire.SmallAtom
	if latin1 && size > wire.MaxAtomCharacters || size > wire.MaxAtomCharacters*utf8.UTFMax {
		return s.fail(pos, ErrAtom)
	}
	end := pos + head + size
	if end > len(b) {
		return s.eof()
	}
	name := b[pos+head : end]
	s.copied = true
	if latin1 {
		if wide := latin1Extra(name); wide > 0 {
			s.latin1 += len(name) + wide
		}
		return end
	}
	if !validAtom(name) {
		return s.fail(pos, ErrAtom)
	}
	return end
}

// latin1Extra returns by how many bytes latin1 text grows as UTF-8.
func latin1Extra(b []byte) int {
	n := 0
	for _, c := range b {
		n += int(c >> 7)
	}
	return n
}

// notA returns the error for a tag in a place where only some others may be:
// the one given, or, for a byte that is no term's tag anywhere, a [TagError].
func (s *scanner) notA(tag byte, err error) error {
	switch tag {
	case wire.SmallInteger, wire.Integer, wire.NewFloat, wire.Float, wire.Atom, wire.SmallAtom,
		wire.AtomUTF8, wire.SmallAtomUTF8, wire.Binary, wire.BitBinary, wire.Nil, wire.String, wire.List,
		wire.SmallTuple, wire.LargeTuple, wire.Map, wire.SmallBig, wire.LargeBig, wire.NewFun, wire.Export,
		wire.NewPid, wire.Pid, wire.NewPort, wire.Port, wire.V4Port, wire.NewerReference,
		wire.NewReference, wire.Reference, wire.Record:
		return err
	}
	return &TagError{tag}
}

// scanBig checks the bignum at pos and returns its magnitude, without leading
// zeros, and sign.
func (s *scanner) scanBig(pos int) (magnitude []byte, negative bool, end int) {
	b := s.b
	head := 3
	if b[pos] == wire.LargeBig {
		head = 6
	}
	if pos+head > len(b) {
		return nil, false, s.eof()
	}
	size := uint(b[pos+1])
	if head == 6 {
		size = uint(binary.BigEndian.Uint32(b[pos+1:]))
	}
	if size > maxBigBytes || b[pos+head-1] > 1 {
		return nil, false, s.fail(pos, ErrInteger)
	}
	end = pos + head + int(size)
	if end > len(b) {
		return nil, false, s.eof()
	}
	magnitude, negative = bigAt(b, pos, end)
	return magnitude, negative, end
}

// bigAt returns the magnitude and sign of the valid bignum from pos to end.
func bigAt(b []byte, pos, end int) (magnitude []byte, negative bool) {
	head := 3
	if b[pos] == wire.LargeBig {
		head = 6
	}
	magnitude = b[pos+head : end]
	for len(magnitude) > 0 && magnitude[len(magnitude)-1] == 0 {
		magnitude = magnitude[:len(magnitude)-1]
	}
	return magnitude, b[pos+head-1] != 0
}

// smallMagnitude returns the integer if it fits an int64.
func smallMagnitude(magnitude []byte, negative bool) (int64, bool) {
	if len(magnitude) > 8 {
		return 0, false
	}
	var word [8]byte
	copy(word[:], magnitude)
	v := binary.LittleEndian.Uint64(word[:])
	switch {
	case !negative && v <= math.MaxInt64:
		return int64(v), true
	case negative && v <= 1<<63:
		return -int64(v), true
	}
	return 0, false
}

// scanSmall checks that an integer from low to high, for use in a fun, is at
// pos and returns the position after it.
func (s *scanner) scanSmall(pos int, low, high int64) (end int) {
	b := s.b
	if pos >= len(b) {
		return s.eof()
	}
	switch b[pos] {
	case wire.SmallInteger:
		end = pos + 2
	case wire.Integer:
		end = pos + 5
	case wire.SmallBig, wire.LargeBig:
		if _, _, end = s.scanBig(pos); end < 0 {
			return end
		}
	default:
		return s.fail(pos, s.notA(b[pos], ErrFun))
	}
	if end > len(b) {
		return s.eof()
	}
	v, ok := smallAt(b, pos, end)
	if !ok || v < low || v > high {
		return s.fail(pos, ErrFun)
	}
	return end
}

// smallAt returns the integer at pos, if it fits an int64.
func smallAt(b []byte, pos, end int) (int64, bool) {
	switch b[pos] {
	case wire.SmallInteger:
		return int64(b[pos+1]), true
	case wire.Integer:
		return int64(int32(binary.BigEndian.Uint32(b[pos+1:]))), true
	}
	return smallMagnitude(bigAt(b, pos, end))
}

// scanBits checks the BIT_BINARY_EXT at pos.
func (s *scanner) scanBits(pos int) int {
	b := s.b
	if pos+6 > len(b) {
		return s.eof()
	}
	size := uint(binary.BigEndian.Uint32(b[pos+1:]))
	if bits := b[pos+5]; bits == 0 || bits > 8 || size == 0 {
		return s.fail(pos, ErrBits)
	}
	if size > uint(len(b)-pos-6) {
		return s.eof()
	}
	s.copied = true
	end := pos + 6 + int(size)
	if b[end-1]&(0xFF>>b[pos+5]) != 0 {
		s.dirty = true
	}
	return end
}
