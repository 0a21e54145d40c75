package etf_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/termgen"
)

// Texts of which Erlang makes the same term as Parse, or none as Parse does.
var texts = []string{
	// Atoms.
	"a", "aB_1@x", "ärger", "'A b'", "'it\\'s'", "''", "'\\x{3b1}'", "'α'", "A", "_a", "'a", "and", "'and'", "fun", "a.b", "a b", "@a", "7a",
	strings.Repeat("a", 255), strings.Repeat("a", 256), "'" + strings.Repeat("ä", 255) + "'",
	// Numbers.
	"0", "-0", "+1", "- 1", "--1", "-a", "1_000", "1__0", "_1", "1_", "16#ff", "16#FF", "-16#ff", "2#101", "36#zZ", "37#1", "1#0", "16#", "16#g",
	"16#dead_beef", "12345678901234567890", "-12345678901234567890", "9223372036854775808", "-9223372036854775808", "007",
	"1.5", "-1.5", "+1.5", "1.0e3", "1.0E3", "1.0e-3", "1.0e+3", "1.e3", "1e3", ".5", "1.0e", "1.0e400", "1.0e-400", "-0.0", "1_0.0_1", "1.5.5", "12ab",
	// Characters.
	"$a", "$ ", "$\\n", "$\\s", "$\\\\", "$\\x41", "$\\x{1F600}", "$\\101", "$\\^A", "$é", "$😀", "-$a", "$ab",
	// Strings.
	`""`, `"abc"`, `"a" "b"`, `"a\"b\\"`, `"\n\t\r\v\b\f\e\s\d\0\12\377"`, `"α"`, `"\x{3b1}\x{10FFFF}"`, `"\x4"`, `"\x{110000}"`, `"a`, "\"a\nb\"", `"\q"`, `"é"`,
	// Containers.
	"{}", "{a}", "{a,1,\"s\"}", "{a,}", "{,a}", "{a", "{a b}", "[]", "[1]", "[1,2|3]", "[1|[2]]", "[|1]", "[1|]", "[1|2|3]", "[1,2|3,4]", "[ ]", "[[],[[]]]",
	"#{}", "#{a => 1}", "#{a=>1,b=>2}", "#{a => 1, a => 2}", "#{1 => a, 1.0 => b}", "#{a := 1}", "#{a}", "# {}", "#{a => 1,}", "#a{}", "#{#{} => #{}}",
	"(a)", "((1))", "()", "[(1)|(2)]",
	// Binaries.
	"<<>>", "<<1,2,3>>", "<<\"abc\">>", "<<\"é\">>", "<<\"é\"/utf8>>", "<<\"α\">>", "<<\"α\"/utf8>>", "<<256>>", "<<-1>>", "<<- 1:16>>", "<<5:3>>", "<<1:1,2:2,255>>",
	"<<1:16>>", "<<1:16/little>>", "<<1:12/little>>", "<<16#abc:12/little>>", "<<513:13/little>>", "<<1:16/big-signed-integer>>", "<<1:2/unit:8>>", "<<1:4/integer-unit:4>>", "<<1.5/float>>", "<<1.5:32/float>>",
	"<<1.5:32/float-little>>", "<<2/float>>", "<<1.5:64/little-float>>", "<<1.5>>", "<<1.5:16>>", "<<\"ab\":16>>", "<<\"ab\":16/little>>", "<<\"ab\"/utf16>>", "<<\"a😀\"/utf16-little>>",
	"<<\"ab\"/utf32>>", "<<97/utf8>>", "<<-1/utf8>>", "<<16#d800/utf8>>", "<<1/utf8-unit:8>>", "<<a>>", "<<1:x>>", "<<1/foo>>", "<<1:-1>>", "<<1,>>", "<<1", "<<$a,$b>>",
	"<<\"a\" \"b\">>", "<<(1):16>>", "<<1/integer-float>>", "<<1:0>>", "<<-5:3>>", "<<12345678901234567890123:80>>", "<<1:7,12345678901234567890123:80>>", "<<\"abc\">> <<1>>",
	"<<\"\">>", "<<\"ab\\x{100}\">>",
	// Funs.
	"fun lists:map/2", "fun 'A b':'c'/0", "fun m:f/256", "fun m:f", "fun f/1", "fun m : f / 3",
	// White space, comments and dots.
	" \t\r\n a", "a % comment", "% comment\na", "{a, % c\n b}", "a%", "[1,%]\n2]", "\u00a0a", "a\u0085",
	"", " ", "% only", ",", ")", "a,b", "a\x00", "?M", "a;b", "\\",
}

