package etf

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/beamport/beamport/etf/internal/wire"
)

// The seeds of the hashes of map keys, drawn anew in each process so that
// nobody can make keys whose hashes collide.
var (
	hashSeed  = maphash.MakeSeed()
	hashSeed1 = maphash.Comparable(hashSeed, 1) | 1
	hashSeed2 = maphash.Comparable(hashSeed, 2) | 1
	hashSeed3 = maphash.Comparable(hashSeed, 3) | 1
)

// mix combines two words into one.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^hashSeed1, b^hashSeed2)
	return hi ^ lo
}

// saltOf is what the hash of n bytes of a term of the given kind starts with.
func saltOf(kind Kind, n int) uint64 { return (uint64(kind)<<32 + uint64(n)) * hashSeed3 }

// hashBytes hashes the bytes of a term of the given kind. See also scanner.pairs,
// which does the same for short ones.
func hashBytes(kind Kind, b []byte) uint64 {
	n := len(b)
	salt := saltOf(kind, n)
	switch {
	case n > 32:
		return mix(maphash.Bytes(hashSeed, b)^salt, 0)
	case n > 16:
		h := mix(binary.LittleEndian.Uint64(b)^salt, binary.LittleEndian.Uint64(b[8:]))
		return mix(binary.LittleEndian.Uint64(b[n-16:])^h, binary.LittleEndian.Uint64(b[n-8:]))
	case n > 8:
		return mix(binary.LittleEndian.Uint64(b)^salt, binary.LittleEndian.Uint64(b[n-8:]))
	}
	// Up to eight bytes are one word, with zeros above them.
	var word uint64
	switch {
	case n == 8:
		word = binary.LittleEndian.Uint64(b)
	case n >= 4:
		first, last := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[n-4:])
		word = uint64(first) | uint64(last)<<(8*(n-4))
	case n > 0:
		word = uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1))
	}
	return mix(word^salt, 0)
}

func hashWord(kind Kind, v uint64) uint64 { return mix(v, uint64(kind)*hashSeed3) }

// hashTerm hashes the term at pos, which has been scanned, and returns the
// position after it. Every encoding of a term has the same hash. Maps within
// the term are checked for equal keys on the way: scan has not done it. It
// recurses, as deep as MaxDepth let scan go.
func (s *scanner) hashTerm(pos int) (hash uint64, end int) {
	b := s.b
	for b[pos] == wire.List && binary.BigEndian.Uint32(b[pos+1:]) == 0 {
		pos += 5
	}
	switch tag := b[pos]; tag {
	case wire.SmallAtomUTF8:
		end = pos + 2 + int(b[pos+1])
		return hashBytes(KindAtom, b[pos+2:end]), end
	case wire.Binary:
		end = pos + 5 + int(binary.BigEndian.Uint32(b[pos+1:]))
		return hashBytes(KindBinary, b[pos+5:end]), end
	case wire.SmallInteger:
		return hashWord(KindInt, uint64(b[pos+1])), pos + 2
	case wire.Integer:
		return hashWord(KindInt, uint64(int32(binary.BigEndian.Uint32(b[pos+1:])))), pos + 5
	case wire.SmallBig:
		end = pos + 3 + int(b[pos+1])
		return hashBig(b, pos, end), end
	case wire.LargeBig:
		end = pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
		return hashBig(b, pos, end), end
	case wire.NewFloat:
		return hashWord(KindFloat, binary.BigEndian.Uint64(b[pos+1:])), pos + 9
	case wire.Float:
		end = pos + 1 + wire.FloatLen
		v, _ := wire.ParseFloat(b[pos+1 : end])
		return hashWord(KindFloat, math.Float64bits(v)), end
	case wire.Atom, wire.SmallAtom, wire.AtomUTF8:
		return hashAtom(b, pos)
	case wire.AtomCacheRef:
		return hashBytes(KindAtom, s.refs[b[pos+1]].bytes()), pos + 2
	case wire.BitBinary:
		return hashBits(b, pos)
	case wire.Nil:
		return hashWord(KindList, 0), pos + 1
	case wire.String, wire.List:
		return s.hashList(pos)
	case wire.SmallTuple:
		return s.hashSequence(KindTuple, pos+2, int(b[pos+1]))
	case wire.LargeTuple:
		return s.hashSequence(KindTuple, pos+5, int(binary.BigEndian.Uint32(b[pos+1:])))
	case wire.Map:
		return s.hashMap(pos)
	case wire.NewFun:
		return s.hashFun(pos)
	case wire.Record:
		return s.hashRecord(pos)
	default:
		return s.hashIdentifier(pos)
	}
}

