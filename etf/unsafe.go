package etf

import "unsafe"

// Term is an Erlang term: a small immutable value, to be passed and stored by
// value. The zero Term is of kind [Invalid] and is no term; [Encode] refuses it.
//
// A Term may be used by any number of goroutines at once. It keeps alive what
// it was made from: a Term out of [Decode] keeps the decoded copy of the whole
// input, and [Term.Clone] lets go of it.
//
// Terms are compared with [Equal] and [Compare]; the == operator does not
// compile on them.
type Term struct {
	_ [0]func() // no ==, which would compare addresses

	// ptr and num depend on kind:
	//
	//	KindInt           num is the int64's bits
	//	KindFloat         num is the float64's bits
	//	KindBigInt        ptr is the first of num bytes: the little-endian magnitude
	//	                  without leading zeros; flagNegative is the sign
	//	KindAtom          ptr is the first of num bytes of UTF-8
	//	KindBinary        ptr is the first of num bytes
	//	KindBitString     ptr is the first of num bytes; aux, 1 to 7, counts the
	//	                  bits in the last one, whose other bits are zero
	//	KindTuple         ptr is the first of num Terms
	//	KindList          ptr is the first of num Terms, or, with flagString, of
	//	                  num bytes, each of which stands for an integer
	//	KindImproperList  ptr is the first of num+1 Terms, num >= 1; the last is the tail
	//	KindMap           ptr is the first of 2*num Terms: key, value, key, value …
	//	KindPid           ptr is the node's atom; num is id<<32 | serial; aux the creation
	//	KindPort          ptr is the node's atom; num the id; aux the creation
	//	KindRef           ptr is the first of two Terms: the node's atom, and a carrier
	//	                  of words 2 and 3 in num and 4 in aux; num holds words 0 (low
	//	                  half) and 1, aux the creation, flag the count of words
	//	KindFun           ptr is the first of funHead+num Terms, see fun.go; aux is the
	//	                  index, flag the arity
	//	KindExport        ptr is the first of two atoms, module and function; num the arity
	//
	// ptr is nil where there are no elements or bytes.
	ptr  unsafe.Pointer
	num  uint64
	aux  uint32
	kind Kind
	flag uint8
}

// On every platform ptr is one word, and the rest is 14 bytes: 24 bytes in all
// where words have 8 bytes. The array's length is negative, and so does not
// compile, should that grow.
var _ [24 - unsafe.Sizeof(Term{})]struct{}

const (
	flagString   uint8 = 1 << iota // KindList: elements are bytes
	flagNegative                   // KindBigInt: below zero
)

// bytesTerm makes a Term of one of the kinds that hold bytes. It keeps b.
func bytesTerm(kind Kind, b []byte) Term {
	if len(b) == 0 {
		// No pointer into a buffer for the sake of no bytes: it would keep the buffer alive.
		return Term{kind: kind}
	}
	// SliceData of a non-empty slice points at its first byte; num is its length,
	// so bytes() below gives back exactly b.
	return Term{kind: kind, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// setBytes makes t, which is zero, what bytesTerm returns.
func (t *Term) setBytes(kind Kind, b []byte) {
	t.kind = kind
	if len(b) > 0 {
		// As in bytesTerm.
		t.ptr, t.num = unsafe.Pointer(unsafe.SliceData(b)), uint64(len(b))
	}
}

// stringTerm is bytesTerm for the bytes of a string, which nobody may write to:
// every accessor that gives them away as a slice says read-only.
func stringTerm(kind Kind, s string) Term {
	if s == "" {
		return Term{kind: kind}
	}
	// As in bytesTerm; StringData of a non-empty string points at its first byte.
	return Term{kind: kind, ptr: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

// bytes returns the bytes of a Term made by bytesTerm or stringTerm, with
// cap == len, so that an append cannot reach what lies behind them.
func (t *Term) bytes() []byte {
	// ptr and num come from one slice or string of num bytes, or are nil and 0.
	return unsafe.Slice((*byte)(t.ptr), int(t.num))
}

// text is bytes as a string, without a copy: the bytes are never written to
// once the Term exists.
func (t *Term) text() string {
	// As in bytes; unsafe.String(nil, 0) is "".
	return unsafe.String((*byte)(t.ptr), int(t.num))
}

// termsTerm makes a Term of one of the kinds that hold Terms. It keeps s; n is
// what goes into num: for maps and improper lists that is not len(s).
func termsTerm(kind Kind, s []Term, n int) Term {
	if len(s) == 0 {
		return Term{kind: kind}
	}
	// SliceData of a non-empty slice points at its first Term; the kind and n say
	// how many there are, see terms().
	return Term{kind: kind, ptr: unsafe.Pointer(unsafe.SliceData(s)), num: uint64(n)}
}

// setTerms makes t, which is zero, what termsTerm returns.
func (t *Term) setTerms(kind Kind, s []Term, n int) {
	t.kind = kind
	if len(s) > 0 {
		// As in termsTerm.
		t.ptr, t.num = unsafe.Pointer(unsafe.SliceData(s)), uint64(n)
	}
}

// terms returns the first n Terms that ptr points at. The caller knows n from
// the kind as the comment in Term says, and that flagString is not set.
func (t *Term) terms(n int) []Term {
	// ptr came from a slice of at least n Terms, or is nil with n == 0.
	return unsafe.Slice((*Term)(t.ptr), n)
}

// pairs returns the keys and values of a map as pairs.
func (t *Term) pairs() []Pair {
	// A map's ptr came from a slice of 2*num Terms, or is nil with num == 0, and a
	// Pair is two Terms and nothing else, so that num Pairs lie in the same place.
	return unsafe.Slice((*Pair)(t.ptr), int(t.num))
}

// A Pair is two Terms: the length of this array is negative were it not.
var _ [2*unsafe.Sizeof(Term{}) - unsafe.Sizeof(Pair{})]struct{}

// bytesString is b as a string without a copy, for as long as nobody writes to
// b: for calls that only read their argument.
func bytesString(b []byte) string {
	// SliceData points at len(b) bytes, or is anything when len(b) is 0, which
	// unsafe.String allows.
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// stringBytes is s as bytes without a copy, which nobody may write to: for calls
// that only read their argument.
func stringBytes(s string) []byte {
	// As in bytesString.
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
