package etf_test

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

type (
	named     string
	celsius   float64
	upper     string // marshals itself as text
	pair      struct{ left, right int }
	weekday   int
	tree      struct{ Left, Right *tree }
	ring      struct{ Next any }
	pointless *pointless
)

func (u upper) MarshalText() ([]byte, error) {
	if u == "bad" {
		return nil, errors.New("bad text")
	}
	return []byte(strings.ToUpper(string(u))), nil
}

func (u *upper) UnmarshalText(b []byte) error {
	if string(b) == "BAD" {
		return errors.New("bad text")
	}
	*u = upper(strings.ToLower(string(b)))
	return nil
}

// A pair is the tuple of its numbers.
func (p *pair) AppendETF(dst []byte) ([]byte, error) {
	if p.left < 0 {
		return dst, errors.New("negative")
	}
	return etf.AppendInt(etf.AppendInt(etf.AppendTupleHeader(dst, 2), int64(p.left)), int64(p.right)), nil
}

func (p *pair) UnmarshalETF(b []byte) error {
	c := etf.Raw(b).Cursor()
	n, err := c.Tuple()
	if err != nil {
		return err
	}
	if n != 2 {
		return fmt.Errorf("%d elements", n)
	}
	left, _ := c.Int()
	right, _ := c.Int()
	p.left, p.right = int(left), int(right)
	return c.End()
}

// A weekday is an atom.
func (w weekday) AppendETF(dst []byte) ([]byte, error) {
	return etf.AppendAtom(dst, strings.ToLower(time.Weekday(w).String()))
}

func (w *weekday) UnmarshalETF(b []byte) error {
	c := etf.Raw(b).Cursor()
	name, err := c.Atom()
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), string(name)) {
			*w = weekday(d)
			return err
		}
	}
	return fmt.Errorf("no weekday: %w", err)
}

type user struct {
	_     struct{} `etf:"Elixir.My.User,struct"`
	Name  string   `etf:"name"`
	Age   int      `etf:"age,omitempty"`
	Admin bool     `etf:"admin"`
}

type point struct {
	_    struct{} `etf:"point,tuple"`
	X, Y float64
}

type couple struct {
	_    struct{} `etf:",tuple"`
	A, B any
}

type options struct {
	Key     int                  `etf:"key,binary"`
	Mode    string               `etf:"mode,atom"`
	Modes   []string             `etf:"modes,atom"`
	Text    *named               `etf:"text,charlist"`
	Unix    time.Time            `etf:"unix,unix"`
	Millis  *time.Time           `etf:"millis,unixmilli"`
	Micros  [1]time.Time         `etf:"micros,unixmicro"`
	Nanos   []time.Time          `etf:"nanos,unixnano"`
	When    time.Time            `etf:"when"`
	Skipped chan int             `etf:"-"`
	Dash    int                  `etf:"-,"`
	Tenth   map[netip.Addr]uint8 `etf:"hosts,omitempty"`
}

type base struct {
	ID    int    `etf:"id"`
	Name  string `etf:"name"`
	Clash int
}

type other struct {
	Clash int
	Name  string
}

type derived struct {
	base
	*Other
	Name string `etf:"name"`
	Own  bool
}

type Other = other2

type other2 struct {
	Clash int
	Extra string `etf:"extra,omitempty"`
}

type omits struct {
	B  bool           `etf:"b,omitempty"`
	I  int8           `etf:"i,omitempty"`
	U  uint16         `etf:"u,omitempty"`
	I3 int32          `etf:"i3,omitempty"`
	I6 int64          `etf:"i6,omitempty"`
	F3 float32        `etf:"f3,omitempty"`
	F  float64        `etf:"f,omitempty"`
	S  string         `etf:"s,omitempty"`
	L  []int          `etf:"l,omitempty"`
	M  map[string]int `etf:"m,omitempty"`
	P  *int           `etf:"p,omitempty"`
	A  any            `etf:"a,omitempty"`
	Z  [0]int         `etf:"z,omitempty"`
	T  time.Time      `etf:"t,omitzero"`
	O  point          `etf:"o,omitzero"`
	E  point          `etf:"e,omitempty"` // a struct is never empty
	PT *time.Time     `etf:"pt,omitzero"`
	X  []int          `etf:"x,omitempty,omitzero"`
}

