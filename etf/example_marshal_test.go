package etf_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/beamport/beamport/etf"
)

// A struct is a map with atoms as keys, and reads maps with binaries as keys as
// well.
func ExampleMarshal() {
	type Order struct {
		ID    int      `etf:"id"`
		Items []string `etf:"items"`
		Note  string   `etf:"note,omitempty"`
		State string   `etf:"state,atom"`
	}
	b, err := etf.Marshal(Order{ID: 17, Items: []string{"tea", "jam"}, State: "shipped"})
	if err != nil {
		fmt.Println(err)
		return
	}
	term, _ := etf.Decode(b)
	fmt.Println(term)

	var order Order
	term, _ = etf.Parse(`#{<<"id">> => 18, <<"items">> => [<<"tea">>], <<"state">> => open}`)
	b, _ = etf.Encode(term)
	err = etf.Unmarshal(b, &order)
	fmt.Printf("%+v %v\n", order, err)
	// Output:
	// #{id => 17,items => [<<"tea">>,<<"jam">>],state => shipped}
	// {ID:18 Items:[tea] Note: State:open} <nil>
}

// The tag of a blank field makes a struct an Erlang record or an Elixir struct.
func ExampleMarshal_records() {
	type Point struct {
		_    struct{} `etf:"point,tuple"`
		X, Y int
	}
	type User struct {
		_    struct{} `etf:"Elixir.Shop.User,struct"`
		Name string   `etf:"name"`
		At   *Point   `etf:"at"`
	}
	b, _ := etf.Marshal(User{Name: "Ann", At: &Point{X: 3, Y: 4}})
	term, _ := etf.Decode(b)
	fmt.Println(term)
	// Output:
	// #{'__struct__' => 'Elixir.Shop.User',at => {point,3,4},name => <<"Ann">>}
}

// The native records of OTP 29 have a module and fields with names.
func ExampleMarshal_nativeRecords() {
	type Vec struct {
		_ struct{} `etf:"geometry:vec,record,exported"`
		X float64  `etf:"x"`
		Y float64  `etf:"y"`
	}
	b, _ := etf.Marshal(Vec{X: 1, Y: 7})
	term, _ := etf.Decode(b)
	fmt.Println(term)

	// They are read by the names of their fields.
	term = etf.Record(etf.RecordValue{Module: "geometry", Name: "vec", Fields: []etf.RecordField{
		{Name: "y", Value: etf.Float(3)}, {Name: "z", Value: etf.Float(2)},
	}})
	b, _ = etf.Encode(term)
	var v Vec
	err := etf.Unmarshal(b, &v)
	fmt.Println(v.X, v.Y, err)
	// Output:
	// #geometry:vec{x = 1.0,y = 7.0}
	// 0 3 <nil>
}

// AppendMarshal does not allocate if there is room.
func ExampleAppendMarshal() {
	buffer := make([]byte, 0, 64)
	for _, v := range []any{1, "two", []float64{3}} {
		b, err := etf.AppendMarshal(buffer[:0], v)
		fmt.Println(b, err)
	}
	// Output:
	// [131 97 1] <nil>
	// [131 109 0 0 0 3 116 119 111] <nil>
	// [131 108 0 0 0 1 70 64 8 0 0 0 0 0 0 106] <nil>
}

// An error says which term does not fit which type.
func ExampleUnmarshal() {
	b, _ := etf.Marshal([]any{
		map[string]any{"name": "Ann", "age": 41},
		map[string]any{"name": "Bob", "age": "old"},
	})
	var people []struct {
		Name string `etf:"name"`
		Age  uint8  `etf:"age"`
	}
	err := etf.Unmarshal(b, &people)
	var wrong *etf.UnmarshalError
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Path, wrong.Kind, wrong.Type)
	}
	fmt.Println(people[0])
	// Output:
	// [1]#{<<"age">>} binary uint8
	// {Ann 41}
}

// Into an empty interface go Go's natural types.
func ExampleUnmarshal_any() {
	term, _ := etf.Parse(`#{name => <<"Ann">>, tags => [vip, <<"new">>], age => 41, boss => nil}`)
	b, _ := etf.Encode(term)
	var v any
	err := etf.Unmarshal(b, &v)
	fmt.Println(v, err)
	// Output:
	// map[age:41 boss:<nil> name:Ann tags:[vip new]] <nil>
}

func ExampleDecodeOptions_Unmarshal() {
	b, _ := etf.Marshal(map[string]int{"widht": 3})
	var size struct {
		Width int `etf:"width"`
	}
	fmt.Println(etf.DecodeOptions{DisallowUnknownFields: true}.Unmarshal(b, &size))
	// Output:
	// etf: cannot unmarshal binary at byte 6 into a Go struct { Width int "etf:\"width\"" }: key that is no field
}

// Level is an atom to the BEAM.
type Level int

func (l Level) AppendETF(dst []byte) ([]byte, error) {
	return etf.AppendAtom(dst, [...]string{"debug", "info", "error"}[l])
}

func (l *Level) UnmarshalETF(b []byte) error {
	c := etf.Raw(b).Cursor()
	name, err := c.Atom()
	if err != nil {
		return err
	}
	for i, known := range []string{"debug", "info", "error"} {
		if strings.EqualFold(known, string(name)) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("no level %q", name)
}

func ExampleMarshaler() {
	b, _ := etf.Marshal(map[string]Level{"level": 2})
	term, _ := etf.Decode(b)
	fmt.Println(term)
	var back map[string]Level
	fmt.Println(etf.Unmarshal(b, &back), back)
	// Output:
	// #{<<"level">> => error}
	// <nil> map[level:2]
}

// Raw keeps a part of a term for later, or for somebody else.
func ExampleRaw() {
	var call struct {
		_    struct{} `etf:"call,tuple"`
		ID   int
		Body etf.Raw
	}
	term, _ := etf.Parse("{call, 7, #{a => [1, 2]}}")
	b, _ := etf.Encode(term)
	if err := etf.Unmarshal(b, &call); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.ID, len(call.Body), "bytes")
	reply, _ := etf.Marshal([]any{call.ID, call.Body})
	term, _ = etf.Decode(reply)
	fmt.Println(term)
	// Output:
	// 7 13 bytes
	// [7,#{a => [1,2]}]
}
