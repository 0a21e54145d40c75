package etf

import (
	"errors"
	"math"
	"reflect"

	"github.com/beamport/beamport/etf/internal/wire"
)

func appendAny(_ *plan, m *marshaler, b []byte, a address) []byte { return m.appendAny(b, *as[any](a)) }

// appendAny appends what an interface without methods holds.
func (m *marshaler) appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, nilAtom...)
	case string:
		if uint64(len(v)) <= math.MaxUint32 {
			return append(wire.AppendBinaryHeader(b, len(v)), v...)
		}
	case bool:
		return AppendBool(b, v)
	case int:
		return wire.AppendInt(b, int64(v))
	case int64:
		return wire.AppendInt(b, v)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return wire.AppendFloat(b, v)
		}
	case map[string]any:
		return m.appendAnyMap(b, v)
	}
	return m.appendHeld(b, v)
}

// appendHeld appends the value in an interface that is not nil.
func (m *marshaler) appendHeld(b []byte, v any) []byte {
	t := reflect.TypeOf(v)
	p := planOf(t)
	switch {
	case p.held == heldByPointer, t.Kind() == reflect.Pointer:
		// m.held is not on the stack, and what it holds is looked at before it changes.
		m.held = v
		return p.append(p, m, b, dataOf(&m.held, p.held))
	case p.held == heldInside:
		held := v
		return p.append(p, m, b, dataOf(&held, p.held))
	}
	held := reflect.New(t)
	held.Elem().Set(reflect.ValueOf(v))
	return p.append(p, m, b, addressOf(held))
}

// appendInterface is appendAny for interfaces with methods.
func appendInterface(p *plan, m *marshaler, b []byte, a address) []byte {
	v := p.value(a)
	if v.IsNil() {
		return append(b, nilAtom...)
	}
	return m.appendHeld(b, v.Elem().Interface())
}

// readInterface reads into what an interface with methods holds, which has to be
// a pointer.
func readInterface(p *plan, u *unmarshaler, a address) bool {
	v := p.value(a)
	if u.skipNil() {
		v.SetZero()
		return true
	}
	if held := v.Elem(); held.IsValid() && held.Kind() == reflect.Pointer && !held.IsNil() {
		return u.follow(p, held)
	}
	return u.fail(p.typ, ErrType)
}

// follow reads into what the pointer in an interface points at. Such pointers
// may form a ring.
func (u *unmarshaler) follow(p *plan, pointer reflect.Value) bool {
	if u.followed == mostFollowed {
		return u.fail(p.typ, errRing)
	}
	u.followed++
	to := planOf(pointer.Type().Elem())
	ok := to.read(to, u, addressOf(pointer))
	u.followed--
	return ok
}

// mostFollowed is how many pointers in interfaces are followed, one within what
// the other points at.
const mostFollowed = 1000

var errRing = errors.New("etf: a ring of pointers")

func readAny(p *plan, u *unmarshaler, a address) bool {
	i := as[any](a)
	if held := reflect.ValueOf(*i); held.Kind() == reflect.Pointer && !held.IsNil() {
		if u.skipNil() {
			*i = nil
			return true
		}
		return u.follow(p, held)
	}
	v, err := u.any()
	if err != nil {
		return u.fail(p.typ, err)
	}
	*i = v
	return true
}

// any reads the next term as Go's natural type for it, see [Unmarshal].
func (u *unmarshaler) any() (any, error) {
	if v, ok := u.plainBinary(); ok {
		return u.here(v), nil
	}
	switch u.c.Kind() {
	case KindInt:
		v, err := u.c.Int()
		return v, err
	case KindBigInt:
		v, err := u.c.BigInt()
		return v, err
	case KindFloat:
		v, err := u.c.Float()
		return v, err
	case KindBinary:
		v, err := u.c.Binary()
		return u.text(v), err
	case KindAtom:
		before := u.c
		name, _ := u.name()
		switch string(name) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		case "nil", "undefined":
			return nil, nil
		}
		u.c = before
	case KindMap:
		return u.anyMap()
	case KindList:
		return u.anyList()
	}
	return u.c.termWithin(largestLimits)
}

func (u *unmarshaler) anyList() (any, error) {
	before := u.c
	n, err := u.c.List()
	if err != nil {
		return nil, err
	}
	list := make([]any, 0, min(n, 2*len(u.c.b)))
	for n > 0 {
		for range n {
			v, err := u.any()
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if n, err = u.c.Tail(); err != nil {
			return nil, err
		}
	}
	if n < 0 {
		u.c = before
		return u.c.termWithin(largestLimits)
	}
	return list, nil
}

// anyMap reads a map as one with strings or integers as keys, if all keys of it
// are of that kind and stay different.
func (u *unmarshaler) anyMap() (any, error) {
	before := u.c
	n, err := u.mapHead()
	if err != nil {
		return nil, err
	}
	var v any
	switch kind := u.c.Kind(); {
	case n == 0:
		return map[string]any{}, nil
	case kind == KindBinary || kind == KindAtom:
		v, err = u.anyNames(n)
	case kind == KindInt:
		v, err = u.anyNumbers(n)
	}
	if v == nil && err == nil {
		u.c = before
		return u.c.termWithin(largestLimits)
	}
	return v, err
}

// anyNames returns nil if a key is no name, or is there already.
func (u *unmarshaler) anyNames(n int) (any, error) {
	v := make(map[string]any, min(n, mostRoom))
	for i := range n {
		key, ok := u.nameText()
		if !ok {
			return nil, nil
		}
		value, err := u.any()
		if err != nil {
			return nil, err
		}
		if v[key] = value; len(v) == i {
			return nil, nil
		}
	}
	return v, nil
}

// anyNumbers returns nil if a key is no integer that fits.
func (u *unmarshaler) anyNumbers(n int) (any, error) {
	v := make(map[int64]any, min(n, mostRoom))
	for range n {
		key, err := u.c.Int()
		if err != nil {
			return nil, nil
		}
		if v[key], err = u.any(); err != nil {
			return nil, err
		}
	}
	return v, nil
}