type deep struct {
	List []struct {
		ByName map[string]*point `etf:"by_name"`
	} `etf:"list"`
}

func ptr[T any](v T) *T { return &v }

var (
	noon = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)
	huge = func() *big.Int { v, _ := new(big.Int).SetString("123456789012345678901234567890", 10); return v }()
)

// same are Go values and the terms that they become, and which become them.
var same = []struct {
	value any
	text  string
}{
	{true, "true"},
	{false, "false"},
	{42, "42"},
	{int8(-128), "-128"},
	{int16(-129), "-129"},
	{int32(math.MinInt32), "-2147483648"},
	{int64(math.MinInt64), "-9223372036854775808"},
	{uint(7), "7"},
	{uint8(255), "255"},
	{uint16(65535), "65535"},
	{uint32(math.MaxUint32), "4294967295"},
	{uint64(math.MaxUint64), "18446744073709551615"},
	{uintptr(9), "9"},
	{1.5, "1.5"},
	{float32(0.25), "0.25"},
	{celsius(36.6), "36.6"},
	{"text", `<<"text">>`},
	{"", `<<>>`},
	{strings.Repeat("x", 200), `<<"` + strings.Repeat("x", 200) + `">>`},
	{named("é"), `<<"é"/utf8>>`},
	{[]byte{1, 2}, `<<1,2>>`},
	{[]byte{}, `<<>>`},
	{[3]byte{1, 2, 3}, `<<1,2,3>>`},
	{[0]int{}, `[]`},
	{[]int{}, `[]`},
	{[]int{1, 2, 3}, `[1,2,3]`},
	{[]int{1, 256}, `[1,256]`},
	{[2]string{"a", "b"}, `[<<"a">>,<<"b">>]`},
	{[]any{int64(1), "a", nil, true, 2.5}, `[1,<<"a">>,nil,true,2.5]`},
	{[]bool{true}, `[true]`},
	{[]struct{}{{}, {}}, `[#{},#{}]`},
	{map[string]int{"a": 1}, `#{<<"a">> => 1}`},
	{map[string]string{"a": "b"}, `#{<<"a">> => <<"b">>}`},
	{map[named]int{"a": 1}, `#{<<"a">> => 1}`},
	{map[string]any{"a": []any{}}, `#{<<"a">> => []}`},
	{map[int]bool{1: true}, `#{1 => true}`},
	{map[[2]int8]string{{1, 2}: "x"}, `#{[1,2] => <<"x">>}`},
	{map[upper]int{"k": 1}, `#{<<"K">> => 1}`},
	{map[string]int{}, `#{}`},
	{ptr(5), "5"},
	{ptr(ptr("x")), `<<"x">>`},
	{(*int)(nil), "nil"},
	{*huge, "123456789012345678901234567890"},
	{huge, "123456789012345678901234567890"},
	{*big.NewInt(-5), "-5"},
	{noon, `<<"2026-11-23T12:00:00.123456789Z">>`},
	{upper("shout"), `<<"SHOUT">>`},
	{netip.MustParseAddr("127.0.0.1"), `<<"127.0.0.1">>`},
	{pair{1, 2}, "{1,2}"},
	{[]pair{{1, 2}, {3, 4}}, "[{1,2},{3,4}]"},
	{&pair{5, 6}, "{5,6}"},
	{[]*pair{nil, {5, 6}}, "[nil,{5,6}]"},
	{weekday(2), "tuesday"},
	{map[weekday]int{1: 1}, "#{monday => 1}"},
	{etf.Atom("an atom").Clone(), "'an atom'"},
	{etf.Raw{97, 1}, "1"},
	{etf.PidValue{Node: "a@b", ID: 1, Serial: 2, Creation: 3}, ""},
	{etf.PortValue{Node: "a@b", ID: 1, Creation: 3}, ""},
	{etf.RefValue{Node: "a@b", Creation: 3, Words: []uint32{1, 2}}, ""},
	{etf.ExportValue{Module: "m", Function: "f", Arity: 2}, "fun m:f/2"},
	{etf.FunValue{Module: "m", Arity: 1, Index: 4, Creator: etf.PidValue{Node: "a@b"}, Free: nil}, ""},
	{geometry(1, etf.Int(2)), ""},
	{vec{X: 1, Y: 2, Tag: "t"}, ""},
	{[]vec{{}, {Next: &vec{}}}, ""},
	{user{Name: "Ann", Age: 41, Admin: true}, `#{'__struct__' => 'Elixir.My.User',admin => true,age => 41,name => <<"Ann">>}`},
	{user{Name: "Bob"}, `#{'__struct__' => 'Elixir.My.User',admin => false,name => <<"Bob">>}`},
	{point{X: 1, Y: -2.5}, "{point,1.0,-2.5}"},
	{couple{A: int64(1), B: "x"}, `{1,<<"x">>}`},
	{[]point{{X: 1}}, "[{point,1.0,0.0}]"},
	{tree{Left: &tree{}}, `#{'Left' => #{'Left' => nil,'Right' => nil},'Right' => nil}`},
	{
		derived{base: base{ID: 1, Clash: 0}, Name: "n", Own: true},
		`#{'Own' => true,id => 1,name => <<"n">>}`,
	},
	{
		derived{base: base{ID: 1}, Other: &Other{Extra: "e"}, Name: "n"},
		`#{'Own' => false,extra => <<"e">>,id => 1,name => <<"n">>}`,
	},
	{
		omits{},
		`#{e => {point,0.0,0.0}}`,
	},
	{
		omits{
			B: true, I: 1, U: 2, I3: 3, I6: 6, F3: 1, F: 2, S: "s", L: []int{256}, M: map[string]int{"m": 1}, P: ptr(1), A: int64(0),
			T: noon, O: point{X: 1}, PT: &noon, X: []int{300},
		},
		`#{a => 0,b => true,e => {point,0.0,0.0},f => 2.0,f3 => 1.0,i => 1,i3 => 3,i6 => 6,l => [256],m => #{<<"m">> => 1},` +
			`o => {point,1.0,0.0},p => 1,pt => <<"2026-11-23T12:00:00.123456789Z">>,s => <<"s">>,` +
			`t => <<"2026-11-23T12:00:00.123456789Z">>,u => 2,x => [300]}`,
	},
	{
		options{
			Key: 1, Mode: "r", Modes: []string{"a", "b"}, Text: ptr(named("né€")), Unix: time.Unix(5, 0).UTC(),
			Millis: ptr(time.UnixMilli(6).UTC()), Micros: [1]time.Time{time.UnixMicro(7).UTC()},
			Nanos: []time.Time{time.Unix(0, 800).UTC()}, When: noon, Dash: 3,
			Tenth: map[netip.Addr]uint8{netip.MustParseAddr("::1"): 1},
		},
		`#{'-' => 3,hosts => #{<<"::1">> => 1},micros => [7],millis => 6,mode => r,modes => [a,b],nanos => [800],` +
			`text => [110,233,8364],unix => 5,'when' => <<"2026-11-23T12:00:00.123456789Z">>,<<"key">> => 1}`,
	},
}

