package etf_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// TestMarshalModes marshals with options that are about terms.
func TestMarshalModes(t *testing.T) {
	v := map[string]any{"b": 1, "a": strings.Repeat("x", 200), "c": upper("é")}
	plain, err := etf.EncodeOptions{Deterministic: true}.Marshal(v)
	require.NoError(t, err)
	for range 5 { // the order of a Go map is another each time
		again, err := etf.EncodeOptions{Deterministic: true}.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, plain, again)
	}
	compressed, err := etf.EncodeOptions{Deterministic: true, Compression: 9}.AppendMarshal([]byte("kept"), v)
	require.NoError(t, err)
	require.Equal(t, "kept\x83P", string(compressed[:6]))
	require.Less(t, len(compressed), len(plain))
	var back map[string]any
	require.NoError(t, etf.Unmarshal(compressed[4:], &back))
	require.Equal(t, map[string]any{"b": int64(1), "a": v["a"], "c": "É"}, back)

	type atoms struct {
		A string `etf:"é,atom"`
	}
	latin1, err := etf.EncodeOptions{MinorVersion: 1}.Marshal(atoms{"ü"})
	require.NoError(t, err)
	require.Equal(t, []byte{131, 116, 0, 0, 0, 1, 100, 0, 1, 0xE9, 100, 0, 1, 0xFC}, latin1)
	var got atoms
	require.NoError(t, etf.Unmarshal(latin1, &got))
	require.Equal(t, atoms{"ü"}, got)

	inner, err := etf.EncodeOptions{NoVersion: true}.Marshal(7)
	require.NoError(t, err)
	require.Equal(t, []byte{97, 7}, inner)
	var n int
	require.NoError(t, etf.DecodeOptions{NoVersion: true}.Unmarshal(inner, &n))
	require.Equal(t, 7, n)

	for _, o := range []etf.EncodeOptions{{MinorVersion: 3}, {Compression: 10}, {Compression: 1, NoVersion: true}} {
		_, err := o.Marshal(v)
		assert.ErrorIs(t, err, etf.ErrOptions, "%+v", o)
	}
	_, err = etf.EncodeOptions{Deterministic: true}.Marshal(make(chan int))
	require.ErrorIs(t, err, etf.ErrType)
	require.ErrorIs(t, etf.DecodeOptions{Strict: true}.Unmarshal(latin1, &got), etf.ErrNotCanonical)
}

// TestWideStructs has more fields than fit the set that is on the stack.
func TestWideStructs(t *testing.T) {
	for _, n := range []int{127, 128, 129, 1000} {
		fields := make([]reflect.StructField, n)
		for i := range fields {
			fields[i] = reflect.StructField{
				Name: "F" + strconv.Itoa(i), Type: reflect.TypeFor[int](), Tag: reflect.StructTag(`etf:"f` + strconv.Itoa(i) + `,omitempty"`),
			}
		}
		wide := reflect.StructOf(fields)
		v := reflect.New(wide)
		var pairs []etf.Pair
		for i := range n {
			v.Elem().Field(i).SetInt(int64(i + 1))
			key := "f" + strconv.Itoa(i)
			pairs = append(pairs, etf.Pair{Key: etf.String(key), Value: etf.Int(int64(i + 1))})
		}
		b, err := etf.Marshal(v.Interface())
		require.NoError(t, err)
		got := reflect.New(wide)
		require.NoError(t, etf.Unmarshal(b, got.Interface()))
		require.Equal(t, v.Elem().Interface(), got.Elem().Interface())

		// In another order, and with names that are binaries.
		b, err = etf.Encode(etf.Map(pairs...))
		require.NoError(t, err)
		got = reflect.New(wide)
		require.NoError(t, etf.Unmarshal(b, got.Interface()))
		require.Equal(t, v.Elem().Interface(), got.Elem().Interface())

		b, err = etf.Encode(etf.Map(append(pairs, etf.Pair{Key: etf.Atom("f" + strconv.Itoa(n-1)), Value: etf.Int(0)})...))
		require.NoError(t, err)
		require.ErrorIs(t, etf.Unmarshal(b, got.Interface()), etf.ErrDuplicateKey)
	}
}

// TestSkippedFields passes over values of every kind and encoding.
func TestSkippedFields(t *testing.T) {
	for _, c := range skippable() {
		var v struct {
			Last int `etf:"z"`
		}
		b := append([]byte{131, 116, 0, 0, 0, 2, 119, 1, 'a'}, c...)
		require.NoError(t, etf.Unmarshal(append(b, 119, 1, 'z', 97, 7), &v), "%v", c)
		require.Equal(t, 7, v.Last, "%v", c)
	}
}

// skippable are the cases' terms without their version bytes, but for the
// compressed ones.
func skippable() (terms [][]byte) {
	for _, c := range validCases() {
		if c[1] != 80 {
			terms = append(terms, c[1:])
		}
	}
	return terms
}

type (
	left  struct{ Both, Left int }
	right struct{ Both, Right int }
	mid1  struct{ left }
	mid2  struct{ left }
)

// TestEmbeddedTwice has one struct by two ways at the same depth, so that its
// fields are nobody's.
func TestEmbeddedTwice(t *testing.T) {
	v := struct {
		mid1
		mid2
		right
	}{right: right{Both: 1, Right: 2}}
	b, err := etf.Marshal(v)
	require.NoError(t, err)
	term, err := etf.Decode(b)
	require.NoError(t, err)
	require.Equal(t, "#{'Both' => 1,'Right' => 2}", term.String())
}

// TestLongByteLists reads lists of bytes that are too long for STRING_EXT.
func TestLongByteLists(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	b, err := etf.Encode(etf.Charlist(long))
	require.NoError(t, err)
	var got []byte
	require.NoError(t, etf.Unmarshal(b, &got))
	require.Equal(t, long, string(got))
	again, err := etf.Marshal([]int(nil))
	require.NoError(t, err)
	require.NoError(t, etf.Unmarshal(again, &got))
	require.Empty(t, got)
}

func validCases() (encoded [][]byte) {
	for _, c := range cases.All() {
		if c.Err == "" {
			encoded = append(encoded, c.Bytes)
		}
	}
	return encoded
}

// TestMarshalDeepInMapsOfAnyKeys nests deeper than DefaultMaxDepth in a map whose
// keys are checked.
func TestMarshalDeepInMapsOfAnyKeys(t *testing.T) {
	var v any
	for range etf.DefaultMaxDepth + 100 {
		v = []any{v}
	}
	o := etf.EncodeOptions{MaxDepth: etf.DefaultMaxDepth + 200}
	b, err := o.Marshal(map[any]any{"k": v, 1: 2})
	require.NoError(t, err)
	require.NoError(t, etf.DecodeOptions{MaxDepth: o.MaxDepth}.Valid(b))
	_, err = o.Marshal(map[any]any{"k": v, named("k"): v})
	require.ErrorIs(t, err, etf.ErrDuplicateKey)
}
