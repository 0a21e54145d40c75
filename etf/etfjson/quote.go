package etfjson

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// appendQuoted appends text as a JSON string, and the byte after. bad is the index
// of its first byte that is no UTF-8, or -1; dst has then no complete string.
func appendQuoted(dst, text []byte, after byte) (_ []byte, bad int) {
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		if len(text)-i >= wordLen {
			word := binary.LittleEndian.Uint64(text[i:])
			mask := special(word)
			if mask == 0 {
				dst = binary.LittleEndian.AppendUint64(dst, word)
				i += wordLen
				continue
			}
			if ((word-ones*' ')&^word|word)&highs == 0 { // nothing but quotes and backslashes
				dst = appendEscaped(dst, word)
				i += wordLen
				continue
			}
			clean := bits.TrailingZeros64(mask) / 8
			dst = binary.LittleEndian.AppendUint64(dst, word)
			dst = dst[:len(dst)-wordLen+clean]
			i += clean
		} else {
			word, n := firstWord(text[i:])
			dst = binary.LittleEndian.AppendUint64(dst, word)
			clean := min(n, bits.TrailingZeros64(special(word))/8)
			dst = dst[:len(dst)-wordLen+clean]
			if i += clean; clean == n {
				break
			}
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
	return append(dst, '"', after), -1
}

// appendEscaped appends the bytes of a word, with a backslash in front of quotes
// and backslashes. Text that has one of them often has many, as JSON within JSON
// does, so it takes the same steps whatever the bytes are.
func appendEscaped(dst []byte, word uint64) []byte {
	const most = 2 * wordLen
	start := len(dst)
	dst = slices.Grow(dst, most)[:start+most]
	to := (*[most]byte)(dst[start:])
	n := 0
	for range wordLen {
		c := byte(word)
		word >>= 8
		to[n&(most-1)] = '\\'
		n += int(backslashed[c])
		to[n&(most-1)] = c
		n++
	}
	return dst[:start+n]
}

// backslashed is 1 for what has a backslash in front of it.
var backslashed = [256]uint8{'"': 1, '\\': 1}

// firstWord returns the first bytes of text, which is not empty, as a word, and
// how many they are.
func firstWord(text []byte) (word uint64, n int) {
	switch n = len(text); {
	case n >= wordLen:
		return binary.LittleEndian.Uint64(text), wordLen
	case n >= 4: // some bytes twice, in the same place
		first, last := binary.LittleEndian.Uint32(text), binary.LittleEndian.Uint32(text[n-4:])
		return uint64(first) | uint64(last)<<(8*(n-4)), n
	case n >= 2:
		first, last := binary.LittleEndian.Uint16(text), binary.LittleEndian.Uint16(text[n-2:])
		return uint64(first) | uint64(last)<<(8*(n-2)), n
	}
	return uint64(text[0]), n
}

// shortEscapes are the letters for control characters.
var shortEscapes = [' ']byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

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
