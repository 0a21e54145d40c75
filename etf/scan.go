package etf

import (
	"encoding/binary"
	"io"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A scanner checks an encoded term from end to end without building anything,
// and finds out how much memory building it takes. It does not recurse, and
// what it keeps for itself is bounded by the bytes it has seen.
type scanner struct {
	b []byte

	maxDepth, maxTerms int

	refs []Term // the atoms that ATOM_CACHE_REF stands for, behind a distribution header; else nil

	// What build needs to know.
	terms     int         // slots in all containers
	latin1    int         // bytes by which latin1 atoms grow as UTF-8
	copied    bool        // Terms will point at bytes
	dirty     bool        // build writes to the bytes
	irregular []irregular // lists that are not just n elements and a NIL_EXT

	stack []frame // the containers around pos, outermost first
	left  int     // the left of the innermost one, once scan has failed

	// Keys of the maps on the stack. A container as a key is checked as a whole
	// once its end is known, see mapkeys.go; keyFrame is the height of the stack
	// around the outermost such key that pos is in, or 0.
	keys     []mapKey
	table    []uint32
	keyFrame int

	errOffset int
	err       error
}

// A frame is a container that scan is in.
type frame struct {
	off   uint32 // of its tag
	n     uint32 // children, the tail of a list not counted; grows with a list's chain
	left  uint32 // children that are not finished, while scan is in one of them
	key   uint32 // map: offset of the key that was last seen; list: 1 + index in irregular, or 0; fun: end
	first uint32 // map: index of its first key in scanner.keys
	kind  frameKind
}

type frameKind uint8

const (
	inTuple frameKind = iota
	inList
	inTail // of an improper list
	inMap
	inFun
	inRecord
)

// irregular describes a LIST_EXT that has another tail than NIL_EXT.
type irregular struct {
	off      uint32 // of its tag
	first    uint32 // elements in the LIST_EXT itself
	total    uint32 // elements in the whole chain
	improper bool
}

// fail notes the error and returns -1, for the position after a bad term.
func (s *scanner) fail(offset int, err error) int {
	s.errOffset, s.err = offset, err
	return -1
}

func (s *scanner) eof() int { return s.fail(len(s.b), io.ErrUnexpectedEOF) }

// addTerms counts n more slots.
func (s *scanner) addTerms(off, n int) bool {
	if n > s.maxTerms-s.terms {
		s.fail(off, &LimitError{"MaxTerms", s.maxTerms})
		return false
	}
	s.terms += n
	return true
}

// scan checks the term that starts at pos and returns the position after it,
// or -1 after a call of fail.
func (s *scanner) scan(pos int) int {
	b := s.b
	var (
		left = 1       // terms to go in the innermost container
		kind = inTuple // of the innermost container
		end  int       // of the term that starts at pos
	)
	for {
		start := pos
		n := 0 // children, if it is a container
		child := inTuple
		if pos >= len(b) {
			s.left = left
			return s.eof()
		}
		if kind == inMap && left&1 == 0 && s.keyFrame == 0 {
			if pos, left = s.pairs(pos, left); pos > start {
				continue
			}
		}
		switch tag := b[pos]; tag {
		case wire.SmallInteger, wire.Integer:
			if kind == inList && left > fewNumbers && len(b)-pos >= numberRoom {
				pos, left = s.numbers(pos, left)
				continue
			}
			end = pos + 2
			if tag == wire.Integer {
				end = pos + 5
			}
		case wire.NewFloat:
			end = pos + 9
			if end <= len(b) && b[pos+1]&0x7F == 0x7F && b[pos+2]&0xF0 == 0xF0 { // NaN, infinities
				end = s.fail(pos, ErrFloat)
			}
		case wire.SmallAtomUTF8:
			if pos+2 > len(b) {
				end = len(b) + 1
				break
			}
			s.copied = true
			end = pos + 2 + int(b[pos+1])
			if end <= len(b) && !validAtom(b[pos+2:end]) {
				end = s.fail(pos, ErrAtom)
			}
		case wire.Binary:
			if pos+5 > len(b) {
				end = len(b) + 1
				break
			}
			size := binary.BigEndian.Uint32(b[pos+1:])
			if uint(size) > uint(len(b)-pos-5) {
				end = len(b) + 1
				break
			}
			s.copied = true
			end = pos + 5 + int(size)
		case wire.Nil:
			end = pos + 1
		case wire.String:
			if pos+3 > len(b) {
				end = len(b) + 1
				break
			}
			size := int(binary.BigEndian.Uint16(b[pos+1:]))
			end = pos + 3 + size
			if size > 0 {
				s.copied = true
				if len(s.stack) >= s.maxDepth {
					end = s.fail(pos, &LimitError{"MaxDepth", s.maxDepth})
				}
			}
		case wire.SmallTuple:
			end = pos + 2
			if end <= len(b) {
				n = int(b[pos+1])
			}
		case wire.LargeTuple, wire.Map, wire.List:
			end = pos + 5
			if end > len(b) {
				break
			}
			count := uint(binary.BigEndian.Uint32(b[pos+1:]))
			room := uint(len(b) - end)
			switch tag {
			case wire.Map:
				child = inMap
				room /= 2
			case wire.List:
				child = inList
				if count == 0 { // stands for its tail
					pos = end
					continue
				}
				if room > 0 {
					room-- // the tail
				}
			}
			if count > room {
				end = len(b) + 1
				break
			}
			n = int(count)
			if child == inMap {
				n *= 2
			}
		case wire.NewFun:
			end, n = s.scanFun(pos)
			child = inFun
		case wire.Record:
			end, n = s.scanRecord(pos)
			child = inRecord
		default:
			end = s.scanRare(pos, tag)
		}
		if uint(end) > uint(len(b)) { // -1 too
			s.left = left
			if end < 0 {
				return -1
			}
			return s.eof()
		}

		if n > 0 {
			// A container: go on inside it.
			if n > len(b)-end {
				s.left = left
				return s.eof()
			}
			if len(s.stack) >= s.maxDepth {
				s.left = left
				return s.fail(start, &LimitError{"MaxDepth", s.maxDepth})
			}
			if !s.addTerms(start, n) {
				s.left = left
				return -1
			}
			if len(s.stack) > 0 {
				s.stack[len(s.stack)-1].left = uint32(left)
				if s.keyFrame == 0 && kind == inMap && left&1 == 0 {
					s.keyFrame = len(s.stack)
				}
			}
			f := frame{off: uint32(start), n: uint32(n), kind: child}
			switch child {
			case inMap:
				f.first = uint32(len(s.keys))
			case inFun:
				f.key = uint32(funEnd(b, start))
			}
			s.stack = append(s.stack, f)
			kind, left, pos = child, n, end
			if kind == inMap {
				s.stack[len(s.stack)-1].key = uint32(pos)
			}
			continue
		}

		// A term is finished, and with it maybe the containers that it ends.
		pos = end
		for {
			left--
			if kind == inMap {
				f := &s.stack[len(s.stack)-1]
				if left&1 != 0 { // that was a key
					if s.keyFrame == 0 || s.keyFrame == len(s.stack) {
						s.keyFrame = 0
						if !s.addKey(start, pos) {
							s.left = left + 1
							return -1
						}
					}
				} else {
					f.key = uint32(pos) // where the next key starts
				}
			}
			if left > 0 {
				break
			}
			if len(s.stack) == 0 {
				return pos
			}
			f := &s.stack[len(s.stack)-1]
			switch kind {
			case inList:
				left, pos = s.scanTail(f, pos)
				if pos < 0 {
					s.left = 0
					return -1
				}
				kind = f.kind
			case inMap:
				if s.keyFrame == 0 && !s.endMap(f) {
					s.left = 0
					return -1
				}
			case inFun:
				if pos != int(f.key) {
					s.left = 0
					return s.fail(int(f.off), ErrFun)
				}
			}
			if left > 0 {
				break
			}
			start = int(f.off)
			s.stack = s.stack[:len(s.stack)-1]
			if len(s.stack) == 0 {
				return pos
			}
			f = &s.stack[len(s.stack)-1]
			kind, left = f.kind, int(f.left)
		}
	}
}

// scanTail goes on where the elements of a LIST_EXT have ended. It returns how
// many terms are to be scanned before the list may end: none, the elements of
// another LIST_EXT, or an improper tail.
func (s *scanner) scanTail(f *frame, pos int) (left, next int) {
	b := s.b
	for {
		if pos >= len(b) {
			return 0, s.eof()
		}
		switch b[pos] {
		case wire.Nil:
			if f.key != 0 {
				s.irregular[f.key-1].total = f.n
			}
			return 0, pos + 1
		case wire.List:
			if pos+5 > len(b) {
				return 0, s.eof()
			}
			n := binary.BigEndian.Uint32(b[pos+1:])
			if uint(n) >= uint(len(b)-pos-5) { // each element and the tail take a byte
				return 0, s.eof()
			}
			s.chain(f)
			if n == 0 {
				pos += 5
				continue
			}
			if !s.addTerms(pos, int(n)) {
				return 0, -1
			}
			f.n += n
			return int(n), pos + 5
		case wire.String:
			if pos+3 > len(b) {
				return 0, s.eof()
			}
			n := int(binary.BigEndian.Uint16(b[pos+1:]))
			if n > len(b)-pos-3 {
				return 0, s.eof()
			}
			s.chain(f)
			if !s.addTerms(pos, n) {
				return 0, -1
			}
			f.n += uint32(n)
			s.irregular[f.key-1].total = f.n
			return 0, pos + 3 + n
		default:
			s.chain(f)
			if !s.addTerms(pos, 1) {
				return 0, -1
			}
			f.kind = inTail
			irregular := &s.irregular[f.key-1]
			irregular.total, irregular.improper = f.n, true
			return 1, pos
		}
	}
}

// chain makes f's list an irregular one.
func (s *scanner) chain(f *frame) {
	if f.key == 0 {
		s.copied, s.dirty = true, true // build marks them in its copy
		s.irregular = append(s.irregular, irregular{off: f.off, first: f.n})
		f.key = uint32(len(s.irregular))
	}
}
