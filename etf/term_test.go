package etf_test

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

func TestTermIsSmall(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 8 {
		require.EqualValues(t, 24, unsafe.Sizeof(etf.Term{}))
	}
	require.Less(t, unsafe.Sizeof(etf.Term{}), uintptr(25))
}

func big2(exponent uint, plus int64) *big.Int {
	v := new(big.Int).Lsh(big.NewInt(1), exponent)
	return v.Add(v, big.NewInt(plus))
}

func TestConstructors(t *testing.T) {
	for _, test := range []struct {
		term etf.Term
		kind etf.Kind
		text string
	}{
		{etf.Int(-5), etf.KindInt, "-5"},
		{etf.Uint(5), etf.KindInt, "5"},
		{etf.Uint(math.MaxUint64), etf.KindBigInt, "18446744073709551615"},
		{etf.BigInt(big.NewInt(7)), etf.KindInt, "7"},
		{etf.BigInt(big2(63, -1)), etf.KindInt, "9223372036854775807"},
		{etf.BigInt(big2(63, 0)), etf.KindBigInt, "9223372036854775808"},
		{etf.BigInt(new(big.Int).Neg(big2(63, 0))), etf.KindInt, "-9223372036854775808"},
		{etf.BigInt(new(big.Int).Neg(big2(63, 1))), etf.KindBigInt, "-9223372036854775809"},
		{etf.BigInt(nil), etf.Invalid, "#Invalid"},
		{etf.Float(1e23), etf.KindFloat, "1.0e23"},
		{etf.Float(math.NaN()), etf.KindFloat, "NaN"},
		{etf.Float(math.Inf(-1)), etf.KindFloat, "-Inf"},
		{etf.Atom("a"), etf.KindAtom, "a"},
		{etf.Atom("maybe"), etf.KindAtom, "'maybe'"},
		{etf.Bool(true), etf.KindAtom, "true"},
		{etf.Bool(false), etf.KindAtom, "false"},
		{etf.Binary(nil), etf.KindBinary, "<<>>"},
		{etf.Binary([]byte{1, 2}), etf.KindBinary, "<<1,2>>"},
		{etf.String("é"), etf.KindBinary, `<<"é"/utf8>>`},
		{etf.Charlist("é"), etf.KindList, `"é"`},
		{etf.Charlist("λ"), etf.KindList, "[955]"},
		{etf.Charlist(""), etf.KindList, "[]"},
		{etf.Charlist("\xff"), etf.KindList, "[65533]"},
		{etf.Charlist("a\x01\x7f\x1f"), etf.KindList, `[97,1,127,31]`},
		{etf.Charlist("\"\\\n\r\t\v\b\f\x1b"), etf.KindList, `"\"\\\n\r\t\v\b\f\e"`},
		{etf.Atom("\x01\x7f'\u009f"), etf.KindAtom, `'\001\d\'\237'`},
		{etf.BitString([]byte{1, 0xFF}, 3), etf.KindBitString, "<<1,7:3>>"},
		{etf.BitString([]byte{0xE0}, 3), etf.KindBitString, "<<7:3>>"},
		{etf.BitString([]byte{1}, 8), etf.KindBinary, "<<1>>"},
		{etf.BitString(nil, 0), etf.KindBinary, "<<>>"},
		{etf.BitString([]byte{1}, 0), etf.Invalid, "#Invalid"},
		{etf.BitString([]byte{1}, 9), etf.Invalid, "#Invalid"},
		{etf.Tuple(), etf.KindTuple, "{}"},
		{etf.Tuple(etf.Int(1), etf.Atom("b")), etf.KindTuple, "{1,b}"},
		{etf.List(), etf.KindList, "[]"},
		{etf.List(etf.Int(1), etf.Int(256)), etf.KindList, "[1,256]"},
		{etf.ImproperList(etf.Int(2), etf.Int(1)), etf.KindImproperList, "[1|2]"},
		{etf.ImproperList(etf.Int(2)), etf.KindInt, "2"},
		{etf.ImproperList(etf.List(), etf.Int(1)), etf.KindList, "[1]"},
		{etf.ImproperList(etf.Charlist("b"), etf.Int(1)), etf.KindList, "[1,98]"},
		{etf.ImproperList(etf.ImproperList(etf.Atom("c"), etf.Atom("b")), etf.Atom("a")), etf.KindImproperList, "[a,b|c]"},
		{etf.Map(), etf.KindMap, "#{}"},
		{
			etf.Map(etf.Pair{etf.Atom("b"), etf.Int(1)}, etf.Pair{etf.Atom("a"), etf.Int(2)}, etf.Pair{etf.Atom("b"), etf.Int(3)}),
			etf.KindMap, "#{a => 2,b => 3}",
		},
		{etf.Pid(etf.PidValue{"n@h", 1, 2, 3}), etf.KindPid, "<0.1.2>"},
		{etf.Port(etf.PortValue{"n@h", 1, 3}), etf.KindPort, "#Port<0.1>"},
		{etf.Ref(etf.RefValue{"n@h", 3, []uint32{1, 2, 3}}), etf.KindRef, "#Ref<0.3.2.1>"},
		{etf.Ref(etf.RefValue{"n@h", 3, nil}), etf.Invalid, "#Invalid"},
		{etf.Ref(etf.RefValue{"n@h", 3, make([]uint32, 6)}), etf.Invalid, "#Invalid"},
		{etf.Export(etf.ExportValue{"m", "f", 2}), etf.KindExport, "fun m:f/2"},
		{etf.Export(etf.ExportValue{"m", "a@b", 2}), etf.KindExport, "fun m:'a@b'/2"},
		{etf.Fun(etf.FunValue{Module: "m", OldIndex: 3, OldUniq: 4}), etf.KindFun, "#Fun<m.3.4>"},
		{etf.Record(etf.RecordValue{Module: "m", Name: "r"}), etf.KindRecord, "#m:r{}"},
		{etf.Record(geometry(1.5, etf.Charlist("ab"))), etf.KindRecord, `#geometry:vec{x = 1.5,'Y' = "ab"}`},
		{etf.Record(etf.RecordValue{Fields: []etf.RecordField{{"a", etf.Int(1)}, {"b", etf.Int(2)}, {"a", etf.Int(3)}}}), etf.Invalid, "#Invalid"},
		{etf.Term{}, etf.Invalid, "#Invalid"},
	} {
		assert.Equal(t, test.kind, test.term.Kind(), test.text)
		assert.Equal(t, test.text, test.term.String())
		assert.True(t, etf.Equal(test.term, test.term.Clone()), test.text)
	}
}

