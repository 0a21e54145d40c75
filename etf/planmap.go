package etf

import (
	"math"
	"reflect"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

func (n planner) fillMap(p *plan) {
	t := p.typ
	p.key, p.elem = n.plan(t.Key()), n.plan(t.Elem())
	p.append, p.read = appendMap, readMap
	switch t.Key().Kind() {
	case reflect.String:
		if p.checkKeys = hasMethods(t.Key()); p.checkKeys {
			return
		}
		p.key = n.nameKey(t.Key())
		switch {
		case t.Key() != reflect.TypeFor[string]():
		case t.Elem() == reflect.TypeFor[string]():
			p.append, p.read = appendStringMap, readStringMap
		case t.Elem() == reflect.TypeFor[any]():
			p.append, p.read = appendAnyMap, readAnyMap
		}
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.checkKeys = hasMethods(t.Key())
	default:
		p.checkKeys = true
	}
}

// hasMethods reports whether a type is marshaled by methods of its own.
func hasMethods(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(marshalType) || pointer.Implements(toTextType) ||
		pointer.Implements(unmarshalType) || pointer.Implements(fromTextType)
}

// nameKey returns the plan of a map's keys that are strings: binaries, though
// atoms are read as well.
func (n planner) nameKey(t reflect.Type) *plan {
	key := *n.plan(t)
	key.typ, key.append, key.read = t, appendString, readAtomString
	return &key
}

// mostRoom is for how many pairs a map has room before they have been read.
const mostRoom = 1 << 10

// mapOrNil reads the beginning of a map, or nil, for which it sets the Go map to
// nil and returns -1.
func (u *unmarshaler) mapOrNil(p *plan, a address) (n int, ok bool) {
	n, err := u.mapHead()
	if err != nil {
		return -1, u.nilOr(p, a, err)
	}
	return n, true
}

func appendMap(p *plan, m *marshaler, b []byte, a address) []byte {
	v := p.value(a)
	if !m.enter(p.typ) {
		return b
	}
	start := len(b)
	b = wire.AppendMapHeader(b, v.Len())
	key, value := reflect.New(p.typ.Key()), reflect.New(p.typ.Elem())
	pairs := v.MapRange()
	for i := 0; pairs.Next(); i++ {
		key.Elem().SetIterKey(pairs)
		value.Elem().SetIterValue(pairs)
		at := len(b)
		if b = p.key.append(p.key, m, b, addressOf(key)); m.err != nil {
			m.step("#key(", strconv.Itoa(i), ")")
			return b
		}
		end := len(b)
		if b = p.elem.append(p.elem, m, b, addressOf(value)); m.err != nil {
			m.stepEncoded(b[at:end], i)
			return b
		}
	}
	m.depth--
	if p.checkKeys {
		if err := largestLimits.Valid(b[start:]); err != nil {
			return m.fail(b, p.typ, ErrDuplicateKey)
		}
	}
	return b
}

func readMap(p *plan, u *unmarshaler, a address) bool {
	n, ok := u.mapOrNil(p, a)
	if !ok || n < 0 {
		return ok
	}
	v := reflect.MakeMapWithSize(p.typ, min(n, mostRoom))
	p.value(a).Set(v)
	key, value := reflect.New(p.typ.Key()), reflect.New(p.typ.Elem())
	for i := range n {
		start := u.c.pos
		key.Elem().SetZero()
		value.Elem().SetZero()
		if !p.key.read(p.key, u, addressOf(key)) {
			u.step("#key(", strconv.Itoa(i), ")")
			return false
		}
		if !key.Elem().Comparable() {
			u.c.pos = start
			return u.fail(p.typ.Key(), ErrKind)
		}
		if !p.elem.read(p.elem, u, addressOf(value)) {
			u.stepKey(start)
			return false
		}
		size := v.Len()
		v.SetMapIndex(key.Elem(), value.Elem())
		if v.Len() == size {
			u.c.pos = start
			return u.fail(p.typ, ErrDuplicateKey)
		}
	}
	return true
}

func appendStringMap(p *plan, m *marshaler, b []byte, a address) []byte {
	v := *as[map[string]string](a)
	if !m.enter(p.typ) {
		return b
	}
	b = wire.AppendMapHeader(b, len(v))
	for key, v := range v {
		if uint64(len(key)) > math.MaxUint32 || uint64(len(v)) > math.MaxUint32 {
			return m.fail(b, p.typ, ErrSize)
		}
		b = append(wire.AppendBinaryHeader(b, len(key)), key...)
		b = append(wire.AppendBinaryHeader(b, len(v)), v...)
	}
	m.depth--
	return b
}

func appendAnyMap(p *plan, m *marshaler, b []byte, a address) []byte {
	return m.appendAnyMap(b, *as[map[string]any](a))
}

func (m *marshaler) appendAnyMap(b []byte, v map[string]any) []byte {
	t := reflect.TypeFor[map[string]any]()
	if !m.enter(t) {
		return b
	}
	b = wire.AppendMapHeader(b, len(v))
	i := 0
	for key, v := range v {
		if uint64(len(key)) > math.MaxUint32 {
			return m.fail(b, t, ErrSize)
		}
		b = append(wire.AppendBinaryHeader(b, len(key)), key...)
		if b = m.appendAny(b, v); m.err != nil {
			m.stepKey(String(key), i)
			return b
		}
		i++
	}
	m.depth--
	return b
}

func readStringMap(p *plan, u *unmarshaler, a address) bool {
	return readNames(p, u, a, (*unmarshaler).textOrNil)
}

func readAnyMap(p *plan, u *unmarshaler, a address) bool {
	return readNames(p, u, a, (*unmarshaler).any)
}

// textOrNil reads a binary, or nil as the empty string.
func (u *unmarshaler) textOrNil() (string, error) {
	if b, ok := u.plainBinary(); ok {
		return u.here(b), nil
	}
	b, err := u.c.Binary()
	if err != nil {
		if u.skipNil() {
			return "", nil
		}
		return "", ErrKind
	}
	return u.text(b), nil
}

// readNames reads a map with names as keys, with a function that reads a value.
func readNames[T any](p *plan, u *unmarshaler, a address, read func(*unmarshaler) (T, error)) bool {
	n, ok := u.mapOrNil(p, a)
	if !ok || n < 0 {
		return ok
	}
	v := make(map[string]T, min(n, mostRoom))
	*as[map[string]T](a) = v
	for i := range n {
		start := u.c.pos
		key, ok := u.nameText()
		if !ok {
			u.step("#key(", strconv.Itoa(i), ")")
			return u.fail(p.typ.Key(), ErrKind)
		}
		value, err := read(u)
		if err != nil {
			u.stepKey(start)
			return u.fail(p.elem.typ, err)
		}
		if v[key] = value; len(v) == i {
			u.c.pos = start
			return u.fail(p.typ, ErrDuplicateKey)
		}
	}
	return true
}
