package etf

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"
)

// Compare returns a negative number, 0 or a positive number as Erlang's
// operators say a < b, a == b or a > b:
//
//	number < atom < reference < fun < port < pid < tuple < native record < map < nil < list < bit string
//
// Integers and floats are compared by their exact values, so that 1 and 1.0
// give 0, and so do 0.0 and -0.0, though [Equal] tells them apart. Tuples and
// maps are compared by their size first, then tuples and lists element by
// element; maps by their keys in ascending order, where integers come before
// floats, and then by the values in the order of the keys; native records by
// their modules, their names, whether they are exported, how many fields they
// have, the names of those in their order, and then the values. Pids, ports and
// references are compared by the names of their nodes as by their numbers,
// which is the order that they have in a BEAM too. NaN, which no BEAM has,
// comes before all other numbers, and the zero Term before everything.
//
// It recurses as deep as the terms are nested, and allocates where there are
// maps that are not sorted.
func Compare(a, b Term) int { return compareTerm(&a, &b, 0) }

// compareMode says how terms are compared.
type compareMode uint8

const (
	// exact is for keys of maps: all integers come before all floats, and -0.0
	// before 0.0, so that only equal terms give 0.
	exact compareMode = 1 << iota

	// inOrder says that the pairs of all maps are sorted already.
	inOrder

	exactSorted = exact | inOrder
)

func compareTerm(a, b *Term, mode compareMode) int {
	if order := cmp.Compare(ranks[a.kind], ranks[b.kind]); order != 0 {
		return order
	}
	switch a.kind {
	case KindInt, KindBigInt, KindFloat:
		return compareNumbers(a, b, mode)
	case KindAtom:
		// Code points have the same order as their UTF-8.
		return strings.Compare(a.text(), b.text())
	case KindRef, KindPort, KindPid:
		return compareIdentifiers(a, b)
	case KindFun, KindExport:
		if a.kind != b.kind {
			return cmp.Compare(a.kind, b.kind)
		}
		if a.kind == KindExport {
			return compareIdentifiers(a, b)
		}
		if order := compareFunHeads(a, b); order != 0 {
			return order
		}
		return compareTerms(a.children()[funHead:], b.children()[funHead:], mode)
	case KindTuple:
		if order := cmp.Compare(a.num, b.num); order != 0 {
			return order
		}
		return compareTerms(a.children(), b.children(), mode)
	case KindRecord:
		return compareRecords(a, b, mode)
	case KindMap:
		if order := cmp.Compare(a.num, b.num); order != 0 {
			return order
		}
		return compareMaps(a, b, mode)
	case KindList, KindImproperList:
		return compareLists(a, b, mode)
	case KindBinary, KindBitString:
		return compareBits(a, b)
	}
	return 0
}

// ranks is the order of kinds.
var ranks = [...]uint8{
	Invalid: 0, KindInt: 1, KindBigInt: 1, KindFloat: 1, KindAtom: 2, KindRef: 3, KindFun: 4, KindExport: 4,
	KindPort: 5, KindPid: 6, KindTuple: 7, KindRecord: 8, KindMap: 9, KindList: 10, KindImproperList: 10, KindBinary: 11,
	KindBitString: 11,
}

func compareTerms(a, b []Term, mode compareMode) int {
	for i := range a {
		if order := compareTerm(&a[i], &b[i], mode); order != 0 {
			return order
		}
	}
	return 0
}

func compareNumbers(a, b *Term, mode compareMode) int {
	if (a.kind == KindFloat) != (b.kind == KindFloat) {
		if mode&exact != 0 {
			return cmp.Compare(a.kind, b.kind) // integers first
		}
		if a.kind == KindFloat {
			return -compareIntFloat(b, math.Float64frombits(a.num))
		}
		return compareIntFloat(a, math.Float64frombits(b.num))
	}
	switch {
	case a.kind == KindFloat:
		order := cmp.Compare(math.Float64frombits(a.num), math.Float64frombits(b.num))
		if order == 0 && mode&exact != 0 {
			// Only the bits of the two zeros (and of NaNs) can differ.
			return cmp.Compare(int64(a.num), int64(b.num))
		}
		return order
	case a.kind == KindInt && b.kind == KindInt:
		return cmp.Compare(int64(a.num), int64(b.num))
	}
	return compareBigs(a, b)
}

// compareBigs compares integers of which at least one is of KindBigInt.
func compareBigs(a, b *Term) int {
	sa, sb := bigSign(a), bigSign(b)
	switch {
	case sa != sb:
		return cmp.Compare(sa, sb)
	case a.kind != b.kind || a.num != b.num:
		// Of the same sign, the one that has more bytes is further from zero.
		na, nb := uint64(0), uint64(0)
		if a.kind == KindBigInt {
			na = a.num
		}
		if b.kind == KindBigInt {
			nb = b.num
		}
		return sa * cmp.Compare(na, nb)
	}
	ma, mb := a.bytes(), b.bytes()
	for i := len(ma) - 1; i >= 0; i-- {
		if order := cmp.Compare(ma[i], mb[i]); order != 0 {
			return sa * order
		}
	}
	return 0
}

// bigSign returns -1 for an integer below zero and 1 for any other.
func bigSign(t *Term) int {
	if t.kind == KindInt && int64(t.num) < 0 || t.kind == KindBigInt && t.flag&flagNegative != 0 {
		return -1
	}
	return 1
}

