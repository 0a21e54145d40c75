package port

import (
	"io"
	"net"
)

// coalesce is the length up to which a packet is copied behind its header and
// written at once: a copy of so little costs less than a second system call.
const coalesce = 64 << 10

// A Writer writes packets to a byte stream. It is not safe for concurrent use.
type Writer struct {
	w        io.Writer
	vectored bool // w writes many buffers in one system call
	packet   Packet
	max      int
	buf      []byte      // a header and what was copied behind it
	list     [][]byte    // memory for out
	out      net.Buffers // what is still to be written of the current packet
	err      error       // what broke off a packet, returned ever after
}

// NewWriter returns a Writer of packets of at most max bytes, header excluded.
// A max of 0 stands for [DefaultMaxPacket]; more than p's header can say is the
// most that it can say. It panics if p is none of the declared constants.
func NewWriter(w io.Writer, p Packet, max int) *Writer {
	writer := &Writer{w: w, packet: p, max: p.limit(max)}
	switch w.(type) {
	case *net.TCPConn, *net.UnixConn:
		writer.vectored = true
	}
	return writer
}

// WritePacket writes one packet, made of the parts one behind the other; no
// parts, or empty ones, make an empty packet. It does not keep or change them.
//
// A packet of at most 64 KiB is one Write; a longer one is one vectored write on
// a TCP or unix connection and otherwise a Write of its first 64 KiB and one for
// the rest of each part. In steady state it does not allocate.
//
// The error is a [*PacketSizeError] if the packet is longer than the maximum:
// nothing was written and the Writer is as good as before. Any other error is the
// one of the underlying Write; if something of the packet had gone out by then,
// the stream is broken and every later call returns the same error.
func (w *Writer) WritePacket(parts ...[]byte) error {
	if w.err != nil {
		return w.err
	}
	var size uint64
	for _, part := range parts {
		size += uint64(len(part))
	}
	if size > uint64(w.max) {
		return &PacketSizeError{Size: size, Max: w.max}
	}
	w.gather(parts, int(size))
	return w.flush()
}

// gather makes out of a packet's header and parts.
func (w *Writer) gather(parts [][]byte, size int) {
	w.buf = w.packet.appendHeader(w.buf[:0], size)
	room := coalesce
	if size > coalesce && w.vectored {
		room = 0
	}
	w.list = append(w.list[:0], nil) // the place of buf, which may still move
	for _, part := range parts {
		n := min(len(part), room)
		w.buf = append(w.buf, part[:n]...)
		room -= n
		if n < len(part) {
			w.list = append(w.list, part[n:])
			room = 0
		}
	}
	w.list[0] = w.buf
	w.out = net.Buffers(w.list)
}

// flush writes the current packet.
func (w *Writer) flush() error {
	n, err := w.write()
	clear(w.list) // lets go of the caller's memory
	if err != nil && n > 0 {
		w.err = err
	}
	return err
}

func (w *Writer) write() (int64, error) {
	if w.vectored {
		return w.out.WriteTo(w.w)
	}
	var written int64
	for len(w.out) > 0 {
		part := w.out[0]
		n, err := w.w.Write(part)
		written += int64(n)
		if n < len(part) {
			w.out[0] = part[n:]
			if err == nil {
				err = io.ErrShortWrite
			}
		} else {
			w.out = w.out[1:]
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
