package erlanggo_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/okeuday/erlang_go/v2/erlang"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/erlanggo"
	"github.com/beamport/beamport/internal/termgen"
)

func parse(t *testing.T, text string) etf.Term {
	term, err := etf.Parse(text)
	require.NoError(t, err)
	return term
}

// Both ways, and both the same as through bytes.
func TestBothWays(t *testing.T) {
	pid := etf.Pid(etf.PidValue{Node: "a@b", ID: 1, Serial: 2, Creation: 3})
	node := append([]byte{3}, "a@b"...)
	for _, tt := range []struct {
		term  etf.Term
		value any
	}{
		{etf.Int(0), uint8(0)},
		{etf.Int(255), uint8(255)},
		{etf.Int(256), int32(256)},
		{etf.Int(-1), int32(-1)},
		{etf.Int(math.MinInt32), int32(math.MinInt32)},
		{etf.Int(math.MaxInt32 + 1), big.NewInt(math.MaxInt32 + 1)},
		{etf.Int(math.MinInt64), big.NewInt(math.MinInt64)},
		{parse(t, "-100000000000000000000"), new(big.Int).Neg(new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil))},
		{etf.Float(1.5), 1.5},
		{etf.Bool(true), true},
		{etf.Bool(false), false},
		{etf.Atom("undefined"), nil},
		{etf.Atom("nil"), erlang.OtpErlangAtomUTF8("nil")},
		{etf.Atom("größe"), erlang.OtpErlangAtomUTF8("größe")},
		{etf.String("abc"), erlang.OtpErlangBinary{Value: []byte("abc"), Bits: 8}},
		{parse(t, "<<>>"), erlang.OtpErlangBinary{Value: []byte{}, Bits: 8}},
		{parse(t, "<<1,5:3>>"), erlang.OtpErlangBinary{Value: []byte{1, 5 << 5}, Bits: 3}},
		{parse(t, `"aé"`), "a\xe9"},
		{parse(t, "[]"), erlang.OtpErlangList{Value: []any{}}},
		{parse(t, "[256]"), erlang.OtpErlangList{Value: []any{int32(256)}}},
		{parse(t, "[1,a|b]"), erlang.OtpErlangList{Value: []any{uint8(1), erlang.OtpErlangAtomUTF8("a"), erlang.OtpErlangAtomUTF8("b")}, Improper: true}},
		{parse(t, "{1,{}}"), erlang.OtpErlangTuple{uint8(1), erlang.OtpErlangTuple{}}},
		{parse(t, `#{a => 1, "s" => #{}, 2.0 => undefined}`), erlang.OtpErlangMap{
			erlang.OtpErlangAtomUTF8("a"): uint8(1), "s": erlang.OtpErlangMap{}, 2.0: nil,
		}},
		{pid, erlang.OtpErlangPid{NodeTag: 119, Node: node, ID: []byte{0, 0, 0, 1}, Serial: []byte{0, 0, 0, 2}, Creation: []byte{0, 0, 0, 3}}},
		{etf.Port(etf.PortValue{Node: "a@b", ID: 7, Creation: 3}), erlang.OtpErlangPort{NodeTag: 119, Node: node, ID: []byte{0, 0, 0, 0, 0, 0, 0, 7}, Creation: []byte{0, 0, 0, 3}}},
		{etf.Ref(etf.RefValue{Node: "a@b", Creation: 3, Words: []uint32{1, 2}}), erlang.OtpErlangReference{NodeTag: 119, Node: node, ID: []byte{0, 0, 0, 1, 0, 0, 0, 2}, Creation: []byte{0, 0, 0, 3}}},
		{parse(t, "fun m:f/1"), erlang.OtpErlangFunction{Tag: 113, Value: []byte("w\x01mw\x01fa\x01")}},
	} {
		t.Run(tt.term.String(), func(t *testing.T) {
			value, err := erlanggo.FromTerm(tt.term)
			require.NoError(t, err)
			assert.Equal(t, tt.value, value)
			term, err := erlanggo.ToTerm(tt.value)
			require.NoError(t, err)
			assert.True(t, etf.Equal(tt.term, term), "%v", term)

			encoded, err := etf.Encode(tt.term)
			require.NoError(t, err)
			value, err = erlang.BinaryToTerm(encoded)
			require.NoError(t, err)
			assert.Equal(t, tt.value, value, "erlang_go reads something else")
		})
	}
}