func hashBig(b []byte, pos, end int) uint64 {
	magnitude, negative := bigAt(b, pos, end)
	if v, ok := smallMagnitude(magnitude, negative); ok {
		return hashWord(KindInt, uint64(v))
	}
	hash := hashBytes(KindBigInt, magnitude)
	if negative {
		hash = mix(hash, 1)
	}
	return hash
}

func hashAtom(b []byte, pos int) (hash uint64, end int) {
	name, latin1, end := atomBytes(b, pos)
	if latin1 && latin1Extra(name) > 0 {
		var utf8 [2 * wire.MaxAtomCharacters]byte
		name = appendLatin1(utf8[:0], name)
	}
	return hashBytes(KindAtom, name), end
}

func hashBits(b []byte, pos int) (hash uint64, end int) {
	end = pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
	unused := 8 - b[pos+5]
	if unused == 0 {
		return hashBytes(KindBinary, b[pos+6:end]), end
	}
	last := b[end-1] >> unused
	return mix(hashBytes(KindBitString, b[pos+6:end-1]), uint64(unused)<<8|uint64(last)), end
}

// hashSequence hashes the n terms that start at pos.
func (s *scanner) hashSequence(kind Kind, pos, n int) (hash uint64, end int) {
	hash = hashWord(kind, uint64(n))
	for range n {
		var elem uint64
		elem, pos = s.hashTerm(pos)
		if s.err != nil {
			return 0, -1
		}
		hash = mix(hash, elem)
	}
	return hash, pos
}

// hashList hashes the list at pos in whatever pieces it comes.
func (s *scanner) hashList(pos int) (hash uint64, end int) {
	b := s.b
	hash = hashWord(KindList, 0)
	for {
		switch b[pos] {
		case wire.Nil:
			return hash, pos + 1
		case wire.String:
			end = pos + 3 + int(binary.BigEndian.Uint16(b[pos+1:]))
			for _, c := range b[pos+3 : end] {
				hash = mix(hash, hashWord(KindInt, uint64(c)))
			}
			return hash, end
		case wire.List:
			n := binary.BigEndian.Uint32(b[pos+1:])
			pos += 5
			for range n {
				var elem uint64
				elem, pos = s.hashTerm(pos)
				if s.err != nil {
					return 0, -1
				}
				hash = mix(hash, elem)
			}
		default:
			tail, end := s.hashTerm(pos)
			return mix(mix(hash, uint64(KindImproperList)), tail), end
		}
	}
}

// hashMap hashes a map so that the order of its pairs does not matter, and
// checks its keys.
func (s *scanner) hashMap(pos int) (hash uint64, end int) {
	first := len(s.keys)
	n := binary.BigEndian.Uint32(s.b[pos+1:])
	pos += 5
	hash = hashWord(KindMap, uint64(n))
	for range n {
		key, after := s.hashTerm(pos)
		if s.err != nil {
			return 0, -1
		}
		s.keys = append(s.keys, mapKey{key, uint32(pos), uint32(after)})
		var value uint64
		value, pos = s.hashTerm(after)
		if s.err != nil {
			return 0, -1
		}
		hash += mix(key, value)
	}
	keys := s.keys[first:]
	s.keys = s.keys[:first]
	if !s.distinct(keys) {
		return 0, -1
	}
	return mix(hash, uint64(KindMap)), pos
}

// hashFun hashes the fun at pos by what Equal looks at: module, index, old
// uniq and environment.
func (s *scanner) hashFun(pos int) (hash uint64, end int) {
	b := s.b
	index, free := binary.BigEndian.Uint32(b[pos+22:]), binary.BigEndian.Uint32(b[pos+26:])
	module, end := s.hashTerm(pos + 30)
	_, end = s.hashTerm(end) // old index
	uniq, end := s.hashTerm(end)
	_, end = s.hashTerm(end) // creator
	hash, end = s.hashSequence(KindFun, end, int(free))
	return mix(mix(mix(hash, module), uniq), uint64(index)), end
}

// hashIdentifier hashes the pid, port, reference or export at pos by what all
// its encodings have in common.
func (s *scanner) hashIdentifier(pos int) (hash uint64, end int) {
	var root Term
	var slots [2]Term
	d := builder{b: s.b, slab: slotsOf(slots[:]), refs: s.refs}
	end = d.leaf(slotOf(&root), pos)
	hash = mix(hashWord(root.kind, root.num), uint64(root.aux))
	for i := range slots[:d.used] {
		slot := &slots[i]
		if slot.kind == KindAtom {
			hash = mix(hash, hashBytes(KindAtom, slot.bytes()))
		} else {
			hash = mix(mix(hash, slot.num), uint64(slot.aux))
		}
	}
	return hash, end
}
