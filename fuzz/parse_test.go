package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// FuzzParse reads any text: a term that Parse makes of it prints as a text that
// is the same term.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a", "'A b'", "-1.5e3", "16#ff", "$\\n", `"str\x{3b1}" "b"`, "{a,[1|b],#{k => <<1:3,\"é\"/utf8>>}}", "fun m:f/1",
		"<<1:12/little,1.5:32/float,(<<1:1>>)/bits>> % comment\n.", "[1_000, 2#101].",
		"~\"é\"", `<<~b(a\n)/binary,~S"\">>`, "\"\"\"\n a\n\n b\n \"\"\"", "~s\"\"\"\n\\x{a}\\\n\"\"\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		term, err := etf.Parse(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		if encoded, err := etf.Encode(term); err == nil && len(encoded) > 1<<20 {
			return // <<1:33333333>> is one, and its text four times as long
		}
		printed := term.String()
		again, err := etf.Parse(printed)
		require.NoError(t, err, "%q printed as %q", text, printed)
		require.True(t, etf.Equal(term, again), "%q printed as %q", text, printed)
	})
}
