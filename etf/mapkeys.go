package etf

import (
	"bytes"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A mapKey is a key of a map that scan is in. Its hash is the same for every
// encoding of the same term.
type mapKey struct {
	hash     uint64
	off, end uint32
}

// fewKeys is how many keys are compared with each other rather than through a
// table. Only the 64-bit hashes are, so that it stays cheap.
const fewKeys = 32

// addKey adds the key from off to end to those of the innermost map. A
// container is hashed here as a whole, which checks the maps in it.
func (s *scanner) addKey(off, end int) bool {
	var hash uint64
	switch s.b[off] {
	case wire.Binary:
		hash = hashBytes(KindBinary, s.b[off+5:end])
	case wire.SmallAtomUTF8:
		hash = hashBytes(KindAtom, s.b[off+2:end])
	default:
		if hash, _ = s.hashTerm(off); s.err != nil {
			return false
		}
	}
	s.keys = append(s.keys, mapKey{hash, uint32(off), uint32(end)})
	return true
}

// endMap checks the keys of the innermost map and forgets them.
func (s *scanner) endMap(f *frame) bool {
	keys := s.keys[f.first:]
	s.keys = s.keys[:f.first]
	return s.distinct(keys)
}

// distinct checks that no key is there twice. Equal terms have equal hashes;
// different ones may have, though nobody can bring that about without knowing
// the seed, so what has equal hashes is compared in full.
func (s *scanner) distinct(keys []mapKey) bool {
	if len(keys) <= fewKeys {
		var seen uint64 // a bit for each value of the hashes' six highest bits
		for i := range keys {
			bit := uint64(1) << (keys[i].hash >> 58)
			if seen&bit == 0 {
				seen |= bit
				continue
			}
			for j := range i {
				if keys[j].hash == keys[i].hash && s.sameKey(&keys[j], &keys[i]) {
					s.fail(int(keys[i].off), ErrDuplicateKey)
					return false
				}
			}
		}
		return true
	}

	// An open hash table of indexes into keys, at most half full.
	size := 128
	for size < 2*len(keys) {
		size *= 2
	}
	if cap(s.table) < size {
		s.table = make([]uint32, size)
	}
	table := s.table[:size]
	clear(table)
	for i := range keys {
		slot := int(keys[i].hash >> 32)
		for ; ; slot++ {
			entry := &table[slot&(size-1)]
			if *entry == 0 {
				*entry = uint32(i) + 1
				break
			}
			if other := &keys[*entry-1]; other.hash == keys[i].hash && s.sameKey(other, &keys[i]) {
				s.fail(int(keys[i].off), ErrDuplicateKey)
				return false
			}
		}
	}
	return true
}

// sameKey reports whether two keys are the same term. It builds both if their
// bytes differ, which happens once for an input that is refused for it, and
// else only when hashes collide.
func (s *scanner) sameKey(x, y *mapKey) bool {
	bx, by := s.b[x.off:x.end], s.b[y.off:y.end]
	if bytes.Equal(bx, by) {
		return true
	}
	limits := DecodeOptions{NoVersion: true, MaxDepth: s.maxDepth, MaxTerms: LargestMaxTerms, MaxBytes: LargestMaxBytes}
	tx, _, err := limits.decodeRefs(bx, s.refs, oneTerm)
	if err != nil {
		return false
	}
	ty, _, err := limits.decodeRefs(by, s.refs, oneTerm)
	if err != nil {
		return false
	}
	// Nobody else has them, and sorting copies would take memory.
	sortMaps(&tx)
	sortMaps(&ty)
	return equal(&tx, &ty) == yes
}
