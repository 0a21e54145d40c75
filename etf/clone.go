package etf

// Clone returns a copy of the term that shares no memory with it. A Term out
// of [Decode] keeps the whole decoded input in memory, and a Clone of a part of
// it keeps that part alone.
func (t Term) Clone() Term {
	switch t.kind {
	case KindBigInt, KindAtom, KindBinary, KindBitString:
		return t.cloneBytes()
	case KindTuple, KindList:
		if t.flag&flagString != 0 {
			return t.cloneBytes()
		}
		return t.cloneTerms(int(t.num))
	case KindImproperList:
		return t.cloneTerms(int(t.num) + 1)
	case KindMap:
		return t.cloneTerms(2 * int(t.num))
	case KindPid, KindPort:
		return t.cloneTerms(1)
	case KindRef, KindExport:
		return t.cloneTerms(2)
	case KindFun:
		return t.cloneTerms(funHead + int(t.num))
	case KindRecord:
		return t.cloneTerms(recordHead + 2*int(t.num))
	}
	return t
}

func (t Term) cloneBytes() Term {
	c := t
	c.ptr = bytesTerm(t.kind, append([]byte(nil), t.bytes()...)).ptr
	return c
}

func (t Term) cloneTerms(n int) Term {
	terms := make([]Term, n)
	for i, elem := range t.terms(n) {
		terms[i] = elem.Clone()
	}
	c := t
	c.ptr = termsTerm(t.kind, terms, 0).ptr
	return c
}
