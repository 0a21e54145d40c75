package etf

import (
	"encoding"
	"errors"
	"math/big"
	"time"
)

func appendTerm(p *plan, m *marshaler, b []byte, a address) []byte {
	t := as[Term](a)
	if t.kind == Invalid {
		return append(b, nilAtom...)
	}
	e := encoder{maxDepth: m.maxDepth}
	if b = e.append(b, t, m.depth); e.err != nil {
		b = m.fail(b, p.typ, e.err)
		m.path = append(e.path, m.path...)
	}
	return b
}

func readTerm(p *plan, u *unmarshaler, a address) bool {
	t, err := u.c.termWithin(largestLimits)
	if err != nil {
		return u.fail(p.typ, err)
	}
	*as[Term](a) = t
	return true
}

func appendRaw(p *plan, m *marshaler, b []byte, a address) []byte {
	raw := *as[Raw](a)
	if len(raw) == 0 {
		return append(b, nilAtom...)
	}
	return m.appendEncoded(p, b, append(b, raw...), nil)
}

// appendEncoded checks what somebody else has appended to b, which has to be
// one term.
func (m *marshaler) appendEncoded(p *plan, b, appended []byte, err error) []byte {
	if err == nil {
		if len(appended) < len(b) {
			return m.fail(b, p.typ, errAppend)
		}
		limits := DecodeOptions{
			NoVersion: true, NoCompression: true, MaxBytes: LargestMaxBytes, MaxTerms: LargestMaxTerms,
			MaxDepth: max(1, m.maxDepth-m.depth),
		}
		err = limits.Valid(appended[len(b):])
	}
	if err != nil {
		return m.fail(b, p.typ, err)
	}
	return appended
}

// errAppend is the error of a Marshaler that does not append.
var errAppend = errors.New("etf: a Marshaler that did not append to what it was given")

func readRaw(p *plan, u *unmarshaler, a address) bool {
	raw, err := u.c.rawWithin(largestLimits)
	if err != nil {
		return u.fail(p.typ, err)
	}
	*as[Raw](a) = append(make(Raw, 0, len(raw)), raw...)
	return true
}

func appendBigInt(p *plan, m *marshaler, b []byte, a address) []byte {
	b, err := AppendBigInt(b, as[big.Int](a))
	if err != nil {
		return m.fail(b, p.typ, ErrInteger)
	}
	return b
}

func readBigInt(p *plan, u *unmarshaler, a address) bool {
	v, err := u.c.BigInt()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	as[big.Int](a).Set(v)
	return true
}

func appendTime(p *plan, m *marshaler, b []byte, a address) []byte {
	var text [64]byte
	v, err := as[time.Time](a).AppendText(text[:0])
	if err != nil {
		return m.fail(b, p.typ, err)
	}
	return m.appendBinary(p, b, v)
}

func readTime(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	v, err := u.c.Binary()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	if err := as[time.Time](a).UnmarshalText(v); err != nil {
		u.c = before
		return u.fail(p.typ, err)
	}
	return true
}

// unixTimes are the units in which a time may be an integer, see [Marshal].
var unixTimes = map[string]unixUnit{
	"unix":      {time.Time.Unix, func(v int64) time.Time { return time.Unix(v, 0) }},
	"unixmilli": {time.Time.UnixMilli, time.UnixMilli},
	"unixmicro": {time.Time.UnixMicro, time.UnixMicro},
	"unixnano":  {time.Time.UnixNano, func(v int64) time.Time { return time.Unix(0, v) }},
}

type unixUnit struct {
	to   func(time.Time) int64
	from func(int64) time.Time
}

// unixTime returns the plan of a time that is an integer.
func unixTime(convert unixUnit) *plan {
	p := newPlan(timeType)
	p.append = func(_ *plan, _ *marshaler, b []byte, a address) []byte {
		return AppendInt(b, convert.to(*as[time.Time](a)))
	}
	p.read = func(p *plan, u *unmarshaler, a address) bool {
		v, err := u.c.Int()
		if err != nil {
			return u.nilOr(p, a, err)
		}
		*as[time.Time](a) = convert.from(v).UTC()
		return true
	}
	return p
}

func appendIdentifier[T any](term func(T) Term) func(p *plan, m *marshaler, b []byte, a address) []byte {
	return func(p *plan, m *marshaler, b []byte, a address) []byte {
		t := term(*as[T](a))
		if t.kind == Invalid {
			return m.fail(b, p.typ, ErrInvalid)
		}
		return appendTerm(p, m, b, addressFor(&t))
	}
}

func readIdentifier[T any](kind Kind, value func(Term) (T, bool)) func(p *plan, u *unmarshaler, a address) bool {
	return func(p *plan, u *unmarshaler, a address) bool {
		if u.c.Kind() != kind {
			return u.nilOr(p, a, &KindError{})
		}
		t, err := u.c.termWithin(largestLimits)
		if err != nil {
			return u.fail(p.typ, err)
		}
		*as[T](a), _ = value(t)
		return true
	}
}

func appendMarshaler(p *plan, m *marshaler, b []byte, a address) []byte {
	appended, err := a.pointer(p.pointer).(Marshaler).AppendETF(b)
	return m.appendEncoded(p, b, appended, err)
}

func readUnmarshaler(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	raw, err := u.c.rawWithin(largestLimits)
	if err == nil {
		err = a.pointer(p.pointer).(Unmarshaler).UnmarshalETF(raw)
	}
	if err != nil {
		u.c = before
		return u.fail(p.typ, err)
	}
	return true
}

func appendToText(p *plan, m *marshaler, b []byte, a address) []byte {
	text, err := a.pointer(p.pointer).(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return m.fail(b, p.typ, err)
	}
	return m.appendBinary(p, b, text)
}

func readFromText(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	text, err := u.c.Binary()
	if err != nil {
		if text, err = u.c.Atom(); err != nil || isNilName(text) {
			u.c = before
			return u.nilOr(p, a, err)
		}
	}
	if err := a.pointer(p.pointer).(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
		u.c = before
		return u.fail(p.typ, err)
	}
	return true
}
