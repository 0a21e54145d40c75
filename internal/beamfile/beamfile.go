// Package beamfile reads compiled modules of the BEAM: what they import and
// export, which functions call which, and what of a file an emulator needs.
//
// A module's file is an IFF form of named chunks:
// https://www.erlang.org/doc/apps/erts/beam_makeops and "The BEAM Book", chapter
// "Modules and the BEAM file format".
package beamfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrNotBEAM says that a file holds no module.
var ErrNotBEAM = errors.New("beamfile: not a module of the BEAM")

// maxSize bounds what a compressed module may inflate to.
const maxSize = 256 << 20

// MFA names a function.
type MFA struct {
	Module, Function string
	Arity            int
}

// String is the name as Erlang writes it, but for quotes.
func (m MFA) String() string { return fmt.Sprintf("%s:%s/%d", m.Module, m.Function, m.Arity) }

// FA names a function of a module that is known.
type FA struct {
	Function string
	Arity    int
}

// Module is a compiled module.
type Module struct {
	Name    string
	Imports []MFA
	Exports []FA

	atoms   []string // 1-based in the file, here from 0
	chunks  []chunk
	exports []entry
	lambdas []entry
}

// chunk is a part of the file; data is not padded.
type chunk struct {
	id   string
	data []byte
}

// entry is a function and the label of its code.
type entry struct {
	fa    FA
	label int
}

// Parse reads a module, which may be compressed as a whole. It keeps slices of b.
func Parse(b []byte) (*Module, error) {
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		inflated, err := inflate(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotBEAM, err)
		}
		b = inflated
	}
	m := &Module{}
	if err := m.split(b); err != nil {
		return nil, err
	}
	for _, read := range []struct {
		id   string
		from func([]byte) error
	}{{"AtU8", m.readAtoms}, {"ImpT", m.readImports}, {"ExpT", m.readExports}, {"FunT", m.readLambdas}} {
		if data, ok := m.Chunk(read.id); ok {
			if err := read.from(data); err != nil {
				return nil, fmt.Errorf("beamfile: chunk %s of %d bytes: %w", read.id, len(data), err)
			}
		}
	}
	if len(m.atoms) == 0 {
		return nil, fmt.Errorf("%w: it has no chunk AtU8, which OTP 20 and later make", ErrNotBEAM)
	}
	m.Name = m.atoms[0]
	return m, nil
}

func inflate(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(out) > maxSize {
		err = errors.New("it inflates to more than 256 MiB")
	}
	return out, err
}

func (m *Module) split(b []byte) error {
	if len(b) < 12 || string(b[:4]) != "FOR1" || string(b[8:12]) != "BEAM" {
		return ErrNotBEAM
	}
	size := uint64(binary.BigEndian.Uint32(b[4:])) + 8
	if size > uint64(len(b)) {
		return fmt.Errorf("%w: it says %d bytes and has %d: %w", ErrNotBEAM, size, len(b), io.ErrUnexpectedEOF)
	}
	b = b[:size]
	for at := 12; at < len(b); {
		if len(b)-at < 8 {
			return fmt.Errorf("%w: it ends within a chunk's head at byte %d", ErrNotBEAM, at)
		}
		size := int(binary.BigEndian.Uint32(b[at+4:]))
		if size > len(b)-at-8 {
			return fmt.Errorf("%w: chunk %q at byte %d says %d bytes, %d are left", ErrNotBEAM, b[at:at+4], at, size, len(b)-at-8)
		}
		m.chunks = append(m.chunks, chunk{id: string(b[at : at+4]), data: b[at+8 : at+8+size]})
		at += 8 + (size+3)&^3
	}
	return nil
}

// Chunk is the content of the chunk with that name.
func (m *Module) Chunk(id string) ([]byte, bool) {
	for _, c := range m.chunks {
		if c.id == id {
			return c.data, true
		}
	}
	return nil, false
}

// stripped are the chunks that tell of the source only, or serve the tools. What
// is left is what beam_lib:strip/1 leaves, and the attributes, which code may ask for.
var stripped = map[string]bool{
	"Dbgi": true, "Abst": true, "Docs": true, "CInf": true, "LocT": true, "ExCk": true, "Line": false,
}

// Strip returns the file without what an emulator does not need, but for the chunks to
// keep. Lines stay: they are in stack traces.
func (m *Module) Strip(keep ...string) []byte {
	out := append(make([]byte, 0, 1<<14), "FOR1\x00\x00\x00\x00BEAM"...)
	for _, c := range m.chunks {
		if stripped[c.id] && !slices.Contains(keep, c.id) {
			continue
		}
		out = append(out, c.id...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.data)))
		out = append(out, c.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
