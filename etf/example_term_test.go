package etf_test

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// Equal is Erlang's =:=, and Compare its order: 1 and 1.0 are different terms,
// which the order of terms does not tell apart.
func ExampleEqual() {
	fmt.Println(etf.Equal(etf.Int(1), etf.Float(1)), etf.Compare(etf.Int(1), etf.Float(1)))
	fmt.Println(etf.Equal(etf.String("a"), etf.Binary([]byte{'a'})))
	// Output:
	// false 0
	// true
}

// Valid checks input without building anything.
func ExampleValid() {
	fmt.Println(etf.Valid([]byte{131, 108, 0, 0, 0, 2, 97, 1, 97, 2, 106}))
	err := etf.Valid([]byte{131, 104, 2, 97, 1, 70, 127, 240, 0, 0, 0, 0, 0, 0})
	fmt.Println(err, errors.Is(err, etf.ErrFloat))
	// Output:
	// <nil>
	// etf: float that is not a finite number at byte 5, in {1} true
}

// All goes through the elements of a tuple or list, however it is encoded.
func ExampleTerm_All() {
	sum := int64(0)
	for elem := range etf.List(etf.Int(1), etf.Int(2), etf.Int(39)).All() {
		n, _ := elem.Int64()
		sum += n
	}
	fmt.Println(sum)
	// Output: 42
}

func ExampleTerm_Pairs() {
	config, _ := etf.Parse(`#{host => <<"localhost">>, port => 4369}`)
	for key, value := range config.Pairs() {
		name, _ := key.AtomName()
		fmt.Println(name, value)
	}
	// Output:
	// host <<"localhost">>
	// port 4369
}

// GetAtom and GetString look keys up that are atoms or binaries, and Get any.
func ExampleTerm_Get() {
	m, _ := etf.Parse(`#{name => <<"Ann">>, <<"age">> => 41, {1, 2} => point}`)
	name, _ := m.GetAtom("name")
	age, _ := m.GetString("age")
	point, ok := m.Get(etf.Tuple(etf.Int(1), etf.Int(2)))
	fmt.Println(name, age, point, ok)
	_, ok = m.GetAtom("age")
	fmt.Println(ok)
	// Output:
	// <<"Ann">> 41 point true
	// false
}

// What Erlang shows as text in double quotes is a list of code points, and what
// Elixir does is a binary.
func ExampleCharlist() {
	fmt.Println(etf.Charlist("héllo"), etf.String("héllo"))
	text, ok := etf.String("héllo").Text()
	fmt.Println(text, ok)
	// Output:
	// "héllo" <<"héllo"/utf8>>
	// héllo true
}

// Chars is the way back from a list of characters. A binary has no characters, but bytes.
func ExampleTerm_Chars() {
	fmt.Println(etf.Charlist("héllo").Chars())
	fmt.Println(etf.String("héllo").Chars())
	// Output:
	// héllo true
	//  false
}

func ExampleBitString() {
	t := etf.BitString([]byte{0b10110000}, 4)
	b, lastBits, _ := t.BitString()
	fmt.Printf("%v %08b %d\n", t, b, lastBits)
	// Output: <<11:4>> [10110000] 4
}

func ExampleRecord() {
	vec := etf.Record(etf.RecordValue{Module: "geometry", Name: "vec", Exported: true, Fields: []etf.RecordField{
		{Name: "x", Value: etf.Float(1)}, {Name: "y", Value: etf.Float(7)},
	}})
	y, ok := vec.Field("y")
	fmt.Println(vec, y, ok)
	// Output:
	// #geometry:vec{x = 1.0,y = 7.0} 7.0 true
}

func ExamplePid() {
	pid := etf.Pid(etf.PidValue{Node: "shop@host", ID: 110, Serial: 0, Creation: 1})
	b, err := etf.Encode(pid)
	fmt.Println(len(b), err)
	t, _ := etf.Decode(b)
	v, _ := t.Pid()
	fmt.Println(v.Node, v.ID)
	// Output:
	// 25 <nil>
	// shop@host 110
}

// A receiver that has its input to itself need not have it copied.
func ExampleDecodeOptions_noCopy() {
	frame := []byte{131, 109, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'}
	t, err := etf.DecodeOptions{NoCopy: true}.Decode(frame)
	fmt.Println(t, err)
	// Output: <<"hello">> <nil>
}
