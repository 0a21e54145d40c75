// Package cases holds the table of encoded terms that feeds the unit tests,
// the fuzz targets' seeds and the benchmarks of package etf.
package cases

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// A Case is an input and what becomes of it.
type Case struct {
	Name  string
	Bytes []byte // with the version byte

	// Text is the term as [etf.Term.String] prints it; Err is set instead where
	// the input is refused: a part of the error's text.
	Text string
	Err  string

	// Canonical is what the term is encoded as again, if it is not Bytes.
	Canonical []byte

	// Differs says why OTP 25 decides otherwise about the input, or decodes it
	// to another term.
	Differs string
}

// All returns the table.
func All() []Case {
	return slices.Concat(
		integers(), floats(), atoms(), binaries(), lists(), tuples(), maps(), identifiers(), funs(), records(),
		compressed(), refused(),
	)
}

func accepted(name, text string, parts ...any) Case {
	return Case{Name: name, Text: text, Bytes: term(parts...)}
}

// alias is an accepted input that is encoded otherwise again.
func alias(name, text string, canonical []byte, parts ...any) Case {
	return Case{Name: name, Text: text, Bytes: term(parts...), Canonical: canonical}
}

func rejected(name, err string, parts ...any) Case {
	return Case{Name: name, Err: err, Bytes: term(parts...)}
}

func (c Case) differs(why string) Case {
	c.Differs = why
	return c
}

// term puts a version byte in front of the parts.
func term(parts ...any) []byte { return Join(append([]any{131}, parts...)...) }

// Join puts bytes (int), strings and slices of bytes together.
func Join(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			if part < 0 || part > 255 {
				panic("no byte")
			}
			b = append(b, byte(part))
		case string:
			b = append(b, part...)
		case []byte:
			b = append(b, part...)
		default:
			panic("no bytes")
		}
	}
	return b
}

// U16, U32 and U64 are big-endian integers.
func U16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func U32[T int | int64 | uint32](v T) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(v))
}
func U64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// Atom is an atom as SMALL_ATOM_UTF8_EXT.
func Atom(name string) []byte { return Join(119, len(name), name) }

// OldFloat is a FLOAT_EXT with the text, filled up with NULs.
func OldFloat(text string) []byte { return Join(99, text, strings.Repeat("\x00", 31-len(text))) }

// Deflate is a compressed term, after the version byte, whose content is
// claimed to have the given size.
func Deflate(content []byte, size, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	w.Write(content)
	w.Close()
	return Join(80, U32(size), b.Bytes())
}

var (
	node = Atom("a@b")
	pid  = Join(88, node, U32(1), U32(2), U32(3))
)

