package etfjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

func bin(s string) etf.Term { return etf.String(s) }

func TestAppendTermTerms(t *testing.T) {
	pair := func(k string, v etf.Term) etf.Pair { return etf.Pair{Key: bin(k), Value: v} }
	for _, c := range []struct {
		json string
		want etf.Term
	}{
		{`null`, etf.Atom("nil")},
		{`true`, etf.Bool(true)},
		{`false`, etf.Bool(false)},
		{`"nil"`, bin("nil")},
		{`""`, bin("")},
		{`"\u00e9€"`, bin("é€")},
		{`0`, etf.Int(0)},
		{`-0`, etf.Int(0)},
		{`-1`, etf.Int(-1)},
		{`1.0`, etf.Float(1)},
		{`1e2`, etf.Float(100)},
		{`[]`, etf.List()},
		{`[1,2]`, etf.List(etf.Int(1), etf.Int(2))},
		{`[[1,2],3]`, etf.List(etf.List(etf.Int(1), etf.Int(2)), etf.Int(3))},
		{`["a",null]`, etf.List(bin("a"), etf.Atom("nil"))},
		{`{}`, etf.Map()},
		{`{"a":1}`, etf.Map(pair("a", etf.Int(1)))},
		{`{"b":{"c":[]},"a":"x"}`, etf.Map(pair("a", bin("x")), pair("b", etf.Map(pair("c", etf.List()))))},
		{`{"a":[1],"a":{"b":2}}`, etf.Map(pair("a", etf.Map(pair("b", etf.Int(2)))))},
	} {
		t.Run(c.json, func(t *testing.T) {
			got, err := etfjson.AppendTerm(nil, []byte(c.json))
			require.NoError(t, err)
			term, err := etf.Decode(got)
			require.NoError(t, err)
			assert.True(t, etf.Equal(c.want, term), "got %v, want %v", term, c.want)
		})
	}
}

// The bytes themselves, as term_to_binary(T, [{minor_version, 2}]) with UTF-8
// atoms writes them.
func TestAppendTermBytes(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`null`, "\x83w\x03nil"},
		{`true`, "\x83w\x04true"},
		{`"ab"`, "\x83m\x00\x00\x00\x02ab"},
		{`"\n"`, "\x83m\x00\x00\x00\x01\n"},
		{`255`, "\x83a\xff"},
		{`256`, "\x83b\x00\x00\x01\x00"},
		{`-1`, "\x83b\xff\xff\xff\xff"},
		{`2147483648`, "\x83n\x04\x00\x00\x00\x00\x80"},
		{`-9223372036854775808`, "\x83n\x08\x01\x00\x00\x00\x00\x00\x00\x00\x80"},
		{`18446744073709551616`, "\x83n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"},
		{`1.5`, "\x83F\x3f\xf8\x00\x00\x00\x00\x00\x00"},
		{`-0.0`, "\x83F\x80\x00\x00\x00\x00\x00\x00\x00"},
		{`[]`, "\x83j"},
		{`{}`, "\x83t\x00\x00\x00\x00"},
		{`[1,2]`, "\x83k\x00\x02\x01\x02"},
		{`[1,256]`, "\x83l\x00\x00\x00\x02a\x01b\x00\x00\x01\x00j"},
		{`[[1]]`, "\x83l\x00\x00\x00\x01k\x00\x01\x01j"},
		{`{"a":1,"b":2,"a":3}`, "\x83t\x00\x00\x00\x02m\x00\x00\x00\x01ba\x02m\x00\x00\x00\x01aa\x03"},
	} {
		got, err := etfjson.AppendTerm(nil, []byte(c.json))
		require.NoError(t, err, c.json)
		assert.Equal(t, []byte(c.want), got, c.json)

		bare, err := etfjson.Options{NoVersion: true}.AppendTerm([]byte("in front"), []byte(c.json))
		require.NoError(t, err, c.json)
		assert.Equal(t, "in front"+c.want[1:], string(bare), c.json)
	}
	t.Run("65,535 bytes are a STRING_EXT, 65,536 a LIST_EXT", func(t *testing.T) {
		for n, tag := range map[int]byte{65535: 'k', 65536: 'l'} {
			text := "[" + strings.Repeat("7,", n-1) + "7]"
			got, err := etfjson.AppendTerm(nil, []byte(text))
			require.NoError(t, err)
			assert.Equal(t, tag, got[1])
			again, err := etfjson.AppendJSON(nil, got)
			require.NoError(t, err)
			assert.True(t, text == string(again), "%d elements", n)
		}
	})
}

