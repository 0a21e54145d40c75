package etf

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A builder makes the Terms of what a scanner has found to be valid. It keeps
// b, which it may write to if the scanner found it necessary to copy it: an
// irregular list is marked in its head, and unused bits are cleared.
type builder struct {
	b         []byte
	slab      []slot // room for exactly the children of all containers
	used      int    // of slab
	utf8      []byte // room for exactly the latin1 atoms that are not ASCII
	irregular []irregular
	refs      []Term // as in scanner
	stack     []slots
}

// slots are children of a container, some of which are still to be filled.
type slots struct {
	next, end uint32 // indexes into the slab
	segment   uint32 // where the current LIST_EXT of an irregular list ends
	kind      slotsKind
}

type slotsKind uint8

const (
	untilEnd   slotsKind = iota
	untilNil             // a NIL_EXT follows the last
	irregulars           // see nextSegment
)

// tagIrregular is written over the tag of an irregular LIST_EXT, and an index
// into builder.irregular over its count. No term starts with it.
const tagIrregular = 0

func (d *builder) markIrregular(start int) {
	for i := range d.irregular {
		head := d.b[int(d.irregular[i].off)-start:]
		head[0] = tagIrregular
		binary.BigEndian.PutUint32(head[1:], uint32(i))
	}
}

// build makes the term that starts at pos.
func (d *builder) build(pos int) Term {
	var root Term
	t := slotOf(&root)
	b := d.b
	cur := slots{}
	for {
		var (
			n    int // children to fill
			kind slotsKind
		)
		switch tag := b[pos]; tag {
		case wire.SmallInteger, wire.Integer:
			if cur.kind == untilNil && cur.segment-cur.next > fewNumbers && len(b)-pos >= numberRoom {
				pos = d.numbers(&cur, pos)
				t = &d.slab[cur.next]
				continue
			}
			if tag == wire.SmallInteger {
				*t = slot{kind: KindInt, num: uint64(b[pos+1])}
				pos += 2
			} else {
				*t = slot{kind: KindInt, num: uint64(int32(binary.BigEndian.Uint32(b[pos+1:])))}
				pos += 5
			}
		case wire.SmallAtomUTF8:
			end := pos + 2 + int(b[pos+1])
			t.setBytes(KindAtom, b[pos+2:end], 0, flagChecked)
			pos = end
		case wire.Binary:
			end := pos + 5 + int(binary.BigEndian.Uint32(b[pos+1:]))
			t.setBytes(KindBinary, b[pos+5:end], 0, 0)
			pos = end
		case wire.NewFloat:
			*t = slot{kind: KindFloat, num: binary.BigEndian.Uint64(b[pos+1:])}
			pos += 9
		case wire.Nil:
			*t = slot{kind: KindList}
			pos++
		case wire.String:
			end := pos + 3 + int(binary.BigEndian.Uint16(b[pos+1:]))
			t.setBytes(KindList, b[pos+3:end], 0, flagString)
			pos = end
		case wire.SmallTuple:
			n = int(b[pos+1])
			d.container(t, KindTuple, n, n)
			pos += 2
		case wire.LargeTuple:
			n = int(binary.BigEndian.Uint32(b[pos+1:]))
			d.container(t, KindTuple, n, n)
			pos += 5
		case wire.Map:
			n = int(binary.BigEndian.Uint32(b[pos+1:]))
			d.container(t, KindMap, 2*n, n)
			n *= 2
			pos += 5
		case wire.List:
			n = int(binary.BigEndian.Uint32(b[pos+1:]))
			pos += 5
			if n == 0 {
				continue // with the tail
			}
			d.container(t, KindList, n, n)
			kind = untilNil
		case tagIrregular:
			list := &d.irregular[binary.BigEndian.Uint32(b[pos+1:])]
			n = int(list.total)
			if list.improper {
				d.container(t, KindImproperList, n+1, n)
				n++
			} else {
				d.container(t, KindList, n, n)
			}
			d.stack = append(d.stack, cur)
			cur = slots{uint32(d.used), uint32(d.used + n), uint32(d.used) + list.first, irregulars}
			d.used += n
			t = &d.slab[cur.next]
			pos += 5
			continue
		case wire.SmallBig:
			end := pos + 3 + int(b[pos+1])
			t.setBig(bigAt(b, pos, end))
			pos = end
		case wire.NewFun:
			n = int(binary.BigEndian.Uint32(b[pos+26:]))
			pos = d.fun(t, pos, n)
		case wire.Record:
			n = int(binary.BigEndian.Uint32(b[pos+1:]))
			pos = d.record(t, pos, n)
		default:
			pos = d.leaf(t, pos)
		}

		if n > 0 {
			d.stack = append(d.stack, cur)
			cur = slots{uint32(d.used), uint32(d.used + n), uint32(d.used + n), kind}
			d.used += n
			t = &d.slab[cur.next]
			continue
		}
		for {
			cur.next++
			if cur.next < cur.segment {
				break
			}
			if cur.kind == irregulars {
				if pos = d.nextSegment(&cur, pos); cur.next < cur.segment {
					break
				}
			} else if cur.kind == untilNil {
				pos++
			}
			if len(d.stack) == 0 {
				return root
			}
			cur = d.stack[len(d.stack)-1]
			d.stack = d.stack[:len(d.stack)-1]
			if len(d.stack) == 0 {
				return root
			}
		}
		t = &d.slab[cur.next]
	}
}

