package fuzz_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/beamport/beamport/etf"
)

// builder makes a term out of bytes: each is a choice, the rest of them the
// matter. Where they run out the choices are all 0, so that every input makes a
// term and the term is never larger than the input allows.
type builder struct {
	in []byte
	// plain is false once something was built that erlang_go cannot hold.
	plain bool
}

func (b *builder) byte() byte {
	if len(b.in) == 0 {
		return 0
	}
	c := b.in[0]
	b.in = b.in[1:]
	return c
}

func (b *builder) bytes(n int) []byte {
	n = min(n, len(b.in))
	s := b.in[:n:n]
	b.in = b.in[n:]
	return s
}

func (b *builder) uint64() uint64 {
	var room [8]byte
	copy(room[:], b.bytes(8))
	return binary.LittleEndian.Uint64(room[:])
}

func (b *builder) uint32() uint32 { return uint32(b.uint64()) }

// atom makes a name that an atom can have.
func (b *builder) atom() string {
	name := strings.ToValidUTF8(string(b.bytes(int(b.byte()))), "\uFFFD")
	characters := 0
	for i := range name {
		if characters++; characters > 255 {
			return name[:i]
		}
	}
	return name
}

func (b *builder) terms(n, depth int) []etf.Term {
	elems := make([]etf.Term, 0, n)
	for range n {
		elems = append(elems, b.term(depth-1))
	}
	return elems
}

// elements is how many elements a container has: few mostly, and no more than
// there are bytes for.
func (b *builder) elements() int {
	n := int(b.byte())
	if n < 200 {
		n %= 8
	}
	return min(n, len(b.in))
}

func (b *builder) pid() etf.PidValue {
	return etf.PidValue{Node: b.atom(), ID: b.uint32(), Serial: b.uint32(), Creation: b.uint32()}
}

// term makes a term that is at most depth containers deep.
func (b *builder) term(depth int) etf.Term {
	choice := b.byte() % 19
	if depth <= 0 {
		choice %= 8
	}
	switch choice {
	case 0:
		return etf.Int(int64(int8(b.byte())))
	case 1:
		return etf.Int(int64(b.uint64()))
	case 2:
		n := new(big.Int).SetBytes(b.bytes(int(b.byte())))
		if b.byte()%2 == 1 {
			n.Neg(n)
		}
		return etf.BigInt(n)
	case 3:
		f := math.Float64frombits(b.uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = math.Copysign(0, f)
		}
		return etf.Float(f)
	case 4:
		return etf.Atom(b.atom())
	case 5:
		return etf.Binary(b.bytes(int(b.byte())))
	case 6:
		return etf.String([]string{"", "a", "name", "é"}[b.byte()%4])
	case 7:
		bits := b.bytes(int(b.byte() % 8))
		return etf.BitString(append([]byte(nil), bits...), 1+b.byte()%8)
	case 8:
		return etf.Tuple(b.terms(b.elements(), depth)...)
	case 9:
		return etf.List(b.terms(b.elements(), depth)...)
	case 10:
		return etf.Charlist(string(b.bytes(int(b.byte()))))
	case 11:
		elems := b.terms(b.elements(), depth)
		return etf.ImproperList(b.term(depth-1), elems...)
	case 12, 13:
		b.plain = false
		pairs := make([]etf.Pair, 0, 8)
		for range b.elements() {
			pairs = append(pairs, etf.Pair{Key: b.term(depth - 1), Value: b.term(depth - 1)})
		}
		return etf.Map(pairs...)
	case 14:
		b.plain = false
		return etf.Pid(b.pid())
	case 15:
		b.plain = false
		return etf.Port(etf.PortValue{Node: b.atom(), ID: b.uint64(), Creation: b.uint32()})
	case 16:
		b.plain = false
		words := make([]uint32, 1+b.byte()%5)
		for i := range words {
			words[i] = b.uint32()
		}
		return etf.Ref(etf.RefValue{Node: b.atom(), Creation: b.uint32(), Words: words})
	case 17:
		b.plain = false
		v := etf.RecordValue{Module: b.atom(), Name: b.atom(), Exported: b.byte()%2 == 1}
		for _, value := range b.terms(b.elements(), depth) {
			name := b.atom()
			if !slices.ContainsFunc(v.Fields, func(f etf.RecordField) bool { return f.Name == name }) {
				v.Fields = append(v.Fields, etf.RecordField{Name: name, Value: value})
			}
		}
		return etf.Record(v)
	default:
		b.plain = false
		if b.byte()%2 == 0 {
			return etf.Export(etf.ExportValue{Module: b.atom(), Function: b.atom(), Arity: uint32(b.byte())})
		}
		fun := etf.FunValue{
			Module: b.atom(), Arity: b.byte(), Index: b.uint32(), Creator: b.pid(),
			OldIndex: int64(b.uint32()), OldUniq: int64(b.uint32()), Free: b.terms(b.elements(), depth),
		}
		copy(fun.Uniq[:], b.bytes(16))
		return etf.Fun(fun)
	}
}
