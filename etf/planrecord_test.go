package etf_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// A vec is a native record.
type vec struct {
	_    struct{} `etf:"geometry:vec,record,exported"`
	X    float64  `etf:"x"`
	Y    float64  `etf:"y"`
	Tag  string   `etf:"tag,atom"`
	Next *vec     `etf:"next"`
}

// A local has fields of embedded structs, one of which may not be there.
type local struct {
	_ struct{} `etf:"m:Local,record"`
	base
	*More
	Last int
}

type More struct {
	Extra string `etf:"extra"`
}

func marshaled(t *testing.T, v any) string {
	t.Helper()
	b, err := etf.Marshal(v)
	require.NoError(t, err)
	return decodeText(t, b)
}

func TestMarshalRecords(t *testing.T) {
	assert.Equal(t, "#geometry:vec{x = 1.0,y = 2.0,tag = a,next = #geometry:vec{x = 0.0,y = 0.0,tag = '',next = nil}}",
		marshaled(t, vec{X: 1, Y: 2, Tag: "a", Next: &vec{}}))
	assert.Equal(t, "#m:'Local'{id = 0,name = <<>>,'Clash' = 0,extra = nil,'Last' = 3}", marshaled(t, local{Last: 3}))
	assert.Equal(t, `#m:'Local'{id = 0,name = <<>>,'Clash' = 0,extra = <<"e">>,'Last' = 0}`, marshaled(t, local{More: &More{Extra: "e"}}))
	type none struct {
		_ struct{} `etf:"a:b,record"`
	}
	assert.Equal(t, "#a:b{}", marshaled(t, none{}))

	b, err := etf.Marshal([]any{vec{}, local{}})
	require.NoError(t, err)
	term, err := etf.Decode(b)
	require.NoError(t, err)
	exported, _ := term.At(0).Record()
	assert.True(t, exported.Exported)
	hidden, _ := term.At(1).Record()
	assert.False(t, hidden.Exported)

	b, err = etf.EncodeOptions{Deterministic: true, Compression: 9}.Marshal([]vec{{}, {}, {}, {}})
	require.NoError(t, err)
	var again []vec
	require.NoError(t, etf.Unmarshal(b, &again))
	assert.Len(t, again, 4)
}

// vecTerm is an encoded record of geometry:vec with these fields.
func vecTerm(t *testing.T, exported bool, fields ...etf.RecordField) []byte {
	t.Helper()
	b, err := etf.Encode(etf.Record(etf.RecordValue{Module: "geometry", Name: "vec", Exported: exported, Fields: fields}))
	require.NoError(t, err)
	return b
}

func TestUnmarshalRecords(t *testing.T) {
	x, y := etf.RecordField{Name: "x", Value: etf.Int(1)}, etf.RecordField{Name: "y", Value: etf.Float(2)}
	z := etf.RecordField{Name: "z", Value: etf.List(etf.Int(1), etf.Tuple())}
	for name, fields := range map[string][]etf.RecordField{
		"in order": {x, y}, "turned": {y, x}, "more": {z, x, y, {Name: strings.Repeat("z", 200), Value: etf.Charlist("abc")}},
	} {
		for _, exported := range []bool{true, false} {
			v := vec{Tag: "kept", Next: &vec{}}
			require.NoError(t, etf.Unmarshal(vecTerm(t, exported, fields...), &v), name)
			assert.Equal(t, vec{X: 1, Y: 2, Tag: "kept", Next: &vec{}}, v, name)
		}
	}
	v := vec{X: 1}
	require.NoError(t, etf.Unmarshal(encoded(t, "undefined"), &v))
	assert.Zero(t, v)

	var l local
	b, err := etf.Marshal(local{More: &More{Extra: "e"}, base: base{Name: "n"}})
	require.NoError(t, err)
	require.NoError(t, etf.Unmarshal(b, &l))
	assert.Equal(t, "n e", l.base.Name+" "+l.Extra)

	var any any
	require.NoError(t, etf.Unmarshal(vecTerm(t, true, x), &any))
	require.IsType(t, etf.Term{}, any)
	assert.Equal(t, "#geometry:vec{x = 1}", any.(etf.Term).String())
	var value etf.RecordValue
	require.NoError(t, etf.Unmarshal(vecTerm(t, true, x), &value))
	assert.Equal(t, "x", value.Fields[0].Name)
	var raw etf.Raw
	require.NoError(t, etf.Unmarshal(vecTerm(t, true, x), &raw))
	assert.Equal(t, etf.Raw(vecTerm(t, true, x)[1:]), raw)
	again, err := etf.Marshal(raw)
	require.NoError(t, err)
	assert.Equal(t, vecTerm(t, true, x), again)
}