// What only erlang.TermToBinary takes, and never gives.
func TestToTermOnly(t *testing.T) {
	for _, tt := range []struct {
		value any
		text  string
	}{
		{int8(-1), "-1"}, {int16(-300), "-300"}, {int64(math.MinInt64), "-9223372036854775808"}, {12, "12"},
		{uint16(300), "300"}, {uint32(math.MaxUint32), "4294967295"}, {uint64(math.MaxUint64), "18446744073709551615"},
		{float32(0.5), "0.5"}, {"", "[]"}, {[]byte("abc"), `<<"abc">>`}, {[]any{1, "x"}, `{1,"x"}`},
		{map[any]any{1: 2}, "#{1 => 2}"}, {erlang.OtpErlangAtom("gr\xf6\xdfe"), "größe"},
		{strings.Repeat("a", 70000), `"` + strings.Repeat("a", 70000) + `"`},
		{erlang.OtpErlangMap{3: 0, 1: 0, 2: 0}, "#{1 => 0,2 => 0,3 => 0}"},
		{erlang.OtpErlangPid{NodeTag: 100, Node: []byte("\x00\x01a"), ID: []byte{0, 0, 0, 1}, Serial: []byte{0, 0, 0, 2}, Creation: []byte{3}}, "<0.1.2>"},
	} {
		term, err := erlanggo.ToTerm(tt.value)
		require.NoError(t, err, "%T", tt.value)
		assert.Equal(t, tt.text, term.String(), "%T", tt.value)
		encoded, err := erlang.TermToBinary(tt.value, -1)
		require.NoError(t, err)
		same, err := etf.Decode(encoded)
		require.NoError(t, err)
		assert.True(t, etf.Equal(same, term), "erlang_go writes %v", same)
	}
}

func TestToTermErrors(t *testing.T) {
	deep := any(erlang.OtpErlangTuple{})
	for range etf.DefaultMaxDepth {
		deep = erlang.OtpErlangTuple{deep}
	}
	for name, tt := range map[string]struct {
		value any
		err   error
	}{
		"struct":         {struct{}{}, erlanggo.ErrType},
		"inside":         {[]any{[]any{make(chan int)}}, erlanggo.ErrType},
		"as a key":       {map[any]any{struct{}{}: 1}, erlanggo.ErrType},
		"as a value":     {map[any]any{1: struct{}{}}, erlanggo.ErrType},
		"in a list":      {erlang.OtpErlangList{Value: []any{uintptr(1)}}, erlanggo.ErrType},
		"cached atom":    {erlang.OtpErlangAtomCacheRef(1), erlanggo.ErrType},
		"long atom":      {erlang.OtpErlangAtomUTF8(strings.Repeat("a", 256)), erlanggo.ErrType},
		"not UTF-8":      {erlang.OtpErlangAtomUTF8("\xff"), erlanggo.ErrType},
		"nil integer":    {(*big.Int)(nil), erlanggo.ErrType},
		"NaN":            {math.NaN(), erlanggo.ErrType},
		"infinity":       {float32(math.Inf(1)), erlanggo.ErrType},
		"no bits":        {erlang.OtpErlangBinary{Value: []byte{1}}, erlanggo.ErrType},
		"empty pid":      {erlang.OtpErlangPid{}, erlanggo.ErrType},
		"short pid":      {erlang.OtpErlangPid{Creation: []byte{1}}, erlanggo.ErrType},
		"fun as read":    {erlang.OtpErlangFunction{Tag: 112, Value: []byte("some bytes")}, erlanggo.ErrType},
		"no fun":         {erlang.OtpErlangFunction{Tag: 97, Value: []byte{1}}, erlanggo.ErrType},
		"same key":       {map[any]any{uint8(1): 1, int32(1): 2}, erlanggo.ErrKey},
		"too deep":       {deep, erlanggo.ErrLimit},
		"too deep as []": {[]any{deep}, erlanggo.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			term, err := erlanggo.ToTerm(tt.value)
			require.ErrorIs(t, err, tt.err)
			assert.Equal(t, etf.Invalid, term.Kind())
		})
	}
}