func integers() []Case {
	return []Case{
		accepted("zero", "0", 97, 0),
		accepted("255", "255", 97, 255),
		accepted("256", "256", 98, U32(256)),
		accepted("-1", "-1", 98, 255, 255, 255, 255),
		accepted("largest of 32 bits", "2147483647", 98, 0x7F, 255, 255, 255),
		accepted("smallest of 32 bits", "-2147483648", 98, 0x80, 0, 0, 0),
		accepted("2^31", "2147483648", 110, 4, 0, 0, 0, 0, 0x80),
		accepted("-2^31-1", "-2147483649", 110, 4, 1, 1, 0, 0, 0x80),
		accepted("2^63-1", "9223372036854775807", 110, 8, 0, "\xff\xff\xff\xff\xff\xff\xff\x7f"),
		accepted("-2^63", "-9223372036854775808", 110, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0x80),
		accepted("2^63", "9223372036854775808", 110, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x80),
		accepted("-2^63-1", "-9223372036854775809", 110, 8, 1, 1, 0, 0, 0, 0, 0, 0, 0x80),
		accepted("2^64", "18446744073709551616", 110, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
		accepted("large big", new(big.Int).Lsh(big.NewInt(1), 8*255).String(), 111, U32(256), 0, strings.Repeat("\x00", 255), 1),

		alias("INTEGER_EXT for a small one", "7", term(97, 7), 98, U32(7)),
		alias("big without digits", "0", term(97, 0), 110, 0, 0),
		alias("negative zero", "0", term(97, 0), 110, 1, 1, 0),
		alias("negative zero of no digits", "0", term(97, 0), 110, 0, 1),
		alias("long negative zero", "0", term(97, 0), 110, 5, 1, 0, 0, 0, 0, 0),
		alias("leading zero digits", "1", term(97, 1), 110, 4, 0, 1, 0, 0, 0),
		alias("large big for a small one", "1", term(97, 1), 111, U32(1), 0, 1),
		alias("large big for what fits a small one", "-2147483649", term(110, 4, 1, 1, 0, 0, 0x80),
			111, U32(5), 1, 1, 0, 0, 0x80, 0),
		rejected("sign byte 2", "integer with a bad sign", 110, 1, 2, 1).
			differs("OTP takes any sign byte but 0 for a minus"),
		rejected("sign byte 255", "integer with a bad sign", 111, U32(1), 255, 1).
			differs("OTP takes any sign byte but 0 for a minus"),
		rejected("big of 8.4 MB", "too long", 111, U32(8_400_000), 0, strings.Repeat("\x01", 8_400_000)),
	}
}

func floats() []Case {
	return []Case{
		accepted("float", "1.5", 70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0),
		accepted("0.0", "0.0", 70, U64(0)),
		accepted("-0.0", "-0.0", 70, 0x80, 0, 0, 0, 0, 0, 0, 0),
		accepted("largest float", "1.7976931348623157e308", 70, U64(0x7FEFFFFFFFFFFFFF)),
		accepted("smallest float", "5.0e-324", 70, U64(1)),

		alias("old float", "1.5", term(70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0), OldFloat("1.50000000000000000000e+00")),
		alias("old float, short", "1.5", term(70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0), OldFloat("1.5")),
		alias("old float with a plus", "1.5", term(70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0), OldFloat("+1.5")),
		alias("old float with a comma", "1.5", term(70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0), OldFloat("1,5")),
		alias("old float 12.25", "12.25", term(70, U64(0x4028800000000000)), OldFloat("12.25")),
		alias("old float, junk after NUL", "1.5", term(70, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0), OldFloat("1.5\x00junk")),
		alias("old float that underflows", "0.0", term(70, U64(0)), OldFloat("1.0e-400")),
		alias("old float, denormal", "1.0e-310", term(70, U64(0x12688B70E62B)), OldFloat("1.0e-310")),
		rejected("old float without NUL", "not a finite number", OldFloat("1.5000000000000000000000000e+00")).
			differs("OTP 25 needs no NUL, OTP 27 does"),
		rejected("old float without point", "not a finite number", OldFloat("1")),
		rejected("old float with exponent alone", "not a finite number", OldFloat("1e5")),
		rejected("old float nan", "not a finite number", OldFloat("nan")),
		rejected("old float inf", "not a finite number", OldFloat("inf")),
		rejected("old float that overflows", "not a finite number", OldFloat("1.0e400")),
		rejected("old float with a space", "not a finite number", OldFloat(" 1.5")),
		rejected("old float without digits", "not a finite number", OldFloat(".5")),
		rejected("old float without fraction", "not a finite number", OldFloat("1.")),
		rejected("old float without exponent", "not a finite number", OldFloat("1.5e")),
		rejected("NaN", "not a finite number", 70, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0),
		rejected("signalling NaN", "not a finite number", 70, 0xFF, 0xF0, 0, 0, 0, 0, 0, 1),
		rejected("+Inf", "not a finite number", 70, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0),
		rejected("-Inf", "not a finite number", 70, 0xFF, 0xF0, 0, 0, 0, 0, 0, 0),
	}
}

func atoms() []Case {
	long := strings.Repeat("\U0001F600", 255)
	return []Case{
		accepted("atom", "ok", Atom("ok")),
		accepted("empty atom", "''", Atom("")),
		accepted("quoted atom", `'two words'`, Atom("two words")),
		accepted("reserved word", `'end'`, Atom("end")),
		accepted("unicode atom", "'λ'", Atom("λ")),
		accepted("latin1 letters", "été", Atom("été")),
		accepted("NUL in an atom", `'a\000b'`, Atom("a\x00b")),
		accepted("atom of U+FFFF", "'\uffff'", Atom("\uffff")),
		accepted("255 characters of 4 bytes", "'"+long+"'", 118, U16(1020), long),

		alias("ATOM_EXT", "ok", term(Atom("ok")), 100, U16(2), "ok"),
		alias("ATOM_EXT latin1", "été", term(Atom("été")), 100, U16(3), "\xe9t\xe9"),
		alias("SMALL_ATOM_EXT", "ok", term(Atom("ok")), 115, 2, "ok"),
		alias("SMALL_ATOM_EXT latin1", "'\u00d6l'", term(Atom("Öl")), 115, 2, "\xd6l"),
		alias("ATOM_UTF8_EXT where short would do", "ok", term(Atom("ok")), 118, U16(2), "ok"),
		alias("latin1 atom of 255 characters", "'"+strings.Repeat("\u00ff ", 127)+"\u00ff'",
			term(118, U16(383), strings.Repeat("\u00ff ", 127)+"\u00ff"), 100, U16(255), strings.Repeat("\xff ", 127)+"\xff"),

		rejected("overlong UTF-8", "atom that is not UTF-8", 119, 2, 0xC0, 0x80),
		rejected("surrogate", "atom that is not UTF-8", 119, 3, 0xED, 0xA0, 0x80),
		rejected("above U+10FFFF", "atom that is not UTF-8", 118, U16(4), 0xF4, 0x90, 0x80, 0x80),
		rejected("truncated UTF-8", "atom that is not UTF-8", 119, 1, 0xC3),
		rejected("256 characters, latin1", "255 characters", 100, U16(256), strings.Repeat("a", 256)),
		rejected("256 characters", "255 characters", 118, U16(256), strings.Repeat("a", 256)),
		rejected("256 wide characters", "255 characters", 118, U16(512), strings.Repeat("é", 256)),
	}
}

func binaries() []Case {
	return []Case{
		accepted("empty binary", "<<>>", 109, U32(0)),
		accepted("binary", "<<1,2,3>>", 109, U32(3), 1, 2, 3),
		accepted("text", `<<"abc">>`, 109, U32(3), "abc"),
		accepted("UTF-8 text", `<<"été"/utf8>>`, 109, U32(5), "été"),
		accepted("latin1 text", `<<"é">>`, 109, U32(1), 0xE9),
		accepted("text beyond latin1", "<<206,187>>", 109, U32(2), "λ"),
		accepted("bits", "<<5:3>>", 77, U32(1), 3, 0xA0),
		accepted("bytes and bits", "<<255,1:1>>", 77, U32(2), 1, 255, 0x80),

		alias("bit string of whole bytes", "<<1,2>>", term(109, U32(2), 1, 2), 77, U32(2), 8, 1, 2),
		alias("dirty padding", "<<5:3>>", term(77, U32(1), 3, 0xA0), 77, U32(1), 3, 0xBF),
		rejected("bit string of no bytes and no bits", "bad count of bits", 77, U32(0), 0).
			differs("OTP 25 takes it for <<>>, OTP 27 refuses it"),
		rejected("bit count 0", "bad count of bits", 77, U32(1), 0, 1),
		rejected("bit count 9", "bad count of bits", 77, U32(1), 9, 1),
		rejected("no bytes and 1 bit", "bad count of bits", 77, U32(0), 1),
		rejected("no bytes and 8 bits", "bad count of bits", 77, U32(0), 8),
	}
}

func lists() []Case {
	return []Case{
		accepted("empty list", "[]", 106),
		accepted("list", "[a,b]", 108, U32(2), Atom("a"), Atom("b"), 106),
		accepted("string", `"abc"`, 107, U16(3), "abc"),
		accepted("bytes", "[1,2,3]", 107, U16(3), 1, 2, 3),
		accepted("improper list", "[a|b]", 108, U32(1), Atom("a"), Atom("b")),
		accepted("improper list of bytes", "[1,2|3]", 108, U32(2), 97, 1, 97, 2, 97, 3),
		accepted("nested lists", "[[],[[]]]", 108, U32(2), 106, 108, U32(1), 106, 106, 106),

		alias("bytes in a LIST_EXT", "[1,2]", term(107, U16(2), 1, 2), 108, U32(2), 97, 1, 97, 2, 106),
		alias("empty STRING_EXT", "[]", term(106), 107, U16(0)),
		alias("empty LIST_EXT", "[]", term(106), 108, U32(0), 106),
		alias("empty LIST_EXT with a tail", "1", term(97, 1), 108, U32(0), 97, 1),
		alias("empty LIST_EXT in a row", "{a}", term(104, 1, Atom("a")), 108, U32(0), 108, U32(0), 104, 1, Atom("a")),
		alias("empty LIST_EXT within", "{b,1}", term(104, 2, Atom("b"), 97, 1), 104, 2, Atom("b"), 108, U32(0), 97, 1),
		alias("list as tail", "[a,b]", term(108, U32(2), Atom("a"), Atom("b"), 106),
			108, U32(1), Atom("a"), 108, U32(1), Atom("b"), 106),
		alias("string as tail", "[a,1,2]", term(108, U32(3), Atom("a"), 97, 1, 97, 2, 106),
			108, U32(1), Atom("a"), 107, U16(2), 1, 2),
		alias("empty list as tail", "[a]", term(108, U32(1), Atom("a"), 106), 108, U32(1), Atom("a"), 108, U32(0), 106),
		alias("empty list as tail, within", "[[a],b]", term(108, U32(2), 108, U32(1), Atom("a"), 106, Atom("b"), 106),
			108, U32(2), 108, U32(1), Atom("a"), 108, U32(0), 106, Atom("b"), 106),
		alias("empty lists as tails, in a key", "#{[a,b] => c}", term(116, U32(1), 108, U32(2), Atom("a"), Atom("b"), 106, Atom("c")),
			116, U32(1), 108, U32(1), Atom("a"), 108, U32(0), 108, U32(0), 108, U32(1), Atom("b"), 108, U32(0), 106, Atom("c")),
		alias("empty list before a string as tail, within", "[[a],b]", term(108, U32(2), 108, U32(1), Atom("a"), 106, Atom("b"), 106),
			108, U32(2), 108, U32(1), Atom("a"), 108, U32(0), 107, U16(0), Atom("b"), 106),
		alias("empty string as tail", "[a]", term(108, U32(1), Atom("a"), 106), 108, U32(1), Atom("a"), 107, U16(0)),
		alias("improper list as tail", "[a,b|c]", term(108, U32(2), Atom("a"), Atom("b"), Atom("c")),
			108, U32(1), Atom("a"), 108, U32(1), Atom("b"), Atom("c")),
		alias("improper tail behind an empty list", "[a|c]", term(108, U32(1), Atom("a"), Atom("c")),
			108, U32(1), Atom("a"), 108, U32(0), Atom("c")),
		alias("chain of lists within", "[[a,b],c]",
			term(108, U32(2), 108, U32(2), Atom("a"), Atom("b"), 106, Atom("c"), 106),
			108, U32(1), 108, U32(1), Atom("a"), 108, U32(1), Atom("b"), 106, 108, U32(1), Atom("c"), 106),
		alias("chain of bytes", "[1,2,3]", term(107, U16(3), 1, 2, 3),
			108, U32(1), 97, 1, 108, U32(1), 97, 2, 108, U32(1), 97, 3, 106),
	}
}

func tuples() []Case {
	return []Case{
		accepted("empty tuple", "{}", 104, 0),
		accepted("tuple", "{a,{1,[]}}", 104, 2, Atom("a"), 104, 2, 97, 1, 106),
		accepted("tuple of 256", "{"+strings.Repeat("[],", 255)+"[]}", 105, U32(256), strings.Repeat("\x6a", 256)),

		alias("LARGE_TUPLE_EXT for a small one", "{1}", term(104, 1, 97, 1), 105, U32(1), 97, 1),
		alias("empty LARGE_TUPLE_EXT", "{}", term(104, 0), 105, U32(0)),
	}
}

func maps() []Case {
	duplicate := "map key that is there already"
	return []Case{
		accepted("empty map", "#{}", 116, U32(0)),
		accepted("map", "#{a => 1,b => 2}", 116, U32(2), Atom("a"), 97, 1, Atom("b"), 97, 2),
		accepted("map, other order", "#{a => 1,b => 2}", 116, U32(2), Atom("b"), 97, 2, Atom("a"), 97, 1),
		accepted("keys of all kinds", "#{1 => [],1.0 => [],a => [],{} => [],#{} => [],[] => [],<<>> => []}",
			116, U32(7), 97, 1, 106, 70, U64(0x3FF0000000000000), 106, Atom("a"), 106, 104, 0, 106, 116, U32(0), 106, 106, 106,
			109, U32(0), 106),
		accepted("1 and 1.0 as keys", "#{1 => a,1.0 => b}",
			116, U32(2), 97, 1, Atom("a"), 70, U64(0x3FF0000000000000), Atom("b")),
		accepted("0.0 and -0.0 as keys", "#{-0.0 => b,0.0 => a}",
			116, U32(2), 70, U64(0), Atom("a"), 70, 0x80, 0, 0, 0, 0, 0, 0, 0, Atom("b")).
			differs("OTP 25 takes them for the same key, OTP 27 does not"),
		accepted("maps as keys", "#{#{a => 1} => x,#{a => 2} => y}",
			116, U32(2), 116, U32(1), Atom("a"), 97, 1, Atom("x"), 116, U32(1), Atom("a"), 97, 2, Atom("y")),

		rejected("duplicate key", duplicate, 116, U32(2), Atom("a"), 97, 1, Atom("a"), 97, 2),
		rejected("duplicate key, latin1 and UTF-8", duplicate, 116, U32(2), 100, U16(1), 0xE9, 97, 1, Atom("é"), 97, 2),
		rejected("duplicate key, small and large int", duplicate, 116, U32(2), 97, 1, 106, 98, U32(1), 106),
		rejected("duplicate key, small and big int", duplicate, 116, U32(2), 97, 1, 106, 110, 2, 0, 1, 0, 106),
		rejected("duplicate key, bigs", duplicate,
			116, U32(2), 110, 9, 0, "abcdefghi", 106, 111, U32(10), 0, "abcdefghi", 0, 106),
		rejected("duplicate key, old and new float", duplicate,
			116, U32(2), 70, U64(0x3FF8000000000000), 106, OldFloat("1.5"), 106),
		rejected("duplicate key, string and list", duplicate,
			116, U32(2), 107, U16(1), 7, 106, 108, U32(1), 97, 7, 106, 106),
		rejected("duplicate key, empty lists", duplicate, 116, U32(2), 106, 106, 107, U16(0), 106),
		rejected("duplicate key, list and chain", duplicate, 116, U32(2), 108, U32(2), Atom("a"), 97, 1, 106, 106,
			108, U32(1), Atom("a"), 107, U16(1), 1, 106),
		rejected("duplicate key, binary and bit string", duplicate, 116, U32(2), 109, U32(1), 7, 106, 77, U32(1), 8, 7, 106),
		rejected("duplicate key, dirty bits", duplicate, 116, U32(2), 77, U32(1), 1, 0x80, 106, 77, U32(1), 1, 0xFF, 106),
		rejected("duplicate key, tuples", duplicate, 116, U32(2), 104, 1, 97, 1, 106, 105, U32(1), 98, U32(1), 106),
		rejected("duplicate key, maps in two orders", duplicate,
			116, U32(2), 116, U32(2), Atom("a"), 97, 1, Atom("b"), 97, 2, 106,
			116, U32(2), Atom("b"), 97, 2, Atom("a"), 98, U32(1), 106),
		rejected("duplicate key, old and new pid", duplicate,
			116, U32(2), 103, node, U32(1), U32(2), 3, 106, 88, node, U32(1), U32(2), U32(3), 106),
		rejected("duplicate key, funs of two creators", duplicate,
			116, U32(2), fun(pid, nil), 106, fun(Join(103, node, U32(9), U32(9), 0), nil), 106),
		rejected("duplicate key within a key", duplicate,
			116, U32(1), 104, 1, 116, U32(2), Atom("a"), 97, 1, Atom("a"), 97, 2, 106),
		rejected("duplicate key within a value", duplicate,
			116, U32(1), Atom("a"), 116, U32(2), Atom("a"), 97, 1, Atom("a"), 97, 2),
		rejected("duplicate key among many", duplicate, 116, U32(100), manyKeys(99), 98, U32(0x10042), 106),
	}
}

// manyKeys is n keys with the value [], integers from 0x10000 on.
func manyKeys(n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, Join(98, U32(0x10000+i), 106)...)
	}
	return b
}

