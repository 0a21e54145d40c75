package etfjson

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"github.com/beamport/beamport/etf/internal/wire"
)

const (
	// chunkDigits is how many decimal digits are carried at a time, and chunk
	// the number after the last that they can write.
	chunkDigits = 19
	chunk       = 10_000_000_000_000_000_000

	// Up to this many digits an integer is converted on the stack, by the
	// schoolbook; above it with math/big, whose time grows more slowly.
	stackDigits = DefaultMaxDigits
	stackWords  = (stackDigits*3402/1024 + 63) / 64 // log2(10) < 3402/1024
)

// appendInteger appends an integer literal, JSON's grammar already checked, of
// as many digits as one that may not fit an int64.
func appendInteger(dst, number []byte) []byte {
	digits := number
	negative := number[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) > stackDigits {
		n, _ := new(big.Int).SetString(string(digits), 10)
		return wire.AppendBig(dst, negative, reversed(n.Bytes()))
	}

	var words [stackWords]uint64
	used := 0
	for first := len(digits) % chunkDigits; len(digits) > 0; first = chunkDigits {
		if first == 0 {
			continue
		}
		carry := parseDigits(digits[:first])
		digits = digits[first:]
		for i := range used {
			hi, lo := bits.Mul64(words[i], chunk)
			var c uint64
			words[i], c = bits.Add64(lo, carry, 0)
			carry = hi + c
		}
		if carry != 0 {
			words[used] = carry
			used++
		}
	}
	switch {
	case used == 1 && words[0] <= math.MaxInt64:
		n := int64(words[0])
		if negative {
			n = -n
		}
		return wire.AppendInt(dst, n)
	case used == 1 && negative && words[0] == 1<<63:
		return wire.AppendInt(dst, math.MinInt64)
	}
	var magnitude [8 * stackWords]byte
	for i, w := range words[:used] {
		binary.LittleEndian.PutUint64(magnitude[8*i:], w)
	}
	return wire.AppendBig(dst, negative, trimmed(magnitude[:8*used]))
}

// parseDigits reads at most 19 decimal digits.
func parseDigits(digits []byte) uint64 {
	var n uint64
	for _, c := range digits {
		n = 10*n + uint64(c-'0')
	}
	return n
}

// appendDecimal appends the decimal text of a bignum, whose magnitude has its
// lowest byte first. ok is false, and nothing appended, if it has more than
// maxDigits digits.
func appendDecimal(dst []byte, negative bool, magnitude []byte, maxDigits int) (_ []byte, ok bool) {
	magnitude = trimmed(magnitude)
	if len(magnitude) == 0 {
		return append(dst, '0'), true
	}
	// n bytes without a leading zero are a number of more than 2.408*(n-1)
	// digits: the highest that can pass are worth converting, no more.
	if int64(len(magnitude)-1)*2408 >= int64(maxDigits)*1000 {
		return dst, false
	}
	start := len(dst)
	if negative {
		dst = append(dst, '-')
	}
	digits := len(dst)
	if len(magnitude) <= 8*stackWords {
		dst = appendWords(dst, magnitude)
	} else {
		dst = new(big.Int).SetBytes(reversed(magnitude)).Append(dst, 10)
	}
	if len(dst)-digits > maxDigits {
		return dst[:start], false
	}
	return dst, true
}

// appendWords is appendDecimal for what fits on the stack.
func appendWords(dst, magnitude []byte) []byte {
	var bytes [8 * stackWords]byte
	copy(bytes[:], magnitude)
	var words [stackWords]uint64
	used := (len(magnitude) + 7) / 8
	for i := range used {
		words[i] = binary.LittleEndian.Uint64(bytes[8*i:])
	}
	// The digits come lowest first, a chunk at a time.
	var chunks [(stackWords*64*309/1024)/chunkDigits + 1]uint64 // log10(2) < 309/1024
	n := 0
	for used > 0 {
		var rest uint64
		for i := used - 1; i >= 0; i-- {
			words[i], rest = bits.Div64(rest, words[i], chunk)
		}
		chunks[n] = rest
		n++
		if words[used-1] == 0 {
			used--
		}
	}
	dst = appendSigned(dst, chunks[n-1], 0)
	for i := n - 2; i >= 0; i-- {
		dst = appendPadded(dst, chunks[i])
	}
	return dst
}

// appendPadded appends a number below chunk as exactly chunkDigits digits.
func appendPadded(dst []byte, n uint64) []byte {
	high := n / wordDigits
	first := high / wordDigits // of three digits
	dst = binary.LittleEndian.AppendUint64(dst, (eightDigits(first)|zeros)>>(8*5))[:len(dst)+3]
	dst = binary.LittleEndian.AppendUint64(dst, eightDigits(high-first*wordDigits)|zeros)
	return binary.LittleEndian.AppendUint64(dst, eightDigits(n-high*wordDigits)|zeros)
}

// trimmed cuts the leading zeros off a magnitude: they are at its end.
func trimmed(magnitude []byte) []byte {
	for len(magnitude) > 0 && magnitude[len(magnitude)-1] == 0 {
		magnitude = magnitude[:len(magnitude)-1]
	}
	return magnitude
}

// reversed returns a copy with its bytes in the other order.
func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i, c := range b {
		r[len(b)-1-i] = c
	}
	return r
}
