package etf

import (
	"encoding/binary"

	"github.com/beamport/beamport/etf/internal/wire"
)

// The usual pairs of a map are read by a loop of their own too: the key is a binary
// or an atom, and the value one of these or a small number.

// pairRoom is how many bytes have to be left behind a key or a value in pairs, so that
// the next tag and its length are there, and so that the bytes of a short key
// can be read as two whole words.
const pairRoom = 16

// highBits are the bits that no byte of ASCII text has.
const highBits = 0x8080808080808080

// pairs passes over the pairs at pos, where a key is next, but leaves one of the left
// terms at least. It stops in front of whatever is not usual, not valid, or too
// near to the end of the input.
func (s *scanner) pairs(pos, left int) (next, stillLeft int) {
	b := s.b
	keys := s.keys
	key := pos
	for left > 1 && len(b)-pos >= 2*pairRoom {
		key = pos
		kind, start, n := KindBinary, pos+5, uint(0)
		switch b[pos] {
		case wire.Binary:
			n = uint(binary.BigEndian.Uint32(b[pos+1:]))
		case wire.SmallAtomUTF8:
			kind, start, n = KindAtom, pos+2, uint(b[pos+1])
		default:
			return s.leavePairs(keys, pos, pos, left)
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
		s.copied = true
		keys = append(keys, mapKey{hash, uint32(key), uint32(end)})
		pos = end
		left--

		if left == 1 {
			break
		}
		switch b[pos] {
		case wire.Binary:
			n := uint(binary.BigEndian.Uint32(b[pos+1:]))
			if n > uint(len(b)-pos-5-pairRoom) {
				return s.leavePairs(keys, key, pos, left)
			}
			pos += 5 + int(n)
		case wire.SmallAtomUTF8:
			start, n := pos+2, int(b[pos+1])
			if n > len(b)-start-pairRoom || !isASCII(b[start:start+n]) {
				return s.leavePairs(keys, key, pos, left)
			}
			pos = start + n
		case wire.SmallInteger:
			pos += 2
		case wire.Integer:
			pos += 5
		default:
			return s.leavePairs(keys, key, pos, left)
		}
		left--
		key = pos
	}
	return s.leavePairs(keys, key, pos, left)
}

// leavePairs notes what pairs has found; key is where the key of the current pair
// starts.
func (s *scanner) leavePairs(keys []mapKey, key, pos, left int) (int, int) {
	s.keys = keys
	s.stack[len(s.stack)-1].key = uint32(key)
	return pos, left
}
