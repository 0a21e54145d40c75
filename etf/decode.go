package etf

import (
	"io"
	"sync"

	"github.com/beamport/beamport/etf/internal/wire"
)

// scratch is what decoding needs besides its result. It is small until some
// input makes it grow, and comes out of a pool, so that in the long run it costs
// no allocation.
type scratch struct {
	scanner
	slots   []slots
	drafted draft
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// release puts c back into the pool, without what refers to the input and what
// has grown large.
func (c *scratch) release() {
	s := &c.scanner
	*s = scanner{
		stack:     keep(s.stack, 24),
		keys:      keep(s.keys, 16),
		table:     keep(s.table, 4),
		irregular: keep(s.irregular, 16),
	}
	c.slots = keep(c.slots, 16)
	scratches.Put(c)
}

// keep returns s, emptied, or nil if it has grown large. size is that of an
// element.
func keep[E any](s []E, size int) []E {
	const most = 64 << 10
	if cap(s)*size > most {
		return nil
	}
	return s[:0]
}

// setLimits fills in the defaults of o's limits.
func (o *DecodeOptions) setLimits() (err error) {
	if o.MaxDepth|o.MaxTerms|o.MaxBytes|o.MaxInflated == 0 {
		o.MaxDepth, o.MaxTerms = DefaultMaxDepth, DefaultMaxTerms
		o.MaxBytes, o.MaxInflated = DefaultMaxBytes, DefaultMaxInflated
		return nil
	}
	check := func(name string, v *int, byDefault, largest int) {
		if err == nil {
			*v, err = checkLimit(name, *v, byDefault, largest)
		}
	}
	check("MaxDepth", &o.MaxDepth, DefaultMaxDepth, LargestMaxDepth)
	check("MaxTerms", &o.MaxTerms, DefaultMaxTerms, LargestMaxTerms)
	check("MaxBytes", &o.MaxBytes, DefaultMaxBytes, LargestMaxBytes)
	check("MaxInflated", &o.MaxInflated, DefaultMaxInflated, LargestMaxInflated)
	return err
}

// Decode is [Decode] with these options.
func (o DecodeOptions) Decode(b []byte) (Term, error) {
	t, _, err := o.decode(b, oneTerm)
	return t, err
}

// DecodePrefix is [DecodePrefix] with these options.
func (o DecodeOptions) DecodePrefix(b []byte) (t Term, n int, err error) {
	return o.decode(b, prefix)
}

// Valid is [Valid] with these options.
func (o DecodeOptions) Valid(b []byte) error {
	_, _, err := o.decode(b, validate)
	return err
}

type decodeMode uint8

const (
	oneTerm decodeMode = iota
	prefix
	validate    // oneTerm, without building
	validPrefix // prefix, without building
)

// whole says that the input is to be one term and nothing else.
func (m decodeMode) whole() bool { return m == oneTerm || m == validate }

func (o DecodeOptions) decode(b []byte, mode decodeMode) (t Term, n int, err error) {
	return o.decodeRefs(b, nil, mode)
}

// decodeRefs decodes a term in which refs, if it is not nil, are what
// ATOM_CACHE_REF stands for.
func (o DecodeOptions) decodeRefs(b []byte, refs []Term, mode decodeMode) (t Term, n int, err error) {
	if err := o.setLimits(); err != nil {
		return Term{}, 0, err
	}
	c := scratches.Get().(*scratch)
	c.refs = refs
	t, n, err = c.decode(b, &o, mode)
	c.release()
	return t, n, err
}

func (c *scratch) decode(b []byte, o *DecodeOptions, mode decodeMode) (t Term, n int, err error) {
	s := &c.scanner
	start := 0
	if !o.NoVersion {
		if len(b) == 0 {
			return Term{}, 0, &SyntaxError{Err: io.ErrUnexpectedEOF}
		}
		if b[0] != wire.Version {
			return Term{}, 0, &SyntaxError{Err: ErrVersion}
		}
		start = 1
	}
	whole := len(b)
	if len(b) > o.MaxBytes {
		if mode.whole() {
			return Term{}, 0, &SyntaxError{Offset: o.MaxBytes, Err: &LimitError{"MaxBytes", o.MaxBytes}}
		}
		b = b[:o.MaxBytes]
	}
	s.b, s.maxDepth, s.maxTerms = b, o.MaxDepth, o.MaxTerms

	if start == 1 && len(b) > 1 && b[1] == wire.Compressed && !o.NoCompression {
		return c.decodeCompressed(b, whole, o, mode)
	}

	if mode <= prefix && len(b) <= draftBytes && !o.Strict && s.refs == nil {
		if end := c.draft(start); end == len(b) || end >= 0 && mode == prefix {
			return c.drafted.finish(b[start:end], start, o.NoCopy), end, nil
		}
		s.keys, s.err = s.keys[:0], nil
	}

	end := s.scan(start)
	if end < 0 {
		err := s.syntaxError()
		if err.Err == io.ErrUnexpectedEOF && whole > len(b) {
			err.Err = &LimitError{"MaxBytes", o.MaxBytes}
		}
		return Term{}, 0, err
	}
	if mode.whole() && end < len(b) {
		return Term{}, 0, &SyntaxError{Offset: end, Err: ErrTrailing}
	}
	if o.Strict {
		if err := s.checkCanonical(start, end); err != nil {
			return Term{}, 0, err
		}
	}
	if mode >= validate {
		return Term{}, end, nil
	}
	return c.build(b[start:end], start, o.NoCopy && !s.dirty), end, nil
}

// build makes the term of a scanned one. b is the scanned term's bytes, and
// start its offset in what was scanned. With own, b is for the term to keep.
func (c *scratch) build(b []byte, start int, own bool) Term {
	s := &c.scanner
	d := builder{b: b, irregular: s.irregular, refs: s.refs, stack: c.slots[:0]}
	switch {
	case s.refs != nil: // what they point at lies elsewhere
		d.slab = newSlab(s.terms)
		d.b = make([]byte, len(b), len(b)+s.latin1)
		copy(d.b, b)
		d.utf8 = d.b[len(b):]
	case !s.copied:
		d.slab, _ = newBlock(s.terms, 0)
	case own && s.latin1 == 0:
		d.slab = newSlab(s.terms)
	default:
		d.slab, d.b = newBlock(s.terms, len(b)+s.latin1)
		copy(d.b, b)
		d.b, d.utf8 = d.b[:len(b)], d.b[len(b):len(b)]
	}
	if s.copied {
		d.markIrregular(start)
	}
	t := d.build(0)
	c.slots = d.stack
	return t
}
