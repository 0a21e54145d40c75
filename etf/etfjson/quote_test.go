package etfjson

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// quoted is what appendQuoted has to make of text, one character at a time.
func quoted(text []byte) (_ string, bad int) {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return "", i
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ':
			if at := strings.IndexRune("\b\f\n\r\t", r); at >= 0 {
				b.WriteString(`\` + "bfnrt"[at:at+1])
			} else {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteRune(r)
		}
		i += size
	}
	b.WriteByte('"')
	return b.String(), -1
}

// requireQuoted quotes text behind something else, with and without room for it.
func requireQuoted(t require.TestingT, text []byte) {
	const before = "before"
	want, wantBad := quoted(text)
	for _, room := range []int{0, 1, len(text) + 3, len(text) + quotedRoom, 7 * len(text)} {
		dst := append(make([]byte, 0, len(before)+room), before...)
		got, bad := appendQuoted(dst, text, ':')
		if bad != wantBad || bad < 0 && string(got) != before+want+":" {
			require.Equal(t, wantBad, bad, "%q", text)
			require.Equal(t, before+want+":", string(got), "%q", text)
		}
		require.Equal(t, before, string(got[:len(before)]))
	}
}

// TestQuotedPlaces has each kind of character at each place of texts of each length,
// so that it comes at each place of a word, and beside others.
func TestQuotedPlaces(t *testing.T) {
	kinds := []string{
		`"`, `\`, "\n", "\x00", "\x1f", "\x7f", " ", "!", "#", "[", "]", "é", "\u07ff", "€", "😀",
		"\x80", "\xc2", "\xc1\x81", "\xe2\x82", "\xed\xa0\x80", "\xff", `""`, `\"`, "\"\n", "é\"", "\"é", "éé", "€é",
	}
	for size := range 3 * wordsLen {
		plain := bytes.Repeat([]byte("abcdefg "), size/wordLen+1)[:size]
		requireQuoted(t, plain)
		for at := range size {
			for _, kind := range kinds {
				if size > 2*wordLen && at < size-2*wordLen && at%wordLen != 3 {
					continue // enough of those
				}
				text := slices.Concat(plain[:at], []byte(kind), plain[at:])
				requireQuoted(t, text)
				text[size/2] = '"'
				requireQuoted(t, text)
			}
		}
	}
	for c := range 256 {
		requireQuoted(t, []byte{byte(c)})
		requireQuoted(t, bytes.Repeat([]byte{byte(c)}, 50))
	}
}

func TestQuotedProperty(t *testing.T) {
	part := rapid.OneOf(
		rapid.StringMatching(`[ -~]{0,20}`),
		rapid.StringOf(rapid.SampledFrom([]rune("\"\\a, é€😀\n\x00"))),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 3), func(b []byte) string { return string(b) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		requireQuoted(t, []byte(strings.Join(rapid.SliceOfN(part, 0, 10).Draw(t, "parts"), "")))
	})
}

// TestBackslashed tries every byte beside every other.
func TestBackslashed(t *testing.T) {
	for a := range uint64(utf8.RuneSelf) {
		for b := range uint64(utf8.RuneSelf) {
			var want uint64
			for i, c := range []uint64{a, b, a, a, b, b, a, b} {
				if c == '"' || c == '\\' {
					want |= 1 << (8 * i)
				}
			}
			word := a | b<<8 | a<<16 | a<<24 | b<<32 | b<<40 | a<<48 | b<<56
			if got := backslashed(word); got != want {
				require.Equal(t, want, got, "%x", word)
			}
		}
	}
}
