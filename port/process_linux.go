package port

import (
	"os"
	"syscall"
	"unsafe"
)

// attributes of a child: a process group of its own, and death by SIGKILL when
// the thread that started it dies (see [Process]).
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// setPipeSize is F_SETPIPE_SZ of fcntl(2).
const setPipeSize = 1031

// enlarge asks for more room in a pipe. The kernel may refuse, which does no harm.
func enlarge(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, pipeSize)
	})
}

// Of waitid(2).
const (
	idTypePID = 1
	exited    = 4
	noWait    = 0x01000000
)

// awaitExit returns true when the child has ended and is not reaped, so that until
// then its pid and its process group's are nobody else's; or false if that cannot
// be had.
func awaitExit(pid int) bool {
	var info [128]byte // siginfo_t, of which nothing is needed
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idTypePID, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), exited|noWait, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}
