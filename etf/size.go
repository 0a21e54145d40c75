package etf

import (
	"math"

	"github.com/beamport/beamport/etf/internal/wire"
)

// encodedSize returns how many bytes the term has without the version byte. It
// looks no deeper than depth containers, since encoding such a term fails.
func (t *Term) encodedSize(depth int) int {
	switch t.kind {
	case KindInt:
		return intSize(int64(t.num))
	case KindAtom:
		return atomSize(t)
	case KindBinary:
		return 5 + int(t.num)
	case KindFloat:
		return 9
	case KindTuple:
		head := 2
		if t.num > math.MaxUint8 {
			head = 5
		}
		return head + sizeOf(t.terms(int(t.num)), depth)
	case KindMap:
		return 5 + sizeOf(t.terms(2*int(t.num)), depth)
	case KindImproperList:
		return 5 + sizeOf(t.terms(int(t.num)+1), depth)
	case KindList:
		return t.listSize(depth)
	case KindBigInt:
		if t.num > math.MaxUint8 {
			return 6 + int(t.num)
		}
		return 3 + int(t.num)
	case KindBitString:
		return 6 + int(t.num)
	case KindPid:
		return 1 + atomSize(&t.terms(1)[0]) + 12
	case KindPort:
		return 1 + atomSize(&t.terms(1)[0]) + 12
	case KindRef:
		return 3 + atomSize(&t.terms(1)[0]) + 4 + 4*int(t.flag)
	case KindExport:
		names := t.terms(2)
		return 1 + atomSize(&names[0]) + atomSize(&names[1]) + intSize(int64(t.num))
	case KindFun:
		// Its bytes 1 to 30; then come terms, of which the uniq is among those bytes.
		slots := t.terms(funHead + int(t.num))
		return 30 - slots[funUniq].encodedSize(1) + sizeOf(slots, depth)
	case KindRecord:
		return t.recordSize(depth)
	}
	return 0
}

// sizeOf returns the size of the children of a container.
func sizeOf(terms []Term, depth int) int {
	if depth == 0 {
		return 0
	}
	size := 0
	for i := range terms {
		switch t := &terms[i]; t.kind {
		case KindInt:
			size += intSize(int64(t.num))
		case KindBinary:
			size += 5 + int(t.num)
		case KindAtom:
			size += atomSize(t)
		default:
			size += t.encodedSize(depth - 1)
		}
	}
	return size
}

func (t *Term) listSize(depth int) int {
	n := int(t.num)
	switch {
	case n == 0:
		return 1
	case t.flag&flagString == 0:
		if terms := t.terms(n); n > wire.MaxStringLen || !areBytes(terms) {
			return 5 + sizeOf(terms, depth) + 1
		}
	case n > wire.MaxStringLen:
		return 5 + 2*n + 1
	}
	return 3 + n
}

func intSize(v int64) int {
	switch {
	case uint64(v) <= math.MaxUint8:
		return 2
	case int64(int32(v)) == v:
		return 5
	}
	if v < 0 {
		v = -v
	}
	n := 3
	for magnitude := uint64(v); magnitude > 0; magnitude >>= 8 {
		n++
	}
	return n
}

func atomSize(t *Term) int {
	if t.num > math.MaxUint8 {
		return 3 + int(t.num)
	}
	return 2 + int(t.num)
}
