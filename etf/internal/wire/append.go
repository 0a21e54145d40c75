package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// AppendInt appends v in the shortest form that OTP itself writes:
// SMALL_INTEGER_EXT, INTEGER_EXT, or SMALL_BIG_EXT.
func AppendInt(dst []byte, v int64) []byte {
	switch {
	case uint64(v) < 256:
		return append(dst, SmallInteger, byte(v))
	case int64(int32(v)) == v:
		return append(dst, Integer, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case v < 0:
		return appendBig64(dst, 1, -uint64(v))
	default:
		return appendBig64(dst, 0, uint64(v))
	}
}

// AppendUint is [AppendInt] for an unsigned value.
func AppendUint(dst []byte, v uint64) []byte {
	if v <= math.MaxInt64 {
		return AppendInt(dst, int64(v))
	}
	return appendBig64(dst, 0, v)
}

func appendBig64(dst []byte, sign byte, magnitude uint64) []byte {
	n := (bits.Len64(magnitude) + 7) / 8
	dst = append(dst, SmallBig, byte(n), sign, 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint64(dst[len(dst)-8:], magnitude)
	return dst[:len(dst)-8+n]
}

// AppendBig appends the integer with the given little-endian magnitude as
// SMALL_BIG_EXT or LARGE_BIG_EXT. The caller strips leading (most significant)
// zero bytes and uses [AppendInt] for what fits an int64 when it wants the form
// that OTP writes. The magnitude must be shorter than 4 GiB.
func AppendBig(dst []byte, neg bool, littleEndianMagnitude []byte) []byte {
	return append(AppendBigHeader(dst, neg, len(littleEndianMagnitude)), littleEndianMagnitude...)
}

// AppendBigHeader appends what stands in front of a magnitude of n bytes.
func AppendBigHeader(dst []byte, neg bool, n int) []byte {
	var sign byte
	if neg {
		sign = 1
	}
	if n < 256 {
		return append(dst, SmallBig, byte(n), sign)
	}
	return append(appendTag32(dst, LargeBig, n), sign)
}

// AppendFloat appends v as NEW_FLOAT_EXT. The format has neither NaN nor
// infinities: the caller refuses those.
func AppendFloat(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, NewFloat), math.Float64bits(v))
}

// AppendAtomUTF8 appends an atom as SMALL_ATOM_UTF8_EXT or ATOM_UTF8_EXT. The
// caller makes sure that name is valid UTF-8 of at most [MaxAtomCharacters]
// characters.
func AppendAtomUTF8(dst []byte, name string) []byte {
	if n := len(name); n < 256 {
		dst = append(dst, SmallAtomUTF8, byte(n))
	} else {
		dst = append(dst, AtomUTF8, byte(n>>8), byte(n))
	}
	return append(dst, name...)
}

// AppendBinaryHeader appends the head of a BINARY_EXT of n bytes, which the
// caller appends. n must be below 2^32.
func AppendBinaryHeader(dst []byte, n int) []byte { return appendTag32(dst, Binary, n) }

// AppendBitBinaryHeader appends the head of a BIT_BINARY_EXT of n bytes, of
// whose last one only the bits most significant bits count.
func AppendBitBinaryHeader(dst []byte, n int, bits uint8) []byte {
	return append(appendTag32(dst, BitBinary, n), bits)
}

// AppendStringHeader appends the head of a STRING_EXT of n bytes. n must be at
// most [MaxStringLen].
func AppendStringHeader(dst []byte, n int) []byte {
	return append(dst, String, byte(n>>8), byte(n))
}

// AppendListHeader appends the head of a LIST_EXT of n elements. The elements
// and then the tail, [Nil] for a proper list, follow it. The empty list is
// written as [Nil] alone, not with a header.
func AppendListHeader(dst []byte, n int) []byte { return appendTag32(dst, List, n) }

// PackChars gives the proper list of n elements that is dst[start:], encoded with
// a header if n is not 0, the form that OTP writes: STRING_EXT, if its elements
// are nothing but SMALL_INTEGER_EXT and not too many.
func PackChars(dst []byte, start, n int) []byte {
	if n == 0 || n > MaxStringLen || len(dst)-start != 5+2*n+1 {
		return dst
	}
	// Since a SMALL_INTEGER_EXT takes two bytes, each second byte is a tag if those
	// in front of it were.
	elements := dst[start+5:]
	for i := 0; i < 2*n; i += 2 {
		if elements[i] != SmallInteger {
			return dst
		}
	}
	// The bytes move to the front, each over one that has been read.
	dst = AppendStringHeader(dst[:start], n)
	for i := range n {
		dst = append(dst, elements[2*i+1])
	}
	return dst
}

// AppendMapHeader appends the head of a MAP_EXT of n pairs; key, value, key,
// value and so on follow it.
func AppendMapHeader(dst []byte, n int) []byte { return appendTag32(dst, Map, n) }

// AppendTupleHeader appends the head of a SMALL_TUPLE_EXT or LARGE_TUPLE_EXT of
// n elements.
func AppendTupleHeader(dst []byte, n int) []byte {
	if n < 256 {
		return append(dst, SmallTuple, byte(n))
	}
	return appendTag32(dst, LargeTuple, n)
}

// AppendRecordHeader appends what stands in front of the atoms of a RECORD_EXT of
// n fields: its module, its name and the names of the fields follow, and then
// their values.
func AppendRecordHeader(dst []byte, n int, exported bool) []byte {
	var flag byte
	if exported {
		flag = 1
	}
	return append(appendTag32(dst, Record, n), flag)
}

func appendTag32(dst []byte, tag byte, n int) []byte {
	return append(dst, tag, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}
