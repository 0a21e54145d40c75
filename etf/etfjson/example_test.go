package etfjson_test

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

func ExampleAppendTerm() {
	term, err := etfjson.AppendTerm(nil, []byte(`{"name": "Größe", "sizes": [38, 40], "price": 19.90, "sold": null}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := etf.Decode(term)
	if err != nil {
		fmt.Println(err)
		return
	}
	sizes, _ := t.GetString("sizes")
	price, _ := t.GetString("price")
	sold, _ := t.GetString("sold")
	fmt.Println(len(term), sizes.Len(), price, sold)
	// Output: 75 2 19.9 nil
}

func ExampleAppendTerm_error() {
	_, err := etfjson.AppendTerm(nil, []byte(`{"items": [{"price": 1e999}]}`))
	fmt.Println(err)

	var se *etfjson.SyntaxError
	if errors.As(err, &se) {
		fmt.Println(se.Offset, se.Path)
	}
	// Output:
	// etfjson: number beyond the range of a float at byte 21, in /items/0/price
	// 21 /items/0/price
}

func ExampleAppendJSON() {
	term, err := etf.Encode(etf.Map(
		etf.Pair{Key: etf.Atom("status"), Value: etf.Int(200)},
		etf.Pair{Key: etf.String("body"), Value: etf.List(etf.Atom("ok"), etf.Atom("nil"), etf.Float(1))},
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := etfjson.AppendJSON(nil, term)
	fmt.Println(string(text), err)
	// Unordered output: {"status":200,"body":["ok",null,1.0]} <nil>
}

func ExampleAppendJSON_error() {
	term, err := etf.Encode(etf.List(etf.Tuple(etf.Atom("ok"), etf.Int(1))))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = etfjson.AppendJSON(nil, term)
	fmt.Println(err)
	// Output: etfjson: JSON has no form for a tuple at byte 6, in /0
}

// Converting into the same buffer again and again allocates nothing.
func ExampleOptions() {
	o := etfjson.Options{MaxDepth: 8, NoVersion: true}
	var buffer []byte
	for _, text := range []string{`1`, `[1, 2]`, `{"a": []}`} {
		var err error
		if buffer, err = o.AppendTerm(buffer[:0], []byte(text)); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q\n", buffer)
	}
	// Output:
	// "a\x01"
	// "k\x00\x02\x01\x02"
	// "t\x00\x00\x00\x01m\x00\x00\x00\x01aj"
}