func TestKindHasAName(t *testing.T) {
	require.Equal(t, "improper list", etf.KindImproperList.String())
	require.Equal(t, "invalid", etf.Invalid.String())
	require.Equal(t, "invalid", etf.Kind(200).String())
}

// TestAccessorsSayNo calls each accessor on terms of all other kinds.
func TestAccessorsSayNo(t *testing.T) {
	terms := []etf.Term{
		{}, etf.Int(1), etf.Uint(math.MaxUint64), etf.Float(1), etf.Atom("a"), etf.String("a"), etf.BitString([]byte{0x80}, 1),
		etf.Tuple(), etf.List(), etf.ImproperList(etf.Int(1), etf.Int(1)), etf.Map(), etf.Pid(etf.PidValue{}),
		etf.Port(etf.PortValue{}), etf.Ref(etf.RefValue{Words: []uint32{1}}), etf.Fun(etf.FunValue{}), etf.Export(etf.ExportValue{}),
		etf.Record(etf.RecordValue{Fields: []etf.RecordField{{"a", etf.Int(1)}}}),
	}
	type accessor func(etf.Term) bool
	for i, test := range []struct {
		is    accessor
		kinds []etf.Kind
	}{
		{func(t etf.Term) bool { _, ok := t.Int64(); return ok }, []etf.Kind{etf.KindInt}},
		{func(t etf.Term) bool { _, ok := t.Uint64(); return ok }, []etf.Kind{etf.KindInt, etf.KindBigInt}},
		{func(t etf.Term) bool { _, ok := t.BigInt(); return ok }, []etf.Kind{etf.KindInt, etf.KindBigInt}},
		{func(t etf.Term) bool { _, ok := t.Float64(); return ok }, []etf.Kind{etf.KindFloat}},
		{func(t etf.Term) bool { _, ok := t.AtomName(); return ok }, []etf.Kind{etf.KindAtom}},
		{func(t etf.Term) bool { return t.IsAtom("a") }, []etf.Kind{etf.KindAtom}},
		{func(t etf.Term) bool { return t.IsNil() }, nil},
		{func(t etf.Term) bool { _, ok := t.Bool(); return ok }, nil},
		{func(t etf.Term) bool { _, ok := t.Bytes(); return ok }, []etf.Kind{etf.KindBinary}},
		{func(t etf.Term) bool { _, ok := t.Text(); return ok }, []etf.Kind{etf.KindBinary}},
		{func(t etf.Term) bool { _, ok := t.Chars(); return ok }, []etf.Kind{etf.KindList}},
		{func(t etf.Term) bool { _, _, ok := t.BitString(); return ok }, []etf.Kind{etf.KindBinary, etf.KindBitString}},
		{func(t etf.Term) bool { _, ok := t.Tail(); return ok }, []etf.Kind{etf.KindList, etf.KindImproperList}},
		{func(t etf.Term) bool { return t.At(0).Kind() != etf.Invalid }, []etf.Kind{etf.KindImproperList}},
		{func(t etf.Term) bool { return len(slices.Collect(t.All())) > 0 }, []etf.Kind{etf.KindImproperList}},
		{func(t etf.Term) bool { _, ok := t.Get(etf.Int(1)); return ok }, nil},
		{func(t etf.Term) bool { _, ok := t.GetAtom("a"); return ok }, nil},
		{func(t etf.Term) bool { _, ok := t.GetString("a"); return ok }, nil},
		{func(t etf.Term) bool { _, ok := t.Pid(); return ok }, []etf.Kind{etf.KindPid}},
		{func(t etf.Term) bool { _, ok := t.Port(); return ok }, []etf.Kind{etf.KindPort}},
		{func(t etf.Term) bool { _, ok := t.Ref(); return ok }, []etf.Kind{etf.KindRef}},
		{func(t etf.Term) bool { _, ok := t.Fun(); return ok }, []etf.Kind{etf.KindFun}},
		{func(t etf.Term) bool { _, ok := t.Export(); return ok }, []etf.Kind{etf.KindExport}},
		{func(t etf.Term) bool { _, ok := t.Record(); return ok }, []etf.Kind{etf.KindRecord}},
		{func(t etf.Term) bool { _, ok := t.Field("a"); return ok }, []etf.Kind{etf.KindRecord}},
		{func(t etf.Term) bool { _, ok := t.Field("b"); return ok }, nil},
		{func(t etf.Term) bool { return t.Len() > 0 }, []etf.Kind{etf.KindBinary, etf.KindBitString, etf.KindImproperList}},
	} {
		for _, term := range terms {
			assert.Equal(t, slices.Contains(test.kinds, term.Kind()), test.is(term), "%d: %s", i, term)
		}
	}
}

