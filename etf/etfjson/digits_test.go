package etfjson

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEightDigits(t *testing.T) {
	check := func(n uint64) {
		word := eightDigits(n)
		digits := uint64(0)
		for i := range wordLen {
			digits = 10*digits + word>>(8*i)&0xFF
		}
		if digits != n || word&^(ones*0xF) != 0 {
			require.Equal(t, n, digits, "%x", word)
		}
	}
	for n := range uint64(10_000) {
		check(n)
		check(n * 10_000)
		check(n*10_000 + 9_999)
		check(wordDigits - 1 - n)
	}
	for range 1_000_000 {
		check(rand.Uint64N(wordDigits))
	}
}

func TestByteDigits(t *testing.T) {
	for n := range 256 {
		digits := byteDigits[n]
		text := string([]byte{byte(digits), byte(digits >> 8), byte(digits >> 16)}[:digits>>24])
		require.Equal(t, strconv.Itoa(n), text)
	}
}

func TestIntegerText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOf(rapid.Byte()).Draw(t, "before")
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e8, 1e8), rapid.Just[int64](math.MinInt64)).Draw(t, "n")
		require.Equal(t, string(before)+strconv.FormatInt(n, 10), string(appendInt(before, n)))
		require.Equal(t, string(before)+strconv.FormatUint(uint64(n), 10), string(appendSigned(before, uint64(n), 0)))
	})
}
