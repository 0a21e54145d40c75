package etf_test

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

func Example() {
	// {ok, #{name => <<"beam">>, ports => [80, 443]}}, as term_to_binary/1 writes it.
	b := []byte("\x83h\x02w\x02okt\x00\x00\x00\x02w\x04namem\x00\x00\x00\x04beamw\x05portsl\x00\x00\x00\x02aPb\x00\x00\x01\xbbj")
	term, err := etf.Decode(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	name, _ := term.At(1).GetAtom("name")
	text, _ := name.Text()
	fmt.Println(text)
	ports, _ := term.At(1).GetAtom("ports")
	for port := range ports.All() {
		number, _ := port.Int64()
		fmt.Println(number)
	}
	fmt.Println(term)
	// Output:
	// beam
	// 80
	// 443
	// {ok,#{name => <<"beam">>,ports => [80,443]}}
}

func ExampleDecode_error() {
	_, err := etf.Decode([]byte("\x83h\x02w\x02okt\x00\x00\x00\x01w\x04namey"))
	fmt.Println(err)
	var syntax *etf.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println(syntax.Offset, syntax.Path, errors.Is(err, etf.ErrTag))
	}
	// Output:
	// etf: tag 121 (LOCAL_EXT), which starts no term here at byte 18, in {1}#{name}
	// 18 {1}#{name} true
}

func ExampleDecodePrefix() {
	b := []byte("\x83a\x01\x83a\x02")
	for len(b) > 0 {
		term, n, err := etf.DecodePrefix(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(term)
		b = b[n:]
	}
	// Output:
	// 1
	// 2
}

func ExampleDecodeOptions() {
	options := etf.DecodeOptions{MaxDepth: 2, NoCompression: true}
	fmt.Println(options.Valid([]byte("\x83h\x01h\x01h\x01j")))
	// Output:
	// etf: more than the 2 that MaxDepth allows at byte 5, in {0}{0}
}

func ExampleEncode() {
	b, err := etf.Encode(etf.Tuple(etf.Atom("ok"), etf.String("text"), etf.Int(7)))
	fmt.Printf("%q %v\n", b, err)
	// Output:
	// "\x83h\x03w\x02okm\x00\x00\x00\x04texta\a" <nil>
}

func ExampleAppend() {
	var buffer []byte
	for i := range 3 {
		var err error
		if buffer, err = etf.Append(buffer[:0], etf.Int(int64(i))); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%v\n", buffer)
	}
	// Output:
	// [131 97 0]
	// [131 97 1]
	// [131 97 2]
}

func ExampleMap() {
	m := etf.Map(
		etf.Pair{Key: etf.String("name"), Value: etf.String("beam")},
		etf.Pair{Key: etf.Int(1), Value: etf.Float(1.5)},
	)
	fmt.Println(m)
	value, ok := m.GetString("name")
	fmt.Println(value, ok)
	// Output:
	// #{1 => 1.5,<<"name">> => <<"beam">>}
	// <<"beam">> true
}

func ExampleCompare() {
	one, exact := etf.Int(1), etf.Float(1)
	fmt.Println(etf.Compare(one, exact), etf.Equal(one, exact))
	fmt.Println(etf.Compare(etf.Int(1000), etf.Atom("a")))
	// Output:
	// 0 false
	// -1
}

func ExampleTerm_String() {
	fmt.Println(etf.List(etf.Atom("Elixir.Foo"), etf.Charlist("text"), etf.Binary([]byte{1, 2}), etf.Float(1e23)))
	// Output:
	// ['Elixir.Foo',"text",<<1,2>>,1.0e23]
}

func ExampleTerm_Clone() {
	message, _ := etf.Decode([]byte("\x83h\x02w\x02okm\x00\x00\x00\x04keep"))
	part := message.At(1).Clone() // does not keep the rest of the message in memory
	fmt.Println(part)
	// Output:
	// <<"keep">>
}

func ExampleTerm_Format() {
	t, _ := etf.Parse(`#{path => <<"/">>, headers => #{<<"host">> => <<"example.com">>, <<"accept">> => <<"*/*">>}, body => nil}`)
	fmt.Printf("%+v\n", t)
	// Output:
	// #{
	//   body => nil,
	//   headers => #{<<"accept">> => <<"*/*">>,<<"host">> => <<"example.com">>},
	//   path => <<"/">>
	// }
}

func ExampleParse() {
	t, err := etf.Parse(`#{name => <<"Joe"/utf8>>, langs => [erlang, prolog]}  % a comment`)
	if err != nil {
		fmt.Println(err)
		return
	}
	name, _ := t.GetAtom("name")
	fmt.Println(name)
	_, err = etf.Parse("{ok,\n [1, 2}")
	fmt.Println(err)
	// Output:
	// <<"Joe">>
	// etf: line 2, column 7: expected ], found }
}

// A cursor reads a list of maps without making Terms of them.
func ExampleCursor() {
	b, err := etf.Encode(etf.List(
		etf.Map(etf.Pair{Key: etf.Atom("name"), Value: etf.String("ann")}, etf.Pair{Key: etf.Atom("age"), Value: etf.Int(61)}),
		etf.Map(etf.Pair{Key: etf.Atom("age"), Value: etf.Int(35)}),
	))
	if err != nil {
		panic(err)
	}
	sum, err := sumAges(b)
	fmt.Println(sum, err)
	// Output: 96 <nil>
}

func sumAges(b []byte) (sum int64, err error) {
	c, err := etf.NewCursor(b)
	if err != nil {
		return 0, err
	}
	n, err := c.List()
	for err == nil && n > 0 {
		for range n {
			pairs, err := c.Map()
			if err != nil {
				return 0, err
			}
			for range pairs {
				key, err := c.Atom()
				if err != nil {
					return 0, err
				}
				if string(key) != "age" {
					if err := c.Skip(); err != nil {
						return 0, err
					}
					continue
				}
				age, err := c.Int()
				if err != nil {
					return 0, err
				}
				sum += age
			}
		}
		n, err = c.Tail()
	}
	if err != nil {
		return 0, err
	}
	return sum, c.End()
}

// A map is written piece by piece; how many pairs it has shows at its end.
func ExampleBeginMap() {
	squares := map[string]int64{"two": 4, "three": 9}
	b, mark := etf.BeginMap(etf.AppendVersion(nil))
	n := 0
	for _, name := range []string{"one", "two", "three"} {
		square, ok := squares[name]
		if !ok {
			continue
		}
		var err error
		if b, err = etf.AppendAtom(b, name); err != nil {
			panic(err)
		}
		b = etf.AppendInt(b, square)
		n++
	}
	b = etf.EndMap(b, mark, n)
	fmt.Println(etf.Decode(b))
	// Output: #{three => 9,two => 4} <nil>
}