func TestAcceptedJSON(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			require.True(t, json.Valid([]byte(c.json)), "the vector itself is no JSON")
			term, err := etfjson.AppendTerm(nil, []byte(c.json))
			require.NoError(t, err)
			require.NoError(t, etf.Valid(term))
			again, err := etfjson.AppendJSON(nil, term)
			require.NoError(t, err)
			assert.Equal(t, c.again, string(again))
		})
	}
}

func TestRejectedJSON(t *testing.T) {
	for _, c := range rejected {
		t.Run(c.name, func(t *testing.T) {
			dst := append(make([]byte, 0, 64), "kept"...)
			got, err := etfjson.AppendTerm(dst, []byte(c.json))
			var se *etfjson.SyntaxError
			require.ErrorAs(t, err, &se)
			assert.Equal(t, c.offset, se.Offset, "%v", err)
			assert.Equal(t, "kept", string(got))
			assert.True(t, strings.HasPrefix(err.Error(), "etfjson: "), "%v", err)
			assert.Contains(t, err.Error(), fmt.Sprintf("byte %d", c.offset))
		})
	}
}

func TestJSONErrorMessages(t *testing.T) {
	for text, want := range map[string]string{
		`[1,]`:          "etfjson: ',' where the end of the array should be at byte 2",
		`{"a":1,}`:      "etfjson: ',' where the end of the object should be at byte 6",
		`{"a" 1}`:       "etfjson: '1' where a colon should be at byte 5",
		`{"a":{"b" 1}}`: "etfjson: '1' where a colon should be at byte 10, in /a",
		`{a:1}`:         "etfjson: 'a' where a name should be at byte 1",
		`[1 2]`:         "etfjson: '2' where a comma or the end of the array should be at byte 3",
		`{"a":1]`:       "etfjson: ']' where a comma or the end of the object should be at byte 6",
		`[tru]`:         "etfjson: ']' where the literal true should be at byte 4, in /0",
		`[-]`:           "etfjson: ']' where a digit should be at byte 2, in /0",
		`[1.]`:          "etfjson: ']' where a digit should be at byte 3, in /0",
		"[\xff]":        "etfjson: byte 0xFF where a value should be at byte 1, in /0",
		"[\"\n\"]":      "etfjson: '\\n' where a character of a string should be at byte 2, in /0",
		`["\x"]`:        "etfjson: escape that stands for no character at byte 2, in /0",
		`[1e999]`:       "etfjson: number beyond the range of a float at byte 1, in /0",
		`[1`:            "etfjson: unexpected EOF at byte 2",
		`1 2`:           "etfjson: data after the end of the value at byte 2",
	} {
		_, err := etfjson.AppendTerm(nil, []byte(text))
		assert.EqualError(t, err, want, text)
	}
}

func TestInvalidUTF8InJSON(t *testing.T) {
	for _, text := range []string{"\"\xff\"", "{\"a\":\"\xc0\xaf\"}", "{\"\xed\xa0\x80\":1}", "[\"\xf4\x90\x80\x80\"]"} {
		_, err := etfjson.AppendTerm(nil, []byte(text))
		require.ErrorIs(t, err, etfjson.ErrInvalidUTF8, "%q", text)
	}
}

func TestJSONErrorPaths(t *testing.T) {
	for _, c := range []struct{ json, path string }{
		{`1e999`, ""},
		{`[0,1e999]`, "/1"},
		{`{"a":[{"b":1e999}]}`, "/a/0/b"},
		{`{"a":1,"a~/b":1e999}`, "/a~0~1b"},
		{`{"a":1,"\u0062":[0,"\ud800"]}`, "/b/1"},
		{`{"a":{"a":1,"a":1e999}}`, "/a/a"},
		{`{"a":` + strings.Repeat("9", 1025) + `}`, "/a"},
	} {
		_, err := etfjson.AppendTerm(nil, []byte(c.json))
		var se *etfjson.SyntaxError
		var le *etfjson.LimitError
		switch {
		case errors.As(err, &se):
			assert.Equal(t, c.path, se.Path, c.json)
		case errors.As(err, &le):
			assert.Equal(t, c.path, le.Path, c.json)
		default:
			require.Fail(t, "no located error", "%s: %v", c.json, err)
		}
	}
	t.Run("a long path is cut in the message alone", func(t *testing.T) {
		name := strings.Repeat("é", 5000)
		_, err := etfjson.AppendTerm(nil, []byte(`{"`+name+`":1e999}`))
		var se *etfjson.SyntaxError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, "/"+name, se.Path)
		assert.Less(t, len(err.Error()), 300)
	})
}

