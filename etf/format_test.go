package etf_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/termgen"
)

func TestFormat(t *testing.T) {
	term, err := etf.Parse(`{ok,"x"}`)
	require.NoError(t, err)
	for format, want := range map[string]string{
		"%v": `{ok,"x"}`, "%s": `{ok,"x"}`, "%+v": `{ok,"x"}`, "%#v": `{ok,"x"}`,
		"%10v|": `  {ok,"x"}|`, "%-10s|": `{ok,"x"}  |`, "%3v": `{ok,"x"}`, "%d": `%!d(etf.Term={ok,"x"})`,
	} {
		assert.Equal(t, want, fmt.Sprintf(format, term), format)
	}
	text, err := term.AppendText([]byte("> "))
	require.NoError(t, err)
	assert.Equal(t, `> {ok,"x"}`, string(text))
}

func TestFormatIndented(t *testing.T) {
	long := strings.Repeat("a", 70)
	for _, want := range []string{
		"a", "{}", "[]", "#{}", "{" + strings.Repeat("1,", 38) + "1}",
		"{\n  " + long + ",\n  {b,c},\n  []\n}",
		"[\n  " + long + ",\n  b\n  | " + long + "\n]",
		"#{\n  1 => " + long + ",\n  2 => {\n    " + long + ",\n    [\n      " + long + ",\n      cccccccc\n    ]\n  }\n}",
		"#{\n  " + long + " => [],\n  b" + long + " => {1,2},\n  c" + long + " => \"string\"\n}",
		"{\n  \"" + strings.Repeat("string ", 20) + "\",\n  <<\"" + strings.Repeat("b", 90) + "\">>\n}",
		"[\n" + strings.Repeat("  1000,\n", 20) + "  1000\n]",
		"[\n" + strings.Repeat("  1,\n", 80) + "  2\n]",
	} {
		term, err := etf.Parse(want)
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprintf("%+v", term))
	}
}

// However it is divided into lines, it is the same term, and no line that could
// have been divided is too long.
func TestFormatIndentedReadsBack(t *testing.T) {
	data := termgen.Data()
	rapid.Check(t, func(t *rapid.T) {
		term := etf.Tuple(data.Draw(t, "a"), data.Draw(t, "b"), data.Draw(t, "c"))
		text := fmt.Sprintf("%+v", term)
		require.True(t, utf8.ValidString(text))
		again, err := etf.Parse(text)
		require.NoError(t, err, "%s", text)
		require.True(t, etf.Equal(term, again), "%s", text)
	})
}

// The work is bounded by the text that comes out, not by its product with the
// depth: this would take hours.
func TestFormatIndentedDeep(t *testing.T) {
	elems := make([]etf.Term, 5000)
	for i := range elems {
		elems[i] = etf.Tuple(etf.Int(int64(i)), etf.String("x"))
	}
	term := etf.List(elems...)
	for range 400 {
		term = etf.List(etf.Int(1), term)
	}
	text := fmt.Sprintf("%+v", term)
	assert.Equal(t, 5000, strings.Count(text, `,<<"x">>}`))
}

func TestFormatIndentedRecords(t *testing.T) {
	long := strings.Repeat("a", 60)
	record := func(fields ...etf.RecordField) etf.Term {
		return etf.Record(etf.RecordValue{Module: "m", Name: "r", Fields: fields})
	}
	for want, term := range map[string]etf.Term{
		"#m:r{}":                record(),
		"{#m:r{a = 1,'B' = 2}}": etf.Tuple(record(etf.RecordField{Name: "a", Value: etf.Int(1)}, etf.RecordField{Name: "B", Value: etf.Int(2)})),
		"#m:r{\n  a = " + long + ",\n  b = #m:r{\n    " + long + " = [],\n    c = [\n      " + long + ",\n      " + long + "\n    ]\n  },\n  d = \"ab\"\n}": record(
			etf.RecordField{Name: "a", Value: etf.Atom(long)},
			etf.RecordField{Name: "b", Value: record(
				etf.RecordField{Name: long, Value: etf.List()},
				etf.RecordField{Name: "c", Value: etf.List(etf.Atom(long), etf.Atom(long))},
			)},
			etf.RecordField{Name: "d", Value: etf.Charlist("ab")},
		),
		"#" + long + ":" + long + "{}": etf.Record(etf.RecordValue{Module: long, Name: long}),
	} {
		assert.Equal(t, want, fmt.Sprintf("%+v", term))
	}
}
