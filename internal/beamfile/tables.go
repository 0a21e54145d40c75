package beamfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// words reads the 32-bit numbers of a table.
type words struct {
	b   []byte
	err error
}

func (w *words) next() int {
	if len(w.b) < 4 {
		w.err = io.ErrUnexpectedEOF
		return 0
	}
	n := binary.BigEndian.Uint32(w.b)
	w.b = w.b[4:]
	return int(n)
}

// readAtoms reads names: of up to 255 bytes each, or since OTP 28, told by a
// negative count, with lengths as terms in code have them.
func (m *Module) readAtoms(b []byte) error {
	w := words{b: b}
	count := int(int32(w.next()))
	long := count < 0
	if long {
		count = -count
	}
	b = w.b
	if w.err != nil || count > len(b) {
		return fmt.Errorf("%d atoms are more than its bytes: %w", count, io.ErrUnexpectedEOF)
	}
	for range count {
		if len(b) == 0 {
			return io.ErrUnexpectedEOF
		}
		size, head := int(b[0]), 1
		if long {
			operands := reader{b: b}
			arg := operands.arg()
			if operands.err != nil {
				return operands.err
			}
			size, head = arg.n, len(b)-len(operands.b)
		}
		if size < 0 || size > len(b)-head {
			return io.ErrUnexpectedEOF
		}
		m.atoms = append(m.atoms, string(b[head:head+size]))
		b = b[head+size:]
	}
	return nil
}

// atom is the name of the atom with that number, counted from 1.
func (m *Module) atom(n int) (string, error) {
	if n < 1 || n > len(m.atoms) {
		return "", fmt.Errorf("there is no atom %d of %d", n, len(m.atoms))
	}
	return m.atoms[n-1], nil
}

func (m *Module) readImports(b []byte) error {
	w := words{b: b}
	for count := w.next(); count > 0 && w.err == nil; count-- {
		module, errM := m.atom(w.next())
		function, errF := m.atom(w.next())
		arity := w.next()
		if err := errors.Join(w.err, errM, errF); err != nil {
			return err
		}
		m.Imports = append(m.Imports, MFA{module, function, arity})
	}
	return w.err
}

func (m *Module) readExports(b []byte) (err error) {
	m.exports, err = m.entries(b, 3)
	for _, e := range m.exports {
		m.Exports = append(m.Exports, e.fa)
	}
	return err
}

// readLambdas reads the table of funs: of each, the function that it runs.
func (m *Module) readLambdas(b []byte) (err error) {
	m.lambdas, err = m.entries(b, 6)
	return err
}

// entries reads a table whose rows begin with name, arity and label.
func (m *Module) entries(b []byte, columns int) ([]entry, error) {
	w := words{b: b}
	var all []entry
	for count := w.next(); count > 0 && w.err == nil; count-- {
		name, err := m.atom(w.next())
		e := entry{fa: FA{name, w.next()}, label: w.next()}
		for range columns - 3 {
			w.next()
		}
		if err := errors.Join(w.err, err); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, w.err
}
