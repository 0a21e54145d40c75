package etfjson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Strings are gone through in words of eight bytes, each of which is tested at
// once and moved at once, and of which the first few count if the test fails.
const (
	wordLen  = 8
	wordsLen = 4 * wordLen
	ones     = 0x0101010101010101
	highs    = 0x8080808080808080
)

// special has, among the bits of highs, the one set of the first byte of a word, in
// the order of memory, that a JSON string does not hold as it is, or that is not
// ASCII, and none if there is no such byte. Bits behind that one may be wrong, and
// those not among highs mean nothing.
func special(word uint64) uint64 {
	// With this bit changed, a quote and the control characters are the lowest.
	const change, next = '"' ^ ' ', ' ' + 1
	return (word ^ ones*change - ones*next) | (word ^ ones*'\\' - ones) | word
}

// string appends the JSON string at i as a binary and returns where it ends.
func (w *termWriter) string(dst []byte, i int) ([]byte, int, located) {
	json := w.json
	head := len(dst)
	dst = wire.AppendBinaryHeader(dst, 0)
	body := len(dst)
	i++
	for {
		if len(json)-i >= wordLen {
			word := binary.LittleEndian.Uint64(json[i:])
			dst = binary.LittleEndian.AppendUint64(dst, word)
			mask := special(word) & highs
			if mask == 0 {
				i += wordLen
				continue
			}
			clean := bits.TrailingZeros64(mask) / 8
			dst = dst[:len(dst)-wordLen+clean]
			i += clean
		}
		if i >= len(json) {
			return dst, i, w.truncated()
		}
		var err located
		switch c := json[i]; {
		case c == '"':
			binary.BigEndian.PutUint32(dst[head+1:], uint32(len(dst)-body))
			return dst, i + 1, nil
		case c == '\\':
			if dst, i, err = w.escape(dst, i); err != nil {
				return dst, i, err
			}
		case c < ' ':
			return dst, i, w.unexpected(i, "a character of a string")
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(json[i:])
			if r == utf8.RuneError && n == 1 {
				if !utf8.FullRune(json[i:]) {
					return dst, i, w.truncated()
				}
				return dst, i, &SyntaxError{Offset: i, Err: ErrInvalidUTF8}
			}
			dst = append(dst, json[i:i+n]...)
			i += n
		}
	}
}

// escapes are the characters that stand for others behind a backslash.
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escape appends what the escape at i stands for and returns where it ends.
func (w *termWriter) escape(dst []byte, i int) ([]byte, int, located) {
	json := w.json
	if i+1 >= len(json) {
		return dst, i, w.truncated()
	}
	if c := escapes[json[i+1]]; c != 0 {
		return append(dst, c), i + 2, nil
	}
	if json[i+1] != 'u' {
		return dst, i, w.badEscape(i)
	}
	first, ok, err := w.hex(i, i+2)
	if !ok {
		return dst, i, err
	}
	if !utf16.IsSurrogate(first) {
		return utf8.AppendRune(dst, first), i + 6, nil
	}
	// Half of a pair: the other has to follow.
	for n, c := range []byte(`\u`) {
		if i+6+n >= len(json) {
			return dst, i, w.truncated()
		}
		if json[i+6+n] != c {
			return dst, i, w.badEscape(i)
		}
	}
	second, ok, err := w.hex(i, i+8)
	if !ok {
		return dst, i, err
	}
	r := utf16.DecodeRune(first, second)
	if r == utf8.RuneError {
		return dst, i, w.badEscape(i)
	}
	return utf8.AppendRune(dst, r), i + 12, nil
}

// hex reads the four digits at from of the escape at i.
func (w *termWriter) hex(i, from int) (r rune, ok bool, err located) {
	for n := from; n < from+4; n++ {
		if n >= len(w.json) {
			return 0, false, w.truncated()
		}
		digit := w.json[n]
		switch {
		case digit >= '0' && digit <= '9':
			digit -= '0'
		case digit|0x20 >= 'a' && digit|0x20 <= 'f':
			digit = digit | 0x20 - 'a' + 10
		default:
			return 0, false, w.badEscape(i)
		}
		r = r<<4 | rune(digit)
	}
	return r, true, nil
}

func (w *termWriter) badEscape(i int) located {
	return &SyntaxError{Offset: i, Err: ErrEscape}
}
