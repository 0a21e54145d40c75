package etf

import (
	"encoding/binary"
	"math"

	"github.com/beamport/beamport/etf/internal/wire"
)

// scanNode checks the atom of a node at pos+1 behind a tag, and that size more
// bytes follow it.
func (s *scanner) scanNode(pos, size int) (end int) {
	end = s.scanAtom(pos)
	if end >= 0 && size > len(s.b)-end {
		return s.eof()
	}
	return end
}

// scanPid checks the pid at pos: node, id, serial, creation.
func (s *scanner) scanPid(pos int) int {
	size := 12
	switch {
	case pos >= len(s.b):
		return s.eof()
	case s.b[pos] == wire.Pid:
		size = 9
	case s.b[pos] != wire.NewPid:
		return s.fail(pos, s.notA(s.b[pos], ErrIdentifier))
	}
	return s.scanTo(pos, s.scanNode(pos+1, size), size, size == 9)
}

// scanTo finishes the pid or port at pos: the rest of it, size bytes from rest
// on, ends in a creation, which has only two bits in the old tags.
func (s *scanner) scanTo(pos, rest, size int, old bool) int {
	if rest < 0 || !s.addTerms(pos, 1) {
		return -1
	}
	if old && s.b[rest+size-1] > mostOldCreation {
		return s.fail(pos, ErrIdentifier)
	}
	return rest + size
}

// mostOldCreation is the largest creation that the old tags may have.
const mostOldCreation = 3

// scanPort checks the port at pos: node, id, creation.
func (s *scanner) scanPort(pos int) int {
	size := 8
	switch s.b[pos] {
	case wire.Port:
		size = 5
	case wire.V4Port:
		size = 12
	}
	return s.scanTo(pos, s.scanNode(pos+1, size), size, size == 5)
}

// mostOldWord is the largest first word of a reference in the old tags.
const mostOldWord = 1<<18 - 1

// scanRef checks the reference at pos: in the newest form a count of words,
// node, creation, words.
func (s *scanner) scanRef(pos int) int {
	b := s.b
	if b[pos] == wire.Reference {
		end := s.scanNode(pos+1, 5)
		if end < 0 || !s.addTerms(pos, 2) {
			return -1
		}
		if b[end+4] > mostOldCreation || binary.BigEndian.Uint32(b[end:]) > mostOldWord {
			return s.fail(pos, ErrIdentifier)
		}
		return end + 5
	}
	if pos+3 > len(b) {
		return s.eof()
	}
	words := int(binary.BigEndian.Uint16(b[pos+1:]))
	if words == 0 || words > wire.MaxReferenceWords {
		return s.fail(pos, ErrIdentifier)
	}
	creation := 4
	if b[pos] == wire.NewReference {
		creation = 1
	}
	end := s.scanNode(pos+3, creation+4*words)
	if end < 0 || !s.addTerms(pos, 2) {
		return -1
	}
	if creation == 1 && (b[end] > mostOldCreation || binary.BigEndian.Uint32(b[end+1:]) > mostOldWord) {
		return s.fail(pos, ErrIdentifier)
	}
	return end + creation + 4*words
}

// scanExport checks the EXPORT_EXT at pos: module, function, arity.
func (s *scanner) scanExport(pos int) int {
	end := s.scanAtom(pos + 1)
	if end < 0 {
		return end
	}
	if end = s.scanAtom(end); end < 0 {
		return end
	}
	if end = s.scanSmall(end, 0, math.MaxUint32); end < 0 || !s.addTerms(pos, 2) {
		return -1
	}
	return end
}

// scanFun checks the NEW_FUN_EXT at pos up to its free variables and returns
// their number:
//
//	112, Size:32, Arity:8, Uniq:128, Index:32, NumFree:32,
//	Module, OldIndex, OldUniq, Creator, Free…
//
// Size counts all but the tag.
func (s *scanner) scanFun(pos int) (end, free int) {
	b := s.b
	if pos+1+wire.SmallestNewFunSize > len(b) {
		return s.eof(), 0
	}
	size := uint(binary.BigEndian.Uint32(b[pos+1:]))
	count := uint(binary.BigEndian.Uint32(b[pos+26:]))
	if size < wire.SmallestNewFunSize || count > size {
		return s.fail(pos, ErrFun), 0
	}
	if size > uint(len(b)-pos-1) {
		return s.eof(), 0
	}
	if end = s.scanAtom(pos + 30); end < 0 {
		return end, 0
	}
	if end = s.scanSmall(end, -maxSmall-1, maxSmall); end < 0 {
		return end, 0
	}
	if end = s.scanSmall(end, -maxSmall-1, maxSmall); end < 0 {
		return end, 0
	}
	if end < len(b) && b[end] != wire.NewPid && b[end] != wire.Pid {
		return s.fail(end, s.notA(b[end], ErrFun)), 0
	}
	if end = s.scanPid(end); end < 0 || !s.addTerms(pos, funHead) {
		return -1, 0
	}
	if count == 0 && end != funEnd(b, pos) {
		return s.fail(pos, ErrFun), 0
	}
	return end, int(count)
}

// funEnd returns where the valid fun at pos says that it ends.
func funEnd(b []byte, pos int) int { return pos + 1 + int(binary.BigEndian.Uint32(b[pos+1:])) }
