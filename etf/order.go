package etf

import "slices"

// Maps have no order of their own, so that what depends on one (comparing,
// printing) needs all maps in a term sorted by their keys. Doing that from the
// inside out, once for all of a term, takes a sort for each map. To sort a map
// whenever it comes up, on the other hand, would for keys that are maps take
// time exponential in their depth.

// sorted returns the term with the pairs of each map in it in the order that
// Erlang gives keys of maps: the term itself where they are.
func sorted(t *Term) Term {
	if mapsSorted(t) {
		return *t
	}
	c := copyContainers(t)
	sortMaps(&c)
	return c
}

// children returns the Terms that a container holds, or none.
func (t *Term) children() []Term {
	switch t.kind {
	case KindTuple:
		return t.terms(int(t.num))
	case KindList:
		if t.flag&flagString == 0 {
			return t.terms(int(t.num))
		}
	case KindImproperList:
		return t.terms(int(t.num) + 1)
	case KindMap:
		return t.terms(2 * int(t.num))
	case KindFun:
		return t.terms(funHead + int(t.num))
	case KindRecord:
		return t.terms(recordHead + 2*int(t.num))
	}
	return nil
}

func mapsSorted(t *Term) bool {
	children := t.children()
	for i := range children {
		if !mapsSorted(&children[i]) {
			return false
		}
	}
	if t.kind == KindMap {
		for i := 2; i < len(children); i += 2 {
			if compareTerm(&children[i-2], &children[i], exactSorted) > 0 {
				return false
			}
		}
	}
	return true
}

// copyContainers returns a copy of the term that shares only bytes with it.
func copyContainers(t *Term) Term {
	c := *t
	if children := t.children(); len(children) > 0 {
		own := make([]Term, len(children))
		for i := range children {
			own[i] = copyContainers(&children[i])
		}
		c.ptr = termsTerm(t.kind, own, 0).ptr
	}
	return c
}

// sortMaps sorts the maps in the term, in place: nobody else may hold it.
func sortMaps(t *Term) {
	children := t.children()
	for i := range children {
		sortMaps(&children[i])
	}
	if t.kind == KindMap {
		slices.SortFunc(t.pairs(), func(a, b Pair) int { return compareTerm(&a.Key, &b.Key, exactSorted) })
	}
}

// dropEqualKeys moves each value whose key is there before it to that place. It
// works on a slice of keys and values, whose rest it returns.
func dropEqualKeys(elems []Term) []Term {
	if len(elems) <= 16 {
		n := 0
	pairs:
		for i := 0; i < len(elems); i += 2 {
			for j := 0; j < n; j += 2 {
				if Equal(elems[i], elems[j]) {
					elems[j+1] = elems[i+1]
					continue pairs
				}
			}
			elems[n], elems[n+1] = elems[i], elems[i+1]
			n += 2
		}
		return elems[:n:n]
	}

	type place struct {
		key   Term // sorted
		index int  // in elems
	}
	places := make([]place, 0, len(elems)/2)
	for i := 0; i < len(elems); i += 2 {
		places = append(places, place{sorted(&elems[i]), i})
	}
	slices.SortStableFunc(places, func(a, b place) int { return compareTerm(&a.key, &b.key, exactSorted) })
	dropped := make([]bool, len(elems))
	first := &places[0]
	for i := range places[1:] {
		this := &places[i+1]
		if compareTerm(&first.key, &this.key, exactSorted) != 0 {
			first = this
			continue
		}
		elems[first.index+1] = elems[this.index+1]
		dropped[this.index] = true
	}
	n := 0
	for i := 0; i < len(elems); i += 2 {
		if !dropped[i] {
			elems[n], elems[n+1] = elems[i], elems[i+1]
			n += 2
		}
	}
	return elems[:n:n]
}
