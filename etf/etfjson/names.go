package etfjson

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// names finds the names that come twice in one object, for all the objects that
// are open at a time. The names themselves stay where they were written, in the
// output; kept here is where each one is.
//
// Only the innermost open object gains names, so both slices are stacks: an
// object's part of each lies above those of the objects around it.
type names struct {
	seed    maphash.Seed
	members []member
	slots   []uint32 // hash tables: 0, or 1 + the index of a member in its object
}

// member is one name of an open object.
type member struct {
	start, end int    // the name's bytes in the output
	mark       uint64 // hash of the name in a hashed scope, else a sketch of it
}

// scope is one open object's part of [names].
type scope struct {
	members int // its first member
	last    int // its newest member
	slots   int // its first slot
	size    int // how many slots, a power of two; 0: compared one by one

	// unordered says that the names are not in ascending order, as those of small
	// maps of the BEAM are. So long as they are, no two can be equal, and members
	// have no marks.
	unordered bool
	// first are the first bytes of the newest name, while they are in order.
	first uint64
}

// fewNames is how many names are compared one by one before a table pays.
const fewNames = 16

// replace marks a member that a later one takes the place of. No sketch has
// that mark: the low byte of a sketch is 0.
func (m *member) replace() { m.mark, m.end = ^uint64(0), m.start-1 }

func (m *member) replaced() bool { return m.end < m.start }

func (ns *names) open(s *scope) {
	*s = scope{members: len(ns.members), slots: len(ns.slots)}
}

func (ns *names) close(s *scope) {
	ns.members = ns.members[:s.members]
	ns.slots = ns.slots[:s.slots]
}

// add takes up the name out[start:end] of the object s, the innermost, of which
// first are the first bytes, and returns the index in members of an earlier one that
// it is equal to, or -1. It stands in that one's place from then on.
func (ns *names) add(s *scope, out []byte, start, end int, first uint64) int {
	s.last = len(ns.members)
	if !s.unordered {
		if first > s.first || ns.ascends(s, out, start, end, first) {
			s.first = first
			ns.members = append(ns.members, member{start: start, end: end})
			return -1
		}
		s.unordered = true
		for i := s.members; i < s.last; i++ {
			m := &ns.members[i]
			m.mark = sketch(out[m.start:m.end])
		}
	}
	return ns.addUnordered(s, out, start, end)
}

// firstBytes returns the first bytes of a name as a number, with zeros behind them if
// it is shorter: names are first in the order of these and then in that of what is in
// the output. Where a name stands in the input as it is, they are taken from there:
// what has just been written is not read back as fast.
func firstBytes(name []byte) uint64 {
	switch n := len(name); {
	case n >= wordLen:
		return binary.BigEndian.Uint64(name)
	case n >= 4: // some bytes twice, in the same place
		return uint64(binary.BigEndian.Uint32(name))<<32 | uint64(binary.BigEndian.Uint32(name[n-4:]))<<(8*(wordLen-n))
	case n > 0:
		return uint64(name[0])<<56 | uint64(name[n/2])<<(56-8*(n/2)) | uint64(name[n-1])<<(64-8*n)
	}
	return 0
}

// ascends is whether the name out[start:end] is the first one, or comes behind the
// newest although its first bytes do not.
func (ns *names) ascends(s *scope, out []byte, start, end int, first uint64) bool {
	if s.last == s.members {
		return true
	}
	m := ns.members[s.last-1]
	return first == s.first && bytes.Compare(out[m.start:m.end], out[start:end]) < 0
}

// addUnordered is add for names that are not all in order.
func (ns *names) addUnordered(s *scope, out []byte, start, end int) int {
	name := out[start:end]
	if s.size == 0 {
		if len(ns.members)-s.members < fewNames {
			return ns.addCompared(s, out, start, end)
		}
		ns.hashAll(s, out)
	}
	m := member{start: start, end: end, mark: maphash.Bytes(ns.seed, name)}
	ns.members = append(ns.members, m)
	if n := len(ns.members) - s.members; n > s.size/2 {
		ns.resize(s, 2*s.size)
	}
	return ns.insert(s, out, len(ns.members)-1)
}

func (ns *names) addCompared(s *scope, out []byte, start, end int) int {
	name := out[start:end]
	mark := sketch(name)
	found := -1
	for i := s.members; i < len(ns.members); i++ {
		m := &ns.members[i]
		if m.mark == mark && bytes.Equal(out[m.start:m.end], name) {
			m.replace()
			found = i
			break
		}
	}
	ns.members = append(ns.members, member{start: start, end: end, mark: mark})
	return found
}

// sketch tells most names apart by their length and a few of their bytes.
func sketch(name []byte) uint64 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return uint64(n)<<32 | uint64(name[n/2])<<24 | uint64(name[n-1])<<16 | uint64(name[0])<<8
}

// hashAll gives a scope of compared names a table.
func (ns *names) hashAll(s *scope, out []byte) {
	if ns.seed == (maphash.Seed{}) {
		ns.seed = maphash.MakeSeed()
	}
	for i := s.members; i < len(ns.members); i++ {
		m := &ns.members[i]
		if m.replaced() {
			continue
		}
		m.mark = maphash.Bytes(ns.seed, out[m.start:m.end])
	}
	size := 4 * fewNames
	for size < 2*(len(ns.members)-s.members+1) {
		size *= 2 // there were many in ascending order
	}
	ns.resize(s, size)
}

// resize makes an empty table of size slots and fills it with the members that
// have no successor, except for the newest when the table is being grown for it.
func (ns *names) resize(s *scope, size int) {
	grown := s.size != 0
	ns.slots = append(ns.slots[:s.slots], make([]uint32, size)...)
	s.size = size
	last := len(ns.members)
	if grown {
		last--
	}
	for i := s.members; i < last; i++ {
		m := &ns.members[i]
		if m.replaced() {
			continue
		}
		slot := int(m.mark) & (size - 1)
		for ns.slots[s.slots+slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		ns.slots[s.slots+slot] = uint32(i-s.members) + 1
	}
}

// insert puts member i into the table and returns the one it takes the place
// of, or -1.
func (ns *names) insert(s *scope, out []byte, i int) int {
	m := &ns.members[i]
	table := ns.slots[s.slots : s.slots+s.size]
	mask := s.size - 1
	for slot := int(m.mark) & mask; ; slot = (slot + 1) & mask {
		if table[slot] == 0 {
			table[slot] = uint32(i-s.members) + 1
			return -1
		}
		j := s.members + int(table[slot]) - 1
		e := &ns.members[j]
		if e.mark == m.mark && bytes.Equal(out[e.start:e.end], out[m.start:m.end]) {
			e.replace()
			table[slot] = uint32(i-s.members) + 1
			return j
		}
	}
}

// release keeps what is worth keeping for the next use.
func (ns *names) release() {
	const most = 1 << 12
	ns.members, ns.slots = ns.members[:0], ns.slots[:0]
	if cap(ns.members) > most {
		ns.members = nil
	}
	if cap(ns.slots) > 4*most {
		ns.slots = nil
	}
}
