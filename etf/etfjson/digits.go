package etfjson

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Digits are made eight at a time, in a word that has the first in its lowest
// byte, and stored as a word: behind what is appended there has to be room.
const (
	wordDigits = 100_000_000 // the number after the last that a word of digits holds
	zeros      = ones * '0'  // makes digits their characters

	// integerRoom is for a sign and the digits of a uint64, whose last word may
	// reach beyond them.
	integerRoom = 40
)

// eightDigits returns the digits of n, which is below wordDigits. It is split into
// halves of four digits, these into quarters of two and these into eighths: each
// quotient is a product with the divisor's inverse, near enough for so few values,
// and the rest is put behind it with one multiplication more, n<<s + q*(1-d<<s)
// being q + (n-d*q)<<s.
func eightDigits(n uint64) uint64 {
	q := n * 3518437209 >> 45 // by 10,000
	n = n<<32 - q*(10_000<<32-1)
	q = n * 5243 >> 19 & 0x0000007F_0000007F // by 100
	n = n<<16 - q*(100<<16-1)
	q = n * 103 >> 10 & 0x000F000F_000F000F // by 10
	return n<<8 - q*(10<<8-1)
}

// appendInt appends v as decimal text.
func appendInt(dst []byte, v int64) []byte {
	sign := v >> 63
	return appendSigned(dst, uint64((v^sign)-sign), int(-sign))
}

// appendSigned appends a magnitude as decimal text, with a minus in front if
// negative is 1 and not 0.
func appendSigned(dst []byte, n uint64, negative int) []byte {
	start := len(dst)
	dst = slices.Grow(dst, integerRoom)[:start+integerRoom]
	to := (*[integerRoom]byte)(dst[start:])
	to[0] = '-'
	// The first digits are n's, without zeros in front; behind them come whole words.
	words := 0
	var second, third uint64
	if n >= wordDigits {
		second, n, words = n, n/wordDigits, 1
		second -= n * wordDigits
		if n >= wordDigits {
			third, second, n, words = second, n, n/wordDigits, 2
			second -= n * wordDigits
		}
	}
	word := eightDigits(n)
	skip := bits.TrailingZeros64(word|1<<56) / 8 // 0 has a digit too
	at := negative & 1
	binary.LittleEndian.PutUint64(to[at:], (word|zeros)>>(8*skip&63))
	at += wordLen - skip
	if words > 0 {
		binary.LittleEndian.PutUint64(to[at&15:], eightDigits(second)|zeros)
		at += wordLen
		if words > 1 {
			binary.LittleEndian.PutUint64(to[at&31:], eightDigits(third)|zeros)
			at += wordLen
		}
	}
	return dst[:start+at]
}

// byteDigits has for each byte its decimal text, the first digit in the lowest
// byte, and the number of its digits in the highest.
var byteDigits = func() (words [256]uint32) {
	for n := range words {
		word := eightDigits(uint64(n)) | zeros
		skip := bits.TrailingZeros64((word^zeros)|1<<56) / 8
		words[n] = uint32(word>>(8*skip)) | uint32(wordLen-skip)<<24
	}
	return words
}()

// appendByte appends n as decimal text, and a comma.
func appendByte(dst []byte, n byte) []byte {
	digits := byteDigits[n]
	size := int(digits >> 24)
	dst = binary.LittleEndian.AppendUint32(dst, digits&0xFFFFFF|','<<(8*size&31))
	return dst[:len(dst)-3+size]
}

// appendBytes appends the elements of an array that are bytes, each with a comma.
func appendBytes(dst, elements []byte) []byte {
	for _, e := range elements {
		dst = appendByte(dst, e)
	}
	return dst
}
