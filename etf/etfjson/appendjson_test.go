package etfjson_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

// raw puts an encoded term together from strings.
func raw(parts ...string) []byte { return []byte("\x83" + strings.Join(parts, "")) }

const (
	aRecord = "C\x00\x00\x00\x01\x01w\x01mw\x01rw\x01aa\x01"
	aPid    = "X\x77\x01n\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	aMapOf1 = "t\x00\x00\x00\x01"
)

func TestTermsThatBecomeJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		term []byte
		want string
	}{
		{"true", raw("w\x04true"), `true`},
		{"false", raw("w\x05false"), `false`},
		{"nil", raw("w\x03nil"), `null`},
		{"null", raw("w\x04null"), `null`},
		{"undefined", raw("w\x09undefined"), `null`},
		{"another atom", raw("w\x02ok"), `"ok"`},
		{"empty atom", raw("w\x00"), `""`},
		{"an atom that needs escapes", raw("w\x03a\"\n"), `"a\"\n"`},
		{"ATOM_UTF8_EXT", raw("v\x00\x03nil"), `null`},
		{"ATOM_UTF8_EXT, not ASCII", raw("v\x00\x02é"), `"é"`},
		{"ATOM_EXT", raw("d\x00\x04true"), `true`},
		{"ATOM_EXT, Latin-1", raw("d\x00\x02\xe9a"), `"éa"`},
		{"SMALL_ATOM_EXT", raw("s\x05\x00\xff\"\\x"), `"\u0000ÿ\"\\x"`},
		{"an atom of 255 four-byte characters", raw("v\x03\xfc", strings.Repeat("😀", 255)), `"` + strings.Repeat("😀", 255) + `"`},
		{"binary", raw("m\x00\x00\x00\x03a\"\x01"), `"a\"\u0001"`},
		{"empty binary", raw("m\x00\x00\x00\x00"), `""`},
		{"bit string of whole bytes", raw("M\x00\x00\x00\x02\x08ab"), `"ab"`},
		{"small integer", raw("a\xff"), `255`},
		{"integer", raw("b\xff\xff\xff\xff"), `-1`},
		{"integer that would fit smaller", raw("b\x00\x00\x00\x07"), `7`},
		{"bignum zero", raw("n\x00\x00"), `0`},
		{"bignum minus zero", raw("n\x02\x01\x00\x00"), `0`},
		{"bignum with leading zeros", raw("n\x0b\x01\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), `-5`},
		{"bignum", raw("n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), `18446744073709551616`},
		{"large bignum", raw("o\x00\x00\x00\x01\x01\x09"), `-9`},
		{"float", raw("F\x3f\xf8\x00\x00\x00\x00\x00\x00"), `1.5`},
		{"whole float", raw("F\x3f\xf0\x00\x00\x00\x00\x00\x00"), `1.0`},
		{"minus zero", raw("F\x80\x00\x00\x00\x00\x00\x00\x00"), `-0.0`},
		{"FLOAT_EXT", raw("c1.50000000000000000000e+00\x00\x00\x00\x00\x00"), `1.5`},
		{"FLOAT_EXT with junk after it", raw("c-12.25\x00", strings.Repeat("z", 24)), `-12.25`},
		{"FLOAT_EXT that is too small", raw("c1.0e-400\x00", strings.Repeat("\x00", 22)), `0.0`},
		{"empty list", raw("j"), `[]`},
		{"list", raw("l\x00\x00\x00\x02a\x01w\x01aj"), `[1,"a"]`},
		{"STRING_EXT is a list", raw("k\x00\x03abc"), `[97,98,99]`},
		{"empty STRING_EXT", raw("k\x00\x00"), `[]`},
		{"LIST_EXT of no elements is its tail", raw("l\x00\x00\x00\x00a\x07"), `7`},
		{"LIST_EXT of no elements, twice", raw("l\x00\x00\x00\x00l\x00\x00\x00\x00j"), `[]`},
		{"a list as the tail", raw("l\x00\x00\x00\x01a\x01l\x00\x00\x00\x01a\x02j"), `[1,2]`},
		{"a string as the tail", raw("l\x00\x00\x00\x01a\x01k\x00\x02\x02\x03"), `[1,2,3]`},
		{"an empty list as the tail", raw("l\x00\x00\x00\x01a\x01l\x00\x00\x00\x00l\x00\x00\x00\x01a\x02j"), `[1,2]`},
		{"empty map", raw("t\x00\x00\x00\x00"), `{}`},
		{"map", raw("t\x00\x00\x00\x03w\x01aa\x01m\x00\x00\x00\x01ba\x02b\x00\x00\x00\x63w\x03nil"), `{"a":1,"b":2,"99":null}`},
		{"negative key", raw(aMapOf1, "b\xff\xff\xff\xffj"), `{"-1":[]}`},
		{"bignum key", raw(aMapOf1, "n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01j"), `{"18446744073709551616":[]}`},
		{"atoms that are values elsewhere, as keys", raw("t\x00\x00\x00\x03w\x03nila\x01w\x04truea\x02w\x09undefineda\x03"), `{"nil":1,"true":2,"undefined":3}`},
		{"Latin-1 key", raw(aMapOf1, "d\x00\x01\xe9j"), `{"é":[]}`},
		{"the binary __struct__ is a name like others", raw(aMapOf1, "m\x00\x00\x00\x0a__struct__j"), `{"__struct__":[]}`},
		{"maps in maps", raw(aMapOf1, "w\x01a", aMapOf1, "w\x01a", aMapOf1, "w\x01bl\x00\x00\x00\x02", aMapOf1, "w\x01cjt\x00\x00\x00\x00j"), `{"a":{"a":{"b":[{"c":[]},{}]}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, etf.Valid(c.term), "the vector itself is no term")
			got, err := etfjson.AppendJSON([]byte("in front"), c.term)
			require.NoError(t, err)
			require.Equal(t, "in front"+c.want, string(got))
			require.True(t, json.Valid([]byte(c.want)))

			got, err = etfjson.Options{NoVersion: true}.AppendJSON(nil, c.term[1:])
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestTermsWithoutAFormInJSON(t *testing.T) {
	for _, c := range []struct {
		name   string
		term   []byte
		offset int
		path   string
		what   string
	}{
		{"tuple", raw("h\x02w\x02oka\x01"), 1, "", "a tuple"},
		{"large tuple", raw("i\x00\x00\x00\x00"), 1, "", "a tuple"},
		{"tuple within", raw("l\x00\x00\x00\x02a\x01", aMapOf1, "w\x03a/bh\x00j"), 18, "/1/a~1b", "a tuple"},
		{"pid", raw(aPid), 1, "", "a pid"},
		{"old pid", raw("g\x77\x01n\x00\x00\x00\x01\x00\x00\x00\x00\x00"), 1, "", "a pid"},
		{"port", raw("x\x77\x01n\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"), 1, "", "a port"},
		{"reference", raw("Z\x00\x01\x77\x01n\x00\x00\x00\x00\x00\x00\x00\x01"), 1, "", "a reference"},
		{"fun", raw("p\x00\x00\x00\x04"), 1, "", "a fun"},
		{"export", raw("q\x77\x01m\x77\x01fa\x01"), 1, "", "an external fun"},
		{"native record", raw(aRecord), 1, "", "a native record"},
		{"native record within", raw(aMapOf1, "w\x01x", aRecord), 9, "/x", "a native record"},
		{"native record as a key", raw(aMapOf1, aRecord, "j"), 6, "", "a native record as a key of a map"},
		{"bit string", raw("M\x00\x00\x00\x01\x03\xe0"), 1, "", "a bit string"},
		{"improper list", raw("l\x00\x00\x00\x01a\x01a\x02"), 1, "", "an improper list"},
		{"improper list within", raw(aMapOf1, "w\x01xl\x00\x00\x00\x02ja\x01a\x02"), 9, "/x", "an improper list"},
		{"improper list after lists", raw("l\x00\x00\x00\x01a\x01l\x00\x00\x00\x01a\x01m\x00\x00\x00\x00"), 1, "", "an improper list"},
		{"compressed", raw("P\x00\x00\x00\x02"), 1, "", "a compressed term (tag 80)"},
		{"float as a key", raw(aMapOf1, "F\x3f\xf0\x00\x00\x00\x00\x00\x00j"), 6, "", "a float as a key of a map"},
		{"list as a key", raw(aMapOf1, "k\x00\x01aj"), 6, "", "a list as a key of a map"},
		{"map as a key", raw(aMapOf1, "w\x01a", aMapOf1, "t\x00\x00\x00\x00j"), 14, "/a", "a map as a key of a map"},
		{"tuple as a key", raw(aMapOf1, "h\x00j"), 6, "", "a tuple as a key of a map"},
		{"pid as a key", raw(aMapOf1, aPid, "j"), 6, "", "a pid as a key of a map"},
		{"bit string as a key", raw(aMapOf1, "M\x00\x00\x00\x01\x03\xe0j"), 6, "", "a bit string"},
		{"same name of an atom and a binary", raw("t\x00\x00\x00\x02w\x01aa\x01m\x00\x00\x00\x01aa\x02"), 11, "", `two keys with the name "a" in one map`},
		{"same name of an integer and a binary", raw(aMapOf1, "w\x01mt\x00\x00\x00\x02a\x07a\x01m\x00\x00\x00\x017a\x02"), 18, "/m", `two keys with the name "7" in one map`},
		{"same key", raw("t\x00\x00\x00\x02w\x01aa\x01w\x01aa\x02"), 11, "", `two keys with the name "a" in one map`},
		{"same atom in Latin-1 and UTF-8", raw("t\x00\x00\x00\x02d\x00\x01\xe9a\x01w\x02\xc3\xa9a\x02"), 12, "", `two keys with the name "é" in one map`},
		{"struct", raw(aMapOf1, "w\x0a__struct__w\x0bElixir.Date"), 1, "", "the struct Date"},
		{"struct within", raw(aMapOf1, "w\x01dl\x00\x00\x00\x01t\x00\x00\x00\x02w\x01aa\x01d\x00\x0a__struct__w\x0eElixir.Foo.Barj"), 14, "/d/0", "the struct Foo.Bar"},
		{"struct of no Elixir module", raw(aMapOf1, "w\x0a__struct__w\x04date"), 1, "", "the struct date"},
		{"struct of a bad module", raw(aMapOf1, "w\x0a__struct__h\x00"), 1, "", "a map with the atom key __struct__"},
		{"struct of no module", raw(aMapOf1, "w\x0a__struct__a\x01"), 1, "", "a map with the atom key __struct__"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := etfjson.AppendJSON([]byte("kept"), c.term)
			var te *etfjson.TermError
			require.ErrorAs(t, err, &te)
			assert.Equal(t, c.offset, te.Offset)
			assert.Equal(t, c.path, te.Path)
			assert.Equal(t, c.what, te.What)
			assert.Contains(t, err.Error(), "etfjson: JSON has no form for "+c.what)
			assert.Equal(t, "kept", string(got))
		})
	}
	t.Run("a struct's error says what to do", func(t *testing.T) {
		_, err := etfjson.AppendJSON(nil, raw(aMapOf1, "w\x0a__struct__w\x0bElixir.Date"))
		require.EqualError(t, err, "etfjson: JSON has no form for the struct Date: turn it into a map or a string first, with Map.from_struct/1 for instance at byte 1")
	})
}

func TestMalformedTerms(t *testing.T) {
	for _, c := range []struct {
		name   string
		term   []byte
		offset int
		path   string
		want   error
	}{
		{"nothing", nil, 0, "", io.ErrUnexpectedEOF},
		{"no version byte", []byte("a\x01"), 0, "", etfjson.ErrNoVersion},
		{"only a version byte", raw(), 1, "", io.ErrUnexpectedEOF},
		{"two terms", raw("a\x01a\x01"), 3, "", etfjson.ErrTrailingData},
		{"a version byte within", raw("l\x00\x00\x00\x01\x83a\x01j"), 6, "/0", etfjson.ErrUnknownTag},
		{"unknown tag", raw("\x00"), 1, "", etfjson.ErrUnknownTag},
		{"unknown tag as a key", raw(aMapOf1, "\x01j"), 6, "", etfjson.ErrUnknownTag},
		{"unknown tag as a tail", raw("l\x00\x00\x00\x01j\x01"), 7, "", etfjson.ErrUnknownTag},
		{"NaN", raw("F\x7f\xf8\x00\x00\x00\x00\x00\x00"), 1, "", etfjson.ErrInvalidFloat},
		{"infinity", raw("F\xff\xf0\x00\x00\x00\x00\x00\x00"), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT without digits after the point", raw("c1.\x00", strings.Repeat("\x00", 28)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT of an integer", raw("c1\x00", strings.Repeat("\x00", 29)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT without a point", raw("c1e5\x00", strings.Repeat("\x00", 27)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT out of range", raw("c1.0e400\x00", strings.Repeat("\x00", 23)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT with a space", raw("c 1.5\x00", strings.Repeat("\x00", 26)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT without its NUL", raw("c1.", strings.Repeat("0", 29)), 1, "", etfjson.ErrInvalidFloat},
		{"FLOAT_EXT of a hexadecimal float", raw("c0x1.8p1\x00", strings.Repeat("\x00", 23)), 1, "", etfjson.ErrInvalidFloat},
		{"sign byte 2", raw("n\x01\x02\x05"), 1, "", etfjson.ErrInvalidBignum},
		{"bit count 0", raw("M\x00\x00\x00\x01\x00a"), 1, "", etfjson.ErrInvalidBits},
		{"bit count 9", raw("M\x00\x00\x00\x01\x09a"), 1, "", etfjson.ErrInvalidBits},
		{"bit count of nothing", raw("M\x00\x00\x00\x00\x08"), 1, "", etfjson.ErrInvalidBits},
		{"no UTF-8 in an atom", raw("w\x02a\xff"), 1, "", etfjson.ErrInvalidAtom},
		{"no UTF-8 in a binary", raw("l\x00\x00\x00\x01m\x00\x00\x00\x03ab\xffj"), 13, "/0", etfjson.ErrInvalidUTF8},
		{"surrogate in a binary", raw("m\x00\x00\x00\x03\xed\xa0\x80"), 6, "", etfjson.ErrInvalidUTF8},
		{"no UTF-8 in a key", raw(aMapOf1, "w\x01k", aMapOf1, "m\x00\x00\x00\x02a\xe9j"), 20, "/k", etfjson.ErrInvalidUTF8},
		{"atom of 256 characters", raw("v\x01\x00", strings.Repeat("a", 256)), 1, "", etfjson.ErrInvalidAtom},
		{"Latin-1 atom of 256 characters", raw("d\x01\x00", strings.Repeat("a", 256)), 1, "", etfjson.ErrInvalidAtom},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := etfjson.AppendJSON([]byte("kept"), c.term)
			require.ErrorIs(t, err, c.want)
			var se *etfjson.SyntaxError
			require.ErrorAs(t, err, &se)
			assert.Equal(t, c.offset, se.Offset)
			assert.Equal(t, c.path, se.Path)
			assert.Equal(t, "kept", string(got))
			if c.want != etfjson.ErrInvalidUTF8 { // a binary need not be text to be a term
				require.Error(t, etf.Valid(c.term))
			}
		})
	}
}

// Every prefix of a term is an error, and so is a byte more.
func TestTermPrefixes(t *testing.T) {
	huge, err := etf.Encode(etf.BigInt(new(big.Int).Lsh(big.NewInt(1), 3000)))
	require.NoError(t, err)
	ev, err := etfjson.AppendTerm(nil, event())
	require.NoError(t, err)
	for _, term := range [][]byte{
		ev, huge,
		raw("t\x00\x00\x00\x02d\x00\x01ak\x00\x03abcM\x00\x00\x00\x01\x08xc1.5\x00", strings.Repeat("\x00", 27)),
		raw("l\x00\x00\x00\x03n\x02\x01\x01\x02v\x00\x02okb\x00\x00\x01\x00l\x00\x00\x00\x00k\x00\x01\x01"),
		raw("s\x02okj")[:5],
	} {
		_, err := etfjson.AppendJSON(nil, term)
		require.NoError(t, err)
		for n := range term {
			_, err := etfjson.AppendJSON(nil, term[:n])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes of %q", n, term)
		}
		_, err = etfjson.AppendJSON(nil, append(bytes.Clone(term), 'j'))
		require.ErrorIs(t, err, etfjson.ErrTrailingData)
	}
}

func TestTermDepth(t *testing.T) {
	list := func(n int) []byte {
		return raw(strings.Repeat("l\x00\x00\x00\x01", n-1), "j", strings.Repeat("j", n-1))
	}
	str := func(n int) []byte {
		return raw(strings.Repeat("l\x00\x00\x00\x01", n-1), "k\x00\x01\x01", strings.Repeat("j", n-1))
	}
	maps := func(n int) []byte {
		return raw(strings.Repeat(aMapOf1+"w\x01a", n-1), "t\x00\x00\x00\x00")
	}
	for name, build := range map[string]func(int) []byte{"lists": list, "strings": str, "maps": maps} {
		for _, most := range []int{1, 2, 100, etfjson.DefaultMaxDepth, etfjson.LargestMaxDepth} {
			o := etfjson.Options{MaxDepth: most}
			_, err := o.AppendJSON(nil, build(most))
			require.NoError(t, err, "%d %s", most, name)
			require.NoError(t, etf.DecodeOptions{MaxDepth: most}.Valid(build(most)), "%d %s", most, name)
			_, err = o.AppendJSON(nil, build(most+1))
			var le *etfjson.LimitError
			require.ErrorAs(t, err, &le, "%d %s", most, name)
			assert.Equal(t, "depth", le.Limit)
		}
		_, err := etfjson.AppendJSON(nil, build(10_000_000))
		require.ErrorIs(t, err, etfjson.ErrLimit)
	}
	t.Run("tails do not add up", func(t *testing.T) {
		const n = 100_000
		got, err := etfjson.AppendJSON(nil, raw(strings.Repeat("l\x00\x00\x00\x01a\x01", n), "j"))
		require.NoError(t, err)
		require.Equal(t, "["+strings.Repeat("1,", n-1)+"1]", string(got))
		got, err = etfjson.AppendJSON(nil, raw(strings.Repeat("l\x00\x00\x00\x00", n), "a\x01"))
		require.NoError(t, err)
		require.Equal(t, "1", string(got))
	})
}

// A count or a length is no reason to allocate: what it promises is not there.
func TestClaims(t *testing.T) {
	for _, claim := range []uint32{math.MaxInt32, math.MaxUint32} {
		n := string(binary.BigEndian.AppendUint32(nil, claim))
		for _, head := range []string{"l", "t", "m", "o", "M", "i", "P", "Z", "p", "v", "d", "k", "w", "n"} {
			for _, term := range [][]byte{raw(head, n), raw(head, n, "\x08\x00\x00\x00"), raw("l\x00\x00\x00\x01", head, n, "jjj"), raw(aMapOf1, head, n, "jjjjjjjj")} {
				if _, err := etfjson.AppendJSON(nil, term); err == nil {
					continue // read as something short and valid
				}
				assert.LessOrEqual(t, allocated(func() { _, _ = etfjson.AppendJSON(nil, term) }), uint64(4096), "%q", term)
			}
		}
	}
}
