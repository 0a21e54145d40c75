package etf_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// geometry is a record of two fields.
func geometry(x float64, y etf.Term) etf.RecordValue {
	return etf.RecordValue{
		Module: "geometry", Name: "vec", Exported: true,
		Fields: []etf.RecordField{{Name: "x", Value: etf.Float(x)}, {Name: "Y", Value: y}},
	}
}

// fake is the term that OTP's own test suite has a function of this name for
// (fake_record_bin/4 in native_record_SUITE): fields are name, value, name, value.
func fake(t *testing.T, module, name string, exported int, fields ...any) etf.Term {
	t.Helper()
	var names, values []byte
	for i := 0; i < len(fields); i += 2 {
		value, err := etf.Parse(fmt.Sprint(fields[i+1]))
		require.NoError(t, err)
		encoded, err := etf.EncodeOptions{NoVersion: true}.Encode(value)
		require.NoError(t, err)
		names, values = append(names, cases.Atom(fields[i].(string))...), append(values, encoded...)
	}
	term, err := etf.Decode(cases.Join(131, 67, cases.U32(len(fields)/2), exported, cases.Atom(module), cases.Atom(name), names, values))
	require.NoError(t, err)
	return term
}

// TestRecordOrder has the comparisons of that test suite, from term_order_module/0 to
// term_order_values/0, and its term_order/1.
func TestRecordOrder(t *testing.T) {
	const m = "native_record_SUITE"
	a := fake(t, m, "a", 0, "x", 1, "y", 2)
	bb := fake(t, m, "bb", 0, "a", 0, "b", 0)
	for i, pair := range [][2]etf.Term{
		{etf.Int(42), a}, {etf.Float(42), a}, {etf.Atom("atom"), a}, {etf.Ref(etf.RefValue{Words: []uint32{1}}), a},
		{etf.Pid(etf.PidValue{}), a}, {etf.Tuple(etf.Atom("a"), etf.Atom("b"), etf.Atom("c")), a},
		{a, etf.Map()}, {a, etf.List()}, {a, etf.List(etf.Atom("a"))}, {a, etf.String("abc")},

		{fake(t, "aa_module", "a", 0, "a", 0), a}, {fake(t, "aa_module", "a", 0, "x", 0, "y", 0, "z", 0), a},
		{a, fake(t, "zz_module", "a", 0, "a", 0)}, {a, fake(t, "zz_module", "a", 0, "a", 0, "b", 0, "c", 0)},

		{a, bb}, {bb, fake(t, m, "c", 0, "x", 0)},
		{fake(t, m, "a", 0, "a", 0), bb}, {fake(t, m, "a", 0, "x", 0, "y", 0, "z", 0), bb}, {bb, fake(t, m, "z", 0, "a", 0)},

		{a, fake(t, m, "a", 1, "x", 1, "y", 2)}, {a, fake(t, m, "a", 1)},

		{fake(t, m, "a", 0, "z", 0), a}, {a, fake(t, m, "a", 0, "a", 0, "b", 0, "c", 0)}, {a, fake(t, m, "a", 0, "z", 0, "w", 0, "q", 0)},

		{fake(t, m, "a", 0, "a", 10, "b", 100), a}, {fake(t, m, "a", 0, "b", 2, "a", 1), a},
		{a, fake(t, m, "a", 0, "y", 0, "z", 0)}, {a, fake(t, m, "a", 0, "y", 0, "x", 0)},
		{
			fake(t, m, "order", 0, "wwww", 3, "zzzz", 0, "true", 1, "aaaa", 2),
			fake(t, m, "order", 0, "zzzz", 0, "true", 1, "aaaa", 2, "wwww", 3),
		},
		{
			fake(t, m, "order", 0, "zzzz", 0, "true", 1, "aaaa", 2, "wwww", 3),
			fake(t, m, "order", 0, "zzzz", 0, "true", 1, "wwww", 3, "aaaa", 2),
		},
		{fake(t, m, "a", 0, "a", 0, "b", 0), fake(t, m, "a", 0, "b", 0, "a", 0)},

		{fake(t, m, "r", 0, "a", 0, "b", 10), fake(t, m, "r", 0, "a", 10, "b", 5)},
		{fake(t, m, "r", 0, "b", 0, "a", 10), fake(t, m, "r", 0, "b", 10, "a", 5)},
		{fake(t, m, "r", 0, "a", "[0]", "b", "[10]"), fake(t, m, "r", 0, "a", "[10]", "b", "[5]")},
		{fake(t, m, "r", 0, "b", "{0}", "a", "{10}"), fake(t, m, "r", 0, "b", "{10}", "a", "{5}")},
	} {
		assert.Equal(t, -1, sign(etf.Compare(pair[0], pair[1])), "%d: %v and %v", i, pair[0], pair[1])
		assert.Equal(t, 1, sign(etf.Compare(pair[1], pair[0])), "%d: %v and %v", i, pair[0], pair[1])
		assert.False(t, etf.Equal(pair[0], pair[1]))
	}

	// As of all containers: == is not =:=, but for keys.
	one, float := fake(t, m, "a", 0, "x", 1), fake(t, m, "a", 0, "x", "1.0")
	assert.Zero(t, etf.Compare(one, float))
	assert.False(t, etf.Equal(one, float))
	v := etf.Atom("v")
	assert.Equal(t, 2, etf.Map(etf.Pair{Key: one, Value: v}, etf.Pair{Key: float, Value: v}).Len())
	assert.Equal(t, 1, etf.Map(etf.Pair{Key: one, Value: v}, etf.Pair{Key: one.Clone(), Value: v}).Len())
	assert.True(t, etf.Equal(fake(t, m, "a", 0, "x", "#{1 => a,2 => b}"), fake(t, m, "a", 0, "x", "#{2 => b,1 => a}")))
}

