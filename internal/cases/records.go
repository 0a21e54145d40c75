package cases

import (
	"fmt"
	"strings"
)

// record is a RECORD_EXT of the given fields, which are names and then values.
func record(n int, flag int, module, name []byte, fields ...any) []byte {
	return Join(67, U32(n), flag, module, name, Join(fields...))
}

func records() []Case {
	const unknown = "OTP before 29 knows no native records"
	twice := "a field that is there twice"
	m, r, a, b := Atom("m"), Atom("r"), Atom("a"), Atom("b")
	known := []Case{
		accepted("record", "#m:r{a = 1,b = []}", record(2, 1, m, r, a, b, 97, 1, 106)),
		accepted("record, other order", "#m:r{b = [],a = 1}", record(2, 1, m, r, b, a, 106, 97, 1)),
		accepted("record that is not exported", "#m:r{a = 1}", record(1, 0, m, r, a, 97, 1)),
		accepted("record without fields", "#m:r{}", record(0, 1, m, r)),
		accepted("record with names in quotes", "#'Elixir.A':'B c'{'end' = 1,'' = 2}",
			record(2, 0, Atom("Elixir.A"), Atom("B c"), Atom("end"), Atom(""), 97, 1, 97, 2)),
		accepted("record of records", `#m:r{a = #r:m{b = #m:r{}},b = "ab"}`,
			record(2, 1, m, r, a, b, record(1, 0, r, m, b, record(0, 0, m, r)), 107, U16(2), "ab")),
		accepted("records as keys", "#{{} => 1,#m:r{a = 1} => 2,#m:r{a = 1.0} => 3,#{} => 4}",
			116, U32(4), 104, 0, 97, 1, record(1, 1, m, r, a, 97, 1), 97, 2, record(1, 1, m, r, a, 70, U64(0x3FF0000000000000)), 97, 3,
			116, U32(0), 97, 4),
		accepted("records as keys, of other definitions", "#{#m:r{a = 1,b = 1} => 1,#m:r{b = 1,a = 1} => 2,#m:r{a = 1,b = 1} => 3}",
			116, U32(3), record(2, 0, m, r, a, b, 97, 1, 97, 1), 97, 1, record(2, 0, m, r, b, a, 97, 1, 97, 1), 97, 2,
			record(2, 1, m, r, a, b, 97, 1, 97, 1), 97, 3),
		accepted("map in a record", "[#m:r{a = #{1 => #m:r{}}}]",
			108, U32(1), record(1, 1, m, r, a, 116, U32(1), 97, 1, record(0, 0, m, r)), 106),
		accepted("record of 40 fields", manyFieldsText(40), record(40, 0, m, r, manyNames(40), strings.Repeat("\x6a", 40))),
		alias("record with latin1 atoms", "#m:r{é = 1}", term(record(1, 0, m, r, Atom("é"), 97, 1)),
			record(1, 0, Join(100, U16(1), "m"), Join(115, 1, "r"), Join(100, U16(1), "\xe9"), 98, U32(1))),

		rejected("record as a key twice", "map key that is there already",
			116, U32(2), record(1, 0, m, r, a, 97, 1), 106, record(1, 0, Join(100, U16(1), "m"), r, a, 98, U32(1)), 106),
		rejected("record with equal keys in a map in a key", "map key that is there already",
			116, U32(1), record(1, 0, m, r, a, 116, U32(2), 97, 1, 106, 97, 1, 106), 106),
	}
	for i := range known {
		if known[i].Err == "" {
			known[i].Differs = unknown
		}
	}
	return append(known,
		rejected("record with a reserved bit", "bad flag", record(0, 2, m, r)),
		rejected("record with all bits", "bad flag", record(0, 255, m, r)),
		rejected("record with a field twice", twice, record(2, 0, m, r, a, a, 97, 1, 97, 1)),
		rejected("record with a field twice, latin1 and UTF-8", twice,
			record(2, 0, m, r, Atom("é"), Join(115, 1, "\xe9"), 97, 1, 97, 1)),
		rejected("record with one of many fields twice", twice,
			record(41, 0, m, r, manyNames(40), Atom("f17"), strings.Repeat("\x6a", 41))),
		rejected("record whose module is no atom", "atom", record(0, 0, Join(97, 1), r, 97, 1)),
		rejected("record whose name is no atom", "atom", record(0, 0, m, Join(109, U32(1), "r"))),
		rejected("record whose field's name is no atom", "atom", record(1, 0, m, r, 97, 1, 97, 1)),
		rejected("record without the second value", "unexpected EOF", record(2, 0, m, r, a, b, 97, 1)),
		rejected("record of four billion fields", "unexpected EOF", record(-1, 0, m, r, a, 97, 1)),
		rejected("record in the place of an atom", "atom", 88, record(0, 0, m, r), U32(1), U32(2), U32(3)),
	)
}

// manyNames is n atoms from f0 on.
func manyNames(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, Atom(fmt.Sprint("f", i))...)
	}
	return b
}

func manyFieldsText(n int) string {
	var b strings.Builder
	b.WriteString("#m:r{f0 = []")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, ",f%d = []", i)
	}
	return b.String() + "}"
}
