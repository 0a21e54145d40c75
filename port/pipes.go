//go:build linux || darwin

package port

import (
	"errors"
	"os"
	"time"
)

// pipeSize is what the kernel is asked to let a protocol pipe hold, so that a frame
// of nearly 1 MiB fits at once and neither side has to be woken sixteen times, as with
// the usual 64 KiB. It is the most that Linux grants without privileges.
const pipeSize = 1 << 20

// duplex is the parent's side of the protocol: the pipe from the child and the pipe
// to it.
type duplex struct {
	from *os.File
	to   *os.File
}

func (d *duplex) Read(b []byte) (int, error)         { return d.from.Read(b) }
func (d *duplex) Write(b []byte) (int, error)        { return d.to.Write(b) }
func (d *duplex) SetWriteDeadline(t time.Time) error { return d.to.SetWriteDeadline(t) }
func (d *duplex) SetReadDeadline(t time.Time) error  { return d.from.SetReadDeadline(t) }
func (d *duplex) Close() error                       { return errors.Join(d.to.Close(), d.from.Close()) }

// pipes are the four pipes of a child. Until the child has been started, all of
// the ends are ours. All are closed on exec, but for those that it is given.
type pipes struct {
	protocol       duplex     // our ends
	stdout, stderr *os.File   // our ends
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
		stdout:   ends[0],
		stderr:   ends[2],
		protocol: duplex{to: ends[5], from: ends[6]},
		child:    []*os.File{ends[1], ends[3], ends[4], ends[7]},
	}
	enlarge(p.protocol.to)
	enlarge(p.protocol.from)
	return p, nil
}

// closeOurs closes our ends, of which the protocol's may be closed already.
func (p *pipes) closeOurs() {
	closeAll([]*os.File{p.stdout, p.stderr, p.protocol.to, p.protocol.from})
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
