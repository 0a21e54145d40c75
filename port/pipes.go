//go:build linux || darwin

package port

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// pipeSize is what the kernel is asked to let a protocol pipe hold, so that a frame
// of nearly 1 MiB fits at once and neither side has to be woken sixteen times, as with
// the usual 64 KiB. It is the most that Linux grants without privileges.
const pipeSize = 1 << 20

// duplex is the parent's side of the protocol: the pipe from the child and the pipe
// to it.
type duplex struct {
	from source
	to   *os.File
}

func (d *duplex) Read(b []byte) (int, error)         { return d.from.Read(b) }
func (d *duplex) Write(b []byte) (int, error)        { return d.to.Write(b) }
func (d *duplex) SetWriteDeadline(t time.Time) error { return d.to.SetWriteDeadline(t) }
func (d *duplex) SetReadDeadline(t time.Time) error  { return d.from.SetReadDeadline(t) }
func (d *duplex) Close() error                       { return errors.Join(d.to.Close(), d.from.Close()) }

// A source is our end of a pipe from the child.
type source struct {
	*os.File
	finished atomic.Bool // what is in the pipe is all there is to come
}

// finish says that the child has ended. From now on the stream ends where the pipe
// is empty, though a descendant may hold its other end.
func (s *source) finish() {
	s.finished.Store(true)
	s.SetReadDeadline(longAgo) // ends the Read that waits
}

func (s *source) Read(b []byte) (int, error) {
	if !s.finished.Load() {
		n, err := s.File.Read(b)
		// The connection sets deadlines of its own.
		if !errors.Is(err, os.ErrDeadlineExceeded) || !s.finished.Load() {
			return n, err
		}
	}
	return s.readRest(b)
}

// readRest reads what there is, past the deadline, without waiting.
func (s *source) readRest(b []byte) (n int, err error) {
	conn, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := conn.Control(func(fd uintptr) {
		for {
			if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case controlErr != nil:
		return 0, controlErr
	case err == syscall.EAGAIN, err == nil && n == 0:
		return 0, io.EOF
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	}
	return n, nil
}

// pipes are the four pipes of a child. Until the child has been started, all of
// the ends are ours. All are closed on exec, but for those that it is given.
type pipes struct {
	protocol       duplex     // our ends
	stdout, stderr source     // our ends
	child          []*os.File // its ends: stdout, stderr, 3, 4
}

func openPipes() (*pipes, error) {
	var ends []*os.File
	for range 4 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ends)
			return nil, err
		}
		ends = append(ends, r, w)
	}
	p := &pipes{
		stdout:   source{File: ends[0]},
		stderr:   source{File: ends[2]},
		protocol: duplex{to: ends[5], from: source{File: ends[6]}},
		child:    []*os.File{ends[1], ends[3], ends[4], ends[7]},
	}
	enlarge(p.protocol.to)
	enlarge(p.protocol.from.File)
	return p, nil
}

// finish says that the child has ended.
func (p *pipes) finish() {
	p.stdout.finish()
	p.stderr.finish()
	p.protocol.from.finish()
}

// closeOurs closes our ends, of which the protocol's may be closed already.
func (p *pipes) closeOurs() {
	closeAll([]*os.File{p.stdout.File, p.stderr.File, p.protocol.to, p.protocol.from.File})
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
