package etf

import (
	"encoding/binary"
	"math"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Lists of numbers are read by loops of their own, which have less to keep
// than those for all kinds of terms.

// fewNumbers is up to how many elements are not worth a loop of their own.
const fewNumbers = 8

// numberRoom is how many bytes have to be left for a number to be looked at: as
// many as one has that is no KindBigInt.
const numberRoom = 11

// numbers passes over the numbers at pos, but leaves one of the left elements at
// least. It stops in front of whatever is not a valid number of up to eight
// bytes, or is too near to the end of the input.
func (s *scanner) numbers(pos, left int) (next, stillLeft int) {
	b := s.b
	for left > 1 && len(b)-pos >= numberRoom {
		p := b[pos : pos+numberRoom : pos+numberRoom]
		switch p[0] {
		case wire.SmallInteger:
			pos += 2
		case wire.Integer:
			pos += 5
		case wire.NewFloat:
			if p[1]&0x7F == 0x7F && p[2]&0xF0 == 0xF0 { // NaN, infinities
				return pos, left
			}
			pos += 9
		case wire.SmallBig:
			n := int(p[1])
			if n > 8 || p[2] > 1 {
				return pos, left
			}
			if n == 8 {
				s.copied = true // maybe a Term will point at its digits
			}
			pos += 3 + n
		default:
			return pos, left
		}
		left--
	}
	return pos, left
}

// numbers makes Terms of the numbers at pos, the next elements of a list, as
// scanner.numbers passes over them, and returns where it stopped.
func (d *builder) numbers(cur *slots, pos int) int {
	b := d.b
	terms := d.slab[cur.next : cur.segment-1]
	done := 0
loop:
	for ; done < len(terms) && len(b)-pos >= numberRoom; done++ {
		p := b[pos : pos+numberRoom : pos+numberRoom]
		t := &terms[done]
		switch p[0] {
		case wire.SmallInteger:
			*t = slot{kind: KindInt, num: uint64(p[1])}
			pos += 2
		case wire.Integer:
			*t = slot{kind: KindInt, num: uint64(int32(binary.BigEndian.Uint32(p[1:])))}
			pos += 5
		case wire.NewFloat:
			*t = slot{kind: KindFloat, num: binary.BigEndian.Uint64(p[1:])}
			pos += 9
		case wire.SmallBig:
			n := int(p[1])
			if n > 8 {
				break loop
			}
			v := binary.LittleEndian.Uint64(p[3:]) & (1<<(8*n) - 1)
			negative := uint64(p[2])
			if v <= math.MaxInt64+negative {
				*t = slot{kind: KindInt, num: v ^ -negative + negative}
			} else {
				t.setBytes(KindBigInt, b[pos+3:pos+3+n], 0, flagNegative*uint8(negative))
			}
			pos += 3 + n
		default:
			break loop
		}
	}
	cur.next += uint32(done)
	return pos
}
