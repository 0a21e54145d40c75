package etf

import (
	"encoding/binary"
	"io"
	"slices"
)

// fragmentHead is how many bytes are in front of a fragment: the version byte,
// the tag, the number of the sequence and that of the fragment. The first one
// goes on with a header's references.
const fragmentHead = 2 + 8 + 8

// A sequence is a message of which fragments have come.
type sequence struct {
	refs []Term // of the header in the first fragment
	b    []byte // of the fragments, behind the header
	next uint64 // the number of the next one; the last is 1
}

// sequenceCost is what a sequence counts in MaxFragmented besides its bytes.
const sequenceCost = 64

func (s *sequence) size() int { return sequenceCost + len(s.b) + 24*len(s.refs) }

// firstFragment reads a fragment that starts a sequence:
//
//	131, 69, SequenceId:64, FragmentId:64, references…, control message, payload…
//
// Its number says how many fragments the message has.
func (d *DistDecoder) firstFragment(packet []byte) (m DistMessage, complete bool, err error) {
	if len(packet) < fragmentHead {
		return DistMessage{}, false, &SyntaxError{Offset: len(packet), Err: io.ErrUnexpectedEOF}
	}
	id, number := binary.BigEndian.Uint64(packet[2:]), binary.BigEndian.Uint64(packet[10:])
	h, err := d.readHeader(packet, fragmentHead)
	if err != nil {
		return DistMessage{}, false, err
	}
	_, under := d.sequences[id]
	most, _ := checkLimit("", d.MaxSequences, DefaultMaxSequences, LargestMaxSequences)
	switch {
	case under || number == 0:
		return DistMessage{}, false, &SyntaxError{Offset: 2, Err: ErrFragment}
	case number == 1:
		m, err = d.message(packet, h)
		return m, err == nil, err
	case len(d.sequences) >= most:
		return DistMessage{}, false, &SyntaxError{Offset: 2, Err: &LimitError{"MaxSequences", most}}
	}
	s := &sequence{refs: append(make([]Term, 0, len(h.refs)), h.refs...), next: number - 1}
	if err := d.hold(s, packet, h.end); err != nil {
		return DistMessage{}, false, err
	}
	if d.sequences == nil {
		d.sequences = make(map[uint64]*sequence)
	}
	d.sequences[id] = s
	return DistMessage{}, false, nil
}

// nextFragment reads a fragment that goes on with a sequence:
//
//	131, 70, SequenceId:64, FragmentId:64, payload…
func (d *DistDecoder) nextFragment(packet []byte) (m DistMessage, complete bool, err error) {
	if len(packet) < fragmentHead {
		return DistMessage{}, false, &SyntaxError{Offset: len(packet), Err: io.ErrUnexpectedEOF}
	}
	id, number := binary.BigEndian.Uint64(packet[2:]), binary.BigEndian.Uint64(packet[10:])
	s, ok := d.sequences[id]
	if !ok {
		return DistMessage{}, false, &SyntaxError{Offset: 2, Err: ErrFragment}
	}
	d.held -= s.size()
	if number != s.next {
		delete(d.sequences, id)
		return DistMessage{}, false, &SyntaxError{Offset: 10, Err: ErrFragment}
	}
	if err := d.hold(s, packet, fragmentHead); err != nil {
		delete(d.sequences, id)
		return DistMessage{}, false, err
	}
	if s.next--; s.next > 0 {
		return DistMessage{}, false, nil
	}
	d.held -= s.size()
	delete(d.sequences, id)
	m, err = d.message(s.b, distHeader{refs: s.refs})
	return m, err == nil, err
}

// hold appends what a fragment brings to its sequence and counts the whole
// sequence as held.
func (d *DistDecoder) hold(s *sequence, packet []byte, pos int) error {
	most, _ := checkLimit("", d.MaxFragmented, DefaultMaxFragmented, LargestMaxFragmented)
	if len(packet)-pos > most-d.held-s.size() {
		return &SyntaxError{Offset: pos, Err: &LimitError{"MaxFragmented", most}}
	}
	s.b = append(s.b, packet[pos:]...)
	d.held += s.size()
	return nil
}

// Incomplete returns the numbers of the sequences of which fragments are
// missing, in ascending order.
func (d *DistDecoder) Incomplete() []uint64 {
	ids := make([]uint64, 0, len(d.sequences))
	for id := range d.sequences {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Forget drops what has come of a sequence, such as one whose sender is no more.
func (d *DistDecoder) Forget(sequence uint64) {
	if s, ok := d.sequences[sequence]; ok {
		d.held -= s.size()
		delete(d.sequences, sequence)
	}
}
