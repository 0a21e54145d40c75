package etf

import (
	"reflect"
	"runtime"
	"strings"
	"unsafe"
)

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
	//	KindAtom          ptr is the first of num bytes of UTF-8; flagChecked says that
	//	                  they were found to be an atom's
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
	//	KindRecord        ptr is the first of recordHead+2*num Terms, see record.go; aux is 1
	//	                  if the record is exported, else 0
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
	flagChecked                    // KindAtom: valid
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

// A slot is where the builder makes a Term. It has the layout of a Term, but no
// pointers as far as the garbage collector knows, so that storing into it has no
// write barrier: slots lie in memory that is not cleared, see newBlock, and a
// barrier would take what was there before for a pointer.
//
// Nothing that is alive is lost for want of barriers. In a block all Terms point
// into the block. A slab of its own, see newSlab, has pointers to elsewhere: to
// the input, which scanner.b holds from before the first store until after the
// last, and setting and clearing that has barriers; or, behind a distribution
// header, to a copy that the builder holds meanwhile, on the stack, and to the
// names in scanner.refs, which is set and cleared in the same way.
type slot struct {
	ptr  uintptr
	num  uint64
	aux  uint32
	kind Kind
	flag uint8
}

// The layouts are the same: these lengths are negative otherwise.
var (
	_ [unsafe.Sizeof(Term{}) - unsafe.Sizeof(slot{})]struct{}
	_ [unsafe.Sizeof(slot{}) - unsafe.Sizeof(Term{})]struct{}
	_ [unsafe.Offsetof(Term{}.num) - unsafe.Offsetof(slot{}.num)]struct{}
	_ [unsafe.Offsetof(slot{}.num) - unsafe.Offsetof(Term{}.num)]struct{}
	_ [unsafe.Offsetof(Term{}.aux) - unsafe.Offsetof(slot{}.aux)]struct{}
	_ [unsafe.Offsetof(Term{}.kind) - unsafe.Offsetof(slot{}.kind)]struct{}
	_ [unsafe.Offsetof(Term{}.flag) - unsafe.Offsetof(slot{}.flag)]struct{}
)

// newBlock returns room for n Terms and for size bytes in one allocation without
// pointers and not cleared. All Terms must be made with slots, completely, and
// point into the block: whoever holds one of them holds the block, and the
// garbage collector, which does not move memory, need not look into it.
func newBlock(n, size int) (slab []slot, bytes []byte) {
	if n == 0 && size == 0 {
		return nil, nil
	}
	// A Builder is the one way to memory that is not cleared. With a byte written
	// its string points at its buffer, of which Grow has made at least this much;
	// an object of 16 bytes or more is aligned for any type, and smaller ones hold
	// no slots.
	var b strings.Builder
	b.Grow(n*int(unsafe.Sizeof(slot{})) + size)
	b.WriteByte(0)
	p := unsafe.Pointer(unsafe.StringData(b.String()))
	if n > 0 {
		slab = unsafe.Slice((*slot)(p), n)
	}
	if size > 0 {
		// Behind the slots, and within what Grow has made.
		bytes = unsafe.Slice((*byte)(unsafe.Add(p, n*int(unsafe.Sizeof(slot{})))), size)
	}
	return slab, bytes
}

// newSlab returns room for n Terms that may point anywhere.
func newSlab(n int) []slot { return slotsOf(make([]Term, n)) }

// slotsOf returns the slots in place of Terms that are zero.
func slotsOf(terms []Term) []slot {
	// A slot has the layout of a Term.
	return unsafe.Slice((*slot)(unsafe.Pointer(unsafe.SliceData(terms))), len(terms))
}

// setBytes makes t a Term of one of the kinds that hold bytes, as bytesTerm does.
func (t *slot) setBytes(kind Kind, b []byte, aux uint32, flag uint8) {
	if len(b) == 0 {
		*t = slot{kind: kind}
		return
	}
	// As in bytesTerm.
	*t = slot{uintptr(unsafe.Pointer(unsafe.SliceData(b))), uint64(len(b)), aux, kind, flag}
}

// setTerms makes t a Term of one of the kinds that hold Terms, as termsTerm does.
func (t *slot) setTerms(kind Kind, s []slot, num uint64, aux uint32, flag uint8) {
	if len(s) == 0 {
		*t = slot{kind: kind}
		return
	}
	// As in termsTerm; slots are Terms.
	*t = slot{uintptr(unsafe.Pointer(unsafe.SliceData(s))), num, aux, kind, flag}
}

