package etf_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/termgen"
)

// appendTokens appends a term with the functions for tokens alone.
func appendTokens(b []byte, t etf.Term) (_ []byte, err error) {
	all := func(b []byte) ([]byte, error) {
		for elem := range t.All() {
			if b, err = appendTokens(b, elem); err != nil {
				return b, err
			}
		}
		return b, nil
	}
	switch t.Kind() {
	case etf.KindInt:
		v, _ := t.Int64()
		return etf.AppendInt(b, v), nil
	case etf.KindBigInt:
		v, _ := t.BigInt()
		return etf.AppendBigInt(b, v)
	case etf.KindFloat:
		v, _ := t.Float64()
		return etf.AppendFloat(b, v)
	case etf.KindAtom:
		name, _ := t.AtomName()
		return etf.AppendAtom(b, name)
	case etf.KindBinary, etf.KindBitString:
		v, bits, _ := t.BitString()
		return etf.AppendBitString(b, v, bits)
	case etf.KindTuple:
		b, mark := etf.BeginTuple(b)
		b, err := all(b)
		return etf.EndTuple(b, mark, t.Len()), err
	case etf.KindMap:
		b, mark := etf.BeginMap(b)
		for key, value := range t.Pairs() {
			if b, err = appendTokens(b, key); err == nil {
				b, err = appendTokens(b, value)
			}
			if err != nil {
				return b, err
			}
		}
		return etf.EndMap(b, mark, t.Len()), nil
	case etf.KindList:
		if chars, ok := charsOf(t); ok {
			return etf.AppendChars(b, chars)
		}
		b, mark := etf.BeginList(b)
		b, err := all(b)
		return etf.EndList(b, mark, t.Len()), err
	case etf.KindImproperList:
		b, mark := etf.BeginList(b)
		b, err := all(b)
		if err != nil {
			return b, err
		}
		tail, _ := t.Tail()
		b, err = appendTokens(b, tail)
		return etf.EndImproperList(b, mark, t.Len()), err
	case etf.KindRecord:
		v, _ := t.Record()
		var names []string
		for _, field := range v.Fields {
			names = append(names, field.Name)
		}
		b, err := etf.AppendRecordHeader(b, v.Module, v.Name, v.Exported, names...)
		for i := 0; i < len(v.Fields) && err == nil; i++ {
			b, err = appendTokens(b, v.Fields[i].Value)
		}
		return b, err
	default:
		return etf.EncodeOptions{NoVersion: true}.Append(b, t)
	}
}

// charsOf returns the elements of a list of integers from 0 to 255.
func charsOf(t etf.Term) (chars []byte, ok bool) {
	for elem := range t.All() {
		v, ok := elem.Int64()
		if !ok || v < 0 || v > 255 {
			return nil, false
		}
		chars = append(chars, byte(v))
	}
	return chars, true
}

func TestTokensMakeWhatEncodeDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		term := termgen.Term().Draw(t, "term")
		want, err := etf.Encode(term)
		require.NoError(t, err)
		got, err := appendTokens(etf.AppendVersion(nil), term)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestTokensOfManyElements(t *testing.T) {
	elems := make([]etf.Term, 70_000)
	for i := range elems {
		elems[i] = etf.Int(int64(i % 256))
	}
	for _, term := range []etf.Term{
		etf.Tuple(elems[:255]...), etf.Tuple(elems[:256]...), etf.Tuple(elems...),
		etf.List(elems[:65_535]...), etf.List(elems[:65_536]...),
	} {
		want, err := etf.Encode(term)
		require.NoError(t, err)
		got, err := appendTokens(etf.AppendVersion(nil), term)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestTokensWithHeaders(t *testing.T) {
	b := etf.AppendMapHeader(etf.AppendVersion(nil), 1)
	b = etf.AppendBool(etf.AppendUint(b, math.MaxUint64), true)
	require.Equal(t, "#{18446744073709551615 => true}", decodeText(t, b))
	b = etf.AppendTupleHeader(etf.AppendVersion(nil), 2)
	b = etf.AppendBool(b, false)
	b = etf.AppendEmptyList(etf.AppendInt(etf.AppendListHeader(b, 1), 1000))
	require.Equal(t, "{false,[1000]}", decodeText(t, b))
}

func decodeText(t *testing.T, b []byte) string {
	term, err := etf.Decode(b)
	require.NoError(t, err)
	return term.String()
}

func TestTokensThatAreNone(t *testing.T) {
	dst := []byte("as it was")
	for _, test := range []struct {
		want error
		f    func() ([]byte, error)
	}{
		{etf.ErrAtom, func() ([]byte, error) { return etf.AppendAtom(dst, strings.Repeat("x", 256)) }},
		{etf.ErrAtom, func() ([]byte, error) { return etf.AppendAtom(dst, "\xff") }},
		{etf.ErrAtom, func() ([]byte, error) { return etf.AppendRecordHeader(dst, "\xff", "r", true) }},
		{etf.ErrAtom, func() ([]byte, error) { return etf.AppendRecordHeader(dst, "m", "\xff", true) }},
		{etf.ErrAtom, func() ([]byte, error) { return etf.AppendRecordHeader(dst, "m", "r", true, "a", "\xff") }},
		{etf.ErrFloat, func() ([]byte, error) { return etf.AppendFloat(dst, math.NaN()) }},
		{etf.ErrFloat, func() ([]byte, error) { return etf.AppendFloat(dst, math.Inf(-1)) }},
		{etf.ErrBits, func() ([]byte, error) { return etf.AppendBitString(dst, []byte{1}, 0) }},
		{etf.ErrBits, func() ([]byte, error) { return etf.AppendBitString(dst, []byte{1}, 9) }},
		{etf.ErrInteger, func() ([]byte, error) {
			return etf.AppendBigInt(dst, new(big.Int).Lsh(big.NewInt(1), 1<<25))
		}},
	} {
		b, err := test.f()
		require.ErrorIs(t, err, test.want)
		assert.Equal(t, dst, b)
	}
}

func TestCursorAndTokensDoNotAllocate(t *testing.T) {
	b := gatewayEvent()
	buffer := make([]byte, 0, 2*len(b))
	var copyNext func(c *etf.Cursor, dst []byte) []byte
	copyNext = func(c *etf.Cursor, dst []byte) []byte {
		switch c.Kind() {
		case etf.KindMap:
			n, _ := c.Map()
			dst = etf.AppendMapHeader(dst, n)
			for range 2 * n {
				dst = copyNext(c, dst)
			}
			return dst
		case etf.KindList:
			n, _ := c.List()
			if n == 0 {
				return etf.AppendEmptyList(dst)
			}
			dst = etf.AppendListHeader(dst, n)
			for range n {
				dst = copyNext(c, dst)
			}
			_, _ = c.Tail()
			return etf.AppendEmptyList(dst)
		case etf.KindInt:
			v, _ := c.Int()
			return etf.AppendInt(dst, v)
		case etf.KindFloat:
			v, _ := c.Float()
			dst, _ = etf.AppendFloat(dst, v)
			return dst
		case etf.KindAtom:
			name, _ := c.Atom()
			dst, _ = etf.AppendAtom(dst, string(name))
			return dst
		default:
			v, _ := c.Binary()
			dst, _ = etf.AppendBinary(dst, v)
			return dst
		}
	}
	var got []byte
	var c etf.Cursor
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c, _ = etf.NewCursor(b)
		got = copyNext(&c, etf.AppendVersion(buffer))
	}))
	require.Equal(t, b, got)
}

func TestAppendString(t *testing.T) {
	b, err := etf.AppendString([]byte("x"), "héllo")
	require.NoError(t, err)
	require.Equal(t, "xm\x00\x00\x00\x06h\xc3\xa9llo", string(b))
}
