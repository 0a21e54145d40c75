package beamfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/beamport/beamport/etf"
)

// Literals decodes the table of constants. Each is nil where the codec cannot read it.
func (m *Module) Literals() ([]etf.Term, error) {
	data, ok := m.Chunk("LitT")
	if !ok {
		return nil, nil
	}
	table, err := inflateLiterals(data)
	if err != nil {
		return nil, fmt.Errorf("beamfile: module %s: its table of constants: %w", m.Name, err)
	}
	w := words{b: table}
	count := w.next()
	// Each has a size, a version and a tag at least.
	if w.err != nil || count > len(w.b)/6 {
		return nil, fmt.Errorf("beamfile: module %s: its table of constants: %w", m.Name, io.ErrUnexpectedEOF)
	}
	terms := make([]etf.Term, 0, count)
	for range count {
		size := w.next()
		if w.err != nil || size > len(w.b) {
			return nil, fmt.Errorf("beamfile: module %s: constant %d: %w", m.Name, len(terms), io.ErrUnexpectedEOF)
		}
		// A constant of a kind that nothing here needs may be one that the codec refuses.
		term, _ := etf.Decode(w.b[:size])
		terms = append(terms, term)
		w.b = w.b[size:]
	}
	return terms, nil
}

// inflateLiterals: the size before the table is 0 where the table is not compressed,
// as since OTP 28.
func inflateLiterals(data []byte) ([]byte, error) {
	if len(data) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	size := binary.BigEndian.Uint32(data)
	if size == 0 {
		return data[4:], nil
	}
	// No byte of a zlib stream turns into more than this many.
	const mostInflation = 1040
	if size > maxSize || uint64(size) > mostInflation*uint64(len(data)) {
		return nil, fmt.Errorf("it says %d bytes", size)
	}
	r, err := zlib.NewReader(bytes.NewReader(data[4:]))
	if err != nil {
		return nil, err
	}
	table := make([]byte, size)
	n, err := io.ReadFull(r, table)
	if err == nil {
		_, err = io.ReadFull(r, make([]byte, 1)) // the end, with its checksum
	}
	switch {
	case errors.Is(err, io.EOF) && n == len(table):
		return table, nil
	case err == nil:
		return nil, fmt.Errorf("it inflates to more than %d bytes", size)
	}
	return nil, fmt.Errorf("it inflates to %d bytes, not %d: %w", n, size, err)
}
