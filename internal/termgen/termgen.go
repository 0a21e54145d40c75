// Package termgen draws Erlang terms, and the many ways to encode each, for
// property tests.
package termgen

import (
	"math"
	"math/big"

	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
)

// Term draws terms of every kind, nested up to a handful of levels. Keys of
// maps are terms of every kind too.
func Term() *rapid.Generator[etf.Term] { return nested(4, true) }

// Data draws terms without pids, ports, references, funs and native records: those
// that have a syntax.
func Data() *rapid.Generator[etf.Term] { return nested(4, false) }

func nested(depth int, identifiers bool) *rapid.Generator[etf.Term] {
	leaves := []*rapid.Generator[etf.Term]{
		Int(), Int(), BigInt(), Float(), Atom(), Atom(), Binary(), Binary(), BitString(), Chars(),
		rapid.Just(etf.List()), rapid.Just(etf.Tuple()), rapid.Just(etf.Map()),
	}
	if identifiers {
		leaves = append(leaves, Pid(), Port(), Ref(), Export())
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	child := rapid.Deferred(func() *rapid.Generator[etf.Term] { return nested(depth-1, identifiers) })
	containers := []*rapid.Generator[etf.Term]{
		rapid.Map(rapid.SliceOfN(child, 1, 5), func(elems []etf.Term) etf.Term { return etf.Tuple(elems...) }),
		rapid.Map(rapid.SliceOfN(child, 1, 5), func(elems []etf.Term) etf.Term { return etf.List(elems...) }),
		rapid.Custom(func(t *rapid.T) etf.Term {
			elems := rapid.SliceOfN(child, 1, 4).Draw(t, "elements")
			return etf.ImproperList(child.Draw(t, "tail"), elems...)
		}),
		rapid.Custom(func(t *rapid.T) etf.Term {
			var pairs []etf.Pair
			for range rapid.IntRange(0, 6).Draw(t, "size") {
				pairs = append(pairs, etf.Pair{Key: child.Draw(t, "key"), Value: child.Draw(t, "value")})
			}
			return etf.Map(pairs...)
		}),
	}
	if identifiers {
		containers = append(containers, fun(child), Record(child))
	}
	return rapid.OneOf(append(leaves, append(containers, containers...)...)...)
}

// Int draws integers that fit an int64, often at the edges of an encoding.
func Int() *rapid.Generator[etf.Term] {
	edges := []int64{
		0, 1, -1, 127, 128, 255, 256, math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, math.MinInt32 - 1,
		1<<53 - 1, 1 << 53, 1<<53 + 1, -1 << 53, -1<<53 - 1, 1 << 59, -1 << 59, math.MaxInt64, math.MinInt64,
	}
	return rapid.Map(rapid.OneOf(rapid.SampledFrom(edges), rapid.Int64Range(-300, 300), rapid.Int64()), etf.Int)
}

// BigInt draws integers of up to 300 bytes, some of which fit an int64.
func BigInt() *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		n := rapid.OneOf(rapid.IntRange(7, 10), rapid.IntRange(1, 40), rapid.IntRange(250, 300)).Draw(t, "bytes")
		v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "magnitude"))
		if rapid.Bool().Draw(t, "power of two") {
			v = new(big.Int).Lsh(big.NewInt(1), uint(8*n))
			v.Add(v, big.NewInt(rapid.Int64Range(-1, 1).Draw(t, "off by")))
		}
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		return etf.BigInt(v)
	})
}

// Float draws finite floats, often ones that are whole or equal to an integer
// that Int draws.
func Float() *rapid.Generator[etf.Term] {
	edges := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 100, 1000, 1e15, 1e16, 1e22, 1e23, 1e-5, 0.0001, 1 << 53, 1<<53 + 2,
		1 << 63, -1 << 63, math.MaxFloat64, math.SmallestNonzeroFloat64, 2.2250738585072014e-308,
	}
	return rapid.Map(rapid.OneOf(
		rapid.SampledFrom(edges),
		rapid.Map(rapid.Int64Range(-300, 300), func(v int64) float64 { return float64(v) }),
		rapid.Map(rapid.Int64(), func(v int64) float64 { return float64(v) }),
		rapid.Map(rapid.Int64Range(-1e6, 1e6), func(v int64) float64 { return float64(v) / 1000 }),
		rapid.Map(rapid.Uint64(), func(v uint64) float64 {
			if f := math.Float64frombits(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
				return f
			}
			return float64(v)
		}),
	), etf.Float)
}

func name() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "a", "b", "c", "true", "false", "nil", "ok", "error", "undefined", "end", "Elixir.Foo", "a@b", "A", "_x",
			"two words", "quo'te", "back\\slash", "new\nline", "été", "Ünder", "ß", "λ", "日本", "\U0001F600", "\x00", "\x7F",
			"\u0080", "\u00F7",
		}),
		rapid.StringMatching(`[a-z][a-zA-Z0-9_@]{0,11}`),
		rapid.StringN(0, 20, -1),
		rapid.StringN(250, 255, -1),
	)
}

