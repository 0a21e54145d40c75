package etfjson

//go:generate go run powersgen.go

// powers are the powers of ten from 10^smallestPower to 10^largestPower: the
// first 128 bits of each, the high half first, what comes behind them cut off. 10^e
// is powers[e-smallestPower]*2^(floorLog2(e)-127), and less than a unit of the last
// bit more. Printing floats takes those from -292 on, reading them those up to 308.
const (
	smallestPower = -343
	largestPower  = 324
)

// floorLog2 is the logarithm to base 2 of 10^e, rounded down, for any e of the
// table's and some way beyond.
func floorLog2(e int) int { return e * 1741647 >> 19 }

// floorLog10 is the logarithm to base 10 of 2^e, rounded down, for the exponents
// that floats have.
func floorLog10(e int) int { return e * 1262611 >> 22 }

// floorLog10ThreeQuarters is that of 3/4*2^e.
func floorLog10ThreeQuarters(e int) int { return (e*1262611 - 524031) >> 22 }