// TestRecordFlags: OTP's suite has all others refused.
func TestRecordFlags(t *testing.T) {
	for flag := range 256 {
		err := etf.Valid(cases.Join(131, 67, cases.U32(0), flag, cases.Atom("m"), cases.Atom("r")))
		if flag < 2 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, etf.ErrRecord)
		require.EqualError(t, err, "etf: native record with a bad flag, or with a field that is there twice at byte 1")
	}
}

func TestRecordValue(t *testing.T) {
	want := geometry(2, etf.Tuple(etf.Int(1)))
	b, err := etf.Encode(etf.Record(want))
	require.NoError(t, err)
	decoded, err := etf.Decode(b)
	require.NoError(t, err)
	for _, term := range []etf.Term{etf.Record(want), decoded, decoded.Clone()} {
		got, ok := term.Record()
		require.True(t, ok)
		assert.Equal(t, "geometry:vec true", fmt.Sprint(got.Module, ":", got.Name, " ", got.Exported))
		require.Len(t, got.Fields, 2)
		assert.Equal(t, "[{x 2.0} {Y {1}}]", fmt.Sprint(got.Fields))
		y, ok := term.Field("Y")
		require.True(t, ok)
		assert.Equal(t, "{1}", y.String())
		_, ok = term.Field("y")
		assert.False(t, ok)
		got.Fields[0].Name, got.Fields[1].Value = "changed", etf.Int(0)
		assert.Equal(t, "#geometry:vec{x = 2.0,'Y' = {1}}", term.String())
	}
	want.Fields[0].Name = "changed" // it has been copied
	none, ok := etf.Record(etf.RecordValue{Module: "m"}).Record()
	require.True(t, ok)
	assert.Nil(t, none.Fields)
}

func TestRecordsThatCannotBeEncoded(t *testing.T) {
	long := strings.Repeat("x", 256)
	field := func(name string, value etf.Term) etf.RecordValue {
		return etf.RecordValue{Module: "m", Name: "r", Fields: []etf.RecordField{{Name: "ok", Value: etf.Int(1)}, {Name: name, Value: value}}}
	}
	for _, test := range []struct {
		value etf.RecordValue
		err   string
	}{
		{etf.RecordValue{Module: "\xff", Name: "r"}, "atom that is not UTF-8 of at most 255 characters, in {0}"},
		{etf.RecordValue{Module: "m", Name: long}, "atom that is not UTF-8 of at most 255 characters, in {0}"},
		{field(long, etf.Int(1)), "atom that is not UTF-8 of at most 255 characters, in {0}"},
		{field("a", etf.Term{}), "zero Term, in {0}#_{a}"},
		{field("a b", etf.List(etf.Term{})), "zero Term, in {0}#_{'a b'}[0]"},
		{field(long[:100], etf.List(etf.Term{})), "zero Term, in {0}#_{field 1}[0]"},
	} {
		b, err := etf.Append([]byte("kept"), etf.Tuple(etf.Record(test.value)))
		require.EqualError(t, err, "etf: cannot encode "+test.err)
		require.Equal(t, "kept", string(b))
	}
}

