package etf

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Append is [Append] with these options.
func (o EncodeOptions) Append(dst []byte, t Term) ([]byte, error) {
	depth, err := checkLimit("MaxDepth", o.MaxDepth, DefaultMaxDepth, LargestMaxDepth)
	if err != nil {
		return dst, err
	}
	e := encoder{maxDepth: depth}
	if o.Deterministic || o.Compression != 0 || o.MinorVersion != 0 {
		if err := o.setModes(&e); err != nil {
			return dst, err
		}
	}
	b := dst
	if !o.NoVersion {
		b = append(b, wire.Version)
	}
	if b = e.append(b, &t, 0); e.err != nil {
		return dst, &EncodeError{Path: string(e.path), Err: e.err}
	}
	if o.Compression != 0 {
		b = compress(b, len(dst), o.Compression)
	}
	return b, nil
}

// Encode is [Encode] with these options.
func (o EncodeOptions) Encode(t Term) ([]byte, error) {
	depth, err := checkLimit("MaxDepth", o.MaxDepth, DefaultMaxDepth, LargestMaxDepth)
	if err != nil {
		return nil, err
	}
	// Behind the version byte and the term there may be digits for a moment, see
	// wire.AppendInt.
	b, err := o.Append(make([]byte, 0, 1+t.encodedSize(depth)+8), t)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// An encoder appends terms. It recurses no deeper than maxDepth.
type encoder struct {
	maxDepth int
	atoms    atomForm
	sort     bool         // maps, see deterministic.go
	sorted   []Term       // children of the maps that append is in and had to sort
	dist     *DistEncoder // for cachedAtoms
	err      error        // once it is set all that is appended counts for nothing
	path     []byte       // to what err is about; put together on the way back
}

func (e *encoder) fail(b []byte, err error) []byte {
	e.err = err
	return b
}

// append appends a term that is within depth containers.
func (e *encoder) append(b []byte, t *Term, depth int) []byte {
	switch t.kind {
	case KindInt:
		return wire.AppendInt(b, int64(t.num))
	case KindAtom:
		return e.appendAtom(b, t)
	case KindBinary:
		if t.num > math.MaxUint32 {
			return e.fail(b, ErrSize)
		}
		return append(wire.AppendBinaryHeader(b, int(t.num)), t.bytes()...)
	case KindFloat:
		return e.appendFloat(b, t)
	case KindTuple, KindList, KindMap, KindImproperList:
		one := [1]Term{*t}
		return e.appendTerms(b, nil, one[:], depth)
	case KindFun:
		return e.appendFun(b, t, depth)
	case KindRecord:
		return e.appendRecord(b, t, depth)
	case KindBigInt:
		if t.num > maxBigBytes {
			return e.fail(b, ErrInteger)
		}
		return wire.AppendBig(b, t.flag&flagNegative != 0, t.bytes())
	case KindBitString:
		if t.num > math.MaxUint32 {
			return e.fail(b, ErrSize)
		}
		return append(wire.AppendBitBinaryHeader(b, int(t.num), uint8(t.aux)), t.bytes()...)
	case KindPid:
		b = e.appendAtom(append(b, wire.NewPid), &t.terms(1)[0])
		b = binary.BigEndian.AppendUint64(b, t.num)
		return binary.BigEndian.AppendUint32(b, t.aux)
	case KindPort:
		b = e.appendAtom(append(b, wire.V4Port), &t.terms(1)[0])
		b = binary.BigEndian.AppendUint64(b, t.num)
		return binary.BigEndian.AppendUint32(b, t.aux)
	case KindRef:
		words, n := t.refWords()
		b = e.appendAtom(append(b, wire.NewerReference, 0, byte(n)), &t.terms(1)[0])
		b = binary.BigEndian.AppendUint32(b, t.aux)
		for _, word := range words[:n] {
			b = binary.BigEndian.AppendUint32(b, word)
		}
		return b
	case KindExport:
		names := t.terms(2)
		b = e.appendAtom(append(b, wire.Export), &names[0])
		return wire.AppendInt(e.appendAtom(b, &names[1]), int64(t.num))
	}
	return e.fail(b, ErrInvalid)
}

// enter checks that n children can be written in a container that is itself
// within depth others.
func (e *encoder) enter(n uint64, depth int) bool {
	switch {
	case n > math.MaxUint32:
		e.err = ErrSize
	case n > 0 && depth >= e.maxDepth:
		e.err = &LimitError{"MaxDepth", e.maxDepth}
	}
	return e.err == nil
}

// appendTerms appends the children of t, which are within depth containers.
func (e *encoder) appendTerms(b []byte, t *Term, terms []Term, depth int) []byte {
	b, more := e.appendMost(b, t, terms, depth)
	if more {
		last := len(terms) - 1
		if b = e.appendLast(b, &terms[last], depth+1); e.err != nil {
			e.addStep(t, last)
		}
	}
	return b
}

// appendMost appends the children of t, but only the head of a container that is
// the last of them; more says so. That is where nesting is deepest, and takes a loop
// instead of recursion. Leaves take no call and other containers one level.
func (e *encoder) appendMost(b []byte, t *Term, terms []Term, depth int) (_ []byte, more bool) {
	for i := range terms {
		c := &terms[i]
		n := int(c.num) // where there is something to count
		switch c.kind {
		case KindInt:
			if c.num <= math.MaxUint8 {
				b = append(b, wire.SmallInteger, byte(c.num))
			} else {
				b = wire.AppendInt(b, int64(c.num))
			}
			continue
		case KindAtom:
			if c.flag&flagChecked != 0 && e.atoms == utf8Atoms {
				b = wire.AppendAtomUTF8(b, c.text())
				continue
			}
			b = e.appendAtom(b, c)
		case KindBinary:
			if c.num <= math.MaxUint32 {
				b = append(wire.AppendBinaryHeader(b, n), c.bytes()...)
				continue
			}
			e.err = ErrSize
		case KindFloat:
			b = e.appendFloat(b, c)
		case KindTuple:
			if e.enter(c.num, depth) {
				b = wire.AppendTupleHeader(b, n)
				if i == len(terms)-1 {
					return b, true
				}
				b = e.appendTerms(b, c, c.terms(n), depth+1)
			}
		case KindMap:
			switch {
			case !e.enter(c.num, depth):
			case e.sort:
				b = e.appendSorted(b, c, depth)
			default:
				b = wire.AppendMapHeader(b, n)
				if i == len(terms)-1 {
					return b, true
				}
				b = e.appendTerms(b, c, c.terms(2*n), depth+1)
			}
		case KindList:
			switch {
			case !e.enter(c.num, depth):
			case c.flag&flagString != 0:
				b = appendChars(b, c.bytes())
			case n <= wire.MaxStringLen && areBytes(c.terms(n)):
				b = appendCharTerms(b, c.terms(n))
			default:
				b = wire.AppendListHeader(b, n)
				if i == len(terms)-1 {
					return b, true
				}
				b = append(e.appendTerms(b, c, c.terms(n), depth+1), wire.Nil)
			}
		case KindImproperList:
			if e.enter(c.num, depth) {
				b = e.appendTerms(wire.AppendListHeader(b, n), c, c.terms(n+1), depth+1)
			}
		default:
			b = e.append(b, c, depth)
		}
		if e.err != nil {
			e.addStep(t, i)
			return b, false
		}
	}
	return b, false
}

// appendLast appends the children of t, whose head has been appended, and what ends
// it. They are within depth containers.
func (e *encoder) appendLast(b []byte, t *Term, depth int) []byte {
	top, steps, nils := t, 0, 0
	for more := true; more; depth++ {
		if t.kind == KindList {
			nils++ // it ends where its last child does
		}
		children := t.children()
		if b, more = e.appendMost(b, t, children, depth); e.err != nil {
			e.addLastSteps(top, steps)
			return b
		}
		if more {
			t = &children[len(children)-1]
			steps++
		}
	}
	for ; nils > 0; nils-- {
		b = append(b, wire.Nil)
	}
	return b
}

// addLastSteps puts the steps that lead from t to its last child, to that one's last
// child and so on, so many, in front of the path.
func (e *encoder) addLastSteps(t *Term, steps int) {
	if steps == 0 {
		return
	}
	children := t.children()
	last := len(children) - 1
	e.addLastSteps(&children[last], steps-1)
	e.addStep(t, last)
}

// appendCharTerms appends a list of at most 65,535 integers from 0 to 255.
func appendCharTerms(b []byte, terms []Term) []byte {
	if len(terms) == 0 {
		return append(b, wire.Nil)
	}
	b = wire.AppendStringHeader(b, len(terms))
	for i := range terms {
		b = append(b, byte(terms[i].num))
	}
	return b
}

func (e *encoder) appendAtom(b []byte, t *Term) []byte {
	if t.flag&flagChecked == 0 && !validAtom(t.bytes()) {
		return e.fail(b, ErrAtom)
	}
	if e.atoms != utf8Atoms {
		return e.appendAtomAs(b, t)
	}
	return wire.AppendAtomUTF8(b, t.text())
}

func (e *encoder) appendFloat(b []byte, t *Term) []byte {
	v := math.Float64frombits(t.num)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return e.fail(b, ErrFloat)
	}
	return wire.AppendFloat(b, v)
}

