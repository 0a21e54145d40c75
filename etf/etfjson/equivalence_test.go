package etfjson_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

// text draws a string that is all kinds of trouble to quote.
var text = rapid.OneOf(
	rapid.String(),
	rapid.StringOf(rapid.RuneFrom([]rune("\"\\/\b\f\n\r\t\x00\x1f\x7f<>&\u2028\u2029é€😀\uFFFD\uFFFF"))),
	rapid.SampledFrom([]string{"", "a", "b", "nil", "true", "__struct__", "0", "é"}),
)

// jsonText draws JSON text with the liberties that the grammar allows: white
// space, escapes, number forms, and names that come twice.
func jsonText(depth int) *rapid.Generator[string] {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t\r "})
	quoted := rapid.Custom(func(t *rapid.T) string { return quote(t, text.Draw(t, "text")) })
	number := rapid.OneOf(
		rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
		rapid.Map(rapid.IntRange(-3, 300), strconv.Itoa),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`),
	)
	scalar := rapid.OneOf(rapid.SampledFrom([]string{"null", "true", "false", "[]", "{}"}), number, quoted)
	if depth == 0 {
		return scalar
	}
	inner := jsonText(depth - 1)
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		pad := func() { b.WriteString(space.Draw(t, "space")) }
		pad()
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			b.WriteString(scalar.Draw(t, "scalar"))
		case 1, 2:
			b.WriteByte('[')
			for i := range rapid.IntRange(0, 6).Draw(t, "elements") {
				if i > 0 {
					b.WriteByte(',')
				}
				b.WriteString(inner.Draw(t, "element"))
			}
			pad()
			b.WriteByte(']')
		default:
			b.WriteByte('{')
			n := rapid.IntRange(0, 6).Draw(t, "members")
			if rapid.IntRange(0, 20).Draw(t, "wide") == 0 {
				n *= 10
			}
			for i := range n {
				if i > 0 {
					b.WriteByte(',')
				}
				pad()
				b.WriteString(quoted.Draw(t, "name"))
				pad()
				b.WriteByte(':')
				b.WriteString(inner.Draw(t, "value"))
			}
			pad()
			b.WriteByte('}')
		}
		pad()
		return b.String()
	})
}

// quote writes a string as JSON, some of its characters escaped for no need.
func quote(t *rapid.T, s string) string {
	plain, err := json.Marshal(s)
	require.NoError(t, err)
	if !rapid.Bool().Draw(t, "escaped") {
		return string(plain)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r > 0xFFFF {
			r -= 0x10000
			b.WriteString(`\u` + hex(0xD800+r>>10) + `\u` + hex(0xDC00+r&0x3FF))
		} else {
			b.WriteString(`\u` + hex(r))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", 4-len(s)) + s
}

// unmarshal is what encoding/json makes of a text, numbers as they were written.
func unmarshal(t require.TestingT, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), "%s", text)
	return v
}

// requireSame compares what encoding/json read from a text with a term. It
// goes by the meaning of both, not by way of AppendJSON.
func requireSame(t require.TestingT, want any, got etf.Term) {
	switch want := want.(type) {
	case nil:
		require.True(t, got.IsNil(), "%v", got)
	case bool:
		b, ok := got.Bool()
		require.True(t, ok && b == want, "%v", got)
	case string:
		s, ok := got.Text()
		require.True(t, ok, "%v", got)
		require.Equal(t, want, s)
	case json.Number:
		if strings.ContainsAny(string(want), ".eE") {
			f, err := want.Float64()
			require.NoError(t, err)
			require.True(t, etf.Equal(etf.Float(f), got), "%v is not %v", got, want)
			return
		}
		n, ok := got.BigInt()
		require.True(t, ok, "%v", got)
		require.Equal(t, strings.Replace(string(want), "-0", "0", boolInt(want == "-0")), n.String())
	case []any:
		require.Equal(t, etf.KindList, got.Kind())
		require.Equal(t, len(want), got.Len())
		for i, v := range want {
			requireSame(t, v, got.At(i))
		}
	case map[string]any:
		require.Equal(t, etf.KindMap, got.Kind())
		require.Equal(t, len(want), got.Len())
		for k, v := range want {
			value, ok := got.Get(etf.String(k))
			require.True(t, ok, "no %q in %v", k, got)
			requireSame(t, v, value)
		}
	default:
		require.Fail(t, "unexpected value", "%T", want)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Whatever encoding/json reads from a text, the term holds; and the JSON that
// comes back from the term means the same again.
func TestSameMeaningAsEncodingJSON(t *testing.T) {
	gen := jsonText(4)
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(gen.Draw(t, "json"))
		want := unmarshal(t, in)
		encoded, err := etfjson.AppendTerm(nil, in)
		require.NoError(t, err)
		term, err := etf.Decode(encoded)
		require.NoError(t, err)
		requireSame(t, want, term)

		again, err := etfjson.AppendJSON(nil, encoded)
		require.NoError(t, err)
		require.True(t, json.Valid(again), "%s", again)
		encodedAgain, err := etfjson.AppendTerm(nil, again)
		require.NoError(t, err)
		require.Equal(t, encoded, encodedAgain, "%s became %s", in, again)

		// Canonical, the order of keys aside.
		canonical, err := etf.Encode(term)
		require.NoError(t, err)
		require.Equal(t, len(canonical), len(encoded))
	})
}

// A damaged text is accepted exactly when encoding/json accepts it, except for
// the differences that the package's documentation names: UTF-8, surrogates,
// and the range of numbers.
func TestSameGrammarAsEncodingJSON(t *testing.T) {
	gen := jsonText(3)
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(gen.Draw(t, "json"))
		for range rapid.IntRange(0, 2).Draw(t, "damages") {
			if len(in) == 0 {
				break
			}
			at := rapid.IntRange(0, len(in)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "damage") {
			case 0:
				in[at] = rapid.SampledFrom([]byte(`{}[]:,"\0-+.eE1nt `)).Draw(t, "byte")
			case 1:
				in = append(in[:at:at], in[at+1:]...)
			case 2:
				in = in[:at]
			}
		}
		_, err := etfjson.AppendTerm(nil, in)
		if err == nil {
			require.True(t, json.Valid(in), "%q was accepted", in)
		} else if json.Valid(in) {
			require.True(t, stricter(in), "%q was rejected: %v", in, err)
		}
	})
}

// stricter says whether a text is one of those that encoding/json lets pass and
// etfjson does not.
func stricter(in []byte) bool {
	if !utf8.Valid(in) {
		return true
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(in))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return false
	}
	if bytes.Contains(in, []byte(`\u`)) && bytes.ContainsRune([]byte(flatten(v)), '\uFFFD') {
		return true // a lone surrogate
	}
	return json.Unmarshal(in, &v) != nil // a number out of range
}

func flatten(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(flatten(e))
		}
		return b.String()
	case map[string]any:
		var b strings.Builder
		for k, e := range v {
			b.WriteString(k + flatten(e))
		}
		return b.String()
	}
	return ""
}
