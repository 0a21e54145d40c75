package etf

import (
	"encoding/binary"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Tuple reads the beginning of a tuple, whose elements come next.
func (c *Cursor) Tuple() (arity int, err error) {
	pos, err := c.start(KindTuple)
	if err != nil {
		return 0, err
	}
	end := pos + 2
	switch c.b[pos] {
	case wire.SmallTuple:
		if end > len(c.b) {
			return 0, c.eof()
		}
		arity = int(c.b[pos+1])
	case wire.LargeTuple:
		if arity, end, err = c.count(pos, 1); err != nil {
			return 0, err
		}
	default:
		return 0, c.other(pos, KindTuple)
	}
	if arity > len(c.b)-end {
		return 0, c.eof()
	}
	c.pos = end
	return arity, nil
}

// Map reads the beginning of a map of n pairs, whose keys and values come next.
func (c *Cursor) Map() (n int, err error) {
	pos, err := c.start(KindMap)
	if err != nil {
		return 0, err
	}
	if c.b[pos] != wire.Map {
		return 0, c.other(pos, KindMap)
	}
	n, end, err := c.count(pos, 2)
	if err != nil {
		return 0, err
	}
	c.pos = end
	return n, nil
}

// count reads the 32-bit count behind the tag at pos, of things that take at
// least size bytes each: one that the rest of the input cannot hold is refused.
func (c *Cursor) count(pos int, size uint) (n, end int, err error) {
	if len(c.b)-pos < 5 {
		return 0, 0, c.eof()
	}
	count := binary.BigEndian.Uint32(c.b[pos+1:])
	if uint(count) > uint(len(c.b)-pos-5)/size {
		return 0, 0, c.eof()
	}
	return int(count), pos + 5, nil
}

// List reads the beginning of a list, whose first n elements come next. If n is
// 0 the list is empty and has been read. Else [Cursor.Tail] is to be called
// after them.
func (c *Cursor) List() (n int, err error) {
	pos, err := c.start(KindList)
	if err != nil {
		return 0, err
	}
	switch c.b[pos] {
	case wire.Nil, wire.List, wire.String:
		n, err = c.segment(pos)
		return n, err
	}
	return 0, c.other(pos, KindList)
}

// Tail reads on behind the n elements that [Cursor.List] or Tail announced: it
// returns 0 at the end of the list, how many elements come next where the list
// goes on, or -1 where it is improper and its tail comes next, which is not a
// list.
func (c *Cursor) Tail() (n int, err error) {
	if c.chars == endOfChars {
		c.chars = 0
		return 0, nil
	}
	pos, err := c.start(KindList)
	if err != nil {
		return 0, err
	}
	switch c.b[pos] {
	case wire.Nil, wire.List, wire.String:
		return c.segment(pos)
	}
	if tagKinds[c.b[pos]] == Invalid {
		return 0, c.other(pos, KindList)
	}
	c.pos = pos
	return -1, nil
}

// segment reads the head at pos of a list or of one that another goes on with.
func (c *Cursor) segment(pos int) (n int, err error) {
	switch c.b[pos] {
	case wire.Nil:
		c.pos = pos + 1
		return 0, nil
	case wire.String:
		chars, err := c.string(pos)
		if err != nil {
			return 0, err
		}
		c.pos, c.chars = pos+3, len(chars)
		return len(chars), nil
	}
	n, end, err := c.count(pos, 1)
	if err != nil {
		return 0, err
	}
	if n == len(c.b)-end { // the tail takes a byte too
		return 0, c.eof()
	}
	c.pos = end
	return n, nil
}

func (c *Cursor) string(pos int) ([]byte, error) {
	if len(c.b)-pos < 3 {
		return nil, c.eof()
	}
	end := pos + 3 + int(binary.BigEndian.Uint16(c.b[pos+1:]))
	if end > len(c.b) {
		return nil, c.eof()
	}
	return c.b[pos+3 : end : end], nil
}

// Chars reads a list of small integers at once, if it is encoded in the compact
// form for them and comes next, and returns them as bytes. ok is false, and
// nothing is read, if not: [Cursor.List] reads every list.
func (c *Cursor) Chars() (b []byte, ok bool) {
	if c.chars != 0 || c.pos >= len(c.b) || c.b[c.pos] != wire.String {
		return nil, false
	}
	b, err := c.string(c.pos)
	if err != nil {
		return nil, false
	}
	c.pos += 3 + len(b)
	return b, true
}

// largestLimits are for terms that have been checked, and accept what any
// options do.
var largestLimits = DecodeOptions{
	NoVersion: true, NoCompression: true,
	MaxBytes: LargestMaxBytes, MaxTerms: LargestMaxTerms, MaxDepth: LargestMaxDepth,
}

// cursorLimits are those of a term that a cursor takes as a whole.
var cursorLimits = DecodeOptions{NoVersion: true, NoCompression: true, MaxBytes: LargestMaxBytes}

// nextWithin returns where the next term starts and ends, checked as a whole.
func (c *Cursor) nextWithin(limits DecodeOptions) (start, end int, err error) {
	if c.chars > 0 {
		return c.pos, c.pos + 1, nil
	}
	if start, err = c.start(Invalid); err != nil {
		return 0, 0, err
	}
	_, n, err := limits.decode(c.b[start:], validPrefix)
	if err != nil {
		return 0, 0, moved(err, start)
	}
	return start, start + n, nil
}

// moved is a decoder's error for input that starts at an offset of another.
func moved(err error, by int) error {
	if e, ok := err.(*SyntaxError); ok {
		e.Offset += by
	}
	return err
}

// Skip reads a term of any kind, and checks it as [Valid] does.
func (c *Cursor) Skip() error {
	if pos := c.pos; c.chars == 0 && len(c.b)-pos >= 5 {
		switch c.b[pos] {
		case wire.SmallInteger:
			c.pos = pos + 2
			return nil
		case wire.Binary:
			_, err := c.Binary()
			return err
		}
	}
	_, end, err := c.nextWithin(cursorLimits)
	if err != nil {
		return err
	}
	c.step(end)
	return nil
}

// Raw reads a term of any kind, checks it as [Valid] does, and returns its
// bytes. It allocates only for an element of a list that is encoded as in
// [Cursor.Chars].
func (c *Cursor) Raw() (Raw, error) { return c.rawWithin(cursorLimits) }

func (c *Cursor) rawWithin(limits DecodeOptions) (Raw, error) {
	start, end, err := c.nextWithin(limits)
	if err != nil {
		return nil, err
	}
	raw := Raw(c.b[start:end:end])
	if c.chars > 0 {
		raw = Raw{wire.SmallInteger, c.b[start]}
	}
	c.step(end)
	return raw, nil
}

// Term reads a term of any kind as [Decode] does, from whose Term it does not
// differ.
func (c *Cursor) Term() (Term, error) { return c.termWithin(cursorLimits) }

func (c *Cursor) termWithin(limits DecodeOptions) (Term, error) {
	if c.chars > 0 {
		v, err := c.Int()
		return Int(v), err
	}
	start, err := c.start(Invalid)
	if err != nil {
		return Term{}, err
	}
	t, n, err := limits.DecodePrefix(c.b[start:])
	if err != nil {
		return Term{}, moved(err, start)
	}
	c.pos = start + n
	return t, nil
}

// End returns an error that wraps [ErrTrailing] if there is more to read.
func (c *Cursor) End() error {
	if c.chars != 0 || c.pos < len(c.b) {
		return &SyntaxError{Offset: c.pos, Err: ErrTrailing}
	}
	return nil
}