func TestMarshal(t *testing.T) {
	for _, c := range same {
		t.Run(fmt.Sprintf("%T %.40s", c.value, c.text), func(t *testing.T) {
			b, err := etf.Marshal(c.value)
			require.NoError(t, err)
			term, err := etf.Decode(b)
			require.NoError(t, err)
			if c.text != "" {
				want, err := etf.Parse(c.text)
				require.NoError(t, err, c.text)
				assert.True(t, etf.Equal(want, term), "%v is not %v", term, want)
				canonical, err := etf.Encode(term)
				require.NoError(t, err)
				assert.Equal(t, canonical, b, "not in the encoder's form")
			}
			got := reflect.New(reflect.TypeOf(c.value))
			require.NoError(t, etf.Unmarshal(b, got.Interface()))
			if _, ok := c.value.(etf.Term); ok {
				require.True(t, etf.Equal(c.value.(etf.Term), got.Elem().Interface().(etf.Term)))
				return
			}
			require.Equal(t, c.value, got.Elem().Interface())

			again, err := etf.AppendMarshal([]byte("before"), got.Interface())
			require.NoError(t, err)
			require.Equal(t, "before"+string(b), string(again))
		})
	}
}

func TestMarshalOnly(t *testing.T) {
	var none fmt.Stringer
	for _, c := range []struct {
		value any
		text  string
	}{
		{nil, "nil"},
		{&none, "nil"},
		{[]any{}, "[]"},
		{[]int(nil), "[]"},
		{map[string]string(nil), "#{}"},
		{map[int]int(nil), "#{}"},
		{etf.Term{}, "nil"},
		{etf.Raw(nil), "nil"},
		{[]etf.Term{etf.Int(1)}, "[1]"},
		{struct{ error }{}, "#{}"}, // not exported
		{struct{ a, B int }{1, 2}, "#{'B' => 2}"},
		{struct{ A fmt.Stringer }{time.Second}, "#{'A' => 1000000000}"},
		{struct{ A encoding.TextMarshaler }{upper("x")}, `#{'A' => <<"X">>}`},
		{map[any]int{"a": 1}, `#{<<"a">> => 1}`},
		{struct {
			_ struct{} `etf:",binary"`
			B int
			A int `etf:"a"`
		}{}, `#{<<"B">> => 0,<<"a">> => 0}`},
		{struct {
			Struct string `etf:"__struct__"`
		}{"Elixir.A"}, "#{'__struct__' => 'Elixir.A'}"},
		{struct{ other }{other{1, "x"}}, `#{'Clash' => 1,'Name' => <<"x">>}`},
		{struct {
			base
			other
		}{}, `#{id => 0,name => <<>>,'Name' => <<>>}`}, // both have Clash
		{struct {
			time.Time
		}{noon}, `<<"2026-11-23T12:00:00.123456789Z">>`}, // its methods are promoted
		{struct {
			V struct{ time.Time } `etf:"v,omitzero"`
		}{}, "#{}"},
		{struct {
			At time.Time `etf:"at,unix"`
			etf.Term
		}{At: time.Unix(1, 0), Term: etf.Int(5)}, "#{at => 1,'Term' => 5}"},
		{struct {
			*tree
		}{}, "#{}"},
	} {
		b, err := etf.Marshal(c.value)
		require.NoError(t, err, c.text)
		term, err := etf.Decode(b)
		require.NoError(t, err)
		want, err := etf.Parse(c.text)
		require.NoError(t, err)
		assert.True(t, etf.Equal(want, term), "%T: %v is not %v", c.value, term, want)
	}
}

