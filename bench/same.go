package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/beamport/beamport/etf"
)

// same reports whether v, which a codec of any format has decoded to Go's
// natural types, is the term t. rounded counts the integers that v holds as the
// nearest float: what JSON codecs make of those beyond 2^53.
func same(t etf.Term, v any) (rounded int, err error) {
	switch t.Kind() {
	case etf.KindInt, etf.KindBigInt:
		return sameInteger(t, v)
	case etf.KindFloat:
		want, _ := t.Float64()
		if n, ok := v.(json.Number); ok {
			got, err := n.Float64()
			if err != nil {
				return 0, err
			}
			v = got
		}
		if got, ok := v.(float64); !ok || got != want {
			return 0, fmt.Errorf("%v instead of the float %v", v, want)
		}
		return 0, nil
	case etf.KindAtom:
		want, err := natural(t)
		if err != nil {
			return 0, err
		}
		if v != want {
			return 0, fmt.Errorf("%v instead of the atom %v", v, t)
		}
		return 0, nil
	case etf.KindBinary:
		want, _ := t.Bytes()
		var got []byte
		switch v := v.(type) {
		case string:
			got = []byte(v)
		case []byte:
			got = v
		}
		if got == nil || !bytes.Equal(got, want) {
			return 0, fmt.Errorf("a %T that is not the binary", v)
		}
		return 0, nil
	case etf.KindTuple, etf.KindList:
		return sameElements(t, v)
	case etf.KindMap:
		return samePairs(t, v)
	}
	return 0, fmt.Errorf("a %v cannot be compared", t.Kind())
}

func sameInteger(t etf.Term, v any) (rounded int, err error) {
	want, _ := t.BigInt()
	got := new(big.Int)
	switch v := v.(type) {
	case json.Number:
		if _, ok := got.SetString(v.String(), 10); !ok {
			return 0, fmt.Errorf("%v instead of the integer %v", v, want)
		}
	case float64:
		nearest, _ := new(big.Float).SetInt(want).Float64()
		if v != nearest {
			return 0, fmt.Errorf("%v instead of the integer %v", v, want)
		}
		if new(big.Float).SetFloat64(v).Int(got); got.Cmp(want) != 0 {
			return 1, nil
		}
	case *big.Int:
		got = v
	case big.Int:
		got = &v
	default:
		if _, ok := got.SetString(fmt.Sprint(v), 10); !ok {
			return 0, fmt.Errorf("a %T instead of the integer %v", v, want)
		}
	}
	if got.Cmp(want) != 0 {
		return 0, fmt.Errorf("%v instead of the integer %v", got, want)
	}
	return 0, nil
}

func sameElements(t etf.Term, v any) (rounded int, err error) {
	elems, ok := v.([]any)
	if !ok || len(elems) != t.Len() {
		return 0, fmt.Errorf("a %T instead of %d elements", v, t.Len())
	}
	i := 0
	for e := range t.All() {
		n, err := same(e, elems[i])
		if err != nil {
			return 0, fmt.Errorf("element %d: %w", i, err)
		}
		rounded += n
		i++
	}
	return rounded, nil
}

func samePairs(t etf.Term, v any) (rounded int, err error) {
	var get func(name string) (any, bool)
	var n int
	switch m := v.(type) {
	case map[string]any:
		n, get = len(m), func(name string) (any, bool) { v, ok := m[name]; return v, ok }
	case map[any]any:
		n, get = len(m), func(name string) (any, bool) { v, ok := m[name]; return v, ok }
	default:
		return 0, fmt.Errorf("a %T instead of a map", v)
	}
	if n != t.Len() {
		return 0, fmt.Errorf("%d pairs instead of %d", n, t.Len())
	}
	for k, e := range t.Pairs() {
		name, err := keyName(k)
		if err != nil {
			return 0, err
		}
		value, ok := get(name)
		if !ok {
			return 0, fmt.Errorf("no key %q", name)
		}
		n, err := same(e, value)
		if err != nil {
			return 0, fmt.Errorf("key %q: %w", name, err)
		}
		rounded += n
	}
	return rounded, nil
}
