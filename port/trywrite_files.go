//go:build linux || darwin

package port

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/beamport/beamport/internal/await"
)

// tryWriter returns a function that writes to w as much as goes without waiting, and
// then returns errWouldBlock; or nil if w is nothing of which that is known.
func tryWriter(w io.Writer) func([]byte) (int, error) {
	var stream syscall.Conn
	switch w := w.(type) {
	case *duplex:
		stream = w.to
	case *os.File:
		stream = w
	case *net.TCPConn:
		stream = w
	case *net.UnixConn:
		stream = w
	default:
		return nil
	}
	raw, err := stream.SyscallConn()
	if err != nil {
		return nil
	}
	try := &tryWrite{conn: raw}
	try.once = try.write
	return try.all
}

// cuttablePipes returns rwc if it is two pipes that have deadlines.
func cuttablePipes(rwc io.ReadWriteCloser) readDeadliner {
	if d, ok := rwc.(*duplex); ok && d.SetReadDeadline(time.Time{}) == nil {
		return d
	}
	return nil
}

// awaiter waits for what comes from rwc, where that is known to be possible.
func awaiter(rwc io.ReadWriteCloser) await.Waiter {
	if d, ok := rwc.(*duplex); ok {
		return await.For(d.from.File)
	}
	return await.For(rwc)
}

// tryWrite is kept with its function, so that a write allocates nothing.
type tryWrite struct {
	conn syscall.RawConn
	once func(fd uintptr) bool
	b    []byte
	n    int
	err  error
}

func (t *tryWrite) all(b []byte) (int, error) {
	t.b, t.n, t.err = b, 0, nil
	err := t.conn.Write(t.once)
	t.b = nil
	if err == nil {
		err = t.err
	}
	return t.n, err
}

// write always returns true: it does not ask to be called again when the
// descriptor is ready.
func (t *tryWrite) write(fd uintptr) bool {
	for t.n < len(t.b) {
		n, err := syscall.Write(int(fd), t.b[t.n:])
		if n > 0 {
			t.n += n
			continue
		}
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			t.err = errWouldBlock
			return true
		case nil:
			t.err = io.ErrShortWrite
			return true
		default:
			t.err = err
			return true
		}
	}
	return true
}
