package etf

import (
	"encoding/binary"

	"github.com/beamport/beamport/etf/internal/wire"
)

// The methods here read the encodings that a term of some kind nearly always
// has. They report false, and read nothing, at any other, or leave that to the
// cursor. They check nothing: the input is known to be valid.

// tag returns the tag of the next term, or 0 if that is a character.
func (u *unmarshaler) tag() byte {
	if u.c.chars != 0 {
		return 0
	}
	return u.c.b[u.c.pos]
}

// plainBinary reads a BINARY_EXT.
func (u *unmarshaler) plainBinary() ([]byte, bool) {
	if u.tag() != wire.Binary {
		return nil, false
	}
	start := u.c.pos + 5
	end := start + int(binary.BigEndian.Uint32(u.c.b[start-4:]))
	u.c.pos = end
	return u.c.b[start:end:end], true
}

// plainAtom reads a SMALL_ATOM_UTF8_EXT.
func (u *unmarshaler) plainAtom() ([]byte, bool) {
	if u.tag() != wire.SmallAtomUTF8 {
		return nil, false
	}
	start := u.c.pos + 2
	end := start + int(u.c.b[start-1])
	u.c.pos = end
	return u.c.b[start:end:end], true
}

// mapHead reads the beginning of a map of n pairs.
func (u *unmarshaler) mapHead() (n int, err error) {
	if u.tag() != wire.Map {
		return u.c.Map()
	}
	n = int(binary.BigEndian.Uint32(u.c.b[u.c.pos+1:]))
	u.c.pos += 5
	return n, nil
}

// name reads an atom or a binary.
func (u *unmarshaler) name() ([]byte, bool) {
	if name, ok := u.plainBinary(); ok {
		return name, true
	}
	if name, ok := u.plainAtom(); ok {
		return name, true
	}
	if u.c.Kind() == KindAtom {
		name, err := u.c.Atom()
		return name, err == nil
	}
	name, err := u.c.Binary()
	return name, err == nil
}

// nameText is name as a string.
func (u *unmarshaler) nameText() (string, bool) {
	if name, ok := u.plainBinary(); ok {
		return u.here(name), true
	}
	name, ok := u.name()
	return u.text(name), ok
}

// skipNil reads the atom nil or undefined, if it is next.
func (u *unmarshaler) skipNil() bool {
	start := u.c.pos
	name, ok := u.plainAtom()
	if !ok {
		if u.c.Kind() != KindAtom {
			return false
		}
		name, _ = u.c.Atom()
	}
	if isNilName(name) {
		return true
	}
	u.c.pos = start
	return false
}

func isNilName(name []byte) bool { return string(name) == "nil" || string(name) == "undefined" }
