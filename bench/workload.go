package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

// A sample is a term as term_to_binary wrote it.
type sample struct {
	name, about string
	etf         []byte
}

// terms returns how many terms the sample is made of, or "?" if it is none.
func (s sample) terms() string {
	term, err := etf.Decode(s.etf)
	if err != nil {
		return "?"
	}
	return strconv.Itoa(countTerms(term))
}

func countTerms(t etf.Term) int {
	n := 1
	for e := range t.All() {
		n += countTerms(e)
	}
	for k, v := range t.Pairs() {
		n += countTerms(k) + countTerms(v)
	}
	return n
}

// A workload is a sample in every form that a codec starts from. It exists only
// while ops are prepared: what lies on the heap, such as the tree for another
// codec, costs every codec that allocates whenever the collector looks at it.
type workload struct {
	sample
	term     etf.Term // as etf.Decode reads it
	tree     any      // Go's natural types, see natural
	json     []byte   // the JSON text of tree, nil if there is none
	noJSON   error    // why there is none
	newTyped func() any
}

// newWorkload derives the other forms from the encoded one.
func newWorkload(s sample) (*workload, error) {
	term, err := etf.Decode(s.etf)
	if err != nil {
		return nil, fmt.Errorf("bench: workload %s: %w", s.name, err)
	}
	w := &workload{sample: s, term: term, newTyped: typedWorkloads[s.name]}
	if w.tree, err = natural(term); err != nil {
		return nil, fmt.Errorf("bench: workload %s: %w", s.name, err)
	}
	w.json, w.noJSON = jsonText(term)
	return w, nil
}

var errNoJSON = errors.New("JSON has no form for bytes that are not UTF-8")

// jsonText returns the term as JSON, its tuples as arrays.
func jsonText(term etf.Term) ([]byte, error) {
	listed, err := etf.Encode(withoutTuples(term))
	if err != nil {
		return nil, err
	}
	text, err := etfjson.AppendJSON(nil, listed)
	if err != nil {
		return nil, errNoJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("bench: JSON with something behind it: %v", err)
	}
	if _, err := same(term, v); err != nil {
		return nil, fmt.Errorf("bench: JSON differs: %w", err)
	}
	return text, nil
}

// withoutTuples returns the term with lists in place of its tuples.
func withoutTuples(t etf.Term) etf.Term {
	switch t.Kind() {
	case etf.KindTuple, etf.KindList:
		var elems []etf.Term
		for e := range t.All() {
			elems = append(elems, withoutTuples(e))
		}
		return etf.List(elems...)
	case etf.KindMap:
		var pairs []etf.Pair
		for k, v := range t.Pairs() {
			pairs = append(pairs, etf.Pair{Key: k, Value: withoutTuples(v)})
		}
		return etf.Map(pairs...)
	}
	return t
}

// natural returns the term as Go programs that know nothing of Erlang hold such
// data: maps with strings as keys, slices, strings, numbers, nil.
func natural(t etf.Term) (any, error) {
	switch t.Kind() {
	case etf.KindInt:
		i, _ := t.Int64()
		return i, nil
	case etf.KindBigInt:
		if u, ok := t.Uint64(); ok {
			return u, nil
		}
		i, _ := t.BigInt()
		return i, nil
	case etf.KindFloat:
		f, _ := t.Float64()
		return f, nil
	case etf.KindAtom:
		if b, ok := t.Bool(); ok {
			return b, nil
		}
		if t.IsNil() || t.IsAtom("undefined") {
			return nil, nil
		}
		name, _ := t.AtomName()
		return name, nil
	case etf.KindBinary:
		b, _ := t.Bytes()
		if utf8.Valid(b) {
			return string(b), nil
		}
		return b, nil
	case etf.KindTuple, etf.KindList:
		elems := make([]any, 0, t.Len())
		for e := range t.All() {
			v, err := natural(e)
			if err != nil {
				return nil, err
			}
			elems = append(elems, v)
		}
		return elems, nil
	case etf.KindMap:
		m := make(map[string]any, t.Len())
		for k, e := range t.Pairs() {
			name, err := keyName(k)
			if err != nil {
				return nil, err
			}
			if m[name], err = natural(e); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return nil, fmt.Errorf("a %v has no natural form", t.Kind())
}

// keyName returns the name that a key of a map has in JSON.
func keyName(k etf.Term) (string, error) {
	if name, ok := k.AtomName(); ok {
		return name, nil
	}
	if text, ok := k.Text(); ok {
		return text, nil
	}
	return "", fmt.Errorf("a %v is no name", k.Kind())
}
