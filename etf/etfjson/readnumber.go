package etfjson

import (
	"math"
	"strconv"

	"github.com/beamport/beamport/etf/internal/wire"
)

// number appends the JSON number at i and returns where it ends.
func (w *termWriter) number(dst []byte, i int) ([]byte, int, located) {
	json, start := w.json, i
	negative := json[i] == '-'
	if negative {
		i++
	}
	if i >= len(json) {
		return dst, i, w.truncated()
	}
	// The digits without the point, as far as they fit, and how many there are.
	var mantissa uint64
	first := i
	if json[i] == '0' {
		i++
	} else if mantissa, i = digitsAt(json, i, 0); i == first {
		return dst, i, w.unexpected(i, "a digit")
	}
	digits := i - first
	if i >= len(json) || json[i] != '.' && json[i]|0x20 != 'e' {
		if digits < chunkDigits { // fits in an int64 whatever the digits are
			n := int64(mantissa)
			if negative {
				n = -n
			}
			return wire.AppendInt(dst, n), i, nil
		}
		if most := w.options.MaxDigits; digits > most {
			return dst, i, &LimitError{Offset: start, Limit: limitDigits, Max: int64(most)}
		}
		return appendInteger(dst, json[start:i]), i, nil
	}

	exponent := 0
	if json[i] == '.' {
		point := i + 1
		if mantissa, i = digitsAt(json, point, mantissa); i == point {
			return dst, i, w.missingDigit(i)
		}
		digits += i - point
		exponent = point - i
	}
	if i < len(json) && json[i]|0x20 == 'e' {
		i++
		below := false
		if i < len(json) && (json[i] == '-' || json[i] == '+') {
			below = json[i] == '-'
			i++
		}
		sign := i
		var power uint64
		if power, i = digitsAt(json, i, 0); i == sign {
			return dst, i, w.missingDigit(i)
		}
		if i-sign >= chunkDigits || power > math.MaxInt16 {
			digits = chunkDigits // not to be converted here
		} else if below {
			exponent -= int(power)
		} else {
			exponent += int(power)
		}
	}
	f, ok := float(mantissa, exponent)
	if !ok || digits >= chunkDigits {
		var err error
		f, err = strconv.ParseFloat(string(json[start:i]), 64)
		if err != nil { // the grammar is JSON's, so it can only be the range
			return dst, i, &SyntaxError{Offset: start, Err: ErrNumberRange}
		}
	} else if negative {
		f = -f
	}
	return wire.AppendFloat(dst, f), i, nil
}

func (w *termWriter) missingDigit(i int) located {
	if i >= len(w.json) {
		return w.truncated()
	}
	return w.unexpected(i, "a digit")
}

// digitsAt reads the digits at i behind others that make n. The result means
// something only if there are fewer than chunkDigits in all.
func digitsAt(json []byte, i int, n uint64) (uint64, int) {
	for i < len(json) && json[i]-'0' <= 9 {
		n = 10*n + uint64(json[i]-'0')
		i++
	}
	return n, i
}

// powersOfTen are those that a float holds exactly.
var powersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float returns the float nearest to mantissa*10^exponent, if a single rounding
// gives it: where a float holds both the mantissa and the power exactly (William
// Clinger, How to Read Floating Point Numbers Accurately, 1990).
func float(mantissa uint64, exponent int) (f float64, ok bool) {
	const most = len(powersOfTen) - 1
	if mantissa > 1<<53 || exponent < -most || exponent > most {
		return 0, false
	}
	if exponent < 0 {
		return float64(mantissa) / powersOfTen[-exponent], true
	}
	return float64(mantissa) * powersOfTen[exponent], true
}
