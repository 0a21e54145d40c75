package etf_test

import (
	"bytes"
	"io"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/termgen"
)

// walk reads the next term with a cursor alone, and makes a Term of it.
func walk(c *etf.Cursor) (etf.Term, error) {
	switch c.Kind() {
	case etf.KindInt:
		v, err := c.Int()
		return etf.Int(v), err
	case etf.KindBigInt:
		v, err := c.BigInt()
		return etf.BigInt(v), err
	case etf.KindFloat:
		v, err := c.Float()
		return etf.Float(v), err
	case etf.KindAtom:
		v, err := c.Atom()
		return etf.Atom(string(v)), err
	case etf.KindBinary:
		v, err := c.Binary()
		return etf.Binary(bytes.Clone(v)), err
	case etf.KindBitString:
		v, bits, err := c.BitString()
		return etf.BitString(bytes.Clone(v), bits), err
	case etf.KindTuple:
		n, err := c.Tuple()
		if err != nil {
			return etf.Term{}, err
		}
		elems, err := walkAll(c, n, nil)
		return etf.Tuple(elems...), err
	case etf.KindMap:
		n, err := c.Map()
		if err != nil {
			return etf.Term{}, err
		}
		elems, err := walkAll(c, 2*n, nil)
		if err != nil {
			return etf.Term{}, err
		}
		var pairs []etf.Pair
		for i := 0; i < len(elems); i += 2 {
			pairs = append(pairs, etf.Pair{Key: elems[i], Value: elems[i+1]})
		}
		return etf.Map(pairs...), nil
	case etf.KindList:
		var elems []etf.Term
		n, err := c.List()
		for err == nil && n > 0 {
			if elems, err = walkAll(c, n, elems); err == nil {
				n, err = c.Tail()
			}
		}
		if err != nil || n == 0 {
			return etf.List(elems...), err
		}
		tail, err := walk(c)
		return etf.ImproperList(tail, elems...), err
	case etf.KindRecord:
		r, err := c.Record()
		if err != nil {
			return etf.Term{}, err
		}
		v := etf.RecordValue{Module: string(r.Module), Name: string(r.Name), Exported: r.Exported}
		for name := range r.Names() {
			v.Fields = append(v.Fields, etf.RecordField{Name: string(name)})
		}
		values, err := walkAll(c, r.Len, nil)
		for i := range values {
			v.Fields[i].Value = values[i]
		}
		return etf.Record(v), err
	default:
		return c.Term()
	}
}

func walkAll(c *etf.Cursor, n int, elems []etf.Term) ([]etf.Term, error) {
	for range n {
		elem, err := walk(c)
		if err != nil {
			return elems, err
		}
		elems = append(elems, elem)
	}
	return elems, nil
}

func TestCursorReadsWhatDecodeDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := termgen.Encoding(termgen.Term().Draw(t, "term")).Draw(t, "encoding")
		want, err := etf.Decode(b)
		if err != nil {
			t.Skip("not a term")
		}
		c, err := etf.NewCursor(b)
		require.NoError(t, err)
		bookmark := c
		got, err := walk(&c)
		require.NoError(t, err)
		require.NoError(t, c.End())
		require.True(t, etf.Equal(want, got), "%v is not %v", got, want)

		c = bookmark
		got, err = c.Term()
		require.NoError(t, err)
		require.NoError(t, c.End())
		require.True(t, etf.Equal(want, got))

		c = bookmark
		require.NoError(t, c.Skip())
		require.NoError(t, c.End())
		require.Equal(t, len(b), c.Offset())

		c = bookmark
		raw, err := c.Raw()
		require.NoError(t, err)
		require.True(t, bytes.HasSuffix(b[1:], raw), "less what stands for its tail")
		c = raw.Cursor()
		got, err = walk(&c)
		require.NoError(t, err)
		require.True(t, etf.Equal(want, got))

		// Whatever its end is cut off, no part of it goes by unnoticed.
		n := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		c, err = etf.NewCursor(b[:n])
		if err == nil {
			_, err = walk(&c)
		}
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func TestCursorOfAnotherKind(t *testing.T) {
	readers := map[etf.Kind]func(c *etf.Cursor) error{
		etf.KindInt:       func(c *etf.Cursor) error { _, err := c.Int(); return err },
		etf.KindBigInt:    func(c *etf.Cursor) error { _, _, err := c.Big(); return err },
		etf.KindFloat:     func(c *etf.Cursor) error { _, err := c.Float(); return err },
		etf.KindAtom:      func(c *etf.Cursor) error { _, err := c.Atom(); return err },
		etf.KindBinary:    func(c *etf.Cursor) error { _, err := c.Binary(); return err },
		etf.KindBitString: func(c *etf.Cursor) error { _, _, err := c.BitString(); return err },
		etf.KindTuple:     func(c *etf.Cursor) error { _, err := c.Tuple(); return err },
		etf.KindMap:       func(c *etf.Cursor) error { _, err := c.Map(); return err },
		etf.KindList:      func(c *etf.Cursor) error { _, err := c.List(); return err },
		etf.KindRecord:    func(c *etf.Cursor) error { _, err := c.Record(); return err },
	}
	terms := []string{
		"1", "300", "-4294967296", "18446744073709551616", "1.5", "a", "<<1>>", "<<1:3>>", "{1}", "#{}", "[]", "[a]",
		`"a"`, "fun a:b/1",
	}
	for _, text := range append(terms, "") {
		term, err := etf.Record(etf.RecordValue{Module: "m", Name: "r"}), error(nil)
		if text != "" {
			term, err = etf.Parse(text)
		}
		require.NoError(t, err)
		b, err := etf.Encode(term)
		require.NoError(t, err)
		c, err := etf.NewCursor(b)
		require.NoError(t, err)
		require.Equal(t, term.Kind(), c.Kind())
		for kind, read := range readers {
			at := c
			err := read(&at)
			if kind == term.Kind() || kind == etf.KindBitString && term.Kind() == etf.KindBinary {
				assert.NoError(t, err)
				continue
			}
			var wrong *etf.KindError
			require.ErrorAs(t, err, &wrong, "%v of %s", kind, text)
			assert.Equal(t, etf.KindError{Offset: 1, Want: kind, Got: term.Kind()}, *wrong, text)
			assert.Equal(t, c, at, "%v of %s moved the cursor", kind, text)
		}
	}
}

