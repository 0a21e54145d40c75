package etf

import (
	"encoding/binary"
	"math"
	"reflect"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

func appendBytes(p *plan, m *marshaler, b []byte, a address) []byte {
	return m.appendBinary(p, b, *as[[]byte](a))
}

func (m *marshaler) appendBinary(p *plan, b, v []byte) []byte {
	if uint64(len(v)) > math.MaxUint32 {
		return m.fail(b, p.typ, ErrSize)
	}
	return append(wire.AppendBinaryHeader(b, len(v)), v...)
}

func readBytes(p *plan, u *unmarshaler, a address) bool {
	v, err := u.binary()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	*as[[]byte](a) = append(make([]byte, 0, len(v)), v...)
	return true
}

// binary reads a binary or a list of small integers.
func (u *unmarshaler) binary() ([]byte, error) {
	if b, ok := u.plainBinary(); ok {
		return b, nil
	}
	if chars, ok := u.c.Chars(); ok {
		return chars, nil
	}
	if u.c.Kind() != KindList {
		return u.c.Binary()
	}
	b := []byte{}
	if !u.elems(func() bool {
		v, err := u.c.Uint()
		b = append(b, byte(v))
		return err == nil && v <= math.MaxUint8
	}) {
		return nil, &KindError{}
	}
	return b, nil
}

// elems reads a proper list with a function that reads an element. If that
// reports false it reads nothing, and reports false as well.
func (u *unmarshaler) elems(read func() bool) bool {
	before := u.c
	n, err := u.c.List()
	for err == nil && n > 0 {
		for range n {
			if !read() {
				u.c = before
				return false
			}
		}
		n, err = u.c.Tail()
	}
	if err != nil || n < 0 {
		u.c = before
		return false
	}
	return true
}

func appendByteArray(p *plan, m *marshaler, b []byte, a address) []byte {
	return m.appendBinary(p, b, p.value(a).Bytes())
}

func readByteArray(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	v, err := u.binary()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if len(v) != p.typ.Len() {
		u.c = before
		return u.fail(p.typ, ErrLength)
	}
	copy(p.value(a).Bytes(), v)
	return true
}

func appendSlice(p *plan, m *marshaler, b []byte, a address) []byte {
	n := a.sliceLen()
	if n == 0 {
		return AppendEmptyList(b)
	}
	return m.appendElems(p, b, a.sliceData(), n)
}

func appendArray(p *plan, m *marshaler, b []byte, a address) []byte {
	n := p.typ.Len()
	if n == 0 {
		return AppendEmptyList(b)
	}
	return m.appendElems(p, b, a, n)
}

// appendElems appends the list of n values that lie one after the other.
func (m *marshaler) appendElems(p *plan, b []byte, a address, n int) []byte {
	if uint64(n) > math.MaxUint32 {
		return m.fail(b, p.typ, ErrSize)
	}
	if !m.enter(p.typ) {
		return b
	}
	size, start := p.elem.typ.Size(), len(b)
	b = wire.AppendListHeader(b, n)
	elem := p.elem
	for i := range n {
		if b = elem.append(elem, m, b, a.at(uintptr(i)*size)); m.err != nil {
			m.step("[", strconv.Itoa(i), "]")
			return b
		}
	}
	m.depth--
	return wire.PackChars(append(b, wire.Nil), start, n)
}

func readSlice(p *plan, u *unmarshaler, a address) bool {
	slice := p.value(a)
	before := u.c
	n, err := u.c.List()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if n == 0 {
		slice.Set(reflect.MakeSlice(p.typ, 0, 0))
		return true
	}
	elem := p.elem
	size := elem.typ.Size()
	room := n
	if most := mostAhead * len(u.c.b); size > 1 && n > most/int(size)+1 {
		room = most/int(size) + 1
	}
	slice.SetZero()
	slice.Grow(room)
	room = slice.Cap()
	slice.SetLen(room)
	data := addressOfElems(slice, a)
	done := 0
	for {
		for end := done + n; done < end; done++ {
			if done == room {
				slice.SetLen(done)
				slice.Grow(min(end-done, done))
				room = slice.Cap()
				slice.SetLen(room)
				data = addressOfElems(slice, a)
			}
			if !elem.read(elem, u, data.at(uintptr(done)*size)) {
				slice.SetLen(done)
				u.step("[", strconv.Itoa(done), "]")
				return false
			}
		}
		if n, err = u.c.Tail(); err != nil || n == 0 {
			break
		}
		if n < 0 {
			u.c = before
			slice.SetZero()
			return u.fail(p.typ, ErrKind)
		}
	}
	slice.SetLen(done)
	return err == nil || u.fail(p.typ, err)
}

func appendStrings(p *plan, m *marshaler, b []byte, a address) []byte {
	v := *as[[]string](a)
	if len(v) == 0 || m.depth >= m.maxDepth || uint64(len(v)) > math.MaxUint32 {
		return appendSlice(p, m, b, a)
	}
	b = wire.AppendListHeader(b, len(v))
	for i, text := range v {
		if uint64(len(text)) > math.MaxUint32 {
			m.fail(b, p.elem.typ, ErrSize)
			m.step("[", strconv.Itoa(i), "]")
			return b
		}
		b = append(wire.AppendBinaryHeader(b, len(text)), text...)
	}
	return append(b, wire.Nil)
}

// readStrings reads lists of binaries, in one piece.
func readStrings(p *plan, u *unmarshaler, a address) bool {
	if u.tag() != wire.List {
		return readSlice(p, u, a)
	}
	before := u.c
	n := int(binary.BigEndian.Uint32(u.c.b[u.c.pos+1:]))
	v := make([]string, n) // of which each takes at least a byte of the input
	u.c.pos += 5
	for i := range v {
		text, ok := u.plainBinary()
		if !ok {
			u.c = before
			return readSlice(p, u, a)
		}
		v[i] = u.here(text)
	}
	if u.tag() != wire.Nil {
		u.c = before
		return readSlice(p, u, a)
	}
	u.c.pos++
	*as[[]string](a) = v
	return true
}

// mostAhead is how many times the input's length may be allocated for the
// elements of a slice before they have been read: where Go's elements are much
// larger than what they are encoded in.
const mostAhead = 32

// addressOfElems returns where the elements of the slice at a lie.
func addressOfElems(slice reflect.Value, a address) address {
	if slice.Len() == 0 {
		return address{}
	}
	return a.sliceData()
}

func readArray(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	n, err := u.c.List()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	size := p.elem.typ.Size()
	done := 0
	for n > 0 && done+n <= p.typ.Len() {
		for end := done + n; done < end; done++ {
			if !p.elem.read(p.elem, u, a.at(uintptr(done)*size)) {
				u.step("[", strconv.Itoa(done), "]")
				return false
			}
		}
		if n, err = u.c.Tail(); err != nil {
			return u.fail(p.typ, err)
		}
	}
	switch {
	case n < 0:
		u.c = before
		return u.fail(p.typ, ErrKind)
	case n > 0 || done != p.typ.Len():
		u.c = before
		return u.fail(p.typ, ErrLength)
	}
	return true
}

func appendPointer(p *plan, m *marshaler, b []byte, a address) []byte {
	elem, ok := a.pointee()
	if !ok {
		return append(b, nilAtom...)
	}
	// Pointers may form a ring.
	if !m.enter(p.typ) {
		return b
	}
	b = p.elem.append(p.elem, m, b, elem)
	m.depth--
	return b
}

// nilAtom is the atom nil.
const nilAtom = "w\x03nil"

func readPointer(p *plan, u *unmarshaler, a address) bool {
	if u.skipNil() {
		a.setPointee(address{})
		return true
	}
	elem, ok := a.pointee()
	if ok {
		return p.elem.read(p.elem, u, elem)
	}
	fresh := addressOf(reflect.New(p.typ.Elem()))
	if !p.elem.read(p.elem, u, fresh) {
		return false
	}
	a.setPointee(fresh)
	return true
}