func TestMarshalErrors(t *testing.T) {
	loop := &ring{}
	loop.Next = loop
	for _, c := range []struct {
		value any
		text  string
		err   error
	}{
		{make(chan int), "etf: cannot marshal a Go chan int", etf.ErrType},
		{[]any{func() {}}, "etf: cannot marshal a Go func(), in [0]", etf.ErrType},
		{map[string]any{"a": complex(1, 1)}, `etf: cannot marshal a Go complex128, in #{<<"a">>}`, etf.ErrType},
		{map[int]any{7: complex(1, 1)}, `etf: cannot marshal a Go complex128, in #{7}`, etf.ErrType},
		{map[any]int{complex(1, 1): 1}, `etf: cannot marshal a Go complex128, in #key(0)`, etf.ErrType},
		{map[string]any{strings.Repeat("k", 65): complex(1, 1)}, `etf: cannot marshal a Go complex128, in #{key 0}`, etf.ErrType},
		{struct{ A, B any }{1, math.NaN()}, "etf: cannot marshal a Go float64, in #{'B'}: float that is not a finite number", etf.ErrFloat},
		{float32(math.Inf(1)), "etf: cannot marshal a Go float32: float that is not a finite number", etf.ErrFloat},
		{couple{A: 1, B: math.NaN()}, "etf: cannot marshal a Go float64, in {1}: float that is not a finite number", etf.ErrFloat},
		{point{X: math.NaN()}, "etf: cannot marshal a Go float64, in {1}: float that is not a finite number", etf.ErrFloat},
		{options{Mode: "\xff"}, "etf: cannot marshal a Go string, in #{mode}: atom that is not UTF-8 of at most 255 characters", etf.ErrAtom},
		{options{Text: ptr(named("\xff"))}, "", nil},
		{upper("bad"), "etf: cannot marshal a Go etf_test.upper: bad text", nil},
		{[]pair{{}, {left: -1}}, "etf: cannot marshal a Go etf_test.pair, in [1]: negative", nil},
		{etf.Raw{131, 97, 1}, "etf: cannot marshal a Go etf.Raw: unknown tag 131 at byte 0", etf.ErrTag},
		{etf.Raw{97, 1, 2}, "etf: cannot marshal a Go etf.Raw: bytes after the term at byte 2", etf.ErrTrailing},
		{[]etf.Term{etf.List(etf.Int(1), etf.Atom("\xff"))}, "", etf.ErrAtom},
		{etf.RecordValue{Fields: []etf.RecordField{{}, {}}}, "etf: cannot marshal a Go etf.RecordValue: zero Term", etf.ErrInvalid},
		{[]vec{{Next: &vec{X: math.NaN()}}}, "etf: cannot marshal a Go float64, in [0]#_{next}#_{x}: float that is not a finite number", etf.ErrFloat},
		{etf.RefValue{}, "etf: cannot marshal a Go etf.RefValue: zero Term", etf.ErrInvalid},
		{map[any]int{"a": 1, named("a"): 2}, "etf: cannot marshal a Go map[interface {}]int: map key that is there already", etf.ErrDuplicateKey},
		{map[upper]int{"a": 1, "A": 2}, "etf: cannot marshal a Go map[etf_test.upper]int: map key that is there already", etf.ErrDuplicateKey},
		{pointless(nil), "etf: cannot marshal a Go etf_test.pointless", etf.ErrType},
		{shrinks{}, "etf: cannot marshal a Go etf_test.shrinks: a Marshaler that did not append to what it was given", nil},
		{struct {
			A int `etf:"a,ommitempty"`
		}{}, `etf: cannot marshal a Go struct { A int "etf:\"a,ommitempty\"" }: the tag of field A has the option "ommitempty", which is none there`, etf.ErrType},
	} {
		b, err := etf.AppendMarshal([]byte("kept"), c.value)
		if c.text == "" && c.err == nil {
			require.NoError(t, err)
			continue
		}
		require.Error(t, err, c.text)
		var marshal *etf.MarshalError
		require.ErrorAs(t, err, &marshal)
		if c.text != "" {
			assert.EqualError(t, err, c.text)
		}
		if c.err != nil {
			assert.ErrorIs(t, err, c.err)
		}
		assert.Equal(t, "kept", string(b))
	}
	_, err := etf.Marshal(loop)
	require.ErrorIs(t, err, etf.ErrLimit)
	require.LessOrEqual(t, len(err.Error()), 4000)
	_, err = etf.EncodeOptions{MaxDepth: -1}.Marshal(1)
	require.ErrorIs(t, err, etf.ErrOptions)
}

