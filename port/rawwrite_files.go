//go:build linux || darwin

package port

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/beamport/beamport/internal/await"
)

// rawWriter returns a function that writes to w as much as goes without waiting, and
// then returns errWouldBlock, and one that waits; or nil if w is nothing of which that is
// known. Both count in writes what the system takes.
func rawWriter(w io.Writer, writes *atomic.Uint64) (try, wait func([]byte) (int, error)) {
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
		return nil, nil
	}
	raw, err := stream.SyscallConn()
	if err != nil {
		return nil, nil
	}
	r := &rawWrite{conn: raw, writes: writes}
	r.once, r.again = r.writeOnce, r.writeAgain
	return r.try, r.wait
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

// rawWrite is kept with its functions, so that a write allocates nothing.
type rawWrite struct {
	conn        syscall.RawConn
	writes      *atomic.Uint64
	once, again func(fd uintptr) bool
	b           []byte
	n           int
	err         error
}

func (r *rawWrite) try(b []byte) (int, error)  { return r.write(b, r.once) }
func (r *rawWrite) wait(b []byte) (int, error) { return r.write(b, r.again) }

func (r *rawWrite) write(b []byte, f func(fd uintptr) bool) (int, error) {
	r.b, r.n, r.err = b, 0, nil
	err := r.conn.Write(f)
	r.b = nil
	if err == nil {
		err = r.err
	}
	return r.n, err
}

// writeOnce does not ask to be called again when the descriptor is ready.
func (r *rawWrite) writeOnce(fd uintptr) bool {
	if !r.writeAgain(fd) {
		r.err = errWouldBlock
	}
	return true
}

// writeAgain returns false where it would have to wait, and is called again then.
func (r *rawWrite) writeAgain(fd uintptr) bool {
	for r.n < len(r.b) {
		n, err := syscall.Write(int(fd), r.b[r.n:])
		if n > 0 {
			r.writes.Add(1)
			r.n += n
			continue
		}
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		case nil:
			r.err = io.ErrShortWrite
			return true
		default:
			r.err = os.NewSyscallError("write", err)
			return true
		}
	}
	return true
}