func nestedJSON(n int, before, after string) []byte {
	return []byte(strings.Repeat(before, n) + strings.Repeat(after, n))
}

func TestJSONDepth(t *testing.T) {
	for _, c := range []struct{ before, after string }{{"[", "]"}, {`[{"a":`, "}]"}} {
		per := strings.Count(c.before, "[") + strings.Count(c.before, "{")
		body := func(n int) []byte { // n containers, an integer within
			return []byte(strings.Repeat(c.before, n/per) + "1" + strings.Repeat(c.after, n/per))
		}
		for _, most := range []int{0, 2, 100, 10_000} {
			o := etfjson.Options{MaxDepth: most}
			n := most
			if n == 0 {
				n = etfjson.DefaultMaxDepth
			}
			_, err := o.AppendTerm(nil, body(n))
			require.NoError(t, err, "%s %d", c.before, n)
			_, err = o.AppendTerm(nil, body(n+per))
			var le *etfjson.LimitError
			require.ErrorAs(t, err, &le, "%s %d", c.before, n+per)
			assert.Equal(t, "depth", le.Limit)
			assert.Equal(t, int64(n), le.Max)
			assert.Equal(t, n/per*len(c.before), le.Offset)
			require.ErrorIs(t, err, etfjson.ErrLimit)
		}
	}
	t.Run("ten million", func(t *testing.T) {
		for _, text := range []string{strings.Repeat("[", 10_000_000), strings.Repeat(`{"":`, 10_000_000)} {
			_, err := etfjson.AppendTerm(nil, []byte(text))
			require.ErrorIs(t, err, etfjson.ErrLimit)
			_, err = etfjson.Options{MaxDepth: etfjson.LargestMaxDepth}.AppendTerm(nil, []byte(text))
			require.ErrorIs(t, err, etfjson.ErrLimit)
		}
	})
	t.Run("what is accepted is accepted by etf", func(t *testing.T) {
		term, err := etfjson.AppendTerm(nil, nestedJSON(etfjson.DefaultMaxDepth, "[", "]"))
		require.NoError(t, err)
		require.NoError(t, etf.Valid(term))
	})
}