func TestUnmarshalRecordErrors(t *testing.T) {
	long := strings.Repeat("l", 65)
	type other struct {
		_    struct{} `etf:"geometry:vec,record"`
		Long int      `etf:"lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll"`
	}
	x := etf.RecordField{Name: "x", Value: etf.Atom("a")}
	tuple, err := etf.Encode(etf.Tuple(etf.Atom("vec"), etf.Int(1)))
	require.NoError(t, err)
	elsewhere, err := etf.Encode(etf.Record(etf.RecordValue{Module: "m", Name: "vec"}))
	require.NoError(t, err)
	for _, test := range []struct {
		bytes  []byte
		into   any
		strict bool
		err    string
		is     error
	}{
		{tuple, new(vec), false, "tuple at byte 1 into a Go etf_test.vec", etf.ErrKind},
		{encoded(t, "#{x => 1.0}"), new(vec), false, "map at byte 1 into a Go etf_test.vec", etf.ErrKind},
		{elsewhere, new(vec), false, "record at byte 1 into a Go etf_test.vec: another record or struct", etf.ErrStruct},
		{vecTerm(t, true, x), new(point), false, "record at byte 1 into a Go etf_test.point", etf.ErrKind},
		{vecTerm(t, true, x), new(user), false, "record at byte 1 into a Go etf_test.user", etf.ErrKind},
		{vecTerm(t, true, x), new(string), false, "record at byte 1 into a Go string", etf.ErrKind},
		{vecTerm(t, true, x), new(map[string]any), false, "record at byte 1 into a Go map[string]interface {}", etf.ErrKind},
		{vecTerm(t, true, x), new(vec), false, "atom at byte 25 into a Go float64, in #_{x}", etf.ErrKind},
		{
			vecTerm(t, true, etf.RecordField{Name: "x y", Value: etf.Int(1)}, etf.RecordField{Name: long, Value: etf.Float(1)}), new(other), false,
			"float at byte 96 into a Go int, in #_{field 1}", etf.ErrKind,
		},
		{vecTerm(t, true, etf.RecordField{Name: "z", Value: etf.Int(1)}), new(vec), true, "record at byte 1 into a Go etf_test.vec: key that is no field", etf.ErrUnknownField},
		{elsewhere, new(etf.FunValue), false, "record at byte 1 into a Go etf.FunValue", etf.ErrKind},
		{tuple, new(etf.RecordValue), false, "tuple at byte 1 into a Go etf.RecordValue", etf.ErrKind},
	} {
		err := etf.DecodeOptions{DisallowUnknownFields: test.strict}.Unmarshal(test.bytes, test.into)
		assert.EqualError(t, err, "etf: cannot unmarshal "+test.err)
		assert.ErrorIs(t, err, test.is)
	}
}

func TestRecordTagErrors(t *testing.T) {
	for _, v := range []any{
		struct {
			_ struct{} `etf:":r,record"`
		}{},
		struct {
			_ struct{} `etf:"m:,record"`
		}{},
		struct {
			_ struct{} `etf:"m:\xff,record"`
		}{},
		struct {
			_ struct{} `etf:"m:r,record,tuple"`
		}{},
		struct {
			_ struct{} `etf:"m:r,exported"`
		}{},
		struct {
			_ struct{} `etf:"m:r,record"`
			A int      `etf:",omitzero"`
		}{},
		struct {
			_ struct{} `etf:"m:r,record"`
			A int      `etf:",binary"`
		}{},
		struct {
			_ struct{} `etf:"m:r,record"`
			A int      `etf:"\xff"`
		}{},
	} {
		_, err := etf.Marshal(v)
		assert.ErrorIs(t, err, etf.ErrType, "%T", v)
		assert.ErrorContains(t, err, "the tag of field", "%T", v)
		assert.ErrorIs(t, etf.Unmarshal(vecTerm(t, true), reflect.New(reflect.TypeOf(v)).Interface()), etf.ErrType, "%T", v)
	}
}
