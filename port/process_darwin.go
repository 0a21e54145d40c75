package port

import (
	"os"
	"syscall"
)

// attributes of a child: a process group of its own. It has to notice by itself
// that its input has ended when this process dies.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// enlarge does nothing: pipes grow by themselves.
func enlarge(*os.File) {}

// awaitExit returns true when the child has ended and is not reaped, so that until
// then its pid and its process group's are nobody else's; or false if that cannot
// be had. It asks kqueue, since waitid also returns for a child that is only stopped.
func awaitExit(pid int) bool {
	queue, err := syscall.Kqueue() // which no child inherits
	if err != nil {
		return false
	}
	defer syscall.Close(queue)
	changes := []syscall.Kevent_t{{
		Ident: uint64(pid), Filter: syscall.EVFILT_PROC, Flags: syscall.EV_ADD | syscall.EV_ONESHOT, Fflags: syscall.NOTE_EXIT,
	}}
	events := make([]syscall.Kevent_t, 1)
	for {
		n, err := syscall.Kevent(queue, changes, events, nil)
		if err == nil && n == 1 && events[0].Flags&syscall.EV_ERROR != 0 {
			err = syscall.Errno(events[0].Data)
		}
		if err != syscall.EINTR {
			return err == nil || err == syscall.ESRCH // it had ended before
		}
	}
}
