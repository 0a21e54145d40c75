package etf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// encoded is a term in Erlang's syntax, encoded.
func encoded(t *testing.T, text string) []byte {
	t.Helper()
	term, err := etf.Parse(text)
	require.NoError(t, err, text)
	b, err := etf.Encode(term)
	require.NoError(t, err)
	return b
}

func TestUnmarshal(t *testing.T) {
	number := 5
	for _, c := range []struct {
		text string
		into any // a pointer to what is there before
		want any
	}{
		// What fits besides what Marshal makes.
		{"1", new(float64), 1.0},
		{"1", new(float32), float32(1)},
		{"18446744073709551616", new(float64), 18446744073709551616.0},
		{"[1,2,3]", new([]byte), []byte{1, 2, 3}},
		{"[1,2,3]", new([3]byte), [3]byte{1, 2, 3}},
		{"[]", new([]byte), []byte{}},
		{"[1|[2|[3]]]", new([]byte), []byte{1, 2, 3}},
		{`#{a => 1,<<"b">> => 2}`, new(map[string]int), map[string]int{"a": 1, "b": 2}},
		{`#{'\x{e9}' => 1}`, new(map[named]int), map[named]int{"é": 1}},
		{`#{<<"admin">> => true,<<"name">> => <<"A">>}`, new(user), user{Name: "A", Admin: true}},
		{`#{mode => <<"r">>,modes => [<<"a">>,b],text => <<"t">>}`, new(options), options{Mode: "r", Modes: []string{"a", "b"}, Text: ptr(named("t"))}},
		{`#{text => []}`, new(options), options{Text: ptr(named(""))}},
		{`#{text => "abc"}`, new(options), options{Text: ptr(named("abc"))}},
		{"atom", new(upper), upper("atom")},

		// nil is zero.
		{"nil", ptr(true), false},
		{"undefined", ptr(1), 0},
		{"nil", ptr(uint8(1)), uint8(0)},
		{"nil", ptr(1.5), 0.0},
		{"nil", ptr(float32(1.5)), float32(0)},
		{"nil", ptr("x"), ""},
		{"nil", &[]byte{1}, []byte(nil)},
		{"nil", &[2]byte{1, 2}, [2]byte{}},
		{"nil", &[]int{1}, []int(nil)},
		{"nil", &[2]int{1, 2}, [2]int{}},
		{"nil", &map[string]int{"a": 1}, map[string]int(nil)},
		{"nil", &map[int]int{1: 1}, map[int]int(nil)},
		{"nil", &user{Name: "x"}, user{}},
		{`#{a => nil,b => <<"B">>,<<"c">> => undefined}`, new(map[string]string), map[string]string{"a": "", "b": "B", "c": ""}},
		{`[<<"a">>,nil|[<<"b">>]]`, new([]string), []string{"a", "", "b"}},
		{"nil", &point{X: 1}, point{}},
		{"nil", ptr(&number), (*int)(nil)},
		{"nil", ptr[any](1), nil},
		{"nil", ptr[any](&number), nil},
		{"nil", ptr[fmt.Stringer](time.Second), nil},
		{"nil", ptr(*huge), big.Int{}},
		{"nil", ptr(noon), time.Time{}},
		{"nil", ptr(upper("x")), upper("")},
		{"nil", &etf.PidValue{Node: "a"}, etf.PidValue{}},
		{"#{unix => nil,modes => nil,mode => <<>>,text => nil}", &options{Unix: noon, Mode: "x", Text: ptr(named("x"))}, options{}},

		// What the term lacks is kept; the rest is new.
		{"#{}", &user{Name: "kept"}, user{Name: "kept"}},
		{"#{unknown => [{x,[1,2,3|4]},#{1 => 2.0,\"s\" => 100000000000}],name => <<\"N\">>,1 => <<1:3>>,{} => fun a:b/1}", &user{Age: 1}, user{Name: "N", Age: 1}},
		{"[1]", &[]int{7, 8, 9}, []int{1}},
		{`#{<<"b">> => 2}`, &map[string]int{"a": 1}, map[string]int{"b": 2}},
		{"5", ptr(&number), &number},
		{"#{extra => <<\"e\">>}", &derived{}, derived{Other: &Other{Extra: "e"}}},

		// Other encodings of lists.
		{"[1|[2|[3]]]", new([]int), []int{1, 2, 3}},

		// any.
		{`[1,18446744073709551616,1.5,true,false,nil,undefined,<<"b">>,[],[a],#{}]`, new(any), []any{
			int64(1), new(big.Int).Lsh(big.NewInt(1), 64), 1.5, true, false, nil, nil, "b", []any{}, []any{etf.Atom("a")}, map[string]any{},
		}},
		{`#{a => 1,<<"b">> => #{1 => a, -2 => 2}}`, new(any), map[string]any{"a": int64(1), "b": map[int64]any{1: etf.Atom("a"), -2: int64(2)}}},
		{`#{a => 1,<<"a">> => 2}`, new(any), etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.Int(1)}, etf.Pair{Key: etf.String("a"), Value: etf.Int(2)})},
		{`#{a => 1,1 => 2}`, new(any), nil},
		{`#{1 => 1,a => 2}`, new(any), nil},
		{`#{1.5 => 1}`, new(any), nil},
		{`[1|2]`, new(any), nil},
		{`{1,2}`, new(any), nil},
		{`<<1:3>>`, new(any), nil},
		{`fun a:b/1`, new(any), nil},
		{`"text"`, new(any), []any{int64('t'), int64('e'), int64('x'), int64('t')}},
	} {
		t.Run(fmt.Sprintf("%T %.40s", c.into, c.text), func(t *testing.T) {
			b := encoded(t, c.text)
			require.NoError(t, etf.Unmarshal(b, c.into))
			got := reflect.ValueOf(c.into).Elem().Interface()
			if term, ok := got.(etf.Term); ok {
				want, err := etf.Decode(b)
				require.NoError(t, err)
				require.True(t, etf.Equal(want, term))
				return
			}
			if fmt.Sprintf("%+v", c.want) != fmt.Sprintf("%+v", got) || c.want == nil {
				require.Equal(t, c.want, got)
			}
			require.IsType(t, c.want, got)
		})
	}
}

