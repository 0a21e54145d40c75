package etf

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// Pair is a key of a map and its value.
type Pair struct{ Key, Value Term }

// Atom returns the atom with the given name. The name of an atom that can be
// encoded is UTF-8 and at most 255 characters long; [Encode] checks that.
func Atom(name string) Term { return stringTerm(KindAtom, name) }

// Bool returns the atom true or false.
func Bool(v bool) Term {
	if v {
		return Atom("true")
	}
	return Atom("false")
}

// Int returns an integer.
func Int(v int64) Term { return Term{kind: KindInt, num: uint64(v)} }

// Uint returns an integer: one of [KindInt], or of [KindBigInt] from 2^63 on.
func Uint(v uint64) Term {
	if v <= math.MaxInt64 {
		return Int(int64(v))
	}
	return bytesTerm(KindBigInt, binary.LittleEndian.AppendUint64(nil, v))
}

// BigInt returns an integer: one of [KindInt] where v fits an int64, else one
// of [KindBigInt], which holds a copy of v. A nil v gives the zero Term.
func BigInt(v *big.Int) Term {
	if v == nil {
		return Term{}
	}
	if v.IsInt64() {
		return Int(v.Int64())
	}
	n := (v.BitLen() + 7) / 8
	magnitude := make([]byte, 0, n+8)
	for _, word := range v.Bits() {
		for i := 0; i < bits.UintSize; i += 8 {
			magnitude = append(magnitude, byte(word>>i))
		}
	}
	t := bytesTerm(KindBigInt, magnitude[:n:n])
	if v.Sign() < 0 {
		t.flag = flagNegative
	}
	return t
}

// Float returns a float. NaN and the infinities are no Erlang terms: [Encode]
// refuses them.
func Float(v float64) Term { return Term{kind: KindFloat, num: math.Float64bits(v)} }

// Binary returns a binary of the bytes in b. It keeps b, which must not be
// changed as long as the Term is in use.
func Binary(b []byte) Term { return bytesTerm(KindBinary, b) }

// String returns a binary of the bytes of s: what Elixir calls a string. See
// [Charlist] for what Erlang does.
func String(s string) Term { return stringTerm(KindBinary, s) }

// Charlist returns the list of the code points of s, as Erlang's "…" and
// Elixir's '…' make it. A byte that is not part of a UTF-8 sequence becomes
// U+FFFD.
func Charlist(s string) Term {
	n, widest := 0, rune(0)
	for _, r := range s {
		n++
		widest = max(widest, r)
	}
	if widest <= 0xFF {
		chars := make([]byte, 0, n)
		for _, r := range s {
			chars = append(chars, byte(r))
		}
		return charsTerm(chars)
	}
	elems := make([]Term, 0, n)
	for _, r := range s {
		elems = append(elems, Int(int64(r)))
	}
	return termsTerm(KindList, elems, n)
}

// charsTerm returns the list of the integers in b. It keeps b.
func charsTerm(b []byte) Term {
	t := bytesTerm(KindList, b)
	if len(b) > 0 {
		t.flag = flagString
	}
	return t
}

// BitString returns a bit string of all bytes of b but of only the lastBits
// most significant bits of the last one. With lastBits of 8 or an empty b it is
// a binary. It keeps b as [Binary] does, unless it has to clear unused bits; a
// lastBits of 0 or above 8 with a b that is not empty gives the zero Term.
func BitString(b []byte, lastBits uint8) Term {
	if len(b) == 0 || lastBits == 8 {
		return Binary(b)
	}
	if lastBits == 0 || lastBits > 8 {
		return Term{}
	}
	last := len(b) - 1
	if unused := byte(0xFF) >> lastBits; b[last]&unused != 0 {
		b = append(make([]byte, 0, len(b)), b...)
		b[last] &^= unused
	}
	t := bytesTerm(KindBitString, b)
	t.aux = uint32(lastBits)
	return t
}

// Tuple returns a tuple of the elements, which it copies.
func Tuple(elems ...Term) Term {
	return termsTerm(KindTuple, append([]Term(nil), elems...), len(elems))
}

// List returns a proper list of the elements, which it copies.
func List(elems ...Term) Term {
	return termsTerm(KindList, append([]Term(nil), elems...), len(elems))
}

// ImproperList returns the list of the elements followed by the tail, which
// Erlang writes [E1, E2 | Tail]. As there, a tail that is a list continues the
// list, so that the result is of kind [KindList] for a proper one; without
// elements the result is the tail. It copies the elements.
func ImproperList(tail Term, elems ...Term) Term {
	if len(elems) == 0 {
		return tail
	}
	switch tail.kind {
	case KindList:
		all := make([]Term, 0, len(elems)+tail.Len())
		all = append(all, elems...)
		for elem := range tail.All() {
			all = append(all, elem)
		}
		return termsTerm(KindList, all, len(all))
	case KindImproperList:
		all := make([]Term, 0, len(elems)+tail.Len()+1)
		all = append(all, elems...)
		all = append(all, tail.terms(tail.Len()+1)...)
		return termsTerm(KindImproperList, all, len(all)-1)
	}
	all := make([]Term, 0, len(elems)+1)
	all = append(append(all, elems...), tail)
	return termsTerm(KindImproperList, all, len(elems))
}

// Map returns a map of the pairs, in their order. Where several keys are equal
// (see [Equal]) the last value counts, in the place of the first, as in
// Erlang's map expressions.
func Map(pairs ...Pair) Term {
	elems := make([]Term, 0, 2*len(pairs))
	for _, pair := range pairs {
		elems = append(elems, pair.Key, pair.Value)
	}
	elems = dropEqualKeys(elems)
	return termsTerm(KindMap, elems, len(elems)/2)
}
