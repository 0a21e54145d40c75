package main

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/beamport/beamport/etf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSame(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(3), 70)
	for _, c := range []struct {
		text    string
		v       any
		rounded int
	}{
		{"1", int64(1), 0}, {"1", uint8(1), 0}, {"1", 1.0, 0}, {"1", json.Number("1"), 0},
		{"9007199254740993", 9007199254740992.0, 1},
		{"3541774862152233910272", huge, 0}, {"3541774862152233910272", *huge, 0},
		{"1.5", 1.5, 0}, {"1.5", json.Number("1.5"), 0},
		{"a", "a", 0}, {"true", true, 0}, {"nil", nil, 0}, {"undefined", nil, 0},
		{`<<"a">>`, "a", 0}, {`<<"a">>`, []byte("a"), 0},
		{"[1,{2}]", []any{1, []any{2}}, 0},
		{`#{a => 9007199254740993,<<"b">> => 2}`, map[string]any{"a": 9007199254740992.0, "b": 2}, 1},
		{"#{a => 1}", map[any]any{"a": 1}, 0},
	} {
		term, err := etf.Parse(c.text)
		require.NoError(t, err)
		rounded, err := same(term, c.v)
		assert.NoError(t, err, c.text)
		assert.Equal(t, c.rounded, rounded, c.text)
	}
}

func TestNotSame(t *testing.T) {
	for _, c := range []struct {
		text string
		v    any
	}{
		{"1", int64(2)}, {"1", "x"}, {"1", 2.0}, {"1", nil},
		{"1.5", 1.25}, {"1.5", "1.5"}, {"2.0", 2},
		{"a", "b"}, {"true", "true"}, {"nil", "nil"},
		{`<<"a">>`, "b"}, {`<<"a">>`, 97}, {`<<>>`, nil},
		{"[1,2]", []any{1}}, {"[1,2]", []any{1, 3}}, {"[]", map[string]any{}},
		{"#{a => 1}", map[string]any{}}, {"#{a => 1}", map[string]any{"b": 1}}, {"#{a => 1}", map[string]any{"a": 2}}, {"#{a => 1}", []any{}},
	} {
		term, err := etf.Parse(c.text)
		require.NoError(t, err)
		_, err = same(term, c.v)
		assert.Error(t, err, "%s and %#v", c.text, c.v)
	}
}

func TestNatural(t *testing.T) {
	term, err := etf.Parse(`#{a => {1,2.5,<<255>>},<<"b">> => [nil,true,x,9223372036854775808]}`)
	require.NoError(t, err)
	tree, err := natural(term)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"a": []any{int64(1), 2.5, []byte{255}},
		"b": []any{nil, true, "x", uint64(1 << 63)},
	}, tree)

	for _, text := range []string{"<<1:1>>", "#{1 => 2}", "[<<1:1>>]", "#{a => <<1:1>>}"} {
		term, err := etf.Parse(text)
		require.NoError(t, err)
		_, err = natural(term)
		assert.Error(t, err, text)
	}
}