// TestUnmarshalIsACopy changes the input after it has been read.
func TestUnmarshalIsACopy(t *testing.T) {
	var v struct {
		Short, Long string
		Bytes       []byte
		Term        etf.Term
		Raw         etf.Raw
		Any         any
		Map         map[string]string
	}
	long := strings.Repeat("long ", 100)
	b := encoded(t, `#{'Short' => <<"short">>,'Long' => <<"`+long+`">>,'Bytes' => <<1,2>>,'Term' => [<<"t">>],'Raw' => <<"r">>,'Any' => [<<"any">>],'Map' => #{k => <<"v">>}}`)
	require.NoError(t, etf.Unmarshal(b, &v))
	clear(b)
	assert.Equal(t, "short", v.Short)
	assert.Equal(t, long, v.Long)
	assert.Equal(t, []byte{1, 2}, v.Bytes)
	assert.Equal(t, `[<<"t">>]`, v.Term.String())
	assert.Equal(t, etf.Raw{109, 0, 0, 0, 1, 'r'}, v.Raw)
	assert.Equal(t, []any{"any"}, v.Any)
	assert.Equal(t, map[string]string{"k": "v"}, v.Map)

	// Neither does an append to what shares memory reach what lies behind it.
	require.NoError(t, etf.Unmarshal(encoded(t, `[<<1>>,<<2>>]`), ptr([][]byte{})))
}

func TestUnmarshalErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		into any
		err  string
		is   error
	}{
		{"a", new(int), "etf: cannot unmarshal atom at byte 1 into a Go int", etf.ErrKind},
		{"1", new(string), "etf: cannot unmarshal int at byte 1 into a Go string", etf.ErrKind},
		{"1", new(bool), "etf: cannot unmarshal int at byte 1 into a Go bool", etf.ErrKind},
		{"maybe", new(bool), "etf: cannot unmarshal atom at byte 1 into a Go bool", etf.ErrKind},
		{"1.0", new(int), "etf: cannot unmarshal float at byte 1 into a Go int", etf.ErrKind},
		{"1.0", new(big.Int), "etf: cannot unmarshal float at byte 1 into a Go big.Int", etf.ErrKind},
		{"300", new(uint8), "etf: cannot unmarshal int at byte 1 into a Go uint8: number that does not fit", etf.ErrRange},
		{"-129", new(int8), "etf: cannot unmarshal int at byte 1 into a Go int8: number that does not fit", etf.ErrRange},
		{"-1", new(uint), "etf: cannot unmarshal int at byte 1 into a Go uint: number that does not fit", etf.ErrRange},
		{"18446744073709551616", new(uint64), "etf: cannot unmarshal big int at byte 1 into a Go uint64: number that does not fit", etf.ErrRange},
		{"18446744073709551616", new(int), "etf: cannot unmarshal big int at byte 1 into a Go int: number that does not fit", etf.ErrRange},
		{"18446744073709551616", new(string), "etf: cannot unmarshal big int at byte 1 into a Go string", etf.ErrKind},
		{"1.0e300", new(float32), "etf: cannot unmarshal float at byte 1 into a Go float32: number that does not fit", etf.ErrRange},
		{"1" + strings.Repeat("0", 400), new(float64), "etf: cannot unmarshal big int at byte 1 into a Go float64: number that does not fit", etf.ErrRange},
		{"a", new(float32), "etf: cannot unmarshal atom at byte 1 into a Go float32", etf.ErrKind},
		{"{}", new([]int), "etf: cannot unmarshal tuple at byte 1 into a Go []int", etf.ErrKind},
		{"{}", new(map[string]int), "etf: cannot unmarshal tuple at byte 1 into a Go map[string]int", etf.ErrKind},
		{"{}", new([]byte), "etf: cannot unmarshal tuple at byte 1 into a Go []uint8", etf.ErrKind},
		{"[256]", new([]byte), "etf: cannot unmarshal list at byte 1 into a Go []uint8", etf.ErrKind},
		{"<<1>>", new([2]byte), "etf: cannot unmarshal binary at byte 1 into a Go [2]uint8: wrong number of elements", etf.ErrLength},
		{"[1]", new([2]int), "etf: cannot unmarshal list at byte 1 into a Go [2]int: wrong number of elements", etf.ErrLength},
		{"[1,2,3]", new([2]int), "etf: cannot unmarshal list at byte 1 into a Go [2]int: wrong number of elements", etf.ErrLength},
		{"[1,2|3]", new([2]int), "etf: cannot unmarshal list at byte 1 into a Go [2]int", etf.ErrKind},
		{"[a,2]", new([2]int), "etf: cannot unmarshal atom at byte 6 into a Go int, in [0]", etf.ErrKind},
		{"[1,2|3]", new([]int), "etf: cannot unmarshal list at byte 1 into a Go []int", etf.ErrKind},
		{"[1,[2,a]]", new([]any), "", nil},
		{"[[1],[2,a]]", new([][]int), "etf: cannot unmarshal atom at byte 17 into a Go int, in [1][1]", etf.ErrKind},
		{`#{a => 1,b => c}`, new(map[string]int), "etf: cannot unmarshal atom at byte 14 into a Go int, in #{b}", etf.ErrKind},
		{`#{1 => c}`, new(map[int]int), "etf: cannot unmarshal atom at byte 8 into a Go int, in #{1}", etf.ErrKind},
		{`#{c => 1}`, new(map[int]int), "etf: cannot unmarshal atom at byte 6 into a Go int, in #key(0)", etf.ErrKind},
		{`#{1 => 1}`, new(map[string]string), "etf: cannot unmarshal int at byte 6 into a Go string, in #key(0)", etf.ErrKind},
		{`#{a => 1}`, new(map[string]string), "etf: cannot unmarshal int at byte 9 into a Go string, in #{a}", etf.ErrKind},
		{`#{a => <<>>,<<"a">> => <<>>}`, new(map[string]string), "etf: cannot unmarshal binary at byte 14 into a Go map[string]string: map key that is there already", etf.ErrDuplicateKey},
		{`#{1 => 1}`, new(map[string]any), "etf: cannot unmarshal int at byte 6 into a Go string, in #key(0)", etf.ErrKind},
		{`#{a => 1,<<"a">> => 1}`, new(map[string]any), "etf: cannot unmarshal binary at byte 11 into a Go map[string]interface {}: map key that is there already", etf.ErrDuplicateKey},
		{`x`, new(map[string]string), "etf: cannot unmarshal atom at byte 1 into a Go map[string]string", etf.ErrKind},
		{`[<<"a">>,1]`, new([]string), "etf: cannot unmarshal int at byte 12 into a Go string, in [1]", etf.ErrKind},
		{`[<<"a">>|<<"b">>]`, new([]string), "etf: cannot unmarshal list at byte 1 into a Go []string", etf.ErrKind},
		{`#{1 => 1}`, new(map[string]int), "etf: cannot unmarshal int at byte 6 into a Go string, in #key(0)", etf.ErrKind},
		{`#{a => 1,<<"a">> => 1}`, new(map[string]int), "etf: cannot unmarshal binary at byte 11 into a Go map[string]int: map key that is there already", etf.ErrDuplicateKey},
		{`#{a => 1,<<"A">> => 1}`, new(map[upper]int), "etf: cannot unmarshal binary at byte 11 into a Go map[etf_test.upper]int: map key that is there already", etf.ErrDuplicateKey},
		{`#{age => 1,<<"age">> => 1}`, new(user), "etf: cannot unmarshal binary at byte 13 into a Go etf_test.user: map key that is there already", etf.ErrDuplicateKey},
		{`#{[] => 1}`, new(map[any]int), "etf: cannot unmarshal list at byte 6 into a Go interface {}", etf.ErrKind},
		{`#{age => x}`, new(user), "etf: cannot unmarshal atom at byte 11 into a Go int, in #{age}", etf.ErrKind},
		{`[#{by_name => #{}},1]`, new(user), "etf: cannot unmarshal list at byte 1 into a Go etf_test.user", etf.ErrKind},
		{`#{list => [#{by_name => #{<<"p">> => {point,1,a}}}]}`, new(deep), `etf: cannot unmarshal atom at byte 53 into a Go float64, in #{list}[0]#{by_name}#{<<"p">>}{2}`, etf.ErrKind},
		{`#{'__struct__' => 'Elixir.Other'}`, new(user), "etf: cannot unmarshal atom at byte 18 into a Go etf_test.user, in #{'__struct__'}: another record or struct", etf.ErrStruct},
		{`{pint,1,2}`, new(point), "etf: cannot unmarshal tuple at byte 1 into a Go etf_test.point: another record or struct", etf.ErrStruct},
		{`{1,1,2}`, new(point), "etf: cannot unmarshal tuple at byte 1 into a Go etf_test.point: another record or struct", etf.ErrStruct},
		{`{point,1}`, new(point), "etf: cannot unmarshal tuple at byte 1 into a Go etf_test.point: wrong number of elements", etf.ErrLength},
		{`[]`, new(point), "etf: cannot unmarshal list at byte 1 into a Go etf_test.point", etf.ErrKind},
		{`#{mode => 1}`, new(options), "etf: cannot unmarshal int at byte 12 into a Go string, in #{mode}", etf.ErrKind},
		{`#{text => [a]}`, new(options), "etf: cannot unmarshal list at byte 12 into a Go etf_test.named, in #{text}", etf.ErrKind},
		{`#{text => [16#D800]}`, new(options), "etf: cannot unmarshal list at byte 12 into a Go etf_test.named, in #{text}", etf.ErrKind},
		{`#{text => [97|98]}`, new(options), "etf: cannot unmarshal list at byte 12 into a Go etf_test.named, in #{text}", etf.ErrKind},
		{`#{text => 1}`, new(options), "etf: cannot unmarshal int at byte 12 into a Go etf_test.named, in #{text}", etf.ErrKind},
		{`#{unix => a}`, new(options), "etf: cannot unmarshal atom at byte 12 into a Go time.Time, in #{unix}", etf.ErrKind},
		{`#{'when' => 1}`, new(options), "etf: cannot unmarshal int at byte 12 into a Go time.Time, in #{'when'}", etf.ErrKind},
		{`1`, new(upper), "etf: cannot unmarshal int at byte 1 into a Go etf_test.upper", etf.ErrKind},
		{`<<"BAD">>`, new(upper), "etf: cannot unmarshal binary at byte 1 into a Go etf_test.upper: bad text", nil},
		{`[{1,2,3}]`, new([]pair), "etf: cannot unmarshal tuple at byte 6 into a Go etf_test.pair, in [0]: 3 elements", nil},
		{`1`, new(etf.PidValue), "etf: cannot unmarshal int at byte 1 into a Go etf.PidValue", etf.ErrKind},
		{`1`, new(fmt.Stringer), "etf: cannot unmarshal int at byte 1 into a Go fmt.Stringer: type that has no term", etf.ErrType},
		{`1`, new(chan int), "etf: cannot unmarshal int at byte 1 into a Go chan int: type that has no term", etf.ErrType},
		{`1`, new(pointless), "etf: cannot unmarshal int at byte 1 into a Go etf_test.pointless: type that has no term", etf.ErrType},
		{`1`, 5, "etf: cannot unmarshal into a Go int: not a pointer, or a nil one", nil},
		{`1`, (*int)(nil), "etf: cannot unmarshal into a Go *int: not a pointer, or a nil one", nil},
		{`1`, nil, "etf: cannot unmarshal into a Go <nil>: not a pointer, or a nil one", nil},
	} {
		t.Run(fmt.Sprintf("%T %.40s", c.into, c.text), func(t *testing.T) {
			err := etf.Unmarshal(encoded(t, c.text), c.into)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
			var unmarshal *etf.UnmarshalError
			require.ErrorAs(t, err, &unmarshal)
			if c.is != nil {
				assert.ErrorIs(t, err, c.is)
			}
		})
	}
}

