package etf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A CanonicalError is [ErrNotCanonical] for a particular form of a term, which
// [DecodeOptions] with Strict refuses.
type CanonicalError struct {
	Tag  byte
	Form string // what about it is not canonical, such as "that fits SMALL_INTEGER_EXT"
}

func (e *CanonicalError) Error() string {
	return fmt.Sprintf("etf: %s %s, which is not canonical", wire.TagName(e.Tag), e.Form)
}

// Unwrap returns [ErrNotCanonical].
func (e *CanonicalError) Unwrap() error { return ErrNotCanonical }

// checkCanonical checks the term from start to end, which s has scanned, for
// what the encoder writes otherwise. A tag and what comes before its children
// say all about a term, so that it goes through the bytes and needs no stack;
// only where a list ends in another the scanner knows better.
func (s *scanner) checkCanonical(start, end int) error {
	off, form := oddTerm(s.b, start, end)
	for i := range s.irregular {
		list := &s.irregular[i]
		if (!list.improper || list.first != list.total) && (off < 0 || int(list.off) < off) {
			off, form = int(list.off), "that goes on in its tail"
		}
	}
	if off < 0 {
		return nil
	}
	return &SyntaxError{Offset: off, Path: s.pathTo(start, off), Err: &CanonicalError{s.b[off], form}}
}

// pathTo returns the path to the tag at off in what has been scanned from start
// on: it scans again and fails there.
func (s *scanner) pathTo(start, off int) string {
	b := slices.Clone(s.b)
	b[off] = 0 // no tag
	again := scanner{b: b, maxDepth: s.maxDepth, maxTerms: s.maxTerms}
	again.scan(start)
	return again.syntaxError().Path
}

// oddTerm returns the offset of the first term from pos to end that has another
// canonical form, and what is odd about it, or -1.
func oddTerm(b []byte, pos, end int) (off int, form string) {
	for pos < end {
		switch tag := b[pos]; tag {
		case wire.SmallInteger, wire.SmallTuple:
			pos += 2
		case wire.Integer:
			if binary.BigEndian.Uint32(b[pos+1:]) < 256 {
				return pos, "that fits SMALL_INTEGER_EXT"
			}
			pos += 5
		case wire.NewFloat:
			pos += 9
		case wire.SmallAtomUTF8, wire.AtomUTF8, wire.SmallAtom, wire.Atom:
			if form = oddAtom(b, pos); form != "" {
				return pos, form
			}
			pos = atomEnd(b, pos)
		case wire.Binary:
			pos += 5 + int(binary.BigEndian.Uint32(b[pos+1:]))
		case wire.BitBinary:
			next := pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
			switch bits := b[pos+5]; {
			case bits == 8:
				return pos, "of whole bytes"
			case b[next-1]<<bits != 0:
				return pos, "with unused bits that are set"
			}
			pos = next
		case wire.Nil, wire.Export:
			pos++
		case wire.String:
			n := int(binary.BigEndian.Uint16(b[pos+1:]))
			if n == 0 {
				return pos, "without elements"
			}
			pos += 3 + n
		case wire.List:
			if form = oddList(b, pos); form != "" {
				return pos, form
			}
			pos += 5
		case wire.Map:
			pos += 5
		case wire.LargeTuple:
			if binary.BigEndian.Uint32(b[pos+1:]) < 256 {
				return pos, "that fits SMALL_TUPLE_EXT"
			}
			pos += 5
		case wire.SmallBig, wire.LargeBig:
			next := pos + 3 + int(b[pos+1])
			if tag == wire.LargeBig {
				next = pos + 6 + int(binary.BigEndian.Uint32(b[pos+1:]))
			}
			if form = oddBig(b, pos, next); form != "" {
				return pos, form
			}
			pos = next
		case wire.NewPid, wire.V4Port, wire.NewerReference:
			node, size := pos+1, 12
			if tag == wire.NewerReference {
				node, size = pos+3, 4+4*int(binary.BigEndian.Uint16(b[pos+1:]))
			}
			if form = oddAtom(b, node); form != "" {
				return node, form
			}
			pos = atomEnd(b, node) + size
		case wire.NewFun:
			pos += 1 + wire.SmallestNewFunSize
		case wire.Record:
			pos += recordAtoms
		case wire.Float:
			return pos, "in the place of NEW_FLOAT_EXT"
		default: // pids, ports and references of older releases
			return pos, "in the place of its successor"
		}
	}
	return -1, ""
}

func atomEnd(b []byte, pos int) int {
	_, _, end := atomBytes(b, pos)
	return end
}

func oddAtom(b []byte, pos int) string {
	switch b[pos] {
	case wire.SmallAtom, wire.Atom:
		return "in the place of UTF-8"
	case wire.AtomUTF8:
		if binary.BigEndian.Uint16(b[pos+1:]) < 256 {
			return "that fits SMALL_ATOM_UTF8_EXT"
		}
	}
	return ""
}

// oddList judges the beginning of a list.
func oddList(b []byte, pos int) string {
	n := binary.BigEndian.Uint32(b[pos+1:])
	if n == 0 {
		return "without elements"
	}
	if n > wire.MaxStringLen {
		return ""
	}
	pos += 5
	for range n {
		if b[pos] != wire.SmallInteger {
			return ""
		}
		pos += 2
	}
	if b[pos] != wire.Nil {
		return ""
	}
	return "that fits STRING_EXT"
}

func oddBig(b []byte, pos, end int) string {
	magnitude, negative := bigAt(b, pos, end)
	v, ok := smallMagnitude(magnitude, negative)
	switch head := end - pos - len(magnitude); {
	case ok && math.MinInt32 <= v && v <= math.MaxInt32:
		return "that fits INTEGER_EXT"
	case b[pos] == wire.SmallBig && head > 3 || b[pos] == wire.LargeBig && head > 6:
		return "with leading zeros"
	case b[pos] == wire.LargeBig && len(magnitude) < 256:
		return "that fits SMALL_BIG_EXT"
	}
	return ""
}