func TestParseAgreesWithErlang(t *testing.T) {
	o := startOracle(t)
	texts := texts
	if o.release >= 27 {
		for _, one := range sigils {
			texts = append(texts, one.text)
		}
	}
	inputs := make([][]byte, len(texts))
	for i, text := range texts {
		inputs[i] = []byte(text)
	}
	answers := o.ask(etf.Atom("parse"), binaries(inputs))
	require.Len(t, answers, len(texts))
	refused := 0
	for i, text := range texts {
		got, err := etf.Parse(text)
		encoded, ok := answers[i].Bytes()
		if !ok {
			refused++
			assert.Error(t, err, "%q, which Erlang refuses, is %v", text, got)
			continue
		}
		if !assert.NoError(t, err, "%q", text) {
			continue
		}
		want, err := etf.Decode(encoded)
		require.NoError(t, err)
		assert.True(t, etf.Equal(want, got), "%q is %v to Erlang and %v here", text, want, got)
	}
	assert.Greater(t, refused, 50)
}

// What Erlang prints in any of its formats reads back as the same term.
func TestParseReadsWhatErlangPrints(t *testing.T) {
	o := startOracle(t)
	var terms []etf.Term
	var inputs [][]byte
	for i := range 1500 {
		term := termgen.Data().Example(i)
		b, err := etf.Encode(term)
		require.NoError(t, err)
		terms, inputs = append(terms, term), append(inputs, b)
	}
	for i, answer := range o.ask(etf.Atom("print"), binaries(inputs)) {
		for text := range answer.All() {
			b, _ := text.Bytes()
			got, err := etf.Parse(string(b))
			require.NoError(t, err, "%s", b)
			require.True(t, etf.Equal(terms[i], got), "%s became %v", b, got)
		}
	}
}

func TestParseReadsString(t *testing.T) {
	data := termgen.Data()
	rapid.Check(t, func(t *rapid.T) {
		term := data.Draw(t, "term")
		for _, text := range []string{term.String(), " " + term.String() + " . % end"} {
			got, err := etf.Parse(text)
			require.NoError(t, err, "%s", text)
			require.True(t, etf.Equal(term, got), "%s became %v", text, got)
		}
	})
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "etf: line 1, column 1: unexpected EOF",
		"{a,\n b":                "etf: line 2, column 3: unexpected EOF",
		"{a,\n ö ü}":             "etf: line 2, column 4: expected }, found an atom",
		"[1,2|3,4]":              "etf: line 1, column 7: expected ], found ,",
		"#{a => 1, b}":           "etf: line 1, column 12: expected =>, found }",
		"<<1/foo>>":              "etf: line 1, column 5: a type that no segment has",
		"<<1:9999999999>>":       "etf: line 1, column 5: expected a size from 0 to 2147483647, found a number",
		"<0.1.0>":                "etf: line 1, column 1: the character '<', which no term has here",
		"{\"é\", \xff}":          "etf: line 1, column 7: text that is not UTF-8",
		"'a\xff'":                "etf: line 1, column 3: text that is not UTF-8",
		"[#m:r{a = 1}]":          "etf: line 1, column 3: a record, which is not read here",
		"#r{}":                   "etf: line 1, column 2: a record, which is not read here",
		"$":                      "etf: line 1, column 2: the end of the text, where a character has to be",
		"a b":                    "etf: line 1, column 3: expected the end of the text, found an atom",
		"{a, and}":               "etf: line 1, column 5: expected a term, found and",
		"fun m:f/x":              "etf: line 1, column 9: expected an arity from 0 to 255, found an atom",
		strings.Repeat("a", 256): "etf: line 1, column 1: atom that is not UTF-8 of at most 255 characters",
	} {
		_, err := etf.Parse(text)
		assert.EqualError(t, err, want, "%q", text)
	}
	_, err := etf.Parse("{a")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// Every beginning of a text is refused or, where it is a term, another one; none
// makes Parse panic.
func TestParsePrefixes(t *testing.T) {
	for _, text := range texts {
		for i := range text {
			_, err := etf.Parse(text[:i])
			if err != nil {
				e, ok := errors.AsType[*etf.TextError](err)
				require.True(t, ok, "%v", err)
				require.LessOrEqual(t, e.Offset, i)
			}
		}
	}
}

func TestParseLimits(t *testing.T) {
	deep := strings.Repeat("[", etf.DefaultMaxDepth) + strings.Repeat("]", etf.DefaultMaxDepth)
	_, err := etf.Parse(deep)
	require.NoError(t, err)
	for _, text := range []string{
		"[" + deep + "]",
		strings.Repeat("{", 10_000_000),
		strings.Repeat("(", 10_000_000),
		"<<1:67108865>>",
		"<<" + strings.Repeat("1:33554432,", 2) + "1:8>>",
		"<<\"" + strings.Repeat("a", 64) + "\":2097152>>",
	} {
		_, err := etf.Parse(text)
		assert.ErrorIs(t, err, etf.ErrLimit, "%.20s", text)
	}
}
