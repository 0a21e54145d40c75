package etf

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/beamport/beamport/etf/internal/wire"
)

// AppendVersion appends the byte that every term starts with outside of others.
func AppendVersion(dst []byte) []byte { return append(dst, wire.Version) }

// AppendInt appends an integer.
func AppendInt(dst []byte, v int64) []byte { return wire.AppendInt(dst, v) }

// AppendUint appends an integer.
func AppendUint(dst []byte, v uint64) []byte { return wire.AppendUint(dst, v) }

// AppendBigInt appends an integer, which must not be nil. It returns dst as it
// was and an error that wraps [ErrInteger] if it is longer than what a BEAM can
// hold, 4 MiB.
func AppendBigInt(dst []byte, v *big.Int) ([]byte, error) {
	if v.IsInt64() {
		return wire.AppendInt(dst, v.Int64()), nil
	}
	n := (v.BitLen() + 7) / 8
	if n > maxBigBytes {
		return dst, &EncodeError{Err: ErrInteger}
	}
	dst = wire.AppendBigHeader(dst, v.Sign() < 0, n)
	start := len(dst)
	for _, word := range v.Bits() {
		if wordSize == 8 {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(word))
		} else {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
		}
	}
	return dst[:start+n], nil
}

// wordSize is how many bytes a big.Word has.
const wordSize = 4 << (^big.Word(0) >> 63)

// AppendFloat appends a float. It returns dst as it was and an error that wraps
// [ErrFloat] for NaN and the infinities, which are no Erlang terms.
func AppendFloat(dst []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dst, &EncodeError{Err: ErrFloat}
	}
	return wire.AppendFloat(dst, v), nil
}

// AppendAtom appends the atom of the given name. It returns dst as it was and
// an error that wraps [ErrAtom] if the name is not UTF-8 or longer than 255
// characters.
func AppendAtom(dst []byte, name string) ([]byte, error) {
	if !validAtom(stringBytes(name)) {
		return dst, &EncodeError{Err: ErrAtom}
	}
	return wire.AppendAtomUTF8(dst, name), nil
}

// AppendBool appends the atom true or false.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return wire.AppendAtomUTF8(dst, "true")
	}
	return wire.AppendAtomUTF8(dst, "false")
}

// AppendBinary appends a binary. It returns dst as it was and an error that
// wraps [ErrSize] if b is longer than 4 GiB.
func AppendBinary(dst, b []byte) ([]byte, error) {
	if uint64(len(b)) > math.MaxUint32 {
		return dst, &EncodeError{Err: ErrSize}
	}
	return append(wire.AppendBinaryHeader(dst, len(b)), b...), nil
}

// AppendString appends a binary of the bytes of s, what Elixir calls a string.
// It returns dst as it was and an error that wraps [ErrSize] if s is longer than
// 4 GiB.
func AppendString(dst []byte, s string) ([]byte, error) {
	if uint64(len(s)) > math.MaxUint32 {
		return dst, &EncodeError{Err: ErrSize}
	}
	return append(wire.AppendBinaryHeader(dst, len(s)), s...), nil
}

// AppendBitString appends a bit string of all bytes of b but of only the
// lastBits most significant bits of the last one, as [BitString] makes it. It
// returns dst as it was and an error that wraps [ErrBits] if lastBits is 0 or
// above 8 and b is not empty, or [ErrSize] if b is longer than 4 GiB.
func AppendBitString(dst, b []byte, lastBits uint8) ([]byte, error) {
	switch {
	case len(b) == 0 || lastBits == 8:
		return AppendBinary(dst, b)
	case lastBits == 0 || lastBits > 8:
		return dst, &EncodeError{Err: ErrBits}
	case uint64(len(b)) > math.MaxUint32:
		return dst, &EncodeError{Err: ErrSize}
	}
	dst = append(wire.AppendBitBinaryHeader(dst, len(b), lastBits), b...)
	dst[len(dst)-1] &^= 0xFF >> lastBits
	return dst, nil
}

// AppendEmptyList appends the empty list. It also ends every proper list, behind
// its elements.
func AppendEmptyList(dst []byte) []byte { return append(dst, wire.Nil) }