func TestErrorInARecordTellsWhere(t *testing.T) {
	head := cases.Join(131, 104, 1, 67, cases.U32(3), 0, cases.Atom("m"), cases.Atom("r"))
	long := strings.Repeat("x", 65)
	names := cases.Join(115, 1, 0xE9, cases.Atom("a b"), cases.Atom(long))
	for i, path := range []string{"{0}#_{é}[0]", "{0}#_{'a b'}[0]", "{0}#_{field 2}[0]"} {
		b := cases.Join(head, names, slices.Repeat([]byte{106}, i), 108, cases.U32(1), 117, 106, 106, 106, 106)
		_, err := etf.Decode(b)
		var syntax *etf.SyntaxError
		require.ErrorAs(t, err, &syntax)
		assert.Equal(t, path, syntax.Path)
		assert.Equal(t, len(head)+len(names)+i+5, syntax.Offset)
		require.ErrorIs(t, err, etf.ErrTag)
	}
	_, err := etf.Decode(cases.Join(131, 104, 2, 106, 67, cases.U32(2), 0, cases.Atom("m"), cases.Atom("r"), cases.Atom("a"), 115, 1, "a", 106, 106))
	require.EqualError(t, err, "etf: native record with a bad flag, or with a field that is there twice at byte 19, in {1}")
}

// TestRecordLimits: a record counts 2, and each field 2 more, and is as deep as its
// values, if there are any.
func TestRecordLimits(t *testing.T) {
	b, err := etf.Encode(etf.Record(geometry(1, etf.List())))
	require.NoError(t, err)
	require.NoError(t, etf.DecodeOptions{MaxTerms: 6, MaxDepth: 1}.Valid(b))
	require.ErrorIs(t, etf.DecodeOptions{MaxTerms: 5}.Valid(b), etf.ErrLimit)
	require.ErrorIs(t, etf.DecodeOptions{MaxTerms: 3}.Valid(b), etf.ErrLimit)
	empty, err := etf.Encode(etf.Tuple(etf.Record(etf.RecordValue{})))
	require.NoError(t, err)
	require.NoError(t, etf.DecodeOptions{MaxDepth: 1}.Valid(empty))
	within, err := etf.Encode(etf.Tuple(etf.Record(geometry(1, etf.List()))))
	require.NoError(t, err)
	require.ErrorIs(t, etf.DecodeOptions{MaxDepth: 1}.Valid(within), etf.ErrLimit)
	_, err = etf.EncodeOptions{MaxDepth: 1, Deterministic: true}.Encode(etf.Tuple(etf.Record(geometry(1, etf.List()))))
	require.ErrorIs(t, err, etf.ErrLimit)
	_, err = etf.EncodeOptions{MaxDepth: 1, Deterministic: true}.Encode(etf.Map(etf.Pair{Key: etf.Record(etf.RecordValue{}), Value: etf.Int(1)}))
	require.NoError(t, err)
}

// TestRecordModes writes records in all modes, with maps in them.
func TestRecordModes(t *testing.T) {
	term := etf.Record(etf.RecordValue{Module: "m", Name: "é", Fields: []etf.RecordField{
		{Name: "λ", Value: etf.Map(etf.Pair{Key: etf.Int(2), Value: etf.List()}, etf.Pair{Key: etf.Int(1), Value: etf.List()})},
	}})
	sorted := cases.Join(116, cases.U32(2), 97, 1, 106, 97, 2, 106)
	b, err := etf.EncodeOptions{Deterministic: true}.Encode(term)
	require.NoError(t, err)
	assert.Equal(t, cases.Join(131, 67, cases.U32(1), 0, cases.Atom("m"), cases.Atom("é"), cases.Atom("λ"), sorted), b)
	require.NoError(t, etf.DecodeOptions{Strict: true}.Valid(b))
	b, err = etf.EncodeOptions{Deterministic: true, MinorVersion: 1}.Encode(term)
	require.NoError(t, err)
	assert.Equal(t, cases.Join(131, 67, cases.U32(1), 0, 100, 0, 1, "m", 100, 0, 1, 0xE9, cases.Atom("λ"), sorted), b)

	// As a key, where its maps have to be in order first.
	key := etf.Map(etf.Pair{Key: term, Value: etf.Int(1)})
	b, err = etf.EncodeOptions{Deterministic: true}.Encode(key)
	require.NoError(t, err)
	assert.Equal(t, cases.Join(131, 116, cases.U32(1), 67, cases.U32(1), 0, cases.Atom("m"), cases.Atom("é"), cases.Atom("λ"), sorted, 97, 1), b)
}

