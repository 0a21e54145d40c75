package etf

import (
	"slices"

	"github.com/beamport/beamport/etf/internal/wire"
)

// appendSorted appends a map with its pairs in the order of their keys.
func (e *encoder) appendSorted(b []byte, t *Term, depth int) []byte {
	n := int(t.num)
	if slices.ContainsFunc(t.pairs(), func(p Pair) bool { return len(p.Key.children()) > 0 }) {
		// The order depends on that of the maps in the keys, so sort all that is in
		// t, once. What is nested too deep fails below, whatever its order.
		sub := *t
		if within(t, e.maxDepth-depth) {
			sub = sorted(t)
		}
		e.sort = false
		b = wire.AppendMapHeader(b, n)
		b = e.appendTerms(b, &sub, sub.terms(2*n), depth+1)
		e.sort = true
		return b
	}
	view, mark := *t, len(e.sorted)
	byKey := func(a, b Pair) int { return compareTerm(&a.Key, &b.Key, exactSorted) }
	if !slices.IsSortedFunc(t.pairs(), byKey) {
		e.sorted = append(e.sorted, t.terms(2*n)...)
		view = termsTerm(KindMap, e.sorted[mark:], n)
		slices.SortFunc(view.pairs(), byKey)
	}
	b = wire.AppendMapHeader(b, n)
	b = e.appendTerms(b, &view, view.terms(2*n), depth+1)
	e.sorted = e.sorted[:mark]
	return b
}

// within reports whether no more than most containers are nested in t. It does
// not recurse any deeper.
func within(t *Term, most int) bool {
	children := t.children()
	if len(children) == 0 || (t.kind == KindFun || t.kind == KindRecord) && t.num == 0 {
		return true
	}
	if most <= 0 {
		return false
	}
	for i := range children {
		if !within(&children[i], most-1) {
			return false
		}
	}
	return true
}
