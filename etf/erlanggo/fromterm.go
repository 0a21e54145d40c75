package erlanggo

import (
	"fmt"
	"math"
	"reflect"

	"github.com/okeuday/erlang_go/v2/erlang"

	"github.com/beamport/beamport/etf"
)

// maxString is the longest list of bytes that is encoded, and so read, as a
// string.
const maxString = math.MaxUint16

// FromTerm returns the term as erlang_go has it. It shares no memory with it.
func FromTerm(t etf.Term) (any, error) {
	undefined, err := undefinedAtom()
	if err != nil {
		return nil, err
	}
	return (&fromTerm{undefined: undefined}).value(t, 0)
}

// undefinedAtom is the atom that nil stands for, which erlang.SetUndefined sets.
func undefinedAtom() (string, error) {
	t, err := encoded(nil)
	if err != nil {
		return "", err
	}
	name, _ := t.AtomName()
	return name, nil
}

type fromTerm struct {
	undefined string
}

func (f *fromTerm) value(t etf.Term, depth int) (any, error) {
	switch t.Kind() {
	case etf.KindInt:
		v, _ := t.Int64()
		switch {
		case 0 <= v && v <= math.MaxUint8:
			return uint8(v), nil
		case math.MinInt32 <= v && v <= math.MaxInt32:
			return int32(v), nil
		}
		big, _ := t.BigInt()
		return big, nil
	case etf.KindBigInt:
		v, _ := t.BigInt()
		return v, nil
	case etf.KindFloat:
		v, _ := t.Float64()
		return v, nil
	case etf.KindAtom:
		return f.atom(t), nil
	case etf.KindBinary, etf.KindBitString:
		b, bits, _ := t.BitString()
		return erlang.OtpErlangBinary{Value: append([]byte{}, b...), Bits: bits}, nil
	case etf.KindPid, etf.KindPort, etf.KindRef, etf.KindExport, etf.KindFun:
		return identifier(t)
	case etf.KindTuple, etf.KindList, etf.KindImproperList, etf.KindMap:
		if depth == etf.DefaultMaxDepth {
			return nil, ErrLimit
		}
		return f.container(t, depth+1)
	case etf.KindRecord:
		return nil, fmt.Errorf("%w: a native record", ErrType)
	}
	return nil, ErrTerm
}

func (f *fromTerm) atom(t etf.Term) any {
	name, _ := t.AtomName()
	switch name {
	case "true":
		return true
	case "false":
		return false
	case f.undefined:
		return nil
	}
	return erlang.OtpErlangAtomUTF8(name)
}

func (f *fromTerm) container(t etf.Term, depth int) (any, error) {
	if t.Kind() == etf.KindMap {
		return f.mapValue(t, depth)
	}
	if s, ok := byteString(t); ok {
		return s, nil
	}
	values := make([]any, 0, t.Len()+1)
	for elem := range t.All() {
		v, err := f.value(elem, depth)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	switch t.Kind() {
	case etf.KindTuple:
		return erlang.OtpErlangTuple(values), nil
	case etf.KindImproperList:
		tail, _ := t.Tail()
		v, err := f.value(tail, depth)
		if err != nil {
			return nil, err
		}
		return erlang.OtpErlangList{Value: append(values, v), Improper: true}, nil
	default:
		return erlang.OtpErlangList{Value: values}, nil
	}
}

// byteString returns the bytes of a list that is encoded as a string.
func byteString(t etf.Term) (string, bool) {
	if t.Kind() != etf.KindList || t.Len() == 0 || t.Len() > maxString {
		return "", false
	}
	b := make([]byte, 0, t.Len())
	for elem := range t.All() {
		v, ok := elem.Int64()
		if !ok || v < 0 || v > math.MaxUint8 {
			return "", false
		}
		b = append(b, byte(v))
	}
	return string(b), true
}

func (f *fromTerm) mapValue(t etf.Term, depth int) (any, error) {
	m := make(erlang.OtpErlangMap, t.Len())
	for key, value := range t.Pairs() {
		k, err := f.value(key, depth)
		if err != nil {
			return nil, err
		}
		if k != nil && !reflect.TypeOf(k).Comparable() {
			return nil, fmt.Errorf("%w: %s", ErrKey, key.Kind())
		}
		if _, ok := m[k]; ok {
			return nil, fmt.Errorf("%w: %s that is equal to another", ErrKey, key.Kind())
		}
		if m[k], err = f.value(value, depth); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// identifier has erlang_go read the term, save for a fun with an environment,
// which it cannot.
func identifier(t etf.Term) (any, error) {
	b, err := etf.Encode(t)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	if t.Kind() == etf.KindFun {
		return erlang.OtpErlangFunction{Tag: b[1], Value: b[2:]}, nil
	}
	v, err := erlang.BinaryToTerm(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrType, err)
	}
	return v, nil
}
