package etf

import (
	"fmt"
	"io"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A DistMessage is what one node sends to another: a control message, which is
// a tuple that starts with the number of an operation, and for some operations a
// payload, such as the message that goes to a process. See
// https://www.erlang.org/doc/apps/erts/erl_dist_protocol.html#protocol-between-connected-nodes.
type DistMessage struct {
	Control Term
	Payload Term // the zero Term where there is none
}

// A DistDecoder reads the messages that a node sends over a distribution
// connection on which atom caches were agreed upon in the handshake
// (DFLAG_DIST_HDR_ATOM_CACHE, and DFLAG_FRAGMENTS for those that come in
// pieces). It holds the sender's atom cache and the fragments of messages that
// are not complete. The zero DistDecoder is ready for a new connection; its
// exported fields must not be changed once it is in use. It is for one
// goroutine at a time.
//
// Nothing is allocated for what a packet only claims. Besides its terms and the
// fragments that it holds, a decoder takes about 60 KiB and the names of the at
// most 2048 atoms in the cache.
type DistDecoder struct {
	// Options has the limits for each of the terms, MaxBytes for their lengths.
	// There is neither a version byte in front of them nor are they compressed or in
	// canonical form: with Strict or NoVersion the error is [ErrOptions].
	Options DecodeOptions

	// MaxSequences limits how many messages may be incomplete at one time. 0 is
	// [DefaultMaxSequences].
	MaxSequences int

	// MaxFragmented limits the bytes of all fragments that are held at one time. 0
	// is [DefaultMaxFragmented].
	MaxFragmented int

	cache [cacheSlots]Term // atoms; the zero Term where there is none yet
	refs  [mostRefs]Term   // of the message that is being read

	sequences map[uint64]*sequence
	held      int // bytes in sequences
}

// Defaults and maxima of the limits in [DistDecoder], whose minimum is 1.
const (
	DefaultMaxSequences  = 1024
	DefaultMaxFragmented = 256 << 20

	LargestMaxSequences  = 1 << 20
	LargestMaxFragmented = 1<<31 - 1
)

// Decode reads a packet: a message behind a distribution header, or a fragment
// of one. complete is false if it is a fragment and others have to follow. The
// Terms do not refer to the packet. (A packet without any bytes, which keeps a
// connection alive, is not for Decode.)
//
// An error is a [*SyntaxError] that wraps one of the reasons that [Decode] has,
// [ErrCacheRef] or [ErrFragment]; its offset is that in the packet, or, for the
// last fragment, in the message that the fragments make, behind its header. A
// message that is refused for what its terms are leaves the decoder as the
// sender expects it to be. After an error in a header, where neither side can know
// what is in the cache, the connection is of no use.
func (d *DistDecoder) Decode(packet []byte) (m DistMessage, complete bool, err error) {
	if err := d.check(); err != nil {
		return DistMessage{}, false, err
	}
	switch {
	case len(packet) < 2:
		if len(packet) == 1 && packet[0] != wire.Version {
			return DistMessage{}, false, &SyntaxError{Err: ErrVersion}
		}
		return DistMessage{}, false, &SyntaxError{Offset: len(packet), Err: io.ErrUnexpectedEOF}
	case packet[0] != wire.Version:
		return DistMessage{}, false, &SyntaxError{Err: ErrVersion}
	}
	switch tag := packet[1]; tag {
	case wire.DistHeader:
		h, err := d.readHeader(packet, 2)
		if err != nil {
			return DistMessage{}, false, err
		}
		m, err = d.message(packet, h)
		return m, err == nil, err
	case wire.DistFragment:
		return d.firstFragment(packet)
	case wire.DistContinuation:
		return d.nextFragment(packet)
	default:
		return DistMessage{}, false, &SyntaxError{Offset: 1, Err: &TagError{tag}}
	}
}

func (d *DistDecoder) check() error {
	if d.Options.Strict || d.Options.NoVersion {
		return fmt.Errorf("%w: Strict or NoVersion behind a distribution header", ErrOptions)
	}
	if _, err := checkLimit("MaxSequences", d.MaxSequences, DefaultMaxSequences, LargestMaxSequences); err != nil {
		return err
	}
	_, err := checkLimit("MaxFragmented", d.MaxFragmented, DefaultMaxFragmented, LargestMaxFragmented)
	return err
}

// message reads the one or two terms behind a header.
func (d *DistDecoder) message(b []byte, h distHeader) (m DistMessage, err error) {
	o := d.Options
	o.NoVersion = true
	var n int
	if m.Control, n, err = o.decodeRefs(b[h.end:], h.refs, prefix); err != nil {
		return DistMessage{}, moved(err, h.end)
	}
	if pos := h.end + n; pos < len(b) {
		if m.Payload, _, err = o.decodeRefs(b[pos:], h.refs, oneTerm); err != nil {
			return DistMessage{}, moved(err, pos)
		}
	}
	return m, nil
}
