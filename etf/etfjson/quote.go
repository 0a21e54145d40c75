package etfjson

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// appendQuoted appends text as a JSON string. bad is the index of its first
// byte that is no UTF-8, or -1; dst has then no complete string.
func appendQuoted(dst, text []byte) (_ []byte, bad int) {
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		if len(text)-i >= wordLen {
			word := binary.LittleEndian.Uint64(text[i:])
			dst = binary.LittleEndian.AppendUint64(dst, word)
			mask := special(word)
			if mask == 0 {
				i += wordLen
				continue
			}
			clean := bits.TrailingZeros64(mask) / 8
			dst = dst[:len(dst)-wordLen+clean]
			i += clean
		}
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && n == 1 {
				return dst, i
			}
			dst = append(dst, text[i:i+n]...)
			i += n
			continue
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case shortEscapes[c] != 0:
			dst = append(dst, '\\', shortEscapes[c])
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
		}
		i++
	}
	return append(dst, '"'), -1
}

// shortEscapes are the letters for control characters.
var shortEscapes = [' ']byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// appendAtom appends an atom's name as a JSON string.
func appendAtom(dst []byte, a atom) []byte {
	name := a.bytes
	if a.latin1 {
		var room [2 * 255]byte // two bytes for each of an atom's characters
		name = appendLatin1(room[:0], name)
	}
	dst, _ = appendQuoted(dst, name) // its UTF-8 has been checked
	return dst
}

// appendLatin1 appends Latin-1 text as UTF-8.
func appendLatin1(dst, text []byte) []byte {
	for _, c := range text {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

// invalidUTF8 returns the index of the first byte that is no UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// appendPointerToken appends a name, given as a JSON string that appendQuoted has
// made, as a token of a JSON pointer.
func appendPointerToken(dst, quoted []byte) []byte {
	// Read back as AppendTerm reads it, behind the head of a binary.
	name, _, _ := (&termWriter{json: quoted}).string(nil, 0)
	return escapePointer(dst, name[binaryHeadLen:])
}

// escapePointer appends a name as a token of a JSON pointer (RFC 6901).
func escapePointer(dst, name []byte) []byte {
	for _, c := range name {
		switch c {
		case '~':
			dst = append(dst, "~0"...)
		case '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendBytes appends the elements of an array that are bytes, after as many
// as done.
func appendBytes(dst, elements []byte, done int) []byte {
	for _, e := range elements {
		if done++; done > 1 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(e), 10)
	}
	return dst
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
