package etfjson

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// quotedRoom is how many bytes there have to be behind what is quoted: for the
// quotes, the byte after, and a word that is stored before it is known how much of
// it counts, with a backslash in front of each of its bytes.
const quotedRoom = 3 * wordLen

// appendQuoted appends text as a JSON string, and the byte after. bad is the index
// of its first byte that is no UTF-8, or -1; dst has then no complete string.
func appendQuoted(dst, text []byte, after byte) (_ []byte, bad int) {
	start, n := len(dst), len(text)
	dst = slices.Grow(dst, n+quotedRoom)
	to := dst[start : start+n+quotedRoom]
	to[0] = '"'
	// As long as nothing is to be escaped, words are copied. The last one may overlap
	// the one before.
	i := 0
	for ; i+wordsLen < n; i += wordsLen {
		from, to := (*[wordsLen]byte)(text[i:]), (*[wordsLen]byte)(to[1+i:])
		a, b := binary.LittleEndian.Uint64(from[:]), binary.LittleEndian.Uint64(from[8:])
		c, d := binary.LittleEndian.Uint64(from[16:]), binary.LittleEndian.Uint64(from[24:])
		if (special(a)|special(b)|special(c)|special(d))&highs != 0 {
			return appendEscaped(dst[:start+1+i], text, i, after)
		}
		binary.LittleEndian.PutUint64(to[:], a)
		binary.LittleEndian.PutUint64(to[8:], b)
		binary.LittleEndian.PutUint64(to[16:], c)
		binary.LittleEndian.PutUint64(to[24:], d)
	}
	for ; i+wordLen < n; i += wordLen {
		word := binary.LittleEndian.Uint64(text[i:])
		if special(word)&highs != 0 {
			return appendEscaped(dst[:start+1+i], text, i, after)
		}
		binary.LittleEndian.PutUint64(to[1+i:], word)
	}
	if n >= wordLen {
		word := binary.LittleEndian.Uint64(text[n-wordLen:])
		if special(word)&highs != 0 {
			return appendEscaped(dst[:start+1+i], text, i, after)
		}
		binary.LittleEndian.PutUint64(to[1+n-wordLen:], word)
	} else {
		word := fewBytes(text)
		if special(word)&highs != 0 {
			return appendEscaped(dst[:start+1], text, 0, after)
		}
		binary.LittleEndian.PutUint64(to[1:], word)
	}
	to[n+1], to[n+2] = '"', after
	return dst[:start+n+3], -1
}

// appendEscaped is appendQuoted for text of which i bytes have been copied, from
// where on there may be any.
func appendEscaped(dst, text []byte, i int, after byte) (_ []byte, bad int) {
	n := len(dst)
	to := dst[:cap(dst)]
	for i < len(text) {
		if len(to)-n < quotedRoom {
			to = slices.Grow(to[:n], len(text)-i+quotedRoom)
			to = to[:cap(to)]
		}
		word, size := uint64(0), wordLen
		if len(text)-i >= wordLen {
			word = binary.LittleEndian.Uint64(text[i:])
		} else {
			word, size = fewBytes(text[i:]), len(text)-i
		}
		if ((word-ones*' ')|word)&highs == 0 {
			// Nothing but quotes and backslashes is special. The word is put once, and again
			// from each of them on, behind a backslash.
			to := (*[quotedRoom]byte)(to[n:])
			binary.LittleEndian.PutUint64(to[:], word)
			n, i = n+size, i+size
			more := 0
			for marks := backslashed(word); marks != 0; marks &= marks - 1 {
				bit := bits.TrailingZeros64(marks)
				place := (bit/8 + more) & 15
				to[place] = '\\'
				binary.LittleEndian.PutUint64(to[place+1:], word>>(bit&63))
				more++
			}
			n += more
			continue
		}
		// A control character, or one that is not ASCII: the bytes in front of the first
		// one that is special are copied.
		binary.LittleEndian.PutUint64(to[n:], word)
		clean := bits.TrailingZeros64(special(word)&highs) / 8
		n, i = n+clean, i+clean
		if text[i] < utf8.RuneSelf {
			n += putEscape(to[n:], text[i])
			i++
			continue
		}
		size = runeBytes(text[i:])
		if size == 0 {
			return dst, i
		}
		to = append(to[:n], text[i:i+size]...)
		n, i = n+size, i+size
		to = to[:cap(to)]
	}
	return append(to[:n], '"', after), -1
}

// backslashed has the lowest bit set of each byte of a word that is a quote or a
// backslash, if all are ASCII.
func backslashed(word uint64) uint64 {
	// The highest bit of a byte of these is set if it is another one than that.
	const lows = ones * 0x7F
	noQuote, noBackslash := (word^ones*'"')+lows, (word^ones*'\\')+lows
	return ^(noQuote & noBackslash) & highs >> 7
}

// runeBytes returns how many bytes of text there are before the first one that is
// ASCII or no UTF-8.
func runeBytes(text []byte) int {
	i := 0
	for i < len(text) && text[i] >= utf8.RuneSelf {
		if len(text)-i >= 2 && 0xC2 <= text[i] && text[i] <= 0xDF && text[i+1]&0xC0 == 0x80 { // the letters of Europe
			i += 2
			continue
		}
		_, size := utf8.DecodeRune(text[i:])
		if size == 1 {
			break
		}
		i += size
	}
	return i
}

// putEscape puts a character that JSON does not allow as it is and returns how many
// bytes it takes.
func putEscape(to []byte, c byte) int {
	switch {
	case c == '"' || c == '\\':
		return copy(to, []byte{'\\', c})
	case shortEscapes[c] != 0:
		return copy(to, []byte{'\\', shortEscapes[c]})
	}
	const digits = "0123456789abcdef"
	return copy(to, []byte{'\\', 'u', '0', '0', digits[c>>4], digits[c&0xF]})
}

// fewBytes returns the bytes of text, fewer than wordLen, as a word, with spaces
// behind them.
func fewBytes(text []byte) uint64 {
	n := len(text)
	spaces := uint64(ones*' ') << (8 * n)
	switch {
	case n >= 4: // some bytes twice, in the same place
		first, last := binary.LittleEndian.Uint32(text), binary.LittleEndian.Uint32(text[n-4:])
		return uint64(first) | uint64(last)<<(8*(n-4)) | spaces
	case n > 0:
		return uint64(text[0]) | uint64(text[n/2])<<(8*(n/2)) | uint64(text[n-1])<<(8*(n-1)) | spaces
	}
	return spaces
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
