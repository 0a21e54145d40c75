package etf_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// A reader is one of the ways to read an input from its first byte.
type reader struct {
	name string
	read func(b []byte) error
}

// readers are the ways to read an input. All but the last two read compressed
// terms too.
var readers = []reader{
	{"Decode", func(b []byte) error { _, err := etf.Decode(b); return err }},
	{"DecodePrefix", func(b []byte) error { _, _, err := etf.DecodePrefix(b); return err }},
	{"Valid", etf.Valid},
	{"Unmarshal", func(b []byte) error { var v any; return etf.Unmarshal(b, &v) }},
	{"Strict", func(b []byte) error { _, err := etf.DecodeOptions{Strict: true}.Decode(b); return err }},
	{"Cursor.Skip", func(b []byte) error {
		c, err := etf.NewCursor(b)
		if err != nil {
			return err
		}
		return c.Skip()
	}},
	{"Cursor.Term", func(b []byte) error {
		c, err := etf.NewCursor(b)
		if err != nil {
			return err
		}
		_, err = c.Term()
		return err
	}},
}

// TestNoPrefixIsATerm cuts every accepted case, and others in many encodings,
// at every byte.
func TestNoPrefixIsATerm(t *testing.T) {
	var inputs [][]byte
	for _, c := range cases.All() {
		if c.Err == "" {
			inputs = append(inputs, c.Bytes)
		}
	}
	for i := range 150 {
		inputs = append(inputs, termgen.Encoding(example(i)).Example(i))
	}
	cut := 0
	for _, b := range inputs {
		compressed := b[1] == 80
		for n := range b {
			for _, r := range readers {
				if r.name == "Strict" || compressed && (r.name == "Cursor.Skip" || r.name == "Cursor.Term") {
					continue // they may meet something else first
				}
				err := r.read(b[:n])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s: %d bytes of %x", r.name, n, b)
				var syntax *etf.SyntaxError
				require.ErrorAs(t, err, &syntax)
				require.Equal(t, n, syntax.Offset)
				cut++
			}
		}
	}
	require.Greater(t, cut, 20_000)
}

// tagsWithLength are the tags that a length or count of 8, 16 or 32 bits follows.
var tagsWithLength = map[byte]int{
	67: 32, 77: 32, 80: 32, 90: 16, 100: 16, 104: 8, 105: 32, 107: 16, 108: 32, 109: 32, 110: 8, 111: 32, 112: 32, 114: 16, 115: 8,
	116: 32, 118: 16, 119: 8,
}

// TestAbsurdLengths puts lengths that are not those of what follows behind each
// tag, and asserts what comes of it and what it costs.
func TestAbsurdLengths(t *testing.T) {
	const body = 40
	for tag := range 256 {
		bits, known := tagsWithLength[byte(tag)]
		for _, length := range []uint64{0, 1, body - 1, body, body + 1, body + 2, 255, 256, 65535, 1<<16 - 1, 1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			for _, fill := range []byte{0, 97, 106, 119, 255} {
				var head []byte
				switch {
				case known && bits == 8:
					head = []byte{byte(length)}
				case known && bits == 16:
					head = cases.U16(int(length & math.MaxUint16))
				default:
					head = cases.U32(int64(length))
				}
				b := cases.Join(131, tag, head, bytes.Repeat([]byte{fill}, body))
				for _, r := range readers {
					var err error
					requireAllocates(t, 32*len(b)+1024, func() { err = r.read(b) }, "%s: tag %d, length %d, then %d", r.name, tag, length, fill)
					if known && bits == 32 && length > 1<<16 {
						require.Error(t, err, "%s: tag %d, length %d, then %d", r.name, tag, length, fill)
					}
				}
			}
		}
	}
}

// TestAbsurdLengthsAllocateAFewTimes counts the allocations of a refusal: those
// of the error.
func TestAbsurdLengthsAllocateAFewTimes(t *testing.T) {
	for tag := range tagsWithLength {
		b := cases.Join(131, int(tag), cases.U32(-1), make([]byte, 16))
		for _, r := range readers {
			var err error
			n := testing.AllocsPerRun(20, func() { err = r.read(b) })
			if err != nil {
				require.LessOrEqual(t, n, 8.0, "%s: tag %d: %v", r.name, tag, err)
			}
		}
	}
}

// TestHostileInputCostsNoMoreThan32TimesItsSize measures what damaged input
// allocates, however it is read.
func TestHostileInputCostsNoMoreThan32TimesItsSize(t *testing.T) {
	repeated := func(b []byte, n int) []byte {
		return cases.Join(131, 108, cases.U32(n), bytes.Repeat(b, n), 106)
	}
	inputs := map[string][]byte{}
	for i, piece := range [][]byte{
		{106}, {97, 1}, {104, 0}, {104, 1, 106}, {109, 0, 0, 0, 0}, {116, 0, 0, 0, 0}, {107, 0, 1, 7}, {108, 0, 0, 0, 1, 106, 106},
		{108, 0, 0, 0, 1, 106, 97, 1}, {119, 0}, {115, 1, 0xE9}, {110, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {77, 0, 0, 0, 1, 1, 255},
		{116, 0, 0, 0, 1, 106, 106}, cases.Join(88, 119, 0, make([]byte, 12)), cases.Join(90, 0, 1, 119, 0, make([]byte, 8)),
		cases.Join(113, 119, 0, 119, 0, 97, 0), cases.Join(67, cases.U32(0), 0, 119, 0, 119, 0),
		cases.Join(67, cases.U32(2), 0, 119, 0, 119, 0, 119, 0, 119, 1, "a", 106, 106), {116, 0, 0, 0, 1, 109, 0, 0, 0, 0, 106},
	} {
		inputs[fmt.Sprintf("pieces %d", i)] = repeated(piece, 20_000)
	}
	for name, b := range inputs {
		for _, r := range readers {
			if r.name == "Unmarshal" {
				continue // its values are Go's, which are as large as they are
			}
			var err error
			requireAllocates(t, 32*len(b)+64<<10, func() { err = r.read(b) }, "%s of %s", r.name, name)
			if r.name != "Strict" {
				require.NoError(t, err, name)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := Mutated().Draw(t, "input")
		for len(b) < 1<<12 && rapid.IntRange(0, 3).Draw(t, "more") > 0 {
			b = append(b, Mutated().Draw(t, "input")[1:]...)
		}
		if len(b) > 5 && b[1] == 80 {
			return // costs what its content does, see MaxInflated
		}
		for _, r := range readers[:3] {
			requireAllocates(t, 32*len(b)+4096, func() { r.read(b) }, "%s of %x", r.name, b)
		}
	})
}
