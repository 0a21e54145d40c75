package etf

import (
	"encoding/binary"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Short terms of the usual kinds are read in one pass, which checks them and
// writes their Terms down before it is known where these will lie: a draft. What
// is not usual, not valid or too long is left to scan and build, which know all
// there is, every error included.

const (
	// draftTerms is how many Terms a draft may have besides the one that has them all.
	draftTerms = 2048
	// draftBytes is how long an input may be that a draft is tried on.
	draftBytes = 32 << 10
)

// In a draft the pointers of Terms are offsets: from the start of the input, or
// of the Terms. Two bits above them say which; no pointer has neither.
const (
	draftShift = 28
	inBytes    = 1 << draftShift
	inTerms    = 2 << draftShift
	draftMask  = inBytes - 1
)

// A draft is what was read of an input.
type draft struct {
	slots  []slot // of the term, and of the children of all containers
	used   int    // of slots
	copied bool   // some Terms point at bytes
	stack  []draftFrame
}

// draftFrame is a container, some of whose children are still to be read.
type draftFrame struct {
	next, end uint32 // indexes into the slots
	first     uint32 // map: index of its first key in scanner.keys
	kind      Kind
}

// grow makes room for n slots, as the containers that have been read want it.
func (d *draft) grow(n int) []slot {
	grown := make([]slot, max(n, 2*len(d.slots), 8))
	copy(grown, d.slots)
	d.slots = grown
	return grown
}

// draft reads the term at pos, and returns the position after it, or -1 where it
// gives up. The scanner has the input and the limits.
func (c *scratch) draft(pos int) (end int) {
	s, d := &c.scanner, &c.drafted
	d.stack = d.stack[:0]
	b, slots := s.b, d.slots
	if len(slots) == 0 {
		slots = d.grow(1)
	}
	most := 1 + min(draftTerms, s.maxTerms)
	used, copied := 1, uint(0)
	// The term itself is in a container that ends with it.
	cur := draftFrame{next: 0, end: 1, kind: KindTuple}
	for {
		if cur.next < cur.end {
			if pos >= len(b) {
				return -1
			}
			var (
				t    = &slots[cur.next]
				kind Kind
				n    uint // children
			)
			if cur.kind == KindMap && (cur.end-cur.next)&1 == 0 {
				left := int(cur.end - cur.next)
				var still int
				if pos, still = s.draftPairs(pos, slots[cur.next:cur.end]); still < left {
					cur.next, copied = cur.end-uint32(still), 1
					continue
				}
			}
			start := pos
			switch tag := b[pos]; tag {
			case wire.Binary:
				if len(b)-pos < 5 {
					return -1
				}
				size := uint(binary.BigEndian.Uint32(b[pos+1:]))
				pos += 5
				if size > uint(len(b)-pos) {
					return -1
				}
				t.draftBytes(KindBinary, pos, size, 0)
				copied |= size
				pos += int(size)
			case wire.SmallAtomUTF8:
				if len(b)-pos < 2 {
					return -1
				}
				size := uint(b[pos+1])
				pos += 2
				if size > uint(len(b)-pos) || !isASCII(b[pos:pos+int(size)]) {
					return -1
				}
				t.draftBytes(KindAtom, pos, size, flagChecked)
				copied |= size
				pos += int(size)
			case wire.SmallInteger:
				if len(b)-pos < 2 {
					return -1
				}
				*t = slot{kind: KindInt, num: uint64(b[pos+1])}
				pos += 2
			case wire.Integer:
				if len(b)-pos < 5 {
					return -1
				}
				*t = slot{kind: KindInt, num: uint64(int32(binary.BigEndian.Uint32(b[pos+1:])))}
				pos += 5
			case wire.NewFloat:
				if len(b)-pos < 9 || b[pos+1]&0x7F == 0x7F && b[pos+2]&0xF0 == 0xF0 {
					return -1
				}
				*t = slot{kind: KindFloat, num: binary.BigEndian.Uint64(b[pos+1:])}
				pos += 9
			case wire.Nil:
				*t = slot{kind: KindList}
				pos++
			case wire.String:
				if len(b)-pos < 3 {
					return -1
				}
				size := uint(binary.BigEndian.Uint16(b[pos+1:]))
				pos += 3
				if size > uint(len(b)-pos) || size > 0 && len(d.stack) >= s.maxDepth {
					return -1
				}
				t.draftBytes(KindList, pos, size, flagString)
				copied |= size
				pos += int(size)
			case wire.SmallBig:
				if len(b)-pos < numberRoom {
					return -1
				}
				size := int(b[pos+1])
				negative := uint64(b[pos+2])
				if size > 8 || negative > 1 {
					return -1
				}
				v := binary.LittleEndian.Uint64(b[pos+3:]) & (1<<(8*size) - 1)
				if v > 1<<63-1+negative {
					return -1
				}
				*t = slot{kind: KindInt, num: v ^ -negative + negative}
				pos += 3 + size
			case wire.SmallTuple:
				if len(b)-pos < 2 {
					return -1
				}
				kind, n = KindTuple, uint(b[pos+1])
				pos += 2
				*t = slot{kind: KindTuple, num: uint64(n)}
			case wire.Map, wire.List:
				if len(b)-pos < 5 {
					return -1
				}
				n = uint(binary.BigEndian.Uint32(b[pos+1:]))
				kind = KindMap
				*t = slot{kind: KindMap, num: uint64(n)}
				if tag == wire.List {
					if n == 0 { // stands for its tail
						return -1
					}
					kind, t.kind = KindList, KindList
				} else {
					if n > draftTerms {
						return -1
					}
					n *= 2
				}
				pos += 5
			default:
				return -1
			}
			if cur.kind == KindMap && (cur.end-cur.next)&1 == 0 { // that was a key
				if n > 0 || !s.addKey(start, pos) {
					return -1
				}
			}
			cur.next++
			if n > 0 {
				if n > uint(min(most-used, len(b)-pos)) || len(d.stack) >= s.maxDepth { // each takes a byte
					return -1
				}
				t.ptr = inTerms | uintptr(used-1)*slotSize
				if used+int(n) > len(slots) {
					slots = d.grow(used + int(n))
				}
				d.stack = append(d.stack, cur)
				cur = draftFrame{next: uint32(used), end: uint32(used) + uint32(n), first: uint32(len(s.keys)), kind: kind}
				used += int(n)
			}
			continue
		}
		switch cur.kind {
		case KindMap:
			keys := s.keys[cur.first:]
			s.keys = s.keys[:cur.first]
			if !s.distinct(keys) {
				return -1
			}
		case KindList:
			if pos >= len(b) || b[pos] != wire.Nil {
				return -1
			}
			pos++
		}
		if len(d.stack) == 0 {
			d.used, d.copied = used, copied != 0
			return pos
		}
		cur = d.stack[len(d.stack)-1]
		d.stack = d.stack[:len(d.stack)-1]
	}
}

// draftPairs drafts the pairs at pos, where a key is next, as scanner.pairs passes over
// them. It returns how many of the slots are left, which is one at least.
func (s *scanner) draftPairs(pos int, out []slot) (next, left int) {
	b := s.b
	keys := s.keys
loop:
	for len(out) > 1 && len(b)-pos >= 2*pairRoom {
		kind, start, n, flag := KindBinary, pos+5, uint(0), uint8(0)
		switch b[pos] {
		case wire.Binary:
			n = uint(binary.BigEndian.Uint32(b[pos+1:]))
		case wire.SmallAtomUTF8:
			kind, start, n, flag = KindAtom, pos+2, uint(b[pos+1]), flagChecked
		default:
			break loop
		}
		if n > uint(len(b)-start-pairRoom) {
			break
		}
		end := start + int(n)
		salt := saltOf(kind, int(n))
		var hash, high uint64
		switch {
		case n <= 8:
			word := binary.LittleEndian.Uint64(b[start:]) & (1<<(8*n) - 1)
			hash, high = mix(word^salt, 0), word
		case n <= 16:
			first, last := binary.LittleEndian.Uint64(b[start:]), binary.LittleEndian.Uint64(b[end-8:])
			hash, high = mix(first^salt, last), first|last
		default:
			hash = hashBytes(kind, b[start:end])
			if kind == KindAtom && !isASCII(b[start:end]) {
				high = highBits
			}
		}
		if kind == KindAtom && high&highBits != 0 {
			break // maybe valid, maybe not
		}
		out[0].draftBytes(kind, start, n, flag)
		keys = append(keys, mapKey{hash, uint32(pos), uint32(end)})
		pos = end
		out = out[1:]

		if len(out) == 1 {
			break
		}
		switch b[pos] {
		case wire.Binary:
			n := uint(binary.BigEndian.Uint32(b[pos+1:]))
			if n > uint(len(b)-pos-5-pairRoom) {
				break loop
			}
			out[0].draftBytes(KindBinary, pos+5, n, 0)
			pos += 5 + int(n)
		case wire.SmallAtomUTF8:
			start, n := pos+2, int(b[pos+1])
			if n > len(b)-start-pairRoom || !isASCII(b[start:start+n]) {
				break loop
			}
			out[0].draftBytes(KindAtom, start, uint(n), flagChecked)
			pos = start + n
		case wire.SmallInteger:
			out[0] = slot{kind: KindInt, num: uint64(b[pos+1])}
			pos += 2
		case wire.Integer:
			out[0] = slot{kind: KindInt, num: uint64(int32(binary.BigEndian.Uint32(b[pos+1:])))}
			pos += 5
		default:
			break loop
		}
		out = out[1:]
	}
	s.keys = keys
	return pos, len(out)
}

// draftBytes drafts a Term of one of the kinds that hold bytes.
func (t *slot) draftBytes(kind Kind, pos int, size uint, flag uint8) {
	if size == 0 {
		*t = slot{kind: kind}
		return
	}
	*t = slot{inBytes | uintptr(pos), uint64(size), 0, kind, flag}
}

// finish makes the Terms of a draft. b is the bytes of the term that was read at
// start; with own they are for the term to keep.
func (d *draft) finish(b []byte, start int, own bool) (t Term) {
	var slab []slot
	switch n := d.used - 1; {
	case !d.copied:
		slab, b = newBlock(n, 0)
	case own:
		slab = newSlab(n)
	default:
		from := b
		slab, b = newBlock(n, len(b))
		copy(b, from)
	}
	settle(slotOf(&t), slab, d.slots, b, start)
	return t
}
