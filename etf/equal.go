package etf

import "bytes"

// Equal reports whether a and b are the same term, as Erlang's =:= does from
// OTP 27 on: 1 and 1.0 differ, and so do 0.0 and -0.0. The order of a map's
// pairs does not count, nor does how a term was encoded. Two zero Terms are
// equal. It recurses as deep as the terms are nested, and allocates only to
// compare maps whose keys are in different orders.
func Equal(a, b Term) bool {
	switch equal(&a, &b) {
	case yes:
		return true
	case no:
		return false
	}
	// Where the maps are sorted, equal terms are equal place by place.
	a, b = sorted(&a), sorted(&b)
	return equal(&a, &b) == yes
}

type answer uint8

const (
	no    answer = iota
	maybe        // there are maps of the same size but with different keys in the same place
	yes
)

func answerOf(v bool) answer {
	if v {
		return yes
	}
	return no
}

// equal compares the terms place by place.
func equal(a, b *Term) answer {
	if a.kind != b.kind {
		return no
	}
	switch a.kind {
	case KindInt, KindFloat, Invalid:
		return answerOf(a.num == b.num)
	case KindAtom, KindBinary:
		return answerOf(a.num == b.num && a.text() == b.text())
	case KindBigInt:
		return answerOf(a.flag == b.flag && a.num == b.num && a.text() == b.text())
	case KindBitString:
		return answerOf(a.aux == b.aux && a.num == b.num && a.text() == b.text())
	case KindTuple, KindImproperList:
		if a.num != b.num {
			return no
		}
		return equalTerms(a.children(), b.children())
	case KindList:
		if a.num != b.num {
			return no
		}
		return equalLists(a, b)
	case KindMap:
		if a.num != b.num {
			return no
		}
		return equalMaps(a.children(), b.children())
	case KindFun:
		if a.num != b.num || compareFunHeads(a, b) != 0 {
			return no
		}
		return equalTerms(a.children()[funHead:], b.children()[funHead:])
	case KindRecord:
		return equalRecords(a, b)
	}
	return answerOf(compareIdentifiers(a, b) == 0)
}

func equalTerms(a, b []Term) answer {
	all := yes
	for i := range a {
		switch equal(&a[i], &b[i]) {
		case no:
			return no
		case maybe:
			all = maybe
		}
	}
	return all
}

func equalLists(a, b *Term) answer {
	switch {
	case a.flag&b.flag&flagString != 0:
		return answerOf(bytes.Equal(a.bytes(), b.bytes()))
	case (a.flag|b.flag)&flagString == 0:
		return equalTerms(a.terms(int(a.num)), b.terms(int(b.num)))
	case a.flag&flagString == 0:
		a, b = b, a
	}
	elems := b.terms(int(b.num))
	for i, c := range a.bytes() {
		if elems[i].kind != KindInt || elems[i].num != uint64(c) {
			return no
		}
	}
	return yes
}

// equalMaps compares maps, each a slice of keys and values, of the same size.
func equalMaps(a, b []Term) answer {
	all := yes
	for i := 0; i < len(a); i += 2 {
		if equal(&a[i], &b[i]) != yes {
			return maybe // in another order
		}
		switch equal(&a[i+1], &b[i+1]) {
		case no:
			return no
		case maybe:
			all = maybe
		}
	}
	return all
}
