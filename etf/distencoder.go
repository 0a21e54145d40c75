package etf

import (
	"encoding/binary"
	"fmt"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A DistEncoder writes messages for a distribution connection, as
// [DistDecoder] reads them, and keeps the atom cache of the sending side: an
// atom's name goes over the connection once, until another takes its slot, and
// all that it encodes has to go there in the same order. The zero DistEncoder
// is ready for a new connection. It is for one goroutine at a time.
type DistEncoder struct {
	// Options has MaxDepth and Deterministic for the terms. With any other the error
	// is [ErrOptions].
	Options EncodeOptions

	cache  [cacheSlots]string // what the other side has
	cached [cacheSlots]bool   // that there is something

	// The message that is being encoded.
	used  []uint16           // slots, in the order of their references
	index [cacheSlots]uint8  // 1 + the reference of a slot, or 0
	names [cacheSlots]string // of the slots that are used
	body  []byte
}

// Append appends the packet for the message: a distribution header and its
// terms. In case of an error it returns dst as it was, and the cache is as
// before, so that the next message can be encoded.
func (d *DistEncoder) Append(dst []byte, m DistMessage) ([]byte, error) {
	if _, err := d.encode(m); err != nil {
		return dst, err
	}
	dst = d.appendHeader(append(dst, wire.Version, wire.DistHeader))
	return append(dst, d.body...), nil
}

// Fragments returns the packets for the message, of which none has more than
// size bytes of its payload. If it is one, it is what Append writes; else the
// sequence ties them together, which is a number that no other message has that
// is under way on the connection. It is not 0, for which OTP gives the connection
// up. Packets of other messages may come between these, as long as the first ones
// of all come in the order in which the messages were encoded. The packets are the
// caller's.
func (d *DistEncoder) Fragments(m DistMessage, sequence uint64, size int) (packets [][]byte, err error) {
	switch {
	case size < 1:
		return nil, fmt.Errorf("%w: fragments of %d bytes", ErrOptions, size)
	case sequence == 0:
		return nil, fmt.Errorf("%w: sequence 0", ErrOptions)
	}
	control, err := d.encode(m)
	if err != nil {
		return nil, err
	}
	payload := d.body[control:]
	count := max(1, (len(payload)+size-1)/size)
	if count == 1 {
		b := d.appendHeader([]byte{wire.Version, wire.DistHeader})
		return [][]byte{append(b, d.body...)}, nil
	}
	packets = make([][]byte, 0, count)
	for i := range count {
		var b []byte
		if i == 0 {
			b = d.appendHeader(fragmentHeader(nil, wire.DistFragment, sequence, count))
			b = append(b, d.body[:control]...)
		} else {
			b = fragmentHeader(make([]byte, 0, fragmentHead+min(size, len(payload))), wire.DistContinuation, sequence, count-i)
		}
		n := min(size, len(payload))
		packets = append(packets, append(b, payload[:n]...))
		payload = payload[n:]
	}
	return packets, nil
}

func fragmentHeader(b []byte, tag byte, sequence uint64, number int) []byte {
	b = append(b, wire.Version, tag)
	b = binary.BigEndian.AppendUint64(b, sequence)
	return binary.BigEndian.AppendUint64(b, uint64(number))
}

// encode encodes the terms of a message into d.body, and finds out which
// references they need. It returns the length of the first of them.
func (d *DistEncoder) encode(m DistMessage) (control int, err error) {
	o := d.Options
	depth, err := checkLimit("MaxDepth", o.MaxDepth, DefaultMaxDepth, LargestMaxDepth)
	if err != nil {
		return 0, err
	}
	if o.Compression != 0 || o.MinorVersion != 0 || o.NoVersion {
		return 0, fmt.Errorf("%w: only MaxDepth and Deterministic are for a distribution connection", ErrOptions)
	}
	for _, slot := range d.used {
		d.index[slot], d.names[slot] = 0, ""
	}
	d.used = d.used[:0]
	e := encoder{maxDepth: depth, atoms: cachedAtoms, sort: o.Deterministic, dist: d}
	d.body = e.append(d.body[:0], &m.Control, 0)
	control = len(d.body)
	if e.err == nil && m.Payload.kind != Invalid {
		d.body = e.append(d.body, &m.Payload, 0)
	}
	if e.err != nil {
		return 0, &EncodeError{Path: string(e.path), Err: e.err}
	}
	return control, nil
}

// appendAtom appends an atom as a reference, if its slot is free in this message
// or its own, and else in full.
func (d *DistEncoder) appendAtom(b []byte, name string) []byte {
	slot := cacheSlot(name)
	switch ref := d.index[slot]; {
	case ref > 0 && d.names[slot] == name:
		return append(b, wire.AtomCacheRef, ref-1)
	case ref > 0 || len(d.used) == mostRefs:
		return wire.AppendAtomUTF8(b, name)
	}
	d.used = append(d.used, slot)
	d.index[slot], d.names[slot] = uint8(len(d.used)), name
	return append(b, wire.AtomCacheRef, uint8(len(d.used)-1))
}

// cacheSlot returns the slot of an atom: a hash (FNV-1a) of its name.
func cacheSlot(name string) uint16 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return uint16((h ^ h>>16) % cacheSlots)
}
