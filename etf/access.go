package etf

import (
	"encoding/binary"
	"iter"
	"math"
	"math/big"
	"unicode/utf8"
)

// Kind returns the term's kind.
func (t Term) Kind() Kind { return t.kind }

// Int64 returns the integer, if the term is one that fits.
func (t Term) Int64() (int64, bool) { return int64(t.num), t.kind == KindInt }

// Uint64 returns the integer, if the term is one that fits.
func (t Term) Uint64() (uint64, bool) {
	switch {
	case t.kind == KindInt && int64(t.num) >= 0:
		return t.num, true
	case t.kind == KindBigInt && t.flag&flagNegative == 0 && t.num == 8:
		return binary.LittleEndian.Uint64(t.bytes()), true
	}
	return 0, false
}

// BigInt returns the integer, if the term is one, of [KindInt] or
// [KindBigInt]. The result is the caller's.
func (t Term) BigInt() (*big.Int, bool) {
	switch t.kind {
	case KindInt:
		return big.NewInt(int64(t.num)), true
	case KindBigInt:
		return bigInt(t.bytes(), t.flag&flagNegative != 0), true
	}
	return nil, false
}

// Float64 returns the float, if the term is one. An integer is not.
func (t Term) Float64() (float64, bool) {
	if t.kind != KindFloat {
		return 0, false
	}
	return math.Float64frombits(t.num), true
}

// AtomName returns the atom's name, if the term is one. The string shares the
// term's memory.
func (t Term) AtomName() (string, bool) {
	if t.kind != KindAtom {
		return "", false
	}
	return t.text(), true
}

// IsAtom reports whether the term is the atom with the given name.
func (t Term) IsAtom(name string) bool { return t.kind == KindAtom && t.text() == name }

// IsNil reports whether the term is the atom nil, which Elixir uses where Go
// has nil. The empty list, which Erlang calls nil too, is not.
func (t Term) IsNil() bool { return t.IsAtom("nil") }

// Bool returns the boolean, if the term is the atom true or false.
func (t Term) Bool() (value, ok bool) {
	if t.kind != KindAtom {
		return false, false
	}
	switch t.text() {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Bytes returns the bytes of a binary, if the term is one. They are the term's
// own memory: the caller must not change them.
func (t Term) Bytes() ([]byte, bool) {
	if t.kind != KindBinary {
		return nil, false
	}
	return t.bytes(), true
}

// Chars returns a list of characters as a string, if the term is one: a proper list of
// Unicode code points without surrogates, which is what a string is in Erlang, and a
// charlist in Elixir. The empty list is the empty string.
func (t Term) Chars() (string, bool) {
	if t.Kind() != KindList {
		return "", false
	}
	b := make([]byte, 0, t.Len())
	for e := range t.All() {
		c, ok := e.Int64()
		if !ok || c < 0 || c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			return "", false
		}
		b = utf8.AppendRune(b, rune(c))
	}
	return string(b), true
}

// Text returns a copy of the bytes of a binary as a string, if the term is
// one. Whether they are UTF-8 is not checked.
func (t Term) Text() (string, bool) {
	if t.kind != KindBinary {
		return "", false
	}
	return string(t.bytes()), true
}

// BitString returns the bytes of a bit string or binary, if the term is one,
// and how many bits of the last byte count: the 1 to 8 most significant ones
// (8 for a binary, the empty one too). The others are zero. The bytes are the
// term's own memory: the caller must not change them.
func (t Term) BitString() (b []byte, lastBits uint8, ok bool) {
	switch t.kind {
	case KindBinary:
		return t.bytes(), 8, true
	case KindBitString:
		return t.bytes(), uint8(t.aux), true
	}
	return nil, 0, false
}

// Len returns the number of elements of a tuple or list (of an improper one
// without its tail), of pairs of a map, or of bytes of a binary or bit string
// (counting a last one of fewer bits). It is 0 for every other term.
func (t Term) Len() int {
	switch t.kind {
	case KindBinary, KindBitString, KindTuple, KindList, KindImproperList, KindMap:
		return int(t.num)
	}
	return 0
}

// At returns element i of a tuple or list, counted from zero, and the zero Term
// where there is none. It takes constant time, for lists too.
func (t Term) At(i int) Term {
	switch t.kind {
	case KindTuple, KindList, KindImproperList:
		if uint64(i) >= t.num { // a negative i is huge
			return Term{}
		}
		if t.flag&flagString != 0 {
			return Int(int64(t.bytes()[i]))
		}
		return t.terms(i + 1)[i]
	}
	return Term{}
}

// Tail returns what follows the elements of a list: the last tail of an
// improper list, the empty list for a proper one. ok is false if the term is
// not a list.
func (t Term) Tail() (tail Term, ok bool) {
	switch t.kind {
	case KindList:
		return List(), true
	case KindImproperList:
		return t.terms(int(t.num) + 1)[t.num], true
	}
	return Term{}, false
}

// All returns the elements of a tuple or list, without an improper list's
// tail. It has none for other terms.
func (t Term) All() iter.Seq[Term] {
	return func(yield func(Term) bool) {
		switch t.kind {
		case KindTuple, KindList, KindImproperList:
		default:
			return
		}
		if t.flag&flagString != 0 {
			for _, c := range t.bytes() {
				if !yield(Int(int64(c))) {
					return
				}
			}
			return
		}
		for _, elem := range t.terms(int(t.num)) {
			if !yield(elem) {
				return
			}
		}
	}
}

// Pairs returns the keys and values of a map in the order in which it was
// encoded or made. It has none for other terms.
func (t Term) Pairs() iter.Seq2[Term, Term] {
	return func(yield func(Term, Term) bool) {
		if t.kind != KindMap {
			return
		}
		elems := t.terms(2 * int(t.num))
		for i := 0; i < len(elems); i += 2 {
			if !yield(elems[i], elems[i+1]) {
				return
			}
		}
	}
}

// Get returns the value of a key of a map, compared as [Equal] does: 1 does not
// find 1.0. ok is false if there is none or the term is not a map. It goes
// through the keys one by one; whoever looks up many keys of a large map makes
// a Go map of [Term.Pairs] first.
func (t Term) Get(key Term) (value Term, ok bool) {
	if t.kind != KindMap {
		return Term{}, false
	}
	elems := t.terms(2 * int(t.num))
	for i := 0; i < len(elems); i += 2 {
		if k := &elems[i]; k.kind == key.kind && k.num == key.num && Equal(*k, key) {
			return elems[i+1], true
		}
	}
	return Term{}, false
}

// GetAtom is [Term.Get] with the atom of the given name.
func (t Term) GetAtom(name string) (value Term, ok bool) { return t.getText(KindAtom, name) }

// GetString is [Term.Get] with the binary of the bytes of s.
func (t Term) GetString(s string) (value Term, ok bool) { return t.getText(KindBinary, s) }

func (t Term) getText(kind Kind, s string) (Term, bool) {
	if t.kind != KindMap {
		return Term{}, false
	}
	elems := t.terms(2 * int(t.num))
	for i := 0; i < len(elems); i += 2 {
		if k := &elems[i]; k.kind == kind && k.num == uint64(len(s)) && k.text() == s {
			return elems[i+1], true
		}
	}
	return Term{}, false
}
