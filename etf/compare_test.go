package etf_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// ascending is a list of terms in Erlang's order; those in one row are equal by
// ==, though no two of them by =:=.
func ascending() [][]etf.Term {
	huge := new(big.Int).Lsh(big.NewInt(1), 2000)
	float := func(v float64) *big.Int {
		i, _ := big.NewFloat(v).Int(nil)
		return i
	}
	return [][]etf.Term{
		{{}},
		{etf.BigInt(new(big.Int).Neg(huge))},
		{etf.Float(-math.MaxFloat64), etf.BigInt(float(-math.MaxFloat64))},
		{etf.Float(-1 << 63), etf.Int(math.MinInt64)},
		{etf.Int(math.MinInt64 + 1)},
		{etf.Int(-1), etf.Float(-1)},
		{etf.Float(-0.5)},
		{etf.Int(0), etf.Float(0), etf.Float(math.Copysign(0, -1))},
		{etf.Float(0.5)},
		{etf.Int(1 << 53), etf.Float(1 << 53)},
		{etf.Int(1<<53 + 1)},
		{etf.Int(1<<53 + 2), etf.Float(1<<53 + 2)},
		{etf.Int(math.MaxInt64)},
		{etf.Float(1 << 63), etf.Uint(1 << 63)},
		{etf.Uint(1<<63 + 1)},
		{etf.Float(math.MaxFloat64), etf.BigInt(float(math.MaxFloat64))},
		{etf.BigInt(huge)},
		{etf.BigInt(new(big.Int).Add(huge, big.NewInt(1)))},
		{etf.Atom("")},
		{etf.Atom("a")},
		{etf.Atom("aa")},
		{etf.Atom("b")},
		{etf.Atom("é")},
		{etf.Ref(etf.RefValue{Node: "a", Words: []uint32{9}})},
		{etf.Ref(etf.RefValue{Node: "a", Words: []uint32{1, 2}})},
		{etf.Ref(etf.RefValue{Node: "b", Words: []uint32{1}})},
		{etf.Fun(etf.FunValue{Module: "m", Index: 1})},
		{etf.Fun(etf.FunValue{Module: "m", Index: 2, OldUniq: 1})},
		{etf.Fun(etf.FunValue{Module: "m", Index: 2, OldUniq: 1, Free: []etf.Term{etf.Int(1)}}),
			etf.Fun(etf.FunValue{Module: "m", Index: 2, OldUniq: 1, Free: []etf.Term{etf.Float(1)}})},
		{etf.Export(etf.ExportValue{Module: "a", Function: "z", Arity: 9})},
		{etf.Export(etf.ExportValue{Module: "b", Function: "a", Arity: 2})},
		{etf.Export(etf.ExportValue{Module: "b", Function: "a", Arity: 3})},
		{etf.Port(etf.PortValue{Node: "a", ID: 2})},
		{etf.Port(etf.PortValue{Node: "a", ID: 1, Creation: 1})},
		{etf.Pid(etf.PidValue{Node: "b", ID: 1})},
		{etf.Pid(etf.PidValue{Node: "a", ID: 2})},
		{etf.Pid(etf.PidValue{Node: "a", ID: 1, Serial: 1})},
		{etf.Tuple()},
		{etf.Tuple(etf.Atom("z"))},
		{etf.Tuple(etf.Int(1), etf.Int(2)), etf.Tuple(etf.Float(1), etf.Int(2)), etf.Tuple(etf.Int(1), etf.Float(2))},
		{etf.Map()},
		{etf.Map(etf.Pair{Key: etf.Atom("z"), Value: etf.Int(1)}), etf.Map(etf.Pair{Key: etf.Atom("z"), Value: etf.Float(1)})},
		{etf.Map(etf.Pair{Key: etf.Int(1), Value: etf.Int(5)}, etf.Pair{Key: etf.Int(2), Value: etf.Int(5)})},
		{etf.Map(etf.Pair{Key: etf.Int(1), Value: etf.Int(5)}, etf.Pair{Key: etf.Int(2), Value: etf.Int(6)})},
		{etf.Map(etf.Pair{Key: etf.Int(2), Value: etf.Int(1)}, etf.Pair{Key: etf.Float(1), Value: etf.Int(1)})},
		{etf.List()},
		{etf.ImproperList(etf.Int(5), etf.Int(1))},
		{etf.List(etf.Int(1)), etf.List(etf.Float(1))},
		{etf.ImproperList(etf.Int(1), etf.Int(1), etf.Int(1))},
		{etf.Charlist("\x01\x01")},
		{etf.ImproperList(etf.String(""), etf.Int(1), etf.Int(1))},
		{etf.List(etf.Int(1), etf.Atom("a"))},
		{etf.List(etf.Int(2))},
		{etf.String("")},
		{etf.BitString([]byte{0}, 1)},
		{etf.Binary([]byte{0})},
		{etf.BitString([]byte{0x80}, 1)},
		{etf.BitString([]byte{0x80}, 3)},
		{etf.Binary([]byte{0x80})},
		{etf.Binary([]byte{0x80, 0})},
		{etf.Binary([]byte{0x81})},
	}
}

func TestOrder(t *testing.T) {
	rows := ascending()
	for i, row := range rows {
		for ai, a := range row {
			for bi, b := range row {
				require.Zero(t, etf.Compare(a, b), "%s and %s", a, b)
				require.Equal(t, ai == bi, etf.Equal(a, b), "%s and %s", a, b)
			}
			for _, higher := range rows[i+1:] {
				for _, b := range higher {
					require.Negative(t, etf.Compare(a, b), "%s and %s", a, b)
					require.Positive(t, etf.Compare(b, a), "%s and %s", b, a)
					require.False(t, etf.Equal(a, b), "%s and %s", a, b)
				}
			}
		}
	}
	nan := etf.Float(math.NaN())
	require.Negative(t, etf.Compare(nan, etf.Int(math.MinInt64)))
	require.Positive(t, etf.Compare(etf.BigInt(new(big.Int).Lsh(big.NewInt(-1), 100)), nan))
	require.Negative(t, etf.Compare(etf.Int(5), etf.Float(math.Inf(1))))
	require.Positive(t, etf.Compare(etf.Int(5), etf.Float(math.Inf(-1))))
}

func TestEqualMaps(t *testing.T) {
	a := etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.Atom("b"), Value: etf.Int(2)})
	for _, test := range []struct {
		b    etf.Term
		want bool
	}{
		{etf.Map(etf.Pair{Key: etf.Atom("b"), Value: etf.Int(2)}, etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}), true},
		{etf.Map(etf.Pair{Key: etf.Atom("b"), Value: etf.Int(1)}, etf.Pair{Key: etf.Atom("a"), Value: etf.Int(2)}), false},
		{etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.Atom("b"), Value: etf.Int(3)}), false},
		{etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.Atom("c"), Value: etf.Int(2)}), false},
		{etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}), false},
	} {
		require.Equal(t, test.want, etf.Equal(a, test.b), "%s", test.b)
	}
}