// areBytes reports whether all terms are integers from 0 to 255.
func areBytes(terms []Term) bool {
	for i := range terms {
		if terms[i].kind != KindInt || terms[i].num > math.MaxUint8 {
			return false
		}
	}
	return true
}

func (e *encoder) appendFun(b []byte, t *Term, depth int) []byte {
	if !e.enter(t.num, depth) {
		return b
	}
	slots := t.terms(funHead + int(t.num))
	for _, i := range []int{funOldIndex, funOldUniq} {
		if v := int64(slots[i].num); v < -maxSmall-1 || v > maxSmall {
			return e.fail(b, ErrFun)
		}
	}
	start := len(b)
	b = append(b, wire.NewFun, 0, 0, 0, 0, t.flag)
	b = append(b, slots[funUniq].bytes()...)
	b = binary.BigEndian.AppendUint32(b, t.aux)
	b = binary.BigEndian.AppendUint32(b, uint32(t.num))
	b = e.appendAtom(b, &slots[funModule])
	b = wire.AppendInt(b, int64(slots[funOldIndex].num))
	b = wire.AppendInt(b, int64(slots[funOldUniq].num))
	b = e.append(b, &slots[funCreator], depth)
	b = e.appendTerms(b, t, slots[funHead:], depth+1)
	size := len(b) - start - 1
	if e.err == nil && uint64(size) > math.MaxUint32 {
		return e.fail(b, ErrSize)
	}
	binary.BigEndian.PutUint32(b[start+1:], uint32(size))
	return b
}

// addStep puts the step into child i of t in front of the path, if there is a t.
func (e *encoder) addStep(t *Term, i int) {
	if t == nil {
		return
	}
	step := strconv.Itoa(i)
	switch t.kind {
	case KindTuple:
		step = "{" + step + "}"
	case KindList, KindImproperList:
		if i == int(t.num) {
			step = "[|]"
		} else {
			step = "[" + step + "]"
		}
	case KindFun:
		step = "fun(" + step + ")"
	case KindRecord:
		names, _ := t.fields()
		step = fieldStep(names[i].text(), i)
	case KindMap:
		if i%2 == 0 {
			step = "#key(" + strconv.Itoa(i/2) + ")"
			break
		}
		step = "#{" + shownKey(t.terms(i)[i-1], i/2) + "}"
	}
	e.path = putStep(e.path, step)
}

// shownKey is key i of a map as a path shows it.
func shownKey(key Term, i int) string {
	if key.kind <= KindBinary && key.num <= longestKey {
		return key.String()
	}
	return "key " + strconv.Itoa(i)
}