func identifiers() []Case {
	return []Case{
		accepted("pid", "<0.1.2>", pid),
		accepted("wide pid", "<0.4294967295.4294967295>", 88, node, U32(-1), U32(-1), U32(-1)),
		accepted("port", "#Port<0.5>", 120, node, U64(5), U32(3)),
		accepted("wide port", "#Port<0.18446744073709551615>", 120, node, U64(1<<64-1), U32(3)),
		accepted("reference", "#Ref<0.3.2.1>", 90, U16(3), node, U32(3), U32(1), U32(2), U32(3)),
		accepted("reference of 1 word", "#Ref<0.1>", 90, U16(1), node, U32(3), U32(1)),
		accepted("reference of 5 words", "#Ref<0.5.4.3.2.1>", 90, U16(5), node, U32(3), U32(1), U32(2), U32(3), U32(4), U32(5)),
		accepted("node without @", "<0.1.2>", 88, Atom("x"), U32(1), U32(2), U32(3)),

		alias("PID_EXT", "<0.1.2>", term(pid), 103, node, U32(1), U32(2), 3),
		alias("PID_EXT with a wide id", "<0.4294967295.2>", term(88, node, U32(-1), U32(2), U32(3)), 103, node, U32(-1), U32(2), 3),
		alias("PORT_EXT", "#Port<0.5>", term(120, node, U64(5), U32(3)), 102, node, U32(5), 3),
		alias("NEW_PORT_EXT", "#Port<0.5>", term(120, node, U64(5), U32(3)), 89, node, U32(5), U32(3)),
		alias("REFERENCE_EXT", "#Ref<0.5>", term(90, U16(1), node, U32(3), U32(5)), 101, node, U32(5), 3),
		alias("NEW_REFERENCE_EXT", "#Ref<0.2.1>", term(90, U16(2), node, U32(3), U32(1), U32(2)),
			114, U16(2), node, 3, U32(1), U32(2)),
		alias("latin1 node", "<0.1.2>", term(88, Atom("\u00e9@b"), U32(1), U32(2), U32(3)),
			88, 100, U16(3), "\xe9@b", U32(1), U32(2), U32(3)),

		rejected("6 reference words", "bad pid, port or reference", 90, U16(6), node, U32(3), strings.Repeat("\x00", 24)),
		rejected("wide first word", "bad pid, port or reference", 114, U16(1), node, 3, U32(1<<18)),
		rejected("wide word in REFERENCE_EXT", "bad pid, port or reference", 101, node, U32(1<<18), 3),
		rejected("old creation above 3", "bad pid, port or reference", 103, node, U32(1), U32(2), 4),
		rejected("old creation above 3, port", "bad pid, port or reference", 102, node, U32(1), 4),
		rejected("old creation above 3, reference", "bad pid, port or reference", 114, U16(1), node, 4, U32(1)),
		rejected("reference without words", "bad pid, port or reference", 90, U16(0), node, U32(3)).
			differs("OTP 25 reads past the input for the first word, OTP 27 refuses the older tag so"),
		rejected("NEW_REFERENCE_EXT without words", "bad pid, port or reference", 114, U16(0), node, 3).
			differs("OTP 25 reads past the input for the first word, OTP 27 refuses it"),
		rejected("node that is no atom", "atom", 88, 97, 1, U32(1), U32(2), U32(3)),
	}
}

