package etf_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/beamport/beamport/etf"
)

func ExampleDecodeOptions_strict() {
	strict := etf.DecodeOptions{Strict: true}
	// {ok, 7}, with 7 in four bytes where one is enough.
	b := []byte{131, 104, 2, 119, 2, 'o', 'k', 98, 0, 0, 0, 7}
	_, err := strict.Decode(b)
	fmt.Println(err)

	var canonical *etf.CanonicalError
	fmt.Println(errors.As(err, &canonical), canonical.Tag)

	term, _ := etf.Decode(b)
	again, _ := etf.Encode(term)
	fmt.Println(strict.Valid(again))
	// Output:
	// etf: INTEGER_EXT that fits SMALL_INTEGER_EXT, which is not canonical at byte 7, in {1}
	// true 98
	// <nil>
}

func ExampleEncodeOptions_deterministic() {
	deterministic := etf.EncodeOptions{Deterministic: true}
	a, _ := etf.Parse("#{b => 2, a => 1, 1.0 => x, 2 => y}")
	b, _ := etf.Parse("#{2 => y, 1.0 => x, a => 1, b => 2}")
	fromA, _ := deterministic.Encode(a)
	fromB, _ := deterministic.Encode(b)
	fmt.Println(string(fromA) == string(fromB))

	term, _ := etf.Decode(fromA)
	for key := range term.Pairs() {
		fmt.Print(key, " ")
	}
	fmt.Println()
	// Output:
	// true
	// 2 1.0 a b
}

func ExampleEncodeOptions_compression() {
	term := etf.String(strings.Repeat("BEAM ", 1000))
	for _, level := range []int{0, 1, 9} {
		b, err := etf.EncodeOptions{Compression: level}.Encode(term)
		if err != nil {
			fmt.Println(err)
		}
		again, err := etf.Decode(b)
		fmt.Println(len(b) < 100, etf.Equal(term, again), err)
	}
	// Output:
	// false true <nil>
	// true true <nil>
	// true true <nil>
}

func ExampleEncodeOptions_minorVersion() {
	term := etf.Tuple(etf.Atom("ok"), etf.Atom("é"), etf.Atom("λ"))
	now, _ := etf.Encode(term)
	before, _ := etf.EncodeOptions{MinorVersion: 1}.Encode(term)
	fmt.Println(now)
	fmt.Println(before)
	// Output:
	// [131 104 3 119 2 111 107 119 2 195 169 119 2 206 187]
	// [131 104 3 100 0 2 111 107 100 0 1 233 119 2 206 187]
}

func ExampleDistDecoder() {
	// The first message brings two atoms, the second refers to them.
	packets := [][]byte{
		{131, 68, 2, 0x88, 0, 1, 4, 'p', 'i', 'n', 'g', 2, 2, 'm', 'e', 104, 2, 82, 0, 82, 1},
		{131, 68, 2, 0x00, 0, 2, 1, 104, 2, 82, 0, 82, 1, 106},
	}
	var decoder etf.DistDecoder // one for each connection
	for _, packet := range packets {
		message, complete, err := decoder.Decode(packet)
		if err != nil {
			fmt.Println(err)
			return
		}
		if complete {
			fmt.Println(message.Control, message.Payload.Kind())
		}
	}
	// Output:
	// {ping,me} invalid
	// {me,ping} list
}

func ExampleDistEncoder() {
	var encoder etf.DistEncoder // one for each connection
	var decoder etf.DistDecoder // at the other end
	message := etf.DistMessage{
		Control: etf.Tuple(etf.Int(6), etf.Pid(etf.PidValue{Node: "go@host", ID: 1, Creation: 1}), etf.Atom(""), etf.Atom("server")),
		Payload: etf.Tuple(etf.Atom("hello"), etf.String("from Go")),
	}
	for range 2 {
		packet, err := encoder.Append(nil, message)
		if err != nil {
			fmt.Println(err)
			return
		}
		got, _, err := decoder.Decode(packet)
		fmt.Println(len(packet), got.Payload, err)
	}
	// Output:
	// 71 {hello,<<"from Go">>} <nil>
	// 49 {hello,<<"from Go">>} <nil>
}

func ExampleDistEncoder_Fragments() {
	var encoder etf.DistEncoder
	var decoder etf.DistDecoder
	message := etf.DistMessage{Control: etf.Tuple(etf.Int(2)), Payload: etf.String(strings.Repeat("a", 2500))}
	packets, err := encoder.Fragments(message, 1, 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, packet := range packets {
		got, complete, err := decoder.Decode(packet)
		fmt.Println(packet[1], complete, got.Payload.Len(), err)
	}
	// Output:
	// 69 false 0 <nil>
	// 70 false 0 <nil>
	// 70 true 2500 <nil>
}
