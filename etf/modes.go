package etf

import (
	"encoding/binary"
	"fmt"

	"github.com/beamport/beamport/etf/internal/wire"
)

// atomForm says how an encoder writes atoms.
type atomForm uint8

const (
	utf8Atoms   atomForm = iota
	latin1Atoms          // minor version 1: as latin1 where they fit
	cachedAtoms          // after a distribution header: as references where they fit
)

// setModes sets up e for options other than the default.
func (o EncodeOptions) setModes(e *encoder) error {
	switch {
	case o.MinorVersion < 0 || o.MinorVersion > 2:
		return fmt.Errorf("%w: MinorVersion is %d, not 1 or 2", ErrOptions, o.MinorVersion)
	case o.Compression < 0 || o.Compression > 9:
		return fmt.Errorf("%w: Compression is %d, not from 0 to 9", ErrOptions, o.Compression)
	case o.Compression != 0 && o.NoVersion:
		return fmt.Errorf("%w: Compression of a term without the version byte", ErrOptions)
	}
	if o.MinorVersion == 1 {
		e.atoms = latin1Atoms
	}
	e.sort = o.Deterministic
	return nil
}

// appendAtomAs appends a valid atom in another form than utf8Atoms.
func (e *encoder) appendAtomAs(b []byte, t *Term) []byte {
	if e.atoms == cachedAtoms {
		return e.dist.appendAtom(b, t.text())
	}
	start := len(b)
	b = append(b, wire.Atom, 0, 0)
	for _, r := range t.text() {
		if r > 0xFF {
			return wire.AppendAtomUTF8(b[:start], t.text())
		}
		b = append(b, byte(r))
	}
	binary.BigEndian.PutUint16(b[start+1:], uint16(len(b)-start-3))
	return b
}