// settle makes the Terms of a draft, see draft.go: t of its first slot, and slab of
// the others. The offsets of bytes count from start bytes before b.
func settle(t *slot, slab, drafted []slot, b []byte, start int) {
	// An offset and what is added to it are the address of a byte in b, or of a slot
	// in slab, each of which draft has found to be there. A pointer that is nil stays it.
	bases := [4]uintptr{
		inBytes >> draftShift: uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(start) - inBytes,
		inTerms >> draftShift: uintptr(unsafe.Pointer(unsafe.SliceData(slab))) - inTerms,
	}
	*t = drafted[0]
	t.ptr += bases[t.ptr>>draftShift&3]
	drafted = drafted[1:][:len(slab)]
	for i := range slab {
		slab[i] = drafted[i]
		slab[i].ptr += bases[drafted[i].ptr>>draftShift&3]
	}
	// Up to here nothing but these held what t now points at.
	runtime.KeepAlive(slab)
	runtime.KeepAlive(b)
}

// slotSize is the size of a slot.
const slotSize = unsafe.Sizeof(slot{})

// set makes t a copy of a Term, which something else than t has to keep alive
// while there is a block.
func (t *slot) set(v *Term) {
	// A slot has the layout of a Term.
	*t = *(*slot)(unsafe.Pointer(v))
}

// slotOf returns the slot in place of a Term that is zero.
func slotOf(t *Term) *slot {
	// A slot has the layout of a Term.
	return (*slot)(unsafe.Pointer(t))
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

// An address is where a Go value of some type lies that is marshaled or
// unmarshaled. Whoever makes one knows the type, and a plan is only ever given
// addresses of its own type, see plan.go. It keeps the value alive as every
// pointer does.
type address struct{ p unsafe.Pointer }

// addressOf returns where a non-nil pointer points.
func addressOf(pointer reflect.Value) address {
	// UnsafePointer is the pointer itself.
	return address{pointer.UnsafePointer()}
}

// addressFor returns where v points.
func addressFor[T any](v *T) address { return address{unsafe.Pointer(v)} }

// at returns the address of a field at an offset, or of an element.
func (a address) at(offset uintptr) address {
	// The offset is that of a field of the struct type at a, or less than the
	// length of an array times its elements' size: the result is within the value.
	return address{unsafe.Add(a.p, offset)}
}

// as returns a pointer to the value, whose underlying type is T.
func as[T any](a address) *T {
	// Types with one underlying type have one layout.
	return (*T)(a.p)
}

// pointer returns the address as a pointer of the type that another has, one to
// values of the type at a.
func (a address) pointer(like any) any {
	// An interface holds a pointer in its second word, see dataOf.
	(*[2]unsafe.Pointer)(unsafe.Pointer(&like))[1] = a.p
	return like
}

// pointee returns the address in the pointer at a, and whether it is not nil.
func (a address) pointee() (address, bool) {
	// The value at a is a pointer of some type, and all have one layout.
	p := *(*unsafe.Pointer)(a.p)
	return address{p}, p != nil
}

// setPointee makes the pointer at a, which is to a type of the value at to, one
// to that value.
func (a address) setPointee(to address) {
	// As in pointee.
	*(*unsafe.Pointer)(a.p) = to.p
}

// sliceLen returns the length of the slice at a.
func (a address) sliceLen() int {
	// Slices of all types have one layout; len does not touch the elements.
	return len(*(*[]byte)(a.p))
}

// sliceData returns the address of the first element of the slice at a, which
// is not empty.
func (a address) sliceData() address {
	// As in sliceLen; SliceData of a slice with elements points at the first.
	return address{unsafe.Pointer(unsafe.SliceData(*(*[]byte)(a.p)))}
}

// dataOf returns the address of the value in an interface, of whose type held
// is what heldBy returns, and which is not heldSomehow.
func dataOf(v *any, held holding) address {
	// An empty interface is two words, of which the second points at the value, or
	// is the value if that is a pointer or map. That has been so since Go 1.4;
	// TestDataOf would see it change.
	word := &(*[2]unsafe.Pointer)(unsafe.Pointer(v))[1]
	if held == heldInside {
		return address{unsafe.Pointer(word)}
	}
	return address{*word}
}

// A holding is how an interface holds the values of a type.
type holding uint8

const (
	heldSomehow holding = iota
	heldByPointer
	heldInside
)

// heldBy returns how an interface holds the values of a type, so far as that is
// sure: types that are not of a pointer's size, and those of its size that no
// pointer can be part of, by a pointer; pointers and maps inside.
func heldBy(t reflect.Type) holding {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map:
		return heldInside
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		return heldByPointer
	}
	if t.Size() != unsafe.Sizeof(uintptr(0)) {
		return heldByPointer
	}
	return heldSomehow
}
