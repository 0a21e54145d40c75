package etf

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/beamport/beamport/etf/internal/wire"
)

type signed interface {
	int | int8 | int16 | int32 | int64
}

type unsigned interface {
	uint | uint8 | uint16 | uint32 | uint64 | uintptr
}

func appendBool(_ *plan, _ *marshaler, b []byte, a address) []byte {
	return AppendBool(b, *as[bool](a))
}

func readBool(p *plan, u *unmarshaler, a address) bool {
	start := u.c.pos
	if name, ok := u.plainAtom(); ok {
		switch string(name) {
		case "true":
			*as[bool](a) = true
			return true
		case "false":
			*as[bool](a) = false
			return true
		}
		u.c.pos = start
	}
	v, err := u.c.Bool()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	*as[bool](a) = v
	return true
}

func appendSigned[T signed](_ *plan, _ *marshaler, b []byte, a address) []byte {
	return wire.AppendInt(b, int64(*as[T](a)))
}

func readSigned[T signed](p *plan, u *unmarshaler, a address) bool {
	before := u.c
	v, err := u.c.Int()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if int64(T(v)) != v {
		u.c = before
		return u.fail(p.typ, ErrRange)
	}
	*as[T](a) = T(v)
	return true
}

func appendUnsigned[T unsigned](_ *plan, _ *marshaler, b []byte, a address) []byte {
	return wire.AppendUint(b, uint64(*as[T](a)))
}

func readUnsigned[T unsigned](p *plan, u *unmarshaler, a address) bool {
	before := u.c
	v, err := u.c.Uint()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if uint64(T(v)) != v {
		u.c = before
		return u.fail(p.typ, ErrRange)
	}
	*as[T](a) = T(v)
	return true
}

func appendFloat64(p *plan, m *marshaler, b []byte, a address) []byte {
	return m.appendFloat(p, b, *as[float64](a))
}

func appendFloat32(p *plan, m *marshaler, b []byte, a address) []byte {
	return m.appendFloat(p, b, float64(*as[float32](a)))
}

func (m *marshaler) appendFloat(p *plan, b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return m.fail(b, p.typ, ErrFloat)
	}
	return wire.AppendFloat(b, v)
}

func readFloat64(p *plan, u *unmarshaler, a address) bool {
	v, ok := u.float(p, a)
	if ok {
		*as[float64](a) = v
	}
	return ok
}

func readFloat32(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	v, ok := u.float(p, a)
	switch {
	case !ok:
		return false
	case math.IsInf(float64(float32(v)), 0):
		u.c = before
		return u.fail(p.typ, ErrRange)
	}
	*as[float32](a) = float32(v)
	return true
}

// float reads a float or the float nearest to an integer.
func (u *unmarshaler) float(p *plan, a address) (float64, bool) {
	if u.tag() == wire.NewFloat {
		v := math.Float64frombits(binary.BigEndian.Uint64(u.c.b[u.c.pos+1:]))
		u.c.pos += 9
		return v, true
	}
	v, err := u.c.Float()
	if err == nil {
		return v, true
	}
	switch u.c.Kind() {
	case KindInt:
		if v, err := u.c.Int(); err == nil {
			return float64(v), true
		}
	case KindBigInt:
		before := u.c
		if v, err := u.c.BigInt(); err == nil {
			if v, _ := v.Float64(); !math.IsInf(v, 0) {
				return v, true
			}
		}
		u.c = before
		return 0, u.fail(p.typ, ErrRange)
	}
	return 0, u.nilOr(p, a, err)
}

func appendString(p *plan, m *marshaler, b []byte, a address) []byte {
	s := *as[string](a)
	if uint64(len(s)) > math.MaxUint32 {
		return m.fail(b, p.typ, ErrSize)
	}
	return append(wire.AppendBinaryHeader(b, len(s)), s...)
}

func readString(p *plan, u *unmarshaler, a address) bool {
	if v, ok := u.plainBinary(); ok {
		*as[string](a) = u.here(v)
		return true
	}
	v, err := u.c.Binary()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	*as[string](a) = u.text(v)
	return true
}

// appendAtomString and readAtomString are for strings that are atoms.
func appendAtomString(p *plan, m *marshaler, b []byte, a address) []byte {
	s := *as[string](a)
	if !validAtom(stringBytes(s)) {
		return m.fail(b, p.typ, ErrAtom)
	}
	return wire.AppendAtomUTF8(b, s)
}

func readAtomString(p *plan, u *unmarshaler, a address) bool {
	v, ok := u.name()
	if !ok {
		return u.nilOr(p, a, &KindError{})
	}
	*as[string](a) = u.text(v)
	return true
}

// appendCharlist and readCharlist are for strings that are lists of
// code points.
func appendCharlist(p *plan, m *marshaler, b []byte, a address) []byte {
	b, err := EncodeOptions{NoVersion: true}.Append(b, Charlist(*as[string](a)))
	if err != nil {
		return m.fail(b, p.typ, errors.Unwrap(err))
	}
	return b
}

func readCharlist(p *plan, u *unmarshaler, a address) bool {
	if u.c.Kind() == KindBinary {
		return readString(p, u, a)
	}
	var text []byte
	if !u.elems(func() bool {
		v, err := u.c.Int()
		text = utf8.AppendRune(text, rune(v))
		return err == nil && v >= 0 && v <= unicode.MaxRune && utf8.ValidRune(rune(v))
	}) {
		return u.nilOr(p, a, &KindError{})
	}
	*as[string](a) = string(text)
	return true
}
