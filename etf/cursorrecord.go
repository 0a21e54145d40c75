package etf

import (
	"iter"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A RecordHead is what a native record has in front of its values.
type RecordHead struct {
	Module, Name []byte // atoms, in UTF-8
	Exported     bool
	Len          int // how many fields it has

	names []byte // encoded
}

// Names returns the names of the fields, in their order. They are UTF-8 and part
// of the input, but for those that were encoded as latin1 and are not ASCII.
func (r RecordHead) Names() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for pos := 0; pos < len(r.names); {
			var name []byte
			if name, pos = atomText(r.names, pos); !yield(name) {
				return
			}
		}
	}
}

// Record reads the beginning of a native record, the names of its fields
// included. Their values come next, in the order of the names. It allocates only
// for names that were encoded as latin1 and are not ASCII, and does not look
// whether two of them are the same.
func (c *Cursor) Record() (RecordHead, error) {
	pos, err := c.start(KindRecord)
	if err != nil {
		return RecordHead{}, err
	}
	if c.b[pos] != wire.Record {
		return RecordHead{}, c.other(pos, KindRecord)
	}
	s := scanner{b: c.b}
	names, n := s.scanRecordHead(pos)
	end := names
	for range n {
		if end = s.scanAtom(end); end < 0 {
			break
		}
	}
	if end, err = checked(&s, end); err != nil {
		return RecordHead{}, err
	}
	if n > len(c.b)-end {
		return RecordHead{}, c.eof()
	}
	r := RecordHead{Exported: c.b[pos+5] != 0, Len: n, names: c.b[names:end:end]}
	r.Module, pos = atomText(c.b, pos+recordAtoms)
	r.Name, _ = atomText(c.b, pos)
	c.pos = end
	return r, nil
}

// atomText returns the name of the valid atom at pos as UTF-8, and where the atom
// ends.
func atomText(b []byte, pos int) (name []byte, end int) {
	name, latin1, end := atomBytes(b, pos)
	if latin1 && latin1Extra(name) > 0 {
		return appendLatin1(nil, name), end
	}
	return name[:len(name):len(name)], end
}