func TestDigits(t *testing.T) {
	nines := func(n int) string { return strings.Repeat("9", n) }
	for _, sign := range []string{"", "-"} {
		_, err := etfjson.AppendTerm(nil, []byte(sign+nines(1024)))
		require.NoError(t, err)
		_, err = etfjson.AppendTerm(nil, []byte(sign+nines(1025)))
		var le *etfjson.LimitError
		require.ErrorAs(t, err, &le)
		assert.Equal(t, "digits", le.Limit)

		o := etfjson.Options{MaxDigits: 20}
		_, err = o.AppendTerm(nil, []byte(sign+nines(20)))
		require.NoError(t, err)
		_, err = o.AppendTerm(nil, []byte(sign+nines(21)))
		require.ErrorIs(t, err, etfjson.ErrLimit)

		o.MaxDigits = 5000
		term, err := o.AppendTerm(nil, []byte(sign+nines(5000)))
		require.NoError(t, err)
		again, err := o.AppendJSON(nil, term)
		require.NoError(t, err)
		assert.Equal(t, sign+nines(5000), string(again))
		_, err = etfjson.AppendJSON(nil, term)
		require.ErrorAs(t, err, &le)
		assert.Equal(t, "digits", le.Limit)
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, o := range []etfjson.Options{{MaxDepth: -1}, {MaxDepth: etfjson.LargestMaxDepth + 1}, {MaxDigits: -1}, {MaxDigits: 19}, {MaxDigits: etfjson.LargestMaxDigits + 1}} {
		got, err := o.AppendTerm([]byte("x"), []byte("1"))
		require.ErrorIs(t, err, etfjson.ErrOptions)
		assert.Equal(t, "x", string(got))
		got, err = o.AppendJSON([]byte("x"), []byte{131, 106})
		require.ErrorIs(t, err, etfjson.ErrOptions)
		assert.Equal(t, "x", string(got))
	}
}

// Every prefix of a text is an error, since no text here is a bare number.
func TestJSONPrefixes(t *testing.T) {
	texts := [][]byte{event(), []byte(`{"a":[1,-2.5e3,"\ud83d\ude00é",true,null,{"b":12345678901234567890}]}`)}
	for _, text := range texts {
		for n := range text {
			got, err := etfjson.AppendTerm([]byte("x"), text[:n])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%q", text[:n])
			require.Equal(t, "x", string(got))
		}
	}
}

func TestInputIsNotChanged(t *testing.T) {
	text := event()
	before := bytes.Clone(text)
	term, err := etfjson.AppendTerm(nil, text)
	require.NoError(t, err)
	require.Equal(t, before, text)

	kept := bytes.Clone(term)
	_, err = etfjson.AppendJSON(nil, term)
	require.NoError(t, err)
	require.Equal(t, kept, term)
	_, err = etfjson.AppendTerm(nil, text[:len(text)-1])
	require.Error(t, err)
	require.Equal(t, before, text)
}

func TestDuplicateNames(t *testing.T) {
	// With n names each twice, in orders that go through the compared and the
	// hashed form and the change between them.
	for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 64, 65, 1000} {
		orders := map[string]func(i int) int{
			"one after the other": func(i int) int { return i % n },
			"in pairs":            func(i int) int { return i / 2 },
			"there and back":      func(i int) int { return min(i, 2*n-1-i) },
			// In ascending order, and then once more.
			"ascending": func(i int) int { return 1_000_000 + i%n },
			"ascending, but for the last": func(i int) int {
				if i < 2*n-1 {
					return 1_000_000 + i
				}
				return 1_000_000 + n/2
			},
		}
		for name, order := range orders {
			want := map[string]int{}
			var b strings.Builder
			b.WriteByte('{')
			for i := range 2 * n {
				if i > 0 {
					b.WriteByte(',')
				}
				key := "k" + strconv.Itoa(order(i))
				want[key] = i
				if i%3 == 0 {
					key = `\u006b` + key[1:] // the same name, escaped
				}
				fmt.Fprintf(&b, `"%s":%d`, key, i)
			}
			b.WriteByte('}')
			checkSame(t, want, b.String(), "%d names, %s", n, name)
		}
	}
}

func checkSame(t *testing.T, want any, text string, about string, args ...any) {
	t.Helper()
	term, err := etfjson.AppendTerm(nil, []byte(text))
	require.NoError(t, err)
	require.NoError(t, etf.Valid(term), about, args)
	again, err := etfjson.AppendJSON(nil, term)
	require.NoError(t, err)
	wanted, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, string(wanted), string(again), append([]any{about}, args...)...)
}

func TestDuplicateNamesNested(t *testing.T) {
	// At each level the member that counts comes after one that is as deep.
	text := "1"
	var want any = 1
	for range 200 {
		text = `{"a":[1,{"x":2,"x":3}],"b":0,"a":` + text + `,"b":"c"}`
		want = map[string]any{"a": want, "b": "c"}
	}
	checkSame(t, want, text, "nested")

	// Dead members within dead members.
	text = "1"
	for range 9 {
		text = `{"a":` + text + `,"a":2}`
	}
	checkSame(t, map[string]any{"a": 2}, text, "within one another")

	// A wide object inside a wide object, so that two tables are open at once.
	var inner, outer strings.Builder
	members := map[string]any{}
	for i := range 100 {
		fmt.Fprintf(&inner, `"i%d":%d,`, i%50, i)
		members["i"+strconv.Itoa(i%50)] = i
	}
	in := "{" + strings.TrimSuffix(inner.String(), ",") + "}"
	all := map[string]any{}
	for i := range 60 {
		fmt.Fprintf(&outer, `"o%d":%s,`, i%40, in)
		all["o"+strconv.Itoa(i%40)] = members
	}
	checkSame(t, all, "{"+strings.TrimSuffix(outer.String(), ",")+"}", "wide in wide")
}
