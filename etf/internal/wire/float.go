package wire

import "strconv"

// ParseFloat reads the text of a FLOAT_EXT: an optional sign, digits, a
// point or, as OTP reads it, a comma, digits, and an optional exponent, up to a
// NUL.
func ParseFloat(text []byte) (float64, bool) {
	i := 0
	digits := func() bool {
		start := i
		for i < len(text) && '0' <= text[i] && text[i] <= '9' {
			i++
		}
		return i > start
	}
	sign := func() {
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
	}
	sign()
	if !digits() || i >= len(text) || text[i] != '.' && text[i] != ',' {
		return 0, false
	}
	point := i
	i++
	if !digits() {
		return 0, false
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		sign()
		if !digits() {
			return 0, false
		}
	}
	if i >= len(text) || text[i] != 0 {
		return 0, false
	}
	var number [FloatLen]byte
	copy(number[:], text[:i])
	number[point] = '.'
	v, err := strconv.ParseFloat(string(number[:i]), 64)
	return v, err == nil
}
