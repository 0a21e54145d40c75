package port

import (
	"fmt"
	"syscall"
)

// An ExitError says that the child of a [Process] has ended, and how. It is what
// calls in flight fail with, and comes also when the child ended as it was asked to.
type ExitError struct {
	// Code is the exit status, or -1 if a signal ended the child.
	Code int
	// Signal is the signal that ended the child, or 0.
	Signal syscall.Signal
	// Stderr holds the last lines that the child wrote to stderr, oldest first, at
	// most 20 and each cut to 1 KiB. They may quote anything that the child knew, so
	// they are not part of the message.
	Stderr []string
	// Err is why the child was ended, or what was wrong with the stream before it
	// was: a [*ProtocolError], [*VersionError] or [*PacketSizeError], an end of
	// the stream inside a frame ([io.ErrUnexpectedEOF]), [ErrClosed], a context's
	// error. It is nil if the child ended by itself, by [Process.Stop] or
	// by [Process.Kill], and what [Process.KillFor] was given.
	Err error
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("with exit status %d", e.Code)
	if e.Signal != 0 {
		how = "by signal: " + e.Signal.String()
	}
	if e.Err != nil {
		return fmt.Sprintf("port: child ended %s: %v", how, e.Err)
	}
	return "port: child ended " + how
}

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }
