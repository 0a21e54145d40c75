package fuzz_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// FuzzCursor walks any bytes with a cursor: it reads the same term as Decode,
// however it goes, or meets an error where Decode does.
func FuzzCursor(f *testing.F) {
	addTerms(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		options := etf.DecodeOptions{NoCompression: true} // which a cursor does not read
		term, n, err := options.DecodePrefix(b)
		c, cursorErr := etf.NewCursor(b)
		if cursorErr != nil {
			require.Error(t, err)
			return
		}
		start := c

		skipErr := c.Skip()
		require.Equal(t, err == nil, skipErr == nil, "%v and %v", err, skipErr)
		if err != nil {
			require.Equal(t, start.Offset(), c.Offset(), "the cursor has moved in spite of %v", skipErr)
			c = start
			_, termErr := c.Term()
			require.Error(t, termErr)
			c = start
			_, rawErr := c.Raw()
			require.Error(t, rawErr)
			// What is not well-formed is met by walking too, but for keys and names of
			// fields, which a walk does not compare, and limits.
			c = start
			if _, walkErr := rewrite(&c, nil, 0); walkErr == nil {
				require.True(t, errors.Is(err, etf.ErrDuplicateKey) || errors.Is(err, etf.ErrRecord) || errors.Is(err, etf.ErrLimit),
					"walked through %v", err)
			}
			require.Equal(t, before, b)
			return
		}
		require.Equal(t, n, c.Offset())
		c = start
		read, termErr := c.Term()
		require.NoError(t, termErr)
		require.Equal(t, n, c.Offset())
		require.True(t, etf.Equal(term, read))
		c = start
		raw, rawErr := c.Raw()
		require.NoError(t, rawErr)
		require.True(t, bytes.HasSuffix(b[1:n], raw), "less what stands for its tail")
		inner := raw.Cursor()
		read, termErr = inner.Term()
		require.NoError(t, termErr)
		require.NoError(t, inner.End())
		require.True(t, etf.Equal(term, read))

		c = start
		written, walkErr := rewrite(&c, []byte{131}, 0)
		require.NoError(t, walkErr)
		require.Equal(t, n, c.Offset())
		again, err := etf.Decode(written)
		require.NoError(t, err)
		require.True(t, etf.Equal(term, again), "%v became %v", term, again)
		require.Equal(t, before, b)
	})
}

// rewrite reads the next term with a cursor, token by token, and appends each.
func rewrite(c *etf.Cursor, dst []byte, depth int) ([]byte, error) {
	if depth > 2*etf.DefaultMaxDepth {
		return dst, etf.ErrLimit
	}
	switch c.Kind() {
	case etf.KindInt:
		v, err := c.Int()
		return etf.AppendInt(dst, v), err
	case etf.KindBigInt:
		v, err := c.BigInt()
		if err != nil {
			return dst, err
		}
		return etf.AppendBigInt(dst, v)
	case etf.KindFloat:
		v, err := c.Float()
		if err != nil {
			return dst, err
		}
		return etf.AppendFloat(dst, v)
	case etf.KindAtom:
		name, err := c.Atom()
		if err != nil {
			return dst, err
		}
		return etf.AppendAtom(dst, string(name))
	case etf.KindBinary:
		v, err := c.Binary()
		if err != nil {
			return dst, err
		}
		return etf.AppendBinary(dst, v)
	case etf.KindBitString:
		v, bits, err := c.BitString()
		if err != nil {
			return dst, err
		}
		return etf.AppendBitString(dst, v, bits)
	case etf.KindTuple:
		n, err := c.Tuple()
		if err != nil {
			return dst, err
		}
		return rewriteAll(c, etf.AppendTupleHeader(dst, n), n, depth)
	case etf.KindMap:
		n, err := c.Map()
		if err != nil {
			return dst, err
		}
		return rewriteAll(c, etf.AppendMapHeader(dst, n), 2*n, depth)
	case etf.KindList:
		return rewriteList(c, dst, depth)
	case etf.KindRecord:
		r, err := c.Record()
		if err != nil {
			return dst, err
		}
		var names []string
		for name := range r.Names() {
			names = append(names, string(name))
		}
		dst, err = etf.AppendRecordHeader(dst, string(r.Module), string(r.Name), r.Exported, names...)
		if err != nil {
			return dst, err
		}
		return rewriteAll(c, dst, r.Len, depth)
	default:
		raw, err := c.Raw()
		return append(dst, raw...), err
	}
}

func rewriteAll(c *etf.Cursor, dst []byte, n, depth int) ([]byte, error) {
	var err error
	for range n {
		if dst, err = rewrite(c, dst, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func rewriteList(c *etf.Cursor, dst []byte, depth int) ([]byte, error) {
	bookmark := *c
	if chars, ok := c.Chars(); ok { // has to be what List and Tail read
		again := bookmark
		for n, err := again.List(); n > 0; n, err = again.Tail() {
			for range n {
				v, intErr := again.Int()
				if err != nil || intErr != nil || len(chars) == 0 || int64(chars[0]) != v {
					return dst, errors.Join(errors.New("other elements than Chars"), err, intErr)
				}
				chars = chars[1:]
			}
		}
		if len(chars) > 0 || again.Offset() != c.Offset() {
			return dst, errors.New("fewer elements than Chars")
		}
		*c = bookmark
	}
	n, err := c.List()
	if err != nil {
		return dst, err
	}
	if n == 0 {
		return etf.AppendEmptyList(dst), nil
	}
	dst, mark := etf.BeginList(dst)
	count := 0
	for ; err == nil && n > 0; n, err = c.Tail() {
		if dst, err = rewriteAll(c, dst, n, depth); err != nil {
			return dst, err
		}
		count += n
	}
	if err != nil {
		return dst, err
	}
	if n < 0 {
		if dst, err = rewrite(c, dst, depth+1); err != nil {
			return dst, err
		}
		return etf.EndImproperList(dst, mark, count), nil
	}
	return etf.EndList(dst, mark, count), nil
}