// fun is a NEW_FUN_EXT with the given creator and free variables.
func fun(creator []byte, free ...[]byte) []byte {
	n := 0
	for _, v := range free {
		if v != nil {
			n++
		}
	}
	rest := Join(1, "0123456789abcdef", U32(7), U32(n), Atom("m"), 97, 3, 98, U32(1000), creator, bytes.Join(free, nil))
	return Join(112, U32(4+len(rest)), rest)
}

func funs() []Case {
	resized := func(by int) []byte {
		b := fun(pid, Atom("a"))
		copy(b[1:], U32(len(b)-1+by))
		return b
	}
	old := "tag 117 (FUN_EXT)"
	return []Case{
		accepted("fun", "#Fun<m.3.1000>", fun(pid)),
		accepted("fun with an environment", "#Fun<m.3.1000>", fun(pid, Join(104, 1, 97, 1), Atom("x"))),
		accepted("export", "fun lists:map/2", 113, Atom("lists"), Atom("map"), 97, 2),
		accepted("export with names in quotes", "fun 'Elixir.A':'b c'/0", 113, Atom("Elixir.A"), Atom("b c"), 97, 0),
		accepted("export of arity 256", "fun a:b/256", 113, Atom("a"), Atom("b"), 98, U32(256)),
		alias("export with INTEGER_EXT", "fun a:b/2", term(113, Atom("a"), Atom("b"), 97, 2), 113, Atom("a"), Atom("b"), 98, U32(2)),
		alias("export with SMALL_BIG_EXT", "fun a:b/2", term(113, Atom("a"), Atom("b"), 97, 2),
			113, Atom("a"), Atom("b"), 110, 1, 0, 2),

		rejected("export of negative arity", "bad fun", 113, Atom("a"), Atom("b"), 98, U32(-1)),
		rejected("export of arity 2^32+2", "bad fun", 113, Atom("a"), Atom("b"), 110, 5, 0, 2, 0, 0, 0, 1).
			differs("OTP takes the arity modulo 2^32"),
		rejected("export of no arity", "bad fun", 113, Atom("a"), Atom("b"), Atom("c")),
		rejected("export of no atom", "atom", 113, Atom("a"), 97, 1, 97, 1),
		rejected("fun whose creator is no pid", "bad fun", fun(Atom("a"))).
			differs("OTP 25 decodes it and crashes when it encodes it, OTP 27 refuses it"),
		rejected("fun size too small", "bad fun", resized(-1)).differs("OTP does not look at the size"),
		rejected("fun size too large", "bad fun", 104, 2, resized(1), 97, 1).differs("OTP does not look at the size"),
		rejected("FUN_EXT", old, 117, U32(0), pid, Atom("m"), 97, 1, 97, 1),
	}
}

