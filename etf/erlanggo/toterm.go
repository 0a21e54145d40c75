package erlanggo

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/okeuday/erlang_go/v2/erlang"

	"github.com/beamport/beamport/etf"
)

// ToTerm returns the term that a value of erlang_go's types stands for. It shares
// no memory with it. The pairs of a map come in Erlang's order of their keys.
//
// A fun with an environment that erlang.BinaryToTerm has read is an error: it
// reads them wrongly.
func ToTerm(v any) (etf.Term, error) { return toTerm(v, 0) }

func toTerm(v any, depth int) (etf.Term, error) {
	switch v := v.(type) {
	case nil:
		return encoded(nil)
	case bool:
		return etf.Bool(v), nil
	case uint8:
		return etf.Int(int64(v)), nil
	case uint16:
		return etf.Int(int64(v)), nil
	case uint32:
		return etf.Int(int64(v)), nil
	case uint64:
		return etf.Uint(v), nil
	case int8:
		return etf.Int(int64(v)), nil
	case int16:
		return etf.Int(int64(v)), nil
	case int32:
		return etf.Int(int64(v)), nil
	case int64:
		return etf.Int(v), nil
	case int:
		return etf.Int(int64(v)), nil
	case *big.Int:
		if v == nil {
			return etf.Term{}, fmt.Errorf("%w: a nil *big.Int", ErrType)
		}
		return etf.BigInt(v), nil
	case float32:
		return float(float64(v))
	case float64:
		return float(v)
	case string:
		return etf.Charlist(latin1(v)), nil
	case []byte:
		return etf.Binary(slices.Clone(v)), nil
	case erlang.OtpErlangAtom:
		return checked(etf.Atom(latin1(string(v))))
	case erlang.OtpErlangAtomUTF8:
		return checked(etf.Atom(string(v)))
	case erlang.OtpErlangBinary:
		if v.Bits < 1 || v.Bits > 8 {
			return etf.Term{}, fmt.Errorf("%w: a binary with %d bits in its last byte", ErrType, v.Bits)
		}
		return etf.BitString(slices.Clone(v.Value), v.Bits), nil
	case erlang.OtpErlangPid, erlang.OtpErlangPort, erlang.OtpErlangReference:
		return encoded(v)
	case erlang.OtpErlangFunction:
		t, err := encoded(v)
		if kind := t.Kind(); err == nil && kind != etf.KindFun && kind != etf.KindExport {
			return etf.Term{}, fmt.Errorf("%w: a function with the tag %d", ErrType, v.Tag)
		}
		return t, err
	}
	if depth == etf.DefaultMaxDepth {
		return etf.Term{}, ErrLimit
	}
	switch v := v.(type) {
	case erlang.OtpErlangTuple:
		return tuple(v, depth+1)
	case []any:
		return tuple(v, depth+1)
	case erlang.OtpErlangList:
		return list(v, depth+1)
	case erlang.OtpErlangMap:
		return mapTerm(v, depth+1)
	case map[any]any:
		return mapTerm(v, depth+1)
	}
	return etf.Term{}, fmt.Errorf("%w: a %T", ErrType, v)
}

func float(v float64) (etf.Term, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return etf.Term{}, fmt.Errorf("%w: a float that is not finite", ErrType)
	}
	return etf.Float(v), nil
}

// latin1 returns the characters that bytes are in latin1.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// checked returns the term if it can be encoded: the name of an atom may be too
// long, or not be UTF-8.
func checked(t etf.Term) (etf.Term, error) {
	if _, err := etf.Encode(t); err != nil {
		return etf.Term{}, fmt.Errorf("%w: %w", ErrType, err)
	}
	return t, nil
}

// encoded has erlang_go write the value, which holds no others, and reads that.
func encoded(v any) (etf.Term, error) {
	b, err := erlang.TermToBinary(v, -1)
	if err != nil {
		return etf.Term{}, fmt.Errorf("%w: %w", ErrType, err)
	}
	t, err := etf.Decode(b)
	if err != nil {
		return etf.Term{}, fmt.Errorf("%w: %T: %w", ErrType, v, err)
	}
	return t, nil
}

func toTerms(values []any, depth int) ([]etf.Term, error) {
	terms := make([]etf.Term, len(values))
	for i, v := range values {
		t, err := toTerm(v, depth)
		if err != nil {
			return nil, err
		}
		terms[i] = t
	}
	return terms, nil
}

func tuple(values []any, depth int) (etf.Term, error) {
	elems, err := toTerms(values, depth)
	if err != nil {
		return etf.Term{}, err
	}
	return etf.Tuple(elems...), nil
}

func list(v erlang.OtpErlangList, depth int) (etf.Term, error) {
	elems, err := toTerms(v.Value, depth)
	if err != nil {
		return etf.Term{}, err
	}
	if last := len(elems) - 1; v.Improper && last >= 0 {
		return etf.ImproperList(elems[last], elems[:last]...), nil
	}
	return etf.List(elems...), nil
}

// mapTerm refuses keys that Go tells apart and Erlang does not, as uint8(1) and
// int32(1).
func mapTerm(v map[any]any, depth int) (etf.Term, error) {
	pairs := make([]etf.Pair, 0, len(v))
	for key, value := range v {
		k, err := toTerm(key, depth)
		if err != nil {
			return etf.Term{}, err
		}
		t, err := toTerm(value, depth)
		if err != nil {
			return etf.Term{}, err
		}
		pairs = append(pairs, etf.Pair{Key: k, Value: t})
	}
	slices.SortFunc(pairs, func(a, b etf.Pair) int { return etf.Compare(a.Key, b.Key) })
	m := etf.Map(pairs...)
	if m.Len() != len(pairs) {
		return etf.Term{}, fmt.Errorf("%w: keys that are the same term", ErrKey)
	}
	return m, nil
}
