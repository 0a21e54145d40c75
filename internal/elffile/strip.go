package elffile

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Where the fields of a 64-bit file's header and of its section headers are.
const (
	headerSize      = 64
	sectionSize     = 64
	atType          = 16
	atSections      = 40 // offset of the section headers
	atSectionCount  = 60
	atSectionOfName = 62

	sectionNull   = 0
	sectionNoBits = 8

	flagAlloc    = 1 << 1
	flagInfoLink = 1 << 6
)

var order = binary.LittleEndian

// section is a section header.
type section struct {
	raw  []byte
	name string
	keep bool
}

func (s section) kind() uint32   { return order.Uint32(s.raw[4:]) }
func (s section) flags() uint64  { return order.Uint64(s.raw[8:]) }
func (s section) offset() uint64 { return order.Uint64(s.raw[24:]) }
func (s section) size() uint64   { return order.Uint64(s.raw[32:]) }

// Strip returns a file without the sections that are not loaded: symbols for linkers and
// debuggers, and comments. It returns b itself if there is nothing to leave out, if it is
// not a 64-bit file of a little-endian machine, or if it is no program and no library, or
// one with bytes behind its end, which it may read itself. Program headers and all that
// they have loaded stay as they are.
func Strip(b []byte) ([]byte, error) {
	if !Is(b) {
		return nil, ErrNotELF
	}
	if len(b) < headerSize || b[4] != 2 || b[5] != 1 {
		return b, nil
	}
	sections, err := readSections(b)
	if err != nil || len(sections) == 0 {
		return b, err
	}
	if kind := elf.Type(order.Uint16(b[atType:])); kind != elf.ET_EXEC && kind != elf.ET_DYN {
		return b, nil
	}
	end, err := loaded(b)
	if err != nil {
		return nil, err
	}
	if extent(b, sections, end) < uint64(len(b)) {
		return b, nil
	}
	var names bytes.Buffer
	names.WriteByte(0)
	renumbered := make([]uint32, len(sections))
	var kept []section
	for i, s := range sections {
		if !s.keep {
			continue
		}
		if s.kind() != sectionNoBits && s.kind() != sectionNull && s.offset()+s.size() > end {
			return b, nil // it would be loaded from where no program header reaches
		}
		renumbered[i] = uint32(len(kept))
		kept = append(kept, s)
	}
	if len(kept) >= len(sections)-1 { // but for the names
		return b, nil
	}
	out := bytes.Clone(b[:end])
	var headers []byte
	for _, s := range kept {
		h := bytes.Clone(s.raw)
		if s.name != "" {
			order.PutUint32(h, uint32(names.Len()))
			names.WriteString(s.name + "\x00")
		}
		if link := order.Uint32(h[40:]); int(link) < len(renumbered) {
			order.PutUint32(h[40:], renumbered[link])
		}
		if info := order.Uint32(h[44:]); s.flags()&flagInfoLink != 0 && int(info) < len(renumbered) {
			order.PutUint32(h[44:], renumbered[info])
		}
		headers = append(headers, h...)
	}
	own := make([]byte, sectionSize)
	order.PutUint32(own, uint32(names.Len()))
	names.WriteString(".shstrtab\x00")
	order.PutUint32(own[4:], 3) // a table of strings
	order.PutUint64(own[24:], uint64(len(out)))
	order.PutUint64(own[32:], uint64(names.Len()))
	order.PutUint64(own[48:], 1) // alignment
	out = append(out, names.Bytes()...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	order.PutUint64(out[atSections:], uint64(len(out)))
	order.PutUint16(out[atSectionCount:], uint16(len(kept)+1))
	order.PutUint16(out[atSectionOfName:], uint16(len(kept)))
	out = append(append(out, headers...), own...)
	if len(out) >= len(b) {
		return b, nil
	}
	return out, nil
}

// extent is where the file ends for all that its headers say of it.
func extent(b []byte, sections []section, end uint64) uint64 {
	end = max(end, order.Uint64(b[atSections:])+uint64(len(sections))*sectionSize)
	for _, s := range sections {
		if s.kind() != sectionNoBits {
			end = max(end, s.offset()+s.size())
		}
	}
	return end
}

// readSections reads the section headers, with their names. keep is set for those that
// are loaded, and for the first, which is none.
func readSections(b []byte) ([]section, error) {
	at, count := order.Uint64(b[atSections:]), uint64(order.Uint16(b[atSectionCount:]))
	nameIndex := uint64(order.Uint16(b[atSectionOfName:]))
	if at == 0 || count == 0 {
		return nil, nil
	}
	if at > uint64(len(b)) || count*sectionSize > uint64(len(b))-at || nameIndex >= count {
		return nil, fmt.Errorf("%w: its %d section headers at byte %d are not in its %d bytes", ErrNotELF, count, at, len(b))
	}
	sections := make([]section, count)
	for i := range sections {
		sections[i].raw = b[at+uint64(i)*sectionSize:][:sectionSize]
		sections[i].keep = sections[i].kind() == sectionNull || sections[i].flags()&flagAlloc != 0
	}
	table := sections[nameIndex]
	if table.offset() > uint64(len(b)) || table.size() > uint64(len(b))-table.offset() {
		return nil, fmt.Errorf("%w: the names of its sections are not in its %d bytes", ErrNotELF, len(b))
	}
	names := b[table.offset():][:table.size()]
	for i := range sections {
		if n := order.Uint32(sections[i].raw); uint64(n) < uint64(len(names)) {
			name, _, _ := bytes.Cut(names[n:], []byte{0})
			sections[i].name = string(name)
		}
	}
	return sections, nil
}

// loaded is where the bytes end that the program headers have loaded.
func loaded(b []byte) (uint64, error) {
	at, size, count := order.Uint64(b[32:]), uint64(order.Uint16(b[54:])), uint64(order.Uint16(b[56:]))
	if count == 0 || size < 56 || at > uint64(len(b)) || size*count > uint64(len(b))-at {
		return 0, fmt.Errorf("%w: its %d program headers at byte %d are not in its %d bytes", ErrNotELF, count, at, len(b))
	}
	end := max(headerSize, at+size*count)
	for i := range count {
		h := b[at+i*size:]
		offset, length := order.Uint64(h[8:]), order.Uint64(h[32:])
		if offset > uint64(len(b)) || length > uint64(len(b))-offset {
			return 0, fmt.Errorf("%w: program header %d leads out of its %d bytes", ErrNotELF, i, len(b))
		}
		end = max(end, offset+length)
	}
	return end, nil
}
