//go:build linux || darwin

package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Serve answers calls on stdin and stdout, as a program does that the BEAM has started
// with open_port({spawn_executable, Path}, [{packet, 4}, binary]), or with
// beamport_client. It returns when the BEAM has closed the port, with nil, and
// otherwise as [Server.ServeConn] does. The program is then to end.
//
// From then on what the program prints to [os.Stdout] goes to stderr.
func Serve(ctx context.Context, h Handler) error {
	rwc, err := Stdio()
	if err != nil {
		return err
	}
	return (&Server{Handler: h}).ServeConn(ctx, rwc)
}

// Stdio returns stdin and stdout as one stream, and lets [os.Stdin] be empty and
// [os.Stdout] be stderr from now on, so that nothing else gets between the frames. It
// can be called once.
//
// The stream uses other descriptors than 0 and 1: a write when the BEAM is gone is
// an error, not the end by SIGPIPE.
func Stdio() (io.ReadWriteCloser, error) {
	from, err := moved(0, "stdin")
	if err != nil {
		return nil, err
	}
	to, err := moved(1, "stdout")
	if err != nil {
		from.Close()
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err == nil {
		err = errors.Join(redirect(int(null.Fd()), 0), redirect(2, 1), null.Close())
	}
	if err != nil {
		return nil, errors.Join(err, from.Close(), to.Close())
	}
	os.Stdout = os.Stderr
	return &duplex{from: source{File: from}, to: to}, nil
}

// NoUseStdio returns the descriptors 3, which is read, and 4, which is written, as one
// stream: those of a port that was opened with the option nouse_stdio. It can be called
// once.
func NoUseStdio() (io.ReadWriteCloser, error) {
	from, err := pollable(3, "port input")
	if err != nil {
		return nil, err
	}
	to, err := pollable(4, "port output")
	if err != nil {
		return nil, err
	}
	return &duplex{from: source{File: from}, to: to}, nil
}

// moved returns a copy of a descriptor above 2, which os can wait for.
func moved(fd int, name string) (*os.File, error) {
	// The fork lock keeps a child that is started meanwhile from having it.
	syscall.ForkLock.RLock()
	copied, err := dupAbove(fd)
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f, err := pollable(copied, name)
	if err != nil {
		syscall.Close(copied)
	}
	return f, err
}

// pollable returns a descriptor as a file. A pipe or a socket, which is what a port
// has, becomes one whose Close ends a Read or a Write that is under way; another
// file is left as it is, since whoever else has it would notice.
func pollable(fd int, name string) (*os.File, error) {
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("port: descriptor %d: %w", fd, err)
	}
	syscall.CloseOnExec(fd)
	if kind := stat.Mode & syscall.S_IFMT; kind == syscall.S_IFIFO || kind == syscall.S_IFSOCK {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return nil, os.NewSyscallError("fcntl", err)
		}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// dupAbove duplicates a descriptor to one above 2 that is closed on exec.
func dupAbove(fd int) (int, error) {
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return 0, errno
	}
	return int(copied), nil
}