// Atom draws atoms of up to 255 characters of any script.
func Atom() *rapid.Generator[etf.Term] { return rapid.Map(name(), etf.Atom) }

// Binary draws binaries, some of them text.
func Binary() *rapid.Generator[etf.Term] {
	return rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), etf.Binary),
		rapid.Map(rapid.SliceOfN(rapid.ByteRange(0x9E, 0xFF), 0, 6), etf.Binary),
		rapid.Map(rapid.StringN(0, 20, -1), etf.String),
		rapid.Map(rapid.StringMatching(`[ -~\n\t\x{A0}-\x{FF}]{0,12}`), etf.String),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 250, 270), etf.Binary),
	)
}

// BitString draws bit strings, some of them of whole bytes.
func BitString() *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		b := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bytes")
		return etf.BitString(b, rapid.Uint8Range(1, 8).Draw(t, "bits"))
	})
}

// Chars draws lists of small integers, some of them text.
func Chars() *rapid.Generator[etf.Term] {
	return rapid.OneOf(
		rapid.Map(rapid.StringN(0, 12, -1), etf.Charlist),
		rapid.Map(rapid.StringMatching(`[ -~\n\t\x{A0}-\x{FF}]{0,12}`), etf.Charlist),
		rapid.Map(rapid.SliceOfN(rapid.Int64Range(0, 256), 0, 12), func(values []int64) etf.Term {
			elems := make([]etf.Term, len(values))
			for i, v := range values {
				elems[i] = etf.Int(v)
			}
			return etf.List(elems...)
		}),
	)
}

// node draws names that no node of a test has.
func node() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"a@b", "n1@example.org", "n2@example.org", "été@host", "x"})
}

func pid() *rapid.Generator[etf.PidValue] {
	return rapid.Custom(func(t *rapid.T) etf.PidValue {
		return etf.PidValue{
			Node:     node().Draw(t, "node"),
			ID:       word().Draw(t, "id"),
			Serial:   word().Draw(t, "serial"),
			Creation: word().Draw(t, "creation"),
		}
	})
}

func word() *rapid.Generator[uint32] {
	return rapid.OneOf(rapid.Uint32Range(0, 3), rapid.Uint32())
}

// Pid draws process identifiers.
func Pid() *rapid.Generator[etf.Term] { return rapid.Map(pid(), etf.Pid) }

// Port draws port identifiers.
func Port() *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		return etf.Port(etf.PortValue{
			Node:     node().Draw(t, "node"),
			ID:       rapid.OneOf(rapid.Uint64Range(0, 3), rapid.Uint64()).Draw(t, "id"),
			Creation: word().Draw(t, "creation"),
		})
	})
}

// Ref draws references of 1 to 5 words.
func Ref() *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		return etf.Ref(etf.RefValue{
			Node:     node().Draw(t, "node"),
			Creation: word().Draw(t, "creation"),
			Words:    rapid.SliceOfN(word(), 1, 5).Draw(t, "words"),
		})
	})
}

// Export draws names of exported functions.
func Export() *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		return etf.Export(etf.ExportValue{
			Module:   name().Draw(t, "module"),
			Function: name().Draw(t, "function"),
			Arity:    rapid.Uint32Range(0, 255).Draw(t, "arity"),
		})
	})
}

// Record draws native records with such values.
func Record(value *rapid.Generator[etf.Term]) *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		// Few different definitions, so that some records differ in their values alone.
		names := rapid.OneOf(
			rapid.SampledFrom([][]string{{"x"}, {"x", "y"}, {"y", "x"}, {}}), rapid.SliceOfNDistinct(name(), 0, 4, rapid.ID[string]),
		).Draw(t, "fields")
		v := etf.RecordValue{
			Module:   rapid.OneOf(rapid.SampledFrom([]string{"m", "n"}), name()).Draw(t, "module"),
			Name:     rapid.OneOf(rapid.SampledFrom([]string{"r", "s"}), name()).Draw(t, "record"),
			Exported: rapid.Bool().Draw(t, "exported"),
		}
		for _, field := range names {
			v.Fields = append(v.Fields, etf.RecordField{Name: field, Value: value.Draw(t, "value")})
		}
		return etf.Record(v)
	})
}

func fun(free *rapid.Generator[etf.Term]) *rapid.Generator[etf.Term] {
	return rapid.Custom(func(t *rapid.T) etf.Term {
		// Few different values: OTP takes funs of one module, index and old uniq for
		// the same, and so remembers the first one's arity and uniq.
		v := etf.FunValue{
			Module:   rapid.SampledFrom([]string{"m1", "m2", "été"}).Draw(t, "module"),
			Index:    rapid.Uint32Range(0, 2).Draw(t, "index"),
			OldUniq:  rapid.Int64Range(-2, 2).Draw(t, "old uniq") << 26,
			OldIndex: 1,
			Arity:    2,
			Creator:  pid().Draw(t, "creator"),
			Free:     rapid.SliceOfN(free, 0, 3).Draw(t, "free"),
		}
		copy(v.Uniq[:], "0123456789abcdef")
		return etf.Fun(v)
	})
}
