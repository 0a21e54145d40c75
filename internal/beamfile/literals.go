package beamfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
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
	if size > maxSize {
		return nil, fmt.Errorf("it says %d bytes", size)
	}
	r, err := zlib.NewReader(bytes.NewReader(data[4:]))
	if err != nil {
		return nil, err
	}
	var table bytes.Buffer
	if _, err := io.Copy(&table, io.LimitReader(r, int64(size)+1)); err != nil {
		return nil, err
	}
	if table.Len() != int(size) {
		return nil, fmt.Errorf("it inflates to %d bytes, not %d", table.Len(), size)
	}
	return table.Bytes(), nil
}