// AppendListHeader appends the beginning of a list of n elements. They come
// next, and then the tail: that of a proper list is the empty list, see
// [AppendEmptyList]. The empty list itself has no header. n is from 1 to 2^32-1.
//
// Lists of up to 65,535 integers from 0 to 255, and only they, have a shorter
// form: see [AppendChars]. Both are the same list to whoever reads them.
func AppendListHeader(dst []byte, n int) []byte { return wire.AppendListHeader(dst, n) }

// AppendChars appends the list of the integers in b, in its compact form where
// it has one.
func AppendChars(dst, b []byte) ([]byte, error) {
	if uint64(len(b)) > math.MaxUint32 {
		return dst, &EncodeError{Err: ErrSize}
	}
	return appendChars(dst, b), nil
}

func appendChars(dst, b []byte) []byte {
	switch {
	case len(b) == 0:
		return append(dst, wire.Nil)
	case len(b) <= wire.MaxStringLen:
		return append(wire.AppendStringHeader(dst, len(b)), b...)
	}
	dst = wire.AppendListHeader(dst, len(b))
	for _, c := range b {
		dst = append(dst, wire.SmallInteger, c)
	}
	return append(dst, wire.Nil)
}

// AppendTupleHeader appends the beginning of a tuple of n elements, which come
// next. n is from 0 to 2^32-1.
func AppendTupleHeader(dst []byte, n int) []byte { return wire.AppendTupleHeader(dst, n) }

// AppendMapHeader appends the beginning of a map of n pairs, whose keys and
// values come next, key, value, key, value. No two keys may be the same term. n
// is from 0 to 2^32-1.
func AppendMapHeader(dst []byte, n int) []byte { return wire.AppendMapHeader(dst, n) }

// AppendRecordHeader appends the beginning of a native record with these fields,
// no two of which may have the same name. Their values come next, in this order.
// It returns dst as it was and an error that wraps [ErrAtom] if a name is not
// UTF-8 or longer than 255 characters. No OTP before 29 reads native records.
func AppendRecordHeader(dst []byte, module, name string, exported bool, fields ...string) ([]byte, error) {
	if uint64(len(fields)) > math.MaxUint32 {
		return dst, &EncodeError{Err: ErrSize}
	}
	b, err := appendAtoms(wire.AppendRecordHeader(dst, len(fields), exported), module, name)
	if err == nil {
		b, err = appendAtoms(b, fields...)
	}
	if err != nil {
		return dst, err
	}
	return b, nil
}

func appendAtoms(dst []byte, names ...string) (_ []byte, err error) {
	for _, name := range names {
		if dst, err = AppendAtom(dst, name); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// BeginList appends the beginning of a list whose number of elements is known
// only when they have been appended. mark is for [EndList].
func BeginList(dst []byte) (b []byte, mark int) {
	return append(dst, wire.List, 0, 0, 0, 0), len(dst)
}

// EndList ends the proper list that [BeginList] began, behind its n elements.
func EndList(dst []byte, mark, n int) []byte {
	if n == 0 {
		return append(dst[:mark], wire.Nil)
	}
	return append(EndImproperList(dst, mark, n), wire.Nil)
}

// EndImproperList ends the list that [BeginList] began, behind its n elements,
// one at least, and a tail that is not a list.
func EndImproperList(dst []byte, mark, n int) []byte {
	binary.BigEndian.PutUint32(dst[mark+1:], uint32(n))
	return dst
}

// BeginMap is [BeginList] for a map.
func BeginMap(dst []byte) (b []byte, mark int) {
	return append(dst, wire.Map, 0, 0, 0, 0), len(dst)
}

// EndMap ends the map that [BeginMap] began, behind its n pairs.
func EndMap(dst []byte, mark, n int) []byte {
	binary.BigEndian.PutUint32(dst[mark+1:], uint32(n))
	return dst
}

// BeginTuple is [BeginList] for a tuple.
func BeginTuple(dst []byte) (b []byte, mark int) {
	return append(dst, wire.SmallTuple, 0), len(dst)
}

// EndTuple ends the tuple that [BeginTuple] began, behind its n elements. It
// moves them if they are more than 255.
func EndTuple(dst []byte, mark, n int) []byte {
	if n < 256 {
		dst[mark+1] = byte(n)
		return dst
	}
	dst = append(dst, 0, 0, 0)
	copy(dst[mark+5:], dst[mark+2:])
	dst[mark] = wire.LargeTuple
	binary.BigEndian.PutUint32(dst[mark+1:], uint32(n))
	return dst
}