// TestUnmarshalInvalid shows that nothing is changed by input that is no term.
func TestUnmarshalInvalid(t *testing.T) {
	b := encoded(t, `#{name => <<"Ann">>,age => 5,admin => true}`)
	for n := range len(b) {
		v := user{Name: "before"}
		var syntax *etf.SyntaxError
		require.ErrorAs(t, etf.Unmarshal(b[:n], &v), &syntax)
		require.Equal(t, user{Name: "before"}, v)
	}
	require.ErrorIs(t, etf.Unmarshal(append(b, 0), new(user)), etf.ErrTrailing)
	require.ErrorIs(t, etf.DecodeOptions{MaxDepth: -1}.Unmarshal(b, new(user)), etf.ErrOptions)
}

func TestDisallowUnknownFields(t *testing.T) {
	o := etf.DecodeOptions{DisallowUnknownFields: true}
	require.NoError(t, o.Unmarshal(encoded(t, `#{name => <<"A">>,'__struct__' => 'Elixir.My.User'}`), new(user)))
	err := o.Unmarshal(encoded(t, `[#{name => <<"A">>,nom => 1}]`), new([]user))
	require.EqualError(t, err, "etf: cannot unmarshal atom at byte 23 into a Go etf_test.user, in [0]: key that is no field")
	require.ErrorIs(t, err, etf.ErrUnknownField)
	require.ErrorIs(t, o.Unmarshal(encoded(t, `#{1 => 2}`), new(user)), etf.ErrUnknownField)
}