func compressed() []Case {
	content := Join(108, U32(1000), strings.Repeat("w\x03abc", 1000), 106)
	text := "[" + strings.Repeat("abc,", 999) + "abc]"
	good := Deflate(content, len(content), 9)
	flipped := slices.Clone(good)
	flipped[len(flipped)-1] ^= 1
	notSo := "compressed term that is not what it claims"
	return []Case{
		alias("compressed", text, term(content), good),
		alias("compressed in stored blocks", text, term(content), Deflate(content, len(content), 0)),
		alias("compressed, small", "ok", term(Atom("ok")), Deflate(Atom("ok"), 4, 6)),
		rejected("compressed, size too small", notSo, Deflate(content, len(content)-1, 6)),
		rejected("compressed, size too large", notSo, Deflate(content, len(content)+1, 6)),
		rejected("compressed, bad checksum", notSo, flipped),
		rejected("compressed, no checksum", "unexpected EOF", good[:len(good)-4]),
		rejected("compressed, raw deflate", notSo, good[:5], good[7:]),
		rejected("compressed, gzip", notSo, good[:5], 0x1F, 0x8B, good[7:]),
		rejected("compressed, trailing bytes within", "bytes after the term", Deflate(Join(Atom("ok"), 97, 1), 6, 6)).
			differs("OTP ignores them"),
		rejected("compressed, a term that ends early", notSo, Deflate(Join(119, 3, "ab"), 4, 6)),
		rejected("compressed, bad term", "tag 117", Deflate(Join(104, 1, 117), 3, 6)),
		rejected("compressed, nested", "tag 80 (COMPRESSED)", Deflate(good, len(good), 6)),
		rejected("compressed within a term", "tag 80 (COMPRESSED)", 104, 1, good),
	}
}

func refused() []Case {
	cases := []Case{
		{Name: "no version byte", Bytes: []byte{97, 1}, Err: "no version byte 131"},
		rejected("version byte within", "tag 131", 104, 1, 131, 97, 1),
		rejected("trailing byte", "bytes after the term", 97, 1, 0).differs("OTP ignores trailing bytes"),
		rejected("ATOM_INTERNAL_REF2", "tag 73", 73, 0, 1).differs("OTP takes the number for an index of its atom table"),
		rejected("ATOM_INTERNAL_REF3", "tag 75", 75, 0, 0, 1).differs("OTP takes the number for an index of its atom table"),
	}
	for tag, name := range map[int]string{
		68: "DIST_HEADER", 69: "DIST_FRAG_HEADER", 74: "BINARY_INTERNAL_REF", 76: "unknown tag 76",
		78: "BIT_BINARY_INTERNAL_REF", 82: "ATOM_CACHE_REF", 121: "LOCAL_EXT", 0: "unknown tag 0", 255: "unknown tag 255",
	} {
		cases = append(cases, rejected(fmt.Sprintf("tag %03d", tag), name, tag, strings.Repeat("\x00", 16)))
	}
	slices.SortFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return cases
}
