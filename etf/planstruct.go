package etf

import (
	"encoding/binary"
	"reflect"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

func appendStruct(p *plan, m *marshaler, b []byte, a address) []byte {
	if !m.enter(p.typ) {
		return b
	}
	s := p.fields
	start, omitted := len(b), 0
	b = append(b, s.head...)
	for i := range s.fields {
		f := &s.fields[i]
		if f.constant != nil {
			b = append(append(b, f.key...), f.constant...)
			continue
		}
		at, ok := f.locate(a)
		if !ok || f.omit != nil && f.omit(f.plan, at) {
			omitted++
			continue
		}
		b = append(b, f.key...)
		if b = f.plan.append(f.plan, m, b, at); m.err != nil {
			m.stepEncoded(f.key, i)
			return b
		}
	}
	if omitted > 0 {
		binary.BigEndian.PutUint32(b[start+1:], uint32(len(s.fields)-omitted))
	}
	m.depth--
	return b
}

// locate returns the address of the field in the struct at a, and whether it
// has one: it has none in an embedded struct that is nil.
func (f *field) locate(a address) (address, bool) {
	for i := range f.through {
		var ok bool
		if a, ok = a.at(f.through[i].offset).pointee(); !ok {
			return a, false
		}
	}
	return a.at(f.offset), true
}

// allocate is locate, but makes what is nil.
func (f *field) allocate(a address) address {
	for i := range f.through {
		pointer := a.at(f.through[i].offset)
		to, ok := pointer.pointee()
		if !ok {
			to = addressOf(reflect.New(f.through[i].to))
			pointer.setPointee(to)
		}
		a = to
	}
	return a.at(f.offset)
}

func appendTupleStruct(p *plan, m *marshaler, b []byte, a address) []byte {
	if !m.enter(p.typ) {
		return b
	}
	b = append(b, p.fields.head...)
	for i := range p.fields.fields {
		f := &p.fields.fields[i]
		if at, ok := f.locate(a); !ok {
			b = append(b, nilAtom...)
		} else if b = f.plan.append(f.plan, m, b, at); m.err != nil {
			m.path = putStep(m.path, p.fields.step(i))
			return b
		}
	}
	m.depth--
	return b
}

// step is the step of a path into field i of a tuple or a native record.
func (s *structPlan) step(i int) string {
	if s.native {
		return fieldStep(s.fields[i].name, i)
	}
	return "{" + strconv.Itoa(s.element(i)) + "}"
}

// element returns the index that a field has in the tuple.
func (s *structPlan) element(i int) int {
	if s.record {
		return i + 1
	}
	return i
}

func readTupleStruct(p *plan, u *unmarshaler, a address) bool {
	s := p.fields
	before := u.c
	arity, err := u.c.Tuple()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if arity != s.element(len(s.fields)) {
		u.c = before
		return u.fail(p.typ, ErrLength)
	}
	if s.record {
		if tag, err := u.c.Atom(); err != nil || string(tag) != s.tag {
			u.c = before
			return u.fail(p.typ, ErrStruct)
		}
	}
	for i := range s.fields {
		f := &s.fields[i]
		if !f.plan.read(f.plan, u, f.allocate(a)) {
			u.path = putStep(u.path, s.step(i))
			return false
		}
	}
	return true
}

// A fieldSet is a set of fields of one struct.
type fieldSet struct {
	few  [2]uint64
	more []uint64
}

// add adds a field, one of n, and reports whether it was not there yet.
func (s *fieldSet) add(i, n int) bool {
	words := s.few[:]
	if n > 64*len(s.few) {
		if s.more == nil {
			s.more = make([]uint64, (n+63)/64)
		}
		words = s.more
	}
	bit := uint64(1) << (i & 63)
	fresh := words[i>>6]&bit == 0
	words[i>>6] |= bit
	return fresh
}

func readStruct(p *plan, u *unmarshaler, a address) bool {
	n, err := u.mapHead()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	s := p.fields
	var seen fieldSet
	next := 0 // the field that is likely to come
	for i := range n {
		key := u.c.pos // never within a list of characters
		at := -1
		if next < len(s.fields) && u.skipBytes(s.fields[next].key) {
			at = next
		} else if name, ok := u.name(); ok {
			at = s.names.find(s.fields, name)
		} else {
			u.skip() // a key that is no name
		}
		if at < 0 {
			if u.strict {
				u.c.pos = key
				return u.fail(p.typ, ErrUnknownField)
			}
			u.skip()
			continue
		}
		next = at + 1
		if !seen.add(at, len(s.fields)) {
			// One is an atom, the other a binary.
			u.c.pos = key
			return u.fail(p.typ, ErrDuplicateKey)
		}
		f := &s.fields[at]
		ok := true
		switch {
		case f.constant != nil:
			ok = u.skipModule(p, f.module)
		case f.through == nil:
			ok = f.plan.read(f.plan, u, a.at(f.offset))
		default:
			ok = f.plan.read(f.plan, u, f.allocate(a))
		}
		if !ok {
			u.path = putStep(u.path, stepOf(u.c.b[key:], i))
			return false
		}
	}
	return true
}

// skipBytes reads what is next if that is exactly these bytes, a whole term.
func (u *unmarshaler) skipBytes(term []byte) bool {
	end := u.c.pos + len(term)
	if end > len(u.c.b) || bytesString(u.c.b[u.c.pos:end]) != bytesString(term) {
		return false
	}
	u.c.pos = end
	return true
}

// skipModule reads the module of an Elixir struct, which has to be the type's.
func (u *unmarshaler) skipModule(p *plan, module string) bool {
	before := u.c
	if name, err := u.c.Atom(); err != nil || string(name) != module {
		u.c = before
		return u.fail(p.typ, ErrStruct)
	}
	return true
}

// skip reads a key or value of a map, which is known to be valid.
func (u *unmarshaler) skip() { u.c.pos = u.end(u.c.pos) }

// end returns where the valid term at a position ends.
func (u *unmarshaler) end(pos int) int {
	b := u.c.b
	for left := 1; left > 0; left-- {
		switch b[pos] {
		case wire.SmallInteger:
			pos += 2
		case wire.Integer:
			pos += 5
		case wire.NewFloat:
			pos += 9
		case wire.SmallAtomUTF8, wire.SmallAtom:
			pos += 2 + int(b[pos+1])
		case wire.Binary:
			pos += 5 + int(binary.BigEndian.Uint32(b[pos+1:]))
		case wire.Nil:
			pos++
		case wire.String:
			pos += 3 + int(binary.BigEndian.Uint16(b[pos+1:]))
		case wire.SmallTuple:
			left += int(b[pos+1])
			pos += 2
		case wire.LargeTuple:
			left += int(binary.BigEndian.Uint32(b[pos+1:]))
			pos += 5
		case wire.List:
			left += int(binary.BigEndian.Uint32(b[pos+1:])) + 1
			pos += 5
		case wire.Map:
			left += 2 * int(binary.BigEndian.Uint32(b[pos+1:]))
			pos += 5
		default:
			c := Cursor{b: b, pos: pos}
			_, pos, _ = c.nextWithin(largestLimits)
		}
	}
	return pos
}