func TestCursorNumbers(t *testing.T) {
	big64 := new(big.Int).SetUint64(math.MaxUint64)
	for _, test := range []struct {
		term etf.Term
		want uint64
		err  error
	}{
		{etf.Int(0), 0, nil},
		{etf.Int(255), 255, nil},
		{etf.Int(70000), 70000, nil},
		{etf.Int(math.MaxInt64), math.MaxInt64, nil},
		{etf.BigInt(big64), math.MaxUint64, nil},
		{etf.BigInt(new(big.Int).Add(big64, big.NewInt(1))), 0, etf.ErrRange},
		{etf.BigInt(new(big.Int).Neg(big64)), 0, etf.ErrRange},
		{etf.Int(-1), 0, etf.ErrRange},
	} {
		c, err := etf.NewCursor(mustEncode(test.term))
		require.NoError(t, err)
		at := c
		got, err := at.Uint()
		require.ErrorIs(t, err, test.err)
		assert.Equal(t, test.want, got)
		at = c
		v, err := at.BigInt()
		require.NoError(t, err)
		want, _ := test.term.BigInt()
		assert.Zero(t, v.Cmp(want))
	}
}

func TestCursorBool(t *testing.T) {
	for _, want := range []bool{true, false} {
		c, err := etf.NewCursor(mustEncode(etf.Bool(want)))
		require.NoError(t, err)
		got, err := c.Bool()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	c, err := etf.NewCursor(mustEncode(etf.Atom("maybe")))
	require.NoError(t, err)
	_, err = c.Bool()
	assert.EqualError(t, err, "etf: atom at byte 1, not atom")
	assert.Equal(t, 1, c.Offset())
}

func TestCursorChars(t *testing.T) {
	c, err := etf.NewCursor([]byte("\x83h\x02k\x00\x02abk\x00\x01c"))
	require.NoError(t, err)
	n, err := c.Tuple()
	require.NoError(t, err)
	require.Equal(t, 2, n)
	chars, ok := c.Chars()
	require.True(t, ok)
	assert.Equal(t, "ab", string(chars))

	n, err = c.List()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = c.Binary()
	assert.EqualError(t, err, "etf: int at byte 11, not binary")
	raw, err := c.Raw()
	require.NoError(t, err)
	assert.Equal(t, etf.Raw("ac"), raw)
	assert.Equal(t, etf.Invalid, c.Kind(), "the tail has not been read")
	_, err = c.Int()
	require.Error(t, err)
	require.Error(t, c.End())
	n, err = c.Tail()
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, c.End())
	_, ok = c.Chars()
	assert.False(t, ok)
}

func TestCursorRefuses(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     string
	}{
		{"nothing", "", "etf: unexpected EOF at byte 0"},
		{"no version", "a\x01", "etf: no version byte 131 at byte 0"},
		{"a bad tag", "\x83\x00", "etf: unknown tag 0 at byte 1"},
		{"a compressed term", "\x83P\x00\x00\x00\x01", "etf: tag 80 (COMPRESSED), which starts no term here at byte 1"},
		{"NaN", "\x83F\x7f\xf8\x00\x00\x00\x00\x00\x00", "etf: float that is not a finite number at byte 1"},
		{"an atom that is not UTF-8", "\x83w\x01\xff", "etf: atom that is not UTF-8 of at most 255 characters at byte 1"},
		{"a tuple that is too long", "\x83h\x02a\x01", "etf: unexpected EOF at byte 5"},
		{"a list without room for a tail", "\x83l\x00\x00\x00\x01j", "etf: unexpected EOF at byte 7"},
		{"a map of four billion", "\x83t\xff\xff\xff\xff", "etf: unexpected EOF at byte 6"},
		{"a record with a flag that is none", "\x83C\x00\x00\x00\x00\x02w\x01mw\x01r",
			"etf: native record with a bad flag, or with a field that is there twice at byte 1"},
		{"a record of four billion", "\x83C\xff\xff\xff\xff\x00w\x01mw\x01r", "etf: unexpected EOF at byte 13"},
		{"a record without its values", "\x83C\x00\x00\x00\x01\x00w\x01mw\x01rw\x01a", "etf: unexpected EOF at byte 16"},
		{"a record without an atom", "\x83C\x00\x00\x00\x01\x00w\x01mw\x01ra\x01a\x01",
			"etf: atom that is not UTF-8 of at most 255 characters at byte 13"},
		{"a sign that is none", "\x83n\x01\x02\x01", "etf: integer with a bad sign, or too long at byte 1"},
	} {
		c, err := etf.NewCursor([]byte(test.in))
		if err == nil {
			_, err = walk(&c)
		}
		assert.EqualError(t, err, test.want, test.name)
	}
}