// shrinks is a Marshaler that returns less than it was given.
type shrinks struct{}

func (shrinks) AppendETF([]byte) ([]byte, error) { return nil, nil }

func TestTagErrors(t *testing.T) {
	for _, v := range []any{
		struct {
			A int `etf:"a,atom"`
		}{},
		struct {
			A string `etf:"a,unix"`
		}{},
		struct {
			A string `etf:"a,atom,charlist"`
		}{},
		struct {
			A upper `etf:"a,atom"`
		}{},
		struct {
			A []int `etf:"a,atom"`
		}{},
		struct {
			A map[string]string `etf:"a,atom"`
		}{},
		struct {
			A int `etf:"\xff"`
		}{},
		struct {
			_ struct{} `etf:"a"`
		}{},
		struct {
			_ struct{} `etf:"a,tuple,binary"`
		}{},
		struct {
			_ struct{} `etf:",struct"`
		}{},
		struct {
			_ struct{} `etf:"a,record"`
		}{},
		struct {
			_ struct{} `etf:"\xff,tuple"`
		}{},
		struct {
			_ struct{} `etf:",tuple"`
			A int      `etf:",omitempty"`
		}{},
		struct {
			A struct {
				B int `etf:",omitzer"`
			}
		}{},
	} {
		_, err := etf.Marshal(v)
		assert.ErrorIs(t, err, etf.ErrType, "%T", v)
		assert.ErrorContains(t, err, "the tag of field", "%T", v)
		err = etf.Unmarshal([]byte{131, 116, 0, 0, 0, 0}, reflect.New(reflect.TypeOf(v)).Interface())
		if reflect.TypeOf(v).Field(0).Type.Kind() != reflect.Struct || reflect.TypeOf(v).Field(0).Name == "_" {
			assert.ErrorIs(t, err, etf.ErrType, "%T", v)
		}
	}
}