// TestRecordsOverADistributionConnection has the atoms of a record in the cache.
func TestRecordsOverADistributionConnection(t *testing.T) {
	var encoder etf.DistEncoder
	var decoder etf.DistDecoder
	message := etf.DistMessage{Control: etf.Tuple(etf.Int(6)), Payload: etf.Record(geometry(1, etf.Atom("vec")))}
	sizes := []int{}
	for range 2 {
		b, err := encoder.Append(nil, message)
		require.NoError(t, err)
		sizes = append(sizes, len(b))
		again, complete, err := decoder.Decode(b)
		require.NoError(t, err)
		require.True(t, complete)
		require.True(t, etf.Equal(message.Payload, again.Payload))
	}
	assert.Less(t, sizes[1], sizes[0])

	// What is wrong behind a header is found and told by name.
	header := cases.Join(131, 68, 3, 0x88, 0x08, 1, 1, "m", 2, 1, "r", 3, 1, "a", 104, 0)
	for _, test := range []struct {
		bytes []byte
		err   string
	}{
		{cases.Join(67, cases.U32(1), 0, 82, 0, 82, 1, 82, 2, 117), "tag 117 (FUN_EXT), which starts no term here at byte 28, in #_{a}"},
		{cases.Join(67, cases.U32(2), 0, 82, 0, 82, 1, 82, 2, cases.Atom("a"), 106, 106), "there twice at byte 28"},
		{cases.Join(67, cases.U32(1), 0, 82, 0, 82, 1, 82, 3, 106), "reference to an atom that has not been cached at byte 26"},
	} {
		_, _, err := new(etf.DistDecoder).Decode(append(slices.Clone(header), test.bytes...))
		require.ErrorContains(t, err, test.err)
	}
}

// TestRecordHeads reads heads with a cursor.
func TestRecordHeads(t *testing.T) {
	b, err := etf.AppendRecordHeader(etf.AppendVersion(nil), "m", "r", true, "a", "b c")
	require.NoError(t, err)
	b = etf.AppendInt(etf.AppendInt(b, 1), 2)
	require.Equal(t, "#m:r{a = 1,'b c' = 2}", decodeText(t, b))
	c, err := etf.NewCursor(b)
	require.NoError(t, err)
	require.Equal(t, etf.KindRecord, c.Kind())
	r, err := c.Record()
	require.NoError(t, err)
	assert.Equal(t, "m:r true 2", fmt.Sprintf("%s:%s %t %d", r.Module, r.Name, r.Exported, r.Len))
	var names []string
	for name := range r.Names() {
		names = append(names, string(name))
		v, err := c.Int()
		require.NoError(t, err)
		assert.Equal(t, int64(len(names)), v)
	}
	assert.Equal(t, []string{"a", "b c"}, names)
	require.NoError(t, c.End())
	for name := range r.Names() {
		assert.Equal(t, "a", string(name))
		break
	}
	for range (etf.RecordHead{}).Names() {
		t.Fatal("a name of nothing")
	}
	require.Zero(t, testing.AllocsPerRun(20, func() {
		c, _ := etf.NewCursor(b)
		r, _ := c.Record()
		for name := range r.Names() {
			if len(name) == 0 || c.Skip() != nil {
				panic("another name")
			}
		}
	}))
}

// TestRecordsInTwoOrders compares what Compare and Equal say with the values.
func TestRecordsInTwoOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := termgen.Record(termgen.Int()).Draw(t, "a")
		b := termgen.Record(termgen.Int()).Draw(t, "b")
		va, _ := a.Record()
		vb, _ := b.Record()
		same := va.Module == vb.Module && va.Name == vb.Name && va.Exported == vb.Exported &&
			slices.EqualFunc(va.Fields, vb.Fields, func(x, y etf.RecordField) bool { return x.Name == y.Name && etf.Equal(x.Value, y.Value) })
		require.Equal(t, same, etf.Equal(a, b))
		require.Equal(t, same, etf.Compare(a, b) == 0)
		for _, field := range va.Fields {
			value, ok := a.Field(field.Name)
			require.True(t, ok)
			require.True(t, etf.Equal(field.Value, value))
		}
	})
}
