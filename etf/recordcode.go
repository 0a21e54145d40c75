package etf

import (
	"encoding/binary"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

// The layout of a RECORD_EXT is that of OTP 29's own source:
//
//	67, N:32, Exported:8, Module, Name, N names of fields, N values
//
// Module, Name and the names are atoms, the values come in the order of the
// names. The other seven bits of Exported are reserved, and zero.

// recordAtoms is where the module of a record is, from its tag on.
const recordAtoms = 6

// scanRecordHead checks the RECORD_EXT at pos up to the names of its fields and
// returns their number.
func (s *scanner) scanRecordHead(pos int) (end, n int) {
	b := s.b
	if pos+recordAtoms > len(b) {
		return s.eof(), 0
	}
	count := binary.BigEndian.Uint32(b[pos+1:])
	if b[pos+5] > 1 {
		return s.fail(pos, ErrRecord), 0
	}
	// An atom has two bytes at least, and a value one.
	if uint(count) > uint(len(b)-pos-recordAtoms)/3 {
		return s.eof(), 0
	}
	end = pos + recordAtoms
	for range recordHead {
		if end = s.scanAtom(end); end < 0 {
			return end, 0
		}
	}
	return end, int(count)
}

// scanRecord checks the RECORD_EXT at pos up to its values and returns their
// number.
func (s *scanner) scanRecord(pos int) (end, n int) {
	if end, n = s.scanRecordHead(pos); end < 0 || !s.addTerms(pos, recordHead+n) {
		return -1, 0
	}
	first := len(s.keys)
	for range n {
		name := end
		if end = s.scanAtom(end); end < 0 || !s.addKey(name, end) {
			return -1, 0
		}
	}
	names := s.keys[first:]
	s.keys = s.keys[:first]
	if !s.distinct(names) {
		s.err = ErrRecord
		return -1, 0
	}
	return end, n
}

// recordFieldAt returns where the name of field i of the valid record at pos starts.
func recordFieldAt(b []byte, pos, i int) int {
	pos += recordAtoms
	for range recordHead + i {
		if b[pos] == wire.AtomCacheRef {
			pos += 2
			continue
		}
		pos = atomEnd(b, pos)
	}
	return pos
}

// record makes t a record of n fields and fills all but their values. It returns
// where those start.
func (d *builder) record(t *slot, pos, n int) int {
	t.setTerms(KindRecord, d.slab[d.used:d.used+recordHead+2*n], uint64(n), uint32(d.b[pos+5]), 0)
	end := pos + recordAtoms
	atoms := d.take(recordHead + n)
	for i := range atoms {
		end = d.atom(&atoms[i], end)
	}
	return end
}

// hashRecord hashes the record at pos.
func (s *scanner) hashRecord(pos int) (hash uint64, end int) {
	n := int(binary.BigEndian.Uint32(s.b[pos+1:]))
	hash = hashWord(KindRecord, uint64(s.b[pos+5]))
	end = pos + recordAtoms
	for range recordHead + n {
		var name uint64
		name, end = s.hashTerm(end)
		hash = mix(hash, name)
	}
	values, end := s.hashSequence(KindRecord, end, n)
	return mix(hash, values), end
}

func (e *encoder) appendRecord(b []byte, t *Term, depth int) []byte {
	if !e.enter(t.num, depth) {
		return b
	}
	b = wire.AppendRecordHeader(b, int(t.num), t.aux != 0)
	all := t.terms(recordHead + 2*int(t.num))
	atoms := all[:recordHead+int(t.num)]
	for i := range atoms {
		if b = e.appendAtom(b, &atoms[i]); e.err != nil {
			return b
		}
	}
	return e.appendTerms(b, t, all[len(atoms):], depth+1)
}

// recordSize returns how many bytes a record has, as encodedSize does.
func (t *Term) recordSize(depth int) int {
	size := recordAtoms
	names, values := t.fields()
	head := t.terms(recordHead)
	for i := range head {
		size += atomSize(&head[i])
	}
	for i := range names {
		size += atomSize(&names[i])
	}
	return size + sizeOf(values, depth)
}

// fieldStep is the step of a path into field i of a record.
func fieldStep(name string, i int) string {
	if len(name) > longestKey {
		return "#_{field " + strconv.Itoa(i) + "}"
	}
	return "#_{" + string(appendAtomText(nil, name)) + "}"
}

// fieldStep is the step into field i of the record at pos.
func (s *scanner) fieldStep(pos, i int) string {
	pos = recordFieldAt(s.b, pos, i)
	if s.b[pos] == wire.AtomCacheRef {
		return fieldStep(s.refs[s.b[pos+1]].text(), i)
	}
	name, _ := atomText(s.b, pos)
	return fieldStep(string(name), i)
}