func TestFromTermErrors(t *testing.T) {
	deep := etf.Tuple()
	for range etf.DefaultMaxDepth {
		deep = etf.Tuple(deep)
	}
	for text, want := range map[string]error{
		`#{<<"a">> => 1}`:         erlanggo.ErrKey,
		`{[#{{a} => 1}]}`:         erlanggo.ErrKey,
		`#{[256] => 1}`:           erlanggo.ErrKey,
		`#{k => [#{#{} => 1}|t]}`: erlanggo.ErrKey,
		`#{0.0 => a, -0.0 => b}`:  erlanggo.ErrKey,
		`[a|#{<<1>> => 1}]`:       erlanggo.ErrKey,
	} {
		_, err := erlanggo.FromTerm(parse(t, text))
		assert.ErrorIs(t, err, want, text)
	}
	for _, term := range []etf.Term{{}, etf.Tuple(etf.Term{}), etf.Pid(etf.PidValue{Node: strings.Repeat("a", 300)})} {
		_, err := erlanggo.FromTerm(term)
		assert.ErrorIs(t, err, erlanggo.ErrTerm)
	}
	_, err := erlanggo.FromTerm(etf.Tuple(etf.Record(etf.RecordValue{Module: "m", Name: "r"})))
	assert.EqualError(t, err, "erlanggo: not a term of erlang_go: a native record")
	assert.ErrorIs(t, err, erlanggo.ErrType)
	_, err = erlanggo.FromTerm(deep)
	assert.ErrorIs(t, err, erlanggo.ErrLimit)
	_, err = erlanggo.FromTerm(etf.Map(etf.Pair{Key: etf.Int(1), Value: deep}))
	assert.ErrorIs(t, err, erlanggo.ErrLimit)
}

// The atom that nil stands for can be another one.
func TestSetUndefined(t *testing.T) {
	erlang.SetUndefined("nil")
	defer erlang.SetUndefined("undefined")
	value, err := erlanggo.FromTerm(etf.List(etf.Atom("nil"), etf.Atom("undefined")))
	require.NoError(t, err)
	assert.Equal(t, erlang.OtpErlangList{Value: []any{nil, erlang.OtpErlangAtomUTF8("undefined")}}, value)
	term, err := erlanggo.ToTerm(nil)
	require.NoError(t, err)
	assert.True(t, term.IsAtom("nil"))
}

// Any term that erlang_go's types can hold comes back as it was, through the
// types alone and through erlang_go's own bytes.
func TestRoundTrip(t *testing.T) {
	terms := termgen.Term()
	rapid.Check(t, func(t *rapid.T) {
		term := terms.Draw(t, "term")
		value, err := erlanggo.FromTerm(term)
		if err != nil {
			if !errors.Is(err, erlanggo.ErrType) { // a native record
				require.ErrorIs(t, err, erlanggo.ErrKey)
			}
			return
		}
		again, err := erlanggo.ToTerm(value)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again), "%v became %v", term, again)
		encoded, err := erlang.TermToBinary(value, -1)
		require.NoError(t, err)
		again, err = etf.Decode(encoded)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again), "%v became %v through erlang_go's bytes", term, again)
	})
}

func ExampleFromTerm() {
	t, _ := etf.Parse(`{ok, #{port => 8080}}`)
	value, err := erlanggo.FromTerm(t)
	fmt.Printf("%#v %v\n", value, err)
	// Output:
	// erlang.OtpErlangTuple{"ok", erlang.OtpErlangMap{"port":8080}} <nil>
}

func ExampleToTerm() {
	t, err := erlanggo.ToTerm(erlang.OtpErlangTuple{erlang.OtpErlangAtom("ok"), []byte("payload"), "charlist"})
	fmt.Println(t, err)
	// Output:
	// {ok,<<"payload">>,"charlist"} <nil>
}