// compareIntFloat compares an integer with a float.
func compareIntFloat(i *Term, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1
	case math.IsInf(f, 0):
		return -int(math.Copysign(1, f))
	}
	if i.kind == KindInt {
		v := int64(i.num)
		if -1<<53 <= v && v <= 1<<53 {
			return cmp.Compare(float64(v), f)
		}
		if f >= 1<<63 {
			return -1
		}
		if f < -1<<63 {
			return 1
		}
		// f's integral part fits an int64, and it has a fraction only below 2^53,
		// where it cannot be equal to v.
		return cmp.Compare(v, int64(f))
	}
	// Longer than any float is, or short enough to convert.
	if i.num > 128 {
		return bigSign(i)
	}
	v, _ := i.BigInt()
	exact, _ := new(big.Float).SetFloat64(f).Int(nil)
	return v.Cmp(exact) // f is at least 2^63 away from zero if its integral part equals v
}

func compareLists(a, b *Term, mode compareMode) int {
	if a.num == 0 || b.num == 0 { // nil comes before every other list
		return cmp.Compare(min(a.num, 1), min(b.num, 1))
	}
	if a.flag&b.flag&flagString != 0 {
		return bytes.Compare(a.bytes(), b.bytes())
	}
	n := int(min(a.num, b.num))
	for i := range n {
		ea, eb := a.At(i), b.At(i)
		if order := compareTerm(&ea, &eb, mode); order != 0 {
			return order
		}
	}
	ra, rb := a.rest(n), b.rest(n)
	return compareTerm(&ra, &rb, mode)
}

// rest returns the tail of a list after its first n elements.
func (t *Term) rest(n int) Term {
	r := *t
	switch {
	case uint64(n) < t.num && t.flag&flagString != 0:
		return charsTerm(t.bytes()[n:])
	case uint64(n) < t.num:
		all := int(t.num)
		if t.kind == KindImproperList {
			all++
		}
		r.ptr = termsTerm(t.kind, t.terms(all)[n:], 0).ptr
		r.num -= uint64(n)
		return r
	}
	r, _ = t.Tail()
	return r
}

// compareMaps compares maps of the same size.
func compareMaps(a, b *Term, mode compareMode) int {
	if mode&inOrder == 0 {
		sa, sb := sorted(a), sorted(b)
		a, b = &sa, &sb
	}
	ta, tb := a.children(), b.children()
	for i := 0; i < len(ta); i += 2 {
		if order := compareTerm(&ta[i], &tb[i], exactSorted); order != 0 {
			return order
		}
	}
	for i := 1; i < len(ta); i += 2 {
		if order := compareTerm(&ta[i], &tb[i], mode|inOrder); order != 0 {
			return order
		}
	}
	return 0
}

// compareBits compares binaries and bit strings: the first bit that differs
// decides, and else the length.
func compareBits(a, b *Term) int {
	ba, bb := a.bytes(), b.bytes()
	la, lb := bitLen(a), bitLen(b)
	whole := min(la, lb) / 8
	if order := bytes.Compare(ba[:whole], bb[:whole]); order != 0 {
		return order
	}
	if bits := min(la, lb) % 8; bits > 0 {
		shift := 8 - bits
		if order := cmp.Compare(ba[whole]>>shift, bb[whole]>>shift); order != 0 {
			return order
		}
	}
	return cmp.Compare(la, lb)
}

func bitLen(t *Term) uint64 {
	if t.kind == KindBitString {
		return (t.num-1)*8 + uint64(t.aux)
	}
	return t.num * 8
}

// compareIdentifiers compares two pids, ports, references or exports, in the
// order that OTP has for each.
func compareIdentifiers(a, b *Term) int {
	switch a.kind {
	case KindPid:
		return cmp.Or(
			cmp.Compare(uint32(a.num), uint32(b.num)),
			cmp.Compare(a.num>>32, b.num>>32),
			strings.Compare(a.node(), b.node()),
			cmp.Compare(a.aux, b.aux),
		)
	case KindPort:
		return cmp.Or(
			strings.Compare(a.node(), b.node()),
			cmp.Compare(a.aux, b.aux),
			cmp.Compare(a.num, b.num),
		)
	case KindRef:
		wa, _ := a.refWords()
		wb, _ := b.refWords()
		slices.Reverse(wa[:])
		slices.Reverse(wb[:])
		return cmp.Or(
			strings.Compare(a.node(), b.node()),
			cmp.Compare(a.aux, b.aux),
			slices.Compare(wa[:], wb[:]),
		)
	}
	na, nb := a.terms(2), b.terms(2)
	return cmp.Or(
		strings.Compare(na[0].text(), nb[0].text()),
		strings.Compare(na[1].text(), nb[1].text()),
		cmp.Compare(a.num, b.num),
	)
}

// compareFunHeads compares two funs by what tells them apart in OTP, up to
// their environments: the module, the index in it, the number that stands for the
// module's version, and how many free variables there are, but neither the arity
// nor the creator.
func compareFunHeads(a, b *Term) int {
	sa, sb := a.terms(funHead), b.terms(funHead)
	return cmp.Or(
		strings.Compare(sa[funModule].text(), sb[funModule].text()),
		cmp.Compare(a.aux, b.aux),
		cmp.Compare(int64(sa[funOldUniq].num), int64(sb[funOldUniq].num)),
		cmp.Compare(a.num, b.num),
	)
}
