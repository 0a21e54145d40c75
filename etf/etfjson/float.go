package etfjson

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// shortest returns d and k such that d*10^k, its sign aside, is read as f and has as
// few digits as any such number, zeros at the end of d not counted; and of those with
// so few it is the nearest to f. f is finite and not 0, d below 10^17.
//
// This is Schubfach (Raffaello Giulietti, The Schubfach way to render doubles,
// 2020). What is read as f lies between the two middles, those between f and its
// neighbours. k is such that at least one multiple of 10^k lies there, but at most
// one of 10^(k+1). It is enough to know f and the middles in quarters of 10^k: how
// many, and whether something is left over. And that can be told from 128 bits of
// 10^-k, since nothing comes so near to the numbers that f and the middles are
// compared with that it would look equal without being it: TestSchubfachPrecision
// shows that for each exponent.
func shortest(f float64) (d uint64, k int) {
	const mantissaBits = 52
	b := math.Float64bits(f)
	c, exponent := b&(1<<mantissaBits-1), int(b>>mantissaBits&0x7FF)
	// f is c*2^q.
	q := 1 - 1023 - mantissaBits
	// Below a power of two the floats are half as far apart.
	narrow := false
	if exponent > 0 {
		narrow = c == 0 && exponent > 1
		c |= 1 << mantissaBits
		q += exponent - 1
	}
	k = floorLog10(q)
	if narrow {
		k = floorLog10ThreeQuarters(q)
	}
	power := &powers[-k-smallestPower]
	g0, carry := bits.Add64(power[1], 1, 0) // never less than 10^-k
	g1 := power[0] + carry
	shift := uint(q+floorLog2(-k)+1) & 7 // from 1 to 4

	// v is f/10^k in quarters, a number of three words, of which the highest is its
	// integer; gap is what the middle above is away from it, and the one below too but
	// below a power of two.
	x := 4 * c << shift
	carry, v0 := bits.Mul64(x, g0)
	v2, v1 := bits.Mul64(x, g1)
	v1, carry = bits.Add64(v1, carry, 0)
	v2 += carry
	shift++
	gap2, gap1, gap0 := g1>>(64-shift&63), g1<<shift|g0>>(64-shift&63), g0<<shift
	_, carry = bits.Add64(v0, gap0, 0)
	upper1, carry := bits.Add64(v1, gap1, carry)
	upper := v2 + gap2 + carry
	if narrow {
		gap2, gap1, gap0 = gap2/2, gap1>>1|gap2<<63, gap0>>1|gap1<<63
	}
	_, borrow := bits.Sub64(v0, gap0, 0)
	lower1, borrow := bits.Sub64(v1, gap1, borrow)
	lower := v2 - gap2 - borrow

	// What is left over makes the number odd, and odd numbers are never equal to those
	// that they are compared with, which are even. A middle itself is read as the float
	// whose mantissa is even.
	odd := c & 1
	lower = (lower | one(lower1 != 0)) + odd
	upper = (upper | one(upper1 != 0)) - odd
	v := v2 | one(v1 != 0)

	// Which of the candidates it is nobody can foresee, so there is little to branch on.
	d = v2 / 4
	tens := d / 10 * 10
	below, above := lower <= 4*tens, 4*tens+40 <= upper
	tens += 10 * one(above)
	// One of the next two is nearer, or the even one as good. Where the middles are
	// equally far away it lies between them, since one of the two does.
	d += one(v+d&1 > 4*d+2)
	if narrow && lower > 4*d {
		d++
	}
	if below != above {
		d = tens
	}
	return d, k
}

// one is 1 for true.
func one(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// appendFloat appends a finite float as JSON: the shortest digits that read
// back as the same float, in the layout of ECMAScript's Number.toString, with
// ".0" where that has neither fraction nor exponent, so that it stays a float.
func appendFloat(dst []byte, f float64) []byte {
	start := len(dst)
	dst = slices.Grow(dst, 1+floatRoom)[:start+1+floatRoom]
	dst[start] = '-'
	start += int(math.Float64bits(f) >> 63)
	to := (*[floatRoom]byte)(dst[start:])
	if f == 0 {
		return dst[:start+copy(to[:], "0.0")]
	}
	d, k := shortest(f)
	short := one(d < 1e16) // by a digit, if f is not a subnormal number
	d += d * 9 * short
	k -= int(short)
	for d < 1e16 {
		d *= 10
		k--
	}
	return dst[:start+layOut(to, d, k+floatDigits)]
}

const (
	floatDigits = 17 // of any float, with zeros behind those that it needs
	floatRoom   = 40 // for these, and what goes with them
)

// layOut writes the number whose floatDigits digits d has, and the point before or
// behind them or after the first so many, and returns how many bytes it takes.
func layOut(to *[floatRoom]byte, d uint64, point int) int {
	// The first digit and two words.
	high := d / wordDigits
	low := d - high*wordDigits
	first := high / wordDigits
	a, b := eightDigits(high-first*wordDigits), eightDigits(low)
	n := floatDigits - bits.LeadingZeros64(b)/8 // without zeros behind
	if b == 0 {
		n -= bits.LeadingZeros64(a) / 8
	}
	a, b = a|zeros, b|zeros
	// Two words and the last one.
	a, b, last := first|'0'|a<<8, a>>56|b<<8, b>>56

	switch {
	case 0 < point && point <= 16:
		putPointed(to, a, b, last, point)
		return max(n, point+1) + 1
	case 16 < point && point <= 21:
		putDigits(to, 0, a, b, last)
		binary.LittleEndian.PutUint64(to[floatDigits:], zeros)
		to[point], to[point+1] = '.', '0'
		return point + 2
	case -6 < point && point <= 0:
		binary.LittleEndian.PutUint64(to[:], zeros)
		to[1] = '.'
		putDigits(to, 2-point, a, b, last)
		return 2 - point + n
	}
	putPointed(to, a, b, last, 1)
	if n > 1 {
		n++
	}
	exponent := point - 1
	to[n], to[n+1] = 'e', '+'
	if exponent < 0 {
		to[n+1] = '-'
		exponent = -exponent
	}
	n += 2
	if exponent >= 100 {
		to[n] = '0' + byte(exponent/100)
		exponent %= 100
		to[n+1], to[n+2] = '0'+byte(exponent/10), '0'+byte(exponent%10)
		return n + 3
	}
	digits := byteDigits[exponent]
	binary.LittleEndian.PutUint32(to[n:], digits)
	return n + int(digits>>24)
}

// putDigits puts two words of digits and one more at to[at:].
func putDigits(to *[floatRoom]byte, at int, a, b, last uint64) {
	binary.LittleEndian.PutUint64(to[at:], a)
	binary.LittleEndian.PutUint64(to[at+8:], b)
	to[at+16] = byte(last)
}

// putPointed puts them with a point behind the first 1 to 16: all up to there as
// they are, the others one byte on.
func putPointed(to *[floatRoom]byte, a, b, last uint64, point int) {
	second := a>>56 | b<<8
	if point <= 8 {
		before := uint64(1)<<(8*point) - 1
		a = a&before | a<<8&^before
	} else {
		before := uint64(1)<<(8*(point-8)) - 1
		second = b&before | second&^before
	}
	binary.LittleEndian.PutUint64(to[:], a)
	binary.LittleEndian.PutUint64(to[8:], second)
	to[16], to[17] = byte(b>>56), byte(last)
	to[point] = '.'
}
