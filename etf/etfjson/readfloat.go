package etfjson

import (
	"math"
	"math/bits"
)

// powersOfTen are those that a float holds exactly.
var powersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float returns the float nearest to mantissa*10^exponent, or the even one of two
// that are as near, unless ok is false: that is rare, or the float not normal.
func float(mantissa uint64, exponent int) (f float64, ok bool) {
	// Where a float holds both the mantissa and the power exactly, a single rounding
	// gives it (William Clinger, How to Read Floating Point Numbers Accurately, 1990).
	const most = len(powersOfTen) - 1
	if mantissa <= 1<<53 && -most <= exponent && exponent <= most {
		if exponent < 0 {
			return float64(mantissa) / powersOfTen[-exponent], true
		}
		return float64(mantissa) * powersOfTen[exponent], true
	}
	if mantissa == 0 {
		return 0, true
	}
	return rounded(mantissa, exponent)
}

// rounded is float for what is to be multiplied. The product with the first bits of
// the power has more bits than a float, and what those further behind would add
// seldom matters (Daniel Lemire, Number Parsing at a Gigabyte per Second, 2021).
func rounded(mantissa uint64, exponent int) (f float64, ok bool) {
	if exponent < smallestPower || exponent > largestPower {
		return 0, false
	}
	power := &powers[exponent-smallestPower]
	leading := bits.LeadingZeros64(mantissa)
	mantissa <<= leading
	high, low := bits.Mul64(mantissa, power[0])
	// The bits of high that are behind the mantissa and the bit that decides about
	// rounding. What is missing in the product is less than 1 in high: it carries
	// further only if they are all ones.
	const behind = 1<<9 - 1
	if high&behind == behind {
		more, lowest := bits.Mul64(mantissa, power[1])
		var carry uint64
		low, carry = bits.Add64(low, more, 0)
		high += carry
		// Now less than the mantissa is missing behind the lowest word.
		if _, carry = bits.Add64(lowest, mantissa, 0); high&behind == behind && low+carry < low {
			return 0, false
		}
	}
	top := high >> 63
	m := high >> (9 + top) // with the bit that decides
	if low == 0 && high&behind == 0 && m&3 == 1 {
		return 0, false // it may be halfway between two floats, or a little more
	}
	m = (m + m&1) >> 1
	exponent = floorLog2(exponent) + int(top) - leading + 1023 + 63
	if m == 1<<53 {
		m >>= 1
		exponent++
	}
	if exponent < 1 || exponent > 2046 {
		return 0, false
	}
	return math.Float64frombits(uint64(exponent)<<52 | m&(1<<52-1)), true
}