func TestChars(t *testing.T) {
	for _, test := range []struct {
		term etf.Term
		text string
		ok   bool
	}{
		{etf.List(), "", true},
		{etf.Charlist("hello"), "hello", true},
		{etf.Charlist("größe €𝄞"), "größe €𝄞", true},
		{etf.List(etf.Int(0), etf.Int(0x10ffff)), "\x00\U0010ffff", true},
		{etf.List(etf.Int(0xd7ff), etf.Int(0xe000)), "\ud7ff\ue000", true},
		{etf.List(etf.Int('a'), etf.Int(0xd800)), "", false},
		{etf.List(etf.Int(0xdfff)), "", false},
		{etf.List(etf.Int(0x110000)), "", false},
		{etf.List(etf.Int(-1)), "", false},
		{etf.List(etf.Int(1<<32 + 'a')), "", false}, // which is a to 32 bits
		{etf.List(etf.Uint(math.MaxUint64)), "", false},
		{etf.List(etf.Int('a'), etf.Float('b')), "", false},
		{etf.List(etf.Charlist("a")), "", false},
		{etf.ImproperList(etf.Int('b'), etf.Int('a')), "", false},
		{etf.String("hello"), "", false},
		{etf.Atom("hello"), "", false},
		{etf.Tuple(etf.Int('a')), "", false},
		{etf.Term{}, "", false},
	} {
		text, ok := test.term.Chars()
		assert.Equal(t, test.ok, ok, "%s", test.term)
		assert.Equal(t, test.text, text, "%s", test.term)
	}
	// The compact form that small characters have on the wire, whose bytes are Latin-1.
	compact, err := etf.Decode([]byte{131, 107, 0, 2, 'a', 0xe9})
	require.NoError(t, err)
	text, ok := compact.Chars()
	assert.True(t, ok)
	assert.Equal(t, "aé", text)
}

func TestIntegerAccessors(t *testing.T) {
	i, ok := etf.Int(math.MinInt64).Int64()
	require.True(t, ok)
	require.Equal(t, int64(math.MinInt64), i)
	u, ok := etf.Uint(math.MaxUint64).Uint64()
	require.True(t, ok)
	require.Equal(t, uint64(math.MaxUint64), u)
	_, ok = etf.Int(-1).Uint64()
	require.False(t, ok)
	_, ok = etf.BigInt(big2(64, 0)).Uint64()
	require.False(t, ok)
	_, ok = etf.BigInt(new(big.Int).Neg(big2(64, -1))).Uint64()
	require.False(t, ok)

	want := new(big.Int).Neg(big2(200, 12345))
	got, ok := etf.BigInt(want).BigInt()
	require.True(t, ok)
	require.Zero(t, want.Cmp(got))
	got.SetInt64(1) // the caller's own
	got, _ = etf.BigInt(want).BigInt()
	require.Zero(t, want.Cmp(got))
}