func TestUnmarshalRings(t *testing.T) {
	var self any
	self = &self
	require.ErrorContains(t, etf.Unmarshal([]byte{131, 97, 1}, &self), "a ring of pointers")
	var first, second any
	first, second = &second, &first
	require.ErrorContains(t, etf.Unmarshal([]byte{131, 97, 1}, &first), "a ring of pointers")
	_, err := etf.Marshal(&self)
	require.ErrorIs(t, err, etf.ErrLimit)
}

func TestUnmarshalIntoInterface(t *testing.T) {
	u := &user{}
	var held fmt.Stringer = (*stringer)(u)
	require.NoError(t, etf.Unmarshal(encoded(t, `#{name => <<"A">>}`), &held))
	require.Equal(t, "A", u.Name)
	into := any(u)
	require.NoError(t, etf.Unmarshal(encoded(t, `#{name => <<"B">>}`), &into))
	require.Equal(t, "B", u.Name)
}

type stringer user

func (s *stringer) String() string { return s.Name }

func TestUnmarshalCompressed(t *testing.T) {
	want := user{Name: strings.Repeat("A", 100)}
	plain, err := etf.Marshal(want)
	require.NoError(t, err)
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	_, err = w.Write(plain[1:])
	require.NoError(t, err)
	require.NoError(t, w.Close())
	b := append(binary.BigEndian.AppendUint32([]byte{131, 80}, uint32(len(plain)-1)), deflated.Bytes()...)
	var got user
	require.NoError(t, etf.Unmarshal(b, &got))
	require.Equal(t, want, got)
	require.ErrorIs(t, etf.DecodeOptions{NoCompression: true}.Unmarshal(b, &got), etf.ErrTag)
}

// TestUnmarshalMemory reads lists whose elements are much larger in Go.
func TestUnmarshalMemory(t *testing.T) {
	type large struct{ A, B, C, D, E, F, G, H [32]int64 }
	b := []byte{131, 108, 0, 0, 39, 16}
	for range 10_000 {
		b = append(b, 116, 0, 0, 0, 0)
	}
	b = append(b, 106)
	var v []large
	require.NoError(t, etf.Unmarshal(b, &v))
	require.Len(t, v, 10_000)
	b = append(b[:len(b)-6], 97, 0, 106) // the last element is no map
	require.ErrorContains(t, etf.Unmarshal(b, &v), "in [9999]")
}

func TestFloatIntegers(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 1 << 53, math.MaxInt64, math.MinInt64} {
		b, err := etf.Marshal(n)
		require.NoError(t, err)
		var f float64
		require.NoError(t, etf.Unmarshal(b, &f))
		require.Equal(t, float64(n), f)
	}
}
