package etf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/beamport/beamport/etf/internal/wire"
)

// mostInflation is more than any byte of a zlib stream can turn into.
const mostInflation = 1040

// An inflater is a zlib reader to be used again: a new one takes 40 KiB.
type inflater struct {
	in   bytes.Reader
	zlib io.ReadCloser // also a zlib.Resetter
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// decodeCompressed decodes a compressed term: version, tag, the size of the
// content, and the content, a tag and what follows it, as a zlib stream. whole
// is the length of the input before MaxBytes cut it.
func (c *scratch) decodeCompressed(b []byte, whole int, o *DecodeOptions, mode decodeMode) (t Term, n int, err error) {
	const head = 1 + wire.CompressedHeadLen
	truncated := func() error {
		if whole > len(b) {
			return &SyntaxError{Offset: len(b), Err: &LimitError{"MaxBytes", o.MaxBytes}}
		}
		return &SyntaxError{Offset: len(b), Err: io.ErrUnexpectedEOF}
	}
	if o.Strict {
		return Term{}, 0, &SyntaxError{Offset: 1, Err: &CanonicalError{wire.Compressed, "term"}}
	}
	if len(b) < head {
		return Term{}, 0, truncated()
	}
	size := uint64(binary.BigEndian.Uint32(b[2:]))
	if size > uint64(o.MaxInflated) {
		return Term{}, 0, &SyntaxError{Offset: 1, Err: &LimitError{"MaxInflated", o.MaxInflated}}
	}
	if size > mostInflation*uint64(len(b)-head) {
		return Term{}, 0, truncated()
	}
	content, read, err := inflate(b[head:], int(size))
	switch {
	case err == io.ErrUnexpectedEOF:
		return Term{}, 0, truncated()
	case err != nil:
		return Term{}, 0, &SyntaxError{Offset: 1, Err: err}
	}
	n = head + read
	if mode != prefix && n < len(b) {
		return Term{}, 0, &SyntaxError{Offset: n, Err: ErrTrailing}
	}

	s := &c.scanner
	s.b = content
	end := s.scan(0)
	if end < 0 {
		err := s.syntaxError()
		err.Inflated = true
		if err.Err == io.ErrUnexpectedEOF {
			// The stream is whole; what it holds is not a term.
			err.Err = ErrCompressed
		}
		return Term{}, 0, err
	}
	if end < len(content) {
		return Term{}, 0, &SyntaxError{Offset: end, Inflated: true, Err: ErrTrailing}
	}
	if mode == validate {
		return Term{}, n, nil
	}
	return c.build(content, 0, true), n, nil
}

// inflate returns the content of the zlib stream that b starts with, which has
// to be of the given size, and the length of the stream.
func inflate(b []byte, size int) (content []byte, read int, err error) {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.in.Reset(b)
	defer z.in.Reset(nil)
	if z.zlib == nil {
		z.zlib, err = zlib.NewReader(&z.in)
	} else {
		err = z.zlib.(zlib.Resetter).Reset(&z.in, nil)
	}
	if err != nil {
		return nil, 0, inflateError(err)
	}

	// Grow with what comes, never at once to what was claimed.
	content = make([]byte, 0, min(size, max(512, 4*len(b))))
	for {
		if len(content) == cap(content) && len(content) < size {
			grown := make([]byte, len(content), min(size, 2*cap(content)))
			copy(grown, content)
			content = grown
		}
		if len(content) == size {
			// The next read has to find the end, and checks the checksum.
			var one [1]byte
			n, err := io.ReadFull(z.zlib, one[:])
			if n > 0 {
				return nil, 0, ErrCompressed
			}
			if err != io.EOF {
				return nil, 0, inflateError(err)
			}
			return content, len(b) - z.in.Len(), nil
		}
		n, err := z.zlib.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		if err == io.EOF {
			if len(content) < size {
				return nil, 0, ErrCompressed
			}
			return content, len(b) - z.in.Len(), nil
		}
		if err != nil {
			return nil, 0, inflateError(err)
		}
	}
}

// inflateError returns the reason for an error of package zlib.
func inflateError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return ErrCompressed
}