// container makes t a container of the next n slots, which the caller then uses.
func (d *builder) container(t *slot, kind Kind, n, num int) {
	t.setTerms(kind, d.slab[d.used:d.used+n], uint64(num), 0, 0)
}

// nextSegment goes on after the elements of a LIST_EXT in an irregular list.
func (d *builder) nextSegment(cur *slots, pos int) int {
	b := d.b
	for {
		switch b[pos] {
		case wire.Nil:
			cur.kind = untilEnd
			return pos + 1
		case wire.List:
			cur.segment += binary.BigEndian.Uint32(b[pos+1:])
			pos += 5
			if cur.next < cur.segment {
				return pos
			}
		case wire.String:
			end := pos + 3 + int(binary.BigEndian.Uint16(b[pos+1:]))
			for _, c := range b[pos+3 : end] {
				d.slab[cur.next] = slot{kind: KindInt, num: uint64(c)}
				cur.next++
			}
			cur.segment, cur.kind = cur.end, untilEnd
			return end
		default: // the tail
			cur.segment, cur.kind = cur.end, untilEnd
			return pos
		}
	}
}

// leaf makes the term at pos, one without children of any number.
func (d *builder) leaf(t *slot, pos int) int {
	b := d.b
	switch tag := b[pos]; tag {
	case wire.SmallAtom, wire.Atom, wire.AtomUTF8, wire.AtomCacheRef:
		return d.atom(t, pos)
	case wire.LargeBig:
		end := pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
		t.setBig(bigAt(b, pos, end))
		return end
	case wire.Float:
		end := pos + 1 + wire.FloatLen
		v, _ := wire.ParseFloat(b[pos+1 : end])
		*t = slot{kind: KindFloat, num: math.Float64bits(v)}
		return end
	case wire.BitBinary:
		end := pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
		bits := b[pos+5]
		if bits == 8 {
			t.setBytes(KindBinary, b[pos+6:end], 0, 0)
			return end
		}
		if unused := byte(0xFF) >> bits; b[end-1]&unused != 0 {
			b[end-1] &^= unused
		}
		t.setBytes(KindBitString, b[pos+6:end], uint32(bits), 0)
		return end
	case wire.NewPid, wire.Pid:
		return d.pid(t, pos)
	case wire.NewPort, wire.V4Port, wire.Port:
		return d.port(t, pos)
	case wire.Export:
		slots := d.take(2)
		end := d.atom(&slots[0], pos+1)
		end = d.atom(&slots[1], end)
		arity, end := d.small(end)
		t.setTerms(KindExport, slots, uint64(arity), 0, 0)
		return end
	default:
		return d.ref(t, pos)
	}
}

// take takes n slots.
func (d *builder) take(n int) []slot {
	slots := d.slab[d.used : d.used+n : d.used+n]
	d.used += n
	return slots
}

// setBig makes t an integer; it keeps the magnitude.
func (t *slot) setBig(magnitude []byte, negative bool) {
	if v, ok := smallMagnitude(magnitude, negative); ok {
		*t = slot{kind: KindInt, num: uint64(v)}
		return
	}
	var flag uint8
	if negative {
		flag = flagNegative
	}
	t.setBytes(KindBigInt, magnitude, 0, flag)
}

