package port

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
)

const (
	// readAhead is how much a Reader asks for at once, so that a small packet, its
	// header included, takes one system call, and many that are waiting take one
	// together.
	readAhead = 16 << 10

	// claimStep is how much memory a header's claim alone is worth. Beyond it the
	// buffer grows with the bytes that have arrived.
	claimStep = 64 << 10

	// growth is how many times as much as has arrived the buffer may be.
	growth = 4

	// maxScratch is how much of a packet is read into memory that is used again,
	// so that packets of up to growth times that are allocated once, in their size.
	maxScratch = 2 << 20

	// maxEmptyReads is how many reads in a row may give nothing.
	maxEmptyReads = 100
)

// A Reader reads packets from a byte stream. It may read beyond the packet it
// returns, so nobody else can take over the stream. It is not safe for concurrent
// use.
type Reader struct {
	r       io.Reader
	packet  Packet
	max     int
	buf     []byte // read ahead; what is not consumed is buf[next:end]
	next    int
	end     int
	scratch []byte        // memory for the first part of a long packet
	err     error         // the first error, returned ever after
	reads   atomic.Uint64 // that gave something

	// The packet that a deadline has interrupted, if inside is true.
	inside  bool // its header has been read
	filling bool // it is known where it goes: to partial
	size    int
	partial []byte
}

// NewReader returns a Reader of packets of at most max bytes, header excluded.
// A max of 0 stands for [DefaultMaxPacket]; more than p's header can say is the
// most that it can say. It panics if p is none of the declared constants.
func NewReader(r io.Reader, p Packet, max int) *Reader {
	return &Reader{r: r, packet: p, max: p.limit(max), buf: make([]byte, readAhead)}
}

// ReadPacket reads the next packet into dst[:0], growing it where it is too
// small, and returns it without its header. A packet may be empty. The result
// belongs to the caller.
//
// Memory is taken as bytes arrive: at most 64 KiB on a header's word, and beyond
// that at most four times what has been read. A Reader keeps some for the packets to
// come, at most 2 MiB. Its errors, after which the Reader returns the
// same ever after, are
//   - [io.EOF] when the stream ends between packets, and only then,
//   - [io.ErrUnexpectedEOF] when it ends inside one, header included,
//   - a [*PacketSizeError] when the header claims more than the maximum,
//   - whatever reading gave otherwise.
//
// After [os.ErrDeadlineExceeded] nothing is lost: the Reader keeps dst and what it has
// read of the packet, and the next call goes on with that, whatever its own dst is.
func (r *Reader) ReadPacket(dst []byte) ([]byte, error) {
	if _, err := r.open(); err != nil {
		return dst[:0], err
	}
	return r.take(dst)
}

// take is what ReadPacket does when the packet is open.
func (r *Reader) take(dst []byte) ([]byte, error) {
	if !r.filling {
		r.filling, r.partial = true, dst[:0]
	}
	if err := r.payload(); err != nil {
		r.note(err)
		return nil, err
	}
	dst = r.partial
	r.inside, r.filling, r.partial = false, false, nil
	return dst, nil
}

// open reads the header of the next packet, unless that has been done, and returns
// the packet's size.
func (r *Reader) open() (size int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if !r.inside {
		if r.size, err = r.header(); err != nil {
			r.note(err)
			return 0, err
		}
		r.inside = true
		r.scratch = r.scratch[:0]
	}
	return r.size, nil
}

// peek returns the first bytes of a packet that is open and has at least as many, and
// of which it is not known where it goes.
func (r *Reader) peek(n int) ([]byte, error) {
	if err := r.ahead(n); err != nil {
		err = noEOF(err)
		r.note(err)
		return nil, err
	}
	return r.buf[r.next : r.next+n], nil
}

// detach moves what has been read of an interrupted packet to memory of the
// Reader's own.
func (r *Reader) detach() {
	if r.filling {
		r.partial = append([]byte(nil), r.partial...)
	}
}

// note keeps an error, unless it is one after which reading can go on.
func (r *Reader) note(err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		r.err = err
	}
}

// header reads a header and checks it.
func (r *Reader) header() (int, error) {
	n := int(r.packet)
	if err := r.ahead(n); err != nil {
		if r.end > r.next {
			err = noEOF(err)
		}
		return 0, err
	}
	size := r.packet.length(r.buf[r.next:])
	r.next += n
	if size > uint64(r.max) {
		return 0, &PacketSizeError{Size: size, Max: r.max}
	}
	return int(size), nil
}

// ahead reads until there are n bytes in the buffer, which has room for them.
func (r *Reader) ahead(n int) error {
	for r.end-r.next < n {
		if r.next > 0 {
			r.end = copy(r.buf, r.buf[r.next:r.end])
			r.next = 0
		}
		got, err := r.read(r.buf[r.end:])
		r.end += got
		if err != nil {
			return err
		}
	}
	return nil
}

// payload reads the rest of the packet. What is too long to be allocated on a claim
// proves itself by its first part.
func (r *Reader) payload() (err error) {
	if len(r.partial) == 0 && r.size > max(cap(r.partial), claimStep) {
		first := min((r.size+growth-1)/growth, maxScratch)
		if r.scratch, err = r.fill(r.scratch, first); err != nil {
			return err
		}
		r.partial = append(make([]byte, 0, min(r.size, growth*first)), r.scratch...)
	}
	r.partial, err = r.fill(r.partial, r.size)
	return err
}

// fill makes dst size bytes long, first from what was read ahead, then straight
// from the stream.
func (r *Reader) fill(dst []byte, size int) ([]byte, error) {
	for len(dst) < size {
		if len(dst) == cap(dst) {
			dst = grow(dst, size)
		}
		room := dst[len(dst):min(cap(dst), size)]
		if r.next < r.end {
			n := copy(room, r.buf[r.next:r.end])
			r.next += n
			dst = dst[:len(dst)+n]
			continue
		}
		// A short rest goes through the buffer, to find the next packet there too.
		if len(room) < readAhead/4 {
			n, err := r.read(r.buf)
			r.next, r.end = 0, n
			if err != nil {
				return dst, noEOF(err)
			}
			continue
		}
		n, err := r.read(room)
		dst = dst[:len(dst)+n]
		if err != nil {
			return dst, noEOF(err)
		}
	}
	return dst, nil
}

// grow returns dst with room for more of a packet of size bytes, never sized by
// that claim alone.
func grow(dst []byte, size int) []byte {
	bigger := make([]byte, len(dst), min(size, max(claimStep, growth*len(dst))))
	copy(bigger, dst)
	return bigger
}

// read reads at least one byte or returns an error; an error that comes with
// bytes is left to the next read.
func (r *Reader) read(b []byte) (int, error) {
	for range maxEmptyReads {
		n, err := r.r.Read(b)
		if n > 0 {
			r.reads.Add(1)
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// noEOF says of an end inside a packet that it is one.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
