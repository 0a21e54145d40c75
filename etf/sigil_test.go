package etf_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/beamport/beamport/etf"
)

// sigils are texts that OTP 27 reads as these terms and no OTP before it does, or, without
// a term, that no OTP reads; with what Parse says of them.
var sigils = []struct {
	text string
	want etf.Term
	err  string
}{
	{text: `~"é"`, want: etf.String("é")},
	{text: `~b"a\n\x{e9}"`, want: etf.String("a\né")},
	{text: `~B"a\n\"b"`, err: "etf: line 1, column 9: a letter or digit behind a sigil's string"},
	{text: `~s"a\tb"`, want: etf.Charlist("a\tb")},
	{text: `~S"a\tb\\"`, want: etf.Charlist(`a\tb\\`)},
	{text: `~S"a\tb"`, want: etf.Charlist(`a\tb`)},
	{text: `~S""`, want: etf.List()},
	{text: `~""`, want: etf.String("")},
	{text: `~(a"b)`, want: etf.String(`a"b`)},
	{text: `~[a]`, want: etf.String("a")},
	{text: `~{a}`, want: etf.String("a")},
	{text: `~<a(>`, want: etf.String("a(")},
	{text: `~/a/`, want: etf.String("a")},
	{text: `~|a|`, want: etf.String("a")},
	{text: `~'a'`, want: etf.String("a")},
	{text: "~`a`", want: etf.String("a")},
	{text: `~#a#`, want: etf.String("a")},
	{text: `~B(a\)b)`, err: "etf: line 1, column 7: a letter or digit behind a sigil's string"},
	{text: `~b(a\)b)`, want: etf.String("a)b")},
	{text: `~(a(b))`, err: "etf: line 1, column 7: expected the end of the text, found )"},
	{text: `{~"a",~s"b"}`, want: etf.Tuple(etf.String("a"), etf.Charlist("b"))},
	{text: `#{~"a" => ~B'b'}`, want: etf.Map(etf.Pair{Key: etf.String("a"), Value: etf.String("b")})},
	{text: `<<~"a"/binary, ~s"é"/utf8, ~S"b">>`, want: etf.Binary([]byte("aéb"))},
	{text: `<<~"a">>`, err: "etf: line 1, column 3: a segment that is no integer and has no type that says so"},
	{text: `~"a" "b"`, err: "etf: line 1, column 6: expected the end of the text, found a string"},
	{text: `"a" ~"b"`, err: "etf: line 1, column 5: expected the end of the text, found a sigil"},
	{text: `~x"a"`, err: "etf: line 1, column 1: a sigil that is none of ~, ~b, ~B, ~s and ~S"},
	{text: `~"a"b`, err: "etf: line 1, column 5: a letter or digit behind a sigil's string"},
	{text: `~ "a"`, err: "etf: line 1, column 2: a sigil without a string"},
	{text: `~b`, err: "etf: line 1, column 3: a sigil without a string"},
	{text: `~`, err: "etf: line 1, column 2: a sigil without a string"},
	{text: `~"a`, err: "etf: line 1, column 2: a quote that is not closed"},
	{text: "\"\"\"\na\n\"\"\"", want: etf.Charlist("a")},
	{text: "\"\"\"\n\"\"\"", want: etf.List()},
	{text: "\"\"\"\n\n\"\"\"", want: etf.List()},
	{text: "\"\"\"\n\n\n\"\"\"", want: etf.Charlist("\n")},
	{text: "\"\"\" \t\r\n  a\\n\r\n\r\n   b\r\n  \"\"\"", want: etf.Charlist("a\\n\r\n\r\n b")},
	{text: "\"\"\"\"\n\"\"\"\n\"\"\"\"", want: etf.Charlist("\"\"\"")},
	{text: "\"\"\"\n\"a\n\"\" \"\n \"\"x\n\"\"\"", want: etf.Charlist("\"a\n\"\" \"\n \"\"x")},
	{text: "\"\"\"\na\n\"\"\"\"b\"", err: "etf: line 3, column 4: a quote right behind a string"},
	{text: "\"x\"\"\"\"\na\n\"\"\"", err: "etf: line 1, column 4: a quote right behind a string"},
	{text: `~b"a""b"`, err: "etf: line 1, column 6: a quote right behind a string"},
	{text: `$\^a`, want: etf.Int(1)},
	{text: `$\^?`, want: etf.Int(127)},
	{text: "\"\"\"\na\n\"\"\" \"b\"", want: etf.Charlist("ab")},
	{text: "\"x\" \"\"\"\na\n\"\"\"", want: etf.Charlist("xa")},
	{text: "~\"\"\"\n a\\tb\n \"\"\"", want: etf.String(`a\tb`)},
	{text: "~b\"\"\"\n a\\tb\\\n c\n \"\"\"", want: etf.String("a\tb\nc")},
	{text: "~s\"\"\"\n \\sa\\x{a}b\n \\\"\"\"\n \"\"\"", want: etf.Charlist(" a\nb\n\"\"\"")},
	{text: "~b\"\"\"\n\\sa\n \"\"\"", want: etf.String("a")},
	{text: "~S\"\"\"\na\\\n\"\"\"", want: etf.Charlist(`a\`)},
	{text: "<<\"\"\"\né\n\"\"\"/utf8>>", want: etf.String("é")},
	{text: "\"\"\"a\n\"\"\"", err: "etf: line 1, column 4: text right behind the quotes of a triple-quoted string"},
	{text: "\"\"\"\n a\nb\n \"\"\"", err: "etf: line 3, column 1: a line that is not indented as the quotes that end the string"},
	{text: "\"\"\"\n\t\ta\n  \"\"\"", err: "etf: line 2, column 1: a line that is not indented as the quotes that end the string"},
	{text: "\"\"\"\n \n  \"\"\"", err: "etf: line 2, column 1: a line that is not indented as the quotes that end the string"},
	{text: "\"\"\"\na\"\"\"", err: "etf: line 1, column 1: a quote that is not closed"},
	{text: "\"\"\"\"\na\n\"\"\"", err: "etf: line 1, column 1: a quote that is not closed"},
	{text: "\"\"\"\"\"\"", err: "etf: line 1, column 1: a quote that is not closed"},
	{text: "~b\"\"\"\n\\x\n\"\"\"", err: "etf: line 2, column 1: \\x without a character's number in hexadecimal"},
	{text: "~\"\"\"\na\n\"\"\"b", err: "etf: line 3, column 4: a letter or digit behind a sigil's string"},
}

func TestParseSigils(t *testing.T) {
	for _, one := range sigils {
		got, err := etf.Parse(one.text)
		if one.err != "" {
			assert.EqualError(t, err, one.err, "%s", one.text)
			continue
		}
		if assert.NoError(t, err, "%s", one.text) {
			assert.True(t, etf.Equal(one.want, got), "%s is %v", one.text, got)
		}
	}
}