// small returns the integer at pos and where it ends.
func (d *builder) small(pos int) (v int64, end int) {
	switch d.b[pos] {
	case wire.SmallInteger:
		end = pos + 2
	case wire.Integer:
		end = pos + 5
	case wire.SmallBig:
		end = pos + 3 + int(d.b[pos+1])
	default:
		end = pos + 6 + int(binary.BigEndian.Uint32(d.b[pos+1:]))
	}
	v, _ = smallAt(d.b, pos, end)
	return v, end
}

func (d *builder) atom(t *slot, pos int) int {
	if d.b[pos] == wire.AtomCacheRef {
		t.set(&d.refs[d.b[pos+1]])
		return pos + 2
	}
	name, latin1, end := atomBytes(d.b, pos)
	if latin1 && latin1Extra(name) > 0 {
		start := len(d.utf8)
		d.utf8 = appendLatin1(d.utf8, name)
		name = d.utf8[start:]
	}
	t.setBytes(KindAtom, name, 0, flagChecked)
	return end
}

// appendLatin1 appends latin1 text as UTF-8.
func appendLatin1(dst, latin1 []byte) []byte {
	for _, c := range latin1 {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

// creation reads a creation of 8 bits, in the old tags, or 32, and the
// position after it.
func (d *builder) creation(old bool, pos int) (uint32, int) {
	if old {
		return uint32(d.b[pos]), pos + 1
	}
	return binary.BigEndian.Uint32(d.b[pos:]), pos + 4
}

func (d *builder) pid(t *slot, pos int) int {
	node := d.take(1)
	old := d.b[pos] == wire.Pid
	end := d.atom(&node[0], pos+1)
	num := binary.BigEndian.Uint64(d.b[end:]) // id, serial
	creation, end := d.creation(old, end+8)
	t.setTerms(KindPid, node, num, creation, 0)
	return end
}

func (d *builder) port(t *slot, pos int) int {
	node := d.take(1)
	tag := d.b[pos]
	end := d.atom(&node[0], pos+1)
	var num uint64
	if tag == wire.V4Port {
		num = binary.BigEndian.Uint64(d.b[end:])
		end += 8
	} else {
		num = uint64(binary.BigEndian.Uint32(d.b[end:]))
		end += 4
	}
	creation, end := d.creation(tag == wire.Port, end)
	t.setTerms(KindPort, node, num, creation, 0)
	return end
}

func (d *builder) ref(t *slot, pos int) int {
	slots := d.take(2)
	var words [wire.MaxReferenceWords]uint32
	tag := d.b[pos]
	n, end := 1, 0
	var creation uint32
	if tag == wire.Reference {
		end = d.atom(&slots[0], pos+1)
		words[0] = binary.BigEndian.Uint32(d.b[end:])
		creation, end = d.creation(true, end+4)
	} else {
		n = int(binary.BigEndian.Uint16(d.b[pos+1:]))
		end = d.atom(&slots[0], pos+3)
		creation, end = d.creation(tag == wire.NewReference, end)
		for i := range n {
			words[i] = binary.BigEndian.Uint32(d.b[end:])
			end += 4
		}
	}
	first, second := packWords(&words)
	slots[1] = slot{num: second, aux: words[4]}
	t.setTerms(KindRef, slots, first, creation, uint8(n))
	return end
}

// fun makes t a fun with n free variables and fills its first slots. It returns
// where the free variables start.
func (d *builder) fun(t *slot, pos, n int) int {
	t.setTerms(KindFun, d.slab[d.used:d.used+funHead+n], uint64(n), binary.BigEndian.Uint32(d.b[pos+22:]), d.b[pos+5])
	head := d.take(funHead)
	head[funUniq].setBytes(KindBinary, d.b[pos+6:pos+22], 0, 0)
	end := d.atom(&head[funModule], pos+30)
	var v int64
	v, end = d.small(end)
	head[funOldIndex] = slot{kind: KindInt, num: uint64(v)}
	v, end = d.small(end)
	head[funOldUniq] = slot{kind: KindInt, num: uint64(v)}
	// The creator's node would lie between head and the free variables, so it
	// takes the last slot of all.
	node := d.slab[len(d.slab)-1:]
	d.slab = d.slab[: len(d.slab)-1 : len(d.slab)-1]
	sub := builder{b: d.b, slab: node, utf8: d.utf8, refs: d.refs}
	end = sub.pid(&head[funCreator], end)
	d.utf8 = sub.utf8
	return end
}
