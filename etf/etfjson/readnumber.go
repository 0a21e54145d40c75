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
		if digits <= chunkDigits && mantissa <= math.MaxInt64 {
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
			digits = math.MaxInt // not to be converted here
		} else if below {
			exponent -= int(power)
		} else {
			exponent += int(power)
		}
	}
	if digits > chunkDigits {
		digits -= zerosInFront(json[first:])
	}
	f, ok := float(mantissa, exponent)
	if !ok || digits > chunkDigits {
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

// zerosInFront returns how many zeros a number starts with, one in front of the point
// and others behind it.
func zerosInFront(number []byte) int {
	n := 0
	for i, c := range number {
		switch {
		case c == '0':
			n++
		case c != '.' || i != 1:
			return n
		}
	}
	return n
}

// digitsAt reads the digits at i behind others that make n. The result means
// something only if there are no more than chunkDigits in all, zeros in front not
// counted.
func digitsAt(json []byte, i int, n uint64) (uint64, int) {
	for i < len(json) && json[i]-'0' <= 9 {
		n = 10*n + uint64(json[i]-'0')
		i++
	}
	return n, i
}
