package etf_test

import (
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
)

// everything has a field of every kind, each in several surroundings.
type everything struct {
	Bool    bool
	Int     int `etf:"int,binary"`
	Int8    int8
	Int16   int16 `etf:",omitempty"`
	Int32   int32
	Int64   int64 `etf:",omitzero"`
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	String  string
	Atom    string `etf:"atom,atom"`
	Chars   string `etf:",charlist"`
	Bytes   []byte
	Array   [3]int16
	Hash    [4]byte
	Slice   []string
	Bits    []uint16
	Map     map[string]int
	Any     any
	Anys    map[string]any
	ByInt   map[int64]string
	Big     *big.Int
	Time    time.Time
	Unix    time.Time `etf:",unixnano"`
	Text    upper     `etf:",omitempty"`
	Self    pair
	Pointer *everything `etf:",omitempty"`
	Record  point
	Tuple   couple
	Struct  user
	Deep    deep
	derived
}

// generated draws values of Go types, without those that unmarshal as others:
// nil slices and maps, and nil or the zero value behind a pointer.
func generated(t *rapid.T, typ reflect.Type, depth int) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(0, rapid.Int64Range(math.MinInt64/2, math.MaxInt64/2).Draw(t, "time")).UTC()))
		return v
	case reflect.TypeFor[big.Int]():
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "big"))
		v.Set(reflect.ValueOf(*new(big.Int).Set(n.Add(n, big.NewInt(rapid.Int64().Draw(t, "add"))))))
		return v
	case reflect.TypeFor[upper]():
		v.SetString(rapid.StringMatching(`[a-z]{0,5}x`).Draw(t, "upper"))
		return v
	case reflect.TypeFor[pair]():
		v.Set(reflect.ValueOf(pair{rapid.IntRange(0, 99).Draw(t, "left"), rapid.Int().Draw(t, "right")}))
		return v
	}
	switch typ.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int") >> (64 - typ.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - typ.Bits()))
	case reflect.Float32:
		v.SetFloat(float64(rapid.Float32().Draw(t, "float")))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	case reflect.String:
		v.SetString(rapid.StringN(0, 60, 255).Draw(t, "string"))
	case reflect.Slice:
		n := rapid.IntRange(0, 4).Draw(t, "len")
		v.Set(reflect.MakeSlice(typ, n, n))
		for i := range n {
			v.Index(i).Set(generated(t, typ.Elem(), depth+1))
		}
	case reflect.Array:
		for i := range typ.Len() {
			v.Index(i).Set(generated(t, typ.Elem(), depth+1))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		for range rapid.IntRange(0, 3).Draw(t, "pairs") {
			v.SetMapIndex(generated(t, typ.Key(), depth+1), generated(t, typ.Elem(), depth+1))
		}
	case reflect.Pointer:
		if depth < 3 && rapid.Bool().Draw(t, "pointer") || typ.Elem() == reflect.TypeFor[point]() || typ.Elem().Kind() != reflect.Struct {
			v.Set(generated(t, typ.Elem(), depth+1).Addr())
		}
	case reflect.Interface:
		if of := rapid.SampledFrom(anyTypes).Draw(t, "any"); of != nil && depth < 4 {
			v.Set(generated(t, of, depth+1))
		}
	case reflect.Struct:
		for i := range typ.NumField() {
			if f := typ.Field(i); f.IsExported() && f.Type != reflect.TypeFor[chan int]() {
				v.Field(i).Set(generated(t, f.Type, depth+1))
			}
		}
	default:
		t.Fatalf("no values of %v", typ)
	}
	return v
}

// anyTypes are those that come back from an interface as they were.
var anyTypes = []reflect.Type{
	nil, reflect.TypeFor[bool](), reflect.TypeFor[int64](), reflect.TypeFor[float64](), reflect.TypeFor[string](),
	reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any](),
}

// TestMarshalIdentity unmarshals what was marshaled.
func TestMarshalIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := generated(t, reflect.TypeFor[everything](), 0).Addr().Interface().(*everything)
		b, err := etf.Marshal(v)
		if err != nil {
			require.ErrorIs(t, err, etf.ErrFloat)
			return
		}
		require.NoError(t, etf.Valid(b))
		var got everything
		require.NoError(t, etf.Unmarshal(b, &got))
		require.Equal(t, v, &got)

		// By way of a Term, whose encoding differs in nothing.
		term, err := etf.Decode(b)
		require.NoError(t, err)
		canonical, err := etf.Encode(term)
		require.NoError(t, err)
		require.Equal(t, canonical, b)

		// What is read into any and marshaled again is one and the same from then on.
		var free, again any
		require.NoError(t, etf.Unmarshal(b, &free))
		b, err = etf.Marshal(free)
		require.NoError(t, err)
		require.NoError(t, etf.Unmarshal(b, &again))
		require.Equal(t, comparable(free), comparable(again))
	})
}

// comparable makes Terms within v into their texts.
func comparable(v any) any {
	switch v := v.(type) {
	case etf.Term:
		return v.String()
	case []any:
		for i := range v {
			v[i] = comparable(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = comparable(v[key])
		}
	}
	return v
}