func TestElements(t *testing.T) {
	decoded, err := etf.Decode([]byte{131, 107, 0, 3, 1, 2, 3})
	require.NoError(t, err)
	for _, list := range []etf.Term{
		etf.List(etf.Int(1), etf.Int(2), etf.Int(3)), etf.Tuple(etf.Int(1), etf.Int(2), etf.Int(3)), decoded,
		etf.ImproperList(etf.Atom("x"), etf.Int(1), etf.Int(2), etf.Int(3)),
	} {
		require.Equal(t, 3, list.Len())
		require.Equal(t, "2", list.At(1).String())
		require.Equal(t, etf.Invalid, list.At(3).Kind())
		require.Equal(t, etf.Invalid, list.At(-1).Kind())
		sum := int64(0)
		for elem := range list.All() {
			v, _ := elem.Int64()
			sum += v
		}
		require.Equal(t, int64(6), sum)
		for elem := range list.All() {
			require.Equal(t, "1", elem.String())
			break
		}
	}
	tail, _ := decoded.Tail()
	require.True(t, etf.Equal(etf.List(), tail))
	tail, _ = etf.ImproperList(etf.Atom("x"), etf.Int(1)).Tail()
	require.True(t, tail.IsAtom("x"))
}

func TestConstructorsCopyTheirElements(t *testing.T) {
	elems := []etf.Term{etf.Int(1), etf.Int(2)}
	tuple, list, improper := etf.Tuple(elems...), etf.List(elems...), etf.ImproperList(etf.Int(3), elems...)
	elems[0] = etf.Atom("changed")
	require.Equal(t, "{1,2} [1,2] [1,2|3]", tuple.String()+" "+list.String()+" "+improper.String())
}

func TestMapAccess(t *testing.T) {
	m := etf.Map(
		etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.String("a"), Value: etf.Int(2)},
		etf.Pair{Key: etf.Int(1), Value: etf.Int(3)}, etf.Pair{Key: etf.Float(1), Value: etf.Int(4)},
		etf.Pair{Key: etf.Charlist("ab"), Value: etf.Int(5)},
	)
	require.Equal(t, 5, m.Len())
	for i, key := range []etf.Term{
		etf.Atom("a"), etf.String("a"), etf.Int(1), etf.Float(1), etf.List(etf.Int('a'), etf.Int('b')),
	} {
		value, ok := m.Get(key)
		require.True(t, ok, key)
		require.True(t, etf.Equal(etf.Int(int64(i+1)), value), key)
	}
	value, ok := m.GetAtom("a")
	require.True(t, ok)
	require.Equal(t, "1", value.String())
	value, ok = m.GetString("a")
	require.True(t, ok)
	require.Equal(t, "2", value.String())
	for _, none := range []etf.Term{etf.Atom("b"), etf.Int(2), etf.Tuple(), {}} {
		_, ok = m.Get(none)
		require.False(t, ok)
	}
	_, ok = m.GetAtom("b")
	require.False(t, ok)
	for key := range m.Pairs() {
		require.Equal(t, "a", key.String())
		break
	}
}

func TestIdentifierValues(t *testing.T) {
	pid := etf.PidValue{Node: "n@h", ID: 1 << 31, Serial: 1<<32 - 1, Creation: 7}
	gotPid, _ := etf.Pid(pid).Pid()
	require.Equal(t, pid, gotPid)
	port := etf.PortValue{Node: "n@h", ID: 1 << 63, Creation: 1 << 31}
	gotPort, _ := etf.Port(port).Port()
	require.Equal(t, port, gotPort)
	for n := 1; n <= 5; n++ {
		ref := etf.RefValue{Node: "n@h", Creation: 9, Words: []uint32{1, 1 << 31, 3, 4, 5}[:n]}
		gotRef, _ := etf.Ref(ref).Ref()
		require.Equal(t, ref, gotRef)
	}
	export := etf.ExportValue{Module: "m", Function: "f", Arity: 300}
	gotExport, _ := etf.Export(export).Export()
	require.Equal(t, export, gotExport)

	fun := etf.FunValue{
		Module: "m", Arity: 2, Index: 9, Uniq: [16]byte{1, 2, 15: 3}, OldIndex: 4, OldUniq: -5, Creator: pid,
		Free: []etf.Term{etf.Int(1), etf.Atom("x")},
	}
	b, err := etf.Encode(etf.Fun(fun))
	require.NoError(t, err)
	term, err := etf.Decode(b)
	require.NoError(t, err)
	for _, term := range []etf.Term{etf.Fun(fun), term, term.Clone()} {
		got, _ := term.Fun()
		require.Equal(t, fun.Creator, got.Creator)
		require.Equal(t, fun.Uniq, got.Uniq)
		require.Equal(t, "x", got.Free[1].String())
		got.Free, got.Creator = nil, etf.PidValue{}
		want := fun
		want.Free, want.Creator = nil, etf.PidValue{}
		require.Equal(t, want, got)
	}
}
