package otporacle

import "syscall"

// diesWithParent has the kernel end the child when the thread that started it
// has ended, as all do with the process.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
