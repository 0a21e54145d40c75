package etf

import (
	"encoding/binary"
	"io"

	"github.com/beamport/beamport/etf/internal/wire"
)

// The atom cache of a distribution connection, one for each direction, has 8
// segments of 256 slots. A header in front of each message lists the atoms in
// it: those that are new to the cache with their names, and the slots of the
// others. See https://www.erlang.org/doc/apps/erts/erl_ext_dist.html#distribution-header.
const (
	cacheSlots  = 8 * 256
	mostRefs    = 255 // in a header
	newRefFlag  = 8   // in a reference's half byte; the others are the segment
	segmentMask = 7
	longAtoms   = 1 // in the half byte after those of all references: lengths take two bytes
)

// A distHeader is what a distribution header brings: the atoms that
// ATOM_CACHE_REF stands for in the terms after it.
type distHeader struct {
	refs []Term // never nil
	end  int    // of the header
}

// readHeader reads the part of a distribution header from the count of
// references at pos on, and puts new atoms into the cache.
func (d *DistDecoder) readHeader(b []byte, pos int) (h distHeader, err error) {
	fail := func(offset int, reason error) (distHeader, error) {
		return distHeader{}, &SyntaxError{Offset: offset, Err: reason}
	}
	if pos >= len(b) {
		return fail(len(b), io.ErrUnexpectedEOF)
	}
	n := int(b[pos])
	pos++
	h.refs = d.refs[:n]
	if n == 0 {
		h.end = pos
		return h, nil
	}
	flags := pos
	pos += n/2 + 1
	if pos > len(b) {
		return fail(len(b), io.ErrUnexpectedEOF)
	}
	long := halfByte(b[flags:], n)&longAtoms != 0
	for i := range n {
		flag := halfByte(b[flags:], i)
		if pos >= len(b) {
			return fail(len(b), io.ErrUnexpectedEOF)
		}
		slot := &d.cache[int(flag&segmentMask)<<8|int(b[pos])]
		if flag&newRefFlag == 0 {
			if slot.kind != KindAtom {
				return fail(pos, ErrCacheRef)
			}
			pos++
		} else {
			start := pos
			text, end, err := headerAtom(b, pos+1, long)
			if err != nil {
				return fail(len(b), err)
			}
			if !validAtom(text) {
				return fail(start, ErrAtom)
			}
			*slot = Atom(string(text))
			pos = end
		}
		h.refs[i] = *slot
	}
	h.end = pos
	return h, nil
}

// halfByte returns flag i of the flags of a header: those of an even index are
// the lower half of a byte.
func halfByte(flags []byte, i int) byte { return flags[i/2] >> (i % 2 * 4) & 0xF }

// headerAtom returns the name of a new atom, whose length is at pos.
func headerAtom(b []byte, pos int, long bool) (text []byte, end int, err error) {
	start := pos + 1
	if long {
		start++
	}
	if start > len(b) {
		return nil, 0, io.ErrUnexpectedEOF
	}
	size := int(b[start-1])
	if long {
		size |= int(b[pos]) << 8
	}
	if size > len(b)-start {
		return nil, 0, io.ErrUnexpectedEOF
	}
	return b[start : start+size], start + size, nil
}

// scanCacheRef checks the ATOM_CACHE_REF at pos.
func (s *scanner) scanCacheRef(pos int) int {
	switch {
	case s.refs == nil:
		return s.fail(pos, &TagError{wire.AtomCacheRef})
	case pos+2 > len(s.b):
		return s.eof()
	case int(s.b[pos+1]) >= len(s.refs):
		return s.fail(pos, ErrCacheRef)
	}
	return pos + 2
}

// appendHeader appends the part of a distribution header from the count of
// references on, for those of the message that has been encoded, and brings the
// cache up to date.
func (d *DistEncoder) appendHeader(b []byte) []byte {
	n := len(d.used)
	b = append(b, byte(n))
	if n == 0 {
		return b
	}
	flags := len(b)
	b = append(b, make([]byte, n/2+1)...)
	long := false
	for _, slot := range d.used {
		long = long || d.cache[slot] != d.names[slot] && len(d.names[slot]) > 255
	}
	if long {
		b[flags+n/2] |= longAtoms << (n % 2 * 4)
	}
	for i, slot := range d.used {
		flag, name := byte(slot>>8), d.names[slot]
		b = append(b, byte(slot))
		if d.cache[slot] != name || !d.cached[slot] {
			flag |= newRefFlag
			if long {
				b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
			} else {
				b = append(b, byte(len(name)))
			}
			b = append(b, name...)
			d.cache[slot], d.cached[slot] = name, true
		}
		b[flags+i/2] |= flag << (i % 2 * 4)
	}
	return b
}
