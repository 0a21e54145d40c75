//go:build linux || darwin

package port

import (
	"io"
	"net"
	"os"
)

// Pipes is a stream of two pipes, as a child's is.
func Pipes(from, to *os.File) io.ReadWriteCloser { return &duplex{from: source{File: from}, to: to} }

// CloseWrite ends what is written to [Pipes].
func CloseWrite(pipes io.ReadWriteCloser) error { return pipes.(*duplex).to.Close() }

// ListenerOf is what [Listen] makes of a listener.
func ListenerOf(l net.Listener) *Listener { return &Listener{l} }
