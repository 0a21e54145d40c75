package etf_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

func TestEncodeErrors(t *testing.T) {
	in := func(bad etf.Term) etf.Term {
		return etf.Tuple(etf.Int(1), etf.List(etf.Atom("x"), etf.Map(etf.Pair{Key: etf.Atom("key"), Value: bad})))
	}
	long := etf.Binary(make([]byte, 100))
	for _, test := range []struct {
		name string
		term etf.Term
		err  error
		path string
	}{
		{"zero", etf.Term{}, etf.ErrInvalid, ""},
		{"zero within", in(etf.Term{}), etf.ErrInvalid, "{1}[1]#{key}"},
		{"NaN", in(etf.Float(math.NaN())), etf.ErrFloat, "{1}[1]#{key}"},
		{"infinity", etf.Float(math.Inf(1)), etf.ErrFloat, ""},
		{"long atom", in(etf.Atom(strings.Repeat("a", 256))), etf.ErrAtom, "{1}[1]#{key}"},
		{"atom of bad UTF-8", etf.Atom("\xff"), etf.ErrAtom, ""},
		{"node of a pid", etf.Pid(etf.PidValue{Node: "\xff"}), etf.ErrAtom, ""},
		{"node of a port", etf.Port(etf.PortValue{Node: "\xff"}), etf.ErrAtom, ""},
		{"node of a reference", etf.Ref(etf.RefValue{Node: "\xff", Words: []uint32{1}}), etf.ErrAtom, ""},
		{"module of an export", etf.Export(etf.ExportValue{Module: "\xff"}), etf.ErrAtom, ""},
		{"function of an export", etf.Export(etf.ExportValue{Function: "\xff"}), etf.ErrAtom, ""},
		{"module of a fun", etf.Fun(etf.FunValue{Module: "\xff"}), etf.ErrAtom, ""},
		{"creator of a fun", etf.Fun(etf.FunValue{Creator: etf.PidValue{Node: "\xff"}}), etf.ErrAtom, ""},
		{"index of a fun", etf.Fun(etf.FunValue{OldIndex: 1 << 60}), etf.ErrFun, ""},
		{"uniq of a fun", etf.Fun(etf.FunValue{OldUniq: -1<<59 - 1}), etf.ErrFun, ""},
		{"environment", etf.Fun(etf.FunValue{Free: []etf.Term{etf.Int(1), {}}}), etf.ErrInvalid, "fun(1)"},
		{"tail", etf.ImproperList(etf.Float(math.NaN()), etf.Int(1)), etf.ErrFloat, "[|]"},
		{"element of an improper list", etf.ImproperList(etf.Int(1), etf.Float(math.NaN())), etf.ErrFloat, "[0]"},
		{"before the last", etf.Tuple(etf.Int(1), etf.List(etf.Tuple(etf.Term{}, etf.Int(1)), etf.Int(300))), etf.ErrInvalid, "{1}[0]{0}"},
		{"last of a tail", etf.ImproperList(etf.Tuple(etf.Int(1), etf.Term{}), etf.List(etf.List(etf.Int(1)), etf.Int(300))), etf.ErrInvalid, "[|]{1}"},
		{"key", etf.Map(etf.Pair{Key: etf.Float(math.NaN()), Value: etf.Int(1)}), etf.ErrFloat, "#key(0)"},
		{"value of a long key", etf.Map(etf.Pair{Key: long, Value: etf.Term{}}), etf.ErrInvalid, "#{key 0}"},
		{"value of a container key", etf.Map(etf.Pair{Key: etf.Tuple(), Value: etf.Term{}}), etf.ErrInvalid, "#{key 0}"},
		{"large integer", etf.BigInt(new(big.Int).Lsh(big.NewInt(1), 8*4_194_300)), etf.ErrInteger, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dst := append(make([]byte, 0, 1<<10), "kept"...)
			got, err := etf.Append(dst, test.term)
			require.ErrorIs(t, err, test.err)
			assert.Equal(t, "kept", string(got))
			var encodeError *etf.EncodeError
			require.ErrorAs(t, err, &encodeError)
			assert.Equal(t, test.path, encodeError.Path)
			b, err := etf.Encode(test.term)
			require.Error(t, err)
			require.Nil(t, b)
		})
	}
}

func TestErrorTexts(t *testing.T) {
	_, err := etf.Encode(etf.Tuple(etf.Term{}))
	require.EqualError(t, err, "etf: cannot encode zero Term, in {0}")
	_, err = etf.Encode(etf.Term{})
	require.EqualError(t, err, "etf: cannot encode zero Term")
	require.EqualError(t, etf.Valid([]byte{131, 104, 1, 99}), "etf: unexpected EOF at byte 4, in {0}")
	require.EqualError(t, etf.Valid([]byte{131, 121, 0}), "etf: tag 121 (LOCAL_EXT), which starts no term here at byte 1")
	require.EqualError(t, etf.DecodeOptions{MaxDepth: 1}.Valid([]byte{131, 104, 1, 104, 1, 106}),
		"etf: more than the 1 that MaxDepth allows at byte 3, in {0}")
}

func TestStringLimit(t *testing.T) {
	for _, n := range []int{65535, 65536} {
		elems := make([]etf.Term, n)
		for i := range elems {
			elems[i] = etf.Int(int64(i % 256))
		}
		list := etf.List(elems...)
		chars := make([]rune, n)
		for i := range chars {
			chars[i] = rune(i % 256)
		}
		b, err := etf.Encode(list)
		require.NoError(t, err)
		other, err := etf.Encode(etf.Charlist(string(chars)))
		require.NoError(t, err)
		require.Equal(t, b, other)
		if n == 65535 {
			require.Equal(t, []byte{131, 107, 255, 255, 0, 1}, b[:6])
		} else {
			require.Equal(t, []byte{131, 108, 0, 1, 0, 0, 97, 0}, b[:8])
		}
		again, err := etf.Decode(b)
		require.NoError(t, err)
		require.True(t, etf.Equal(list, again))
		require.True(t, etf.Equal(again, list))
	}
}

func TestAppendUsesWhatThereIs(t *testing.T) {
	dst := append(make([]byte, 0, 64), "head"...)
	b, err := etf.Append(dst, etf.Tuple(etf.Int(1)))
	require.NoError(t, err)
	require.Equal(t, []byte("head\x83h\x01a\x01"), b)
	require.Same(t, &dst[0], &b[0])
}
