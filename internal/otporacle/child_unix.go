//go:build unix

package otporacle

import "syscall"

// keepFromChildren keeps the pipes that a fuzz worker has from the go command
// from the emulator, which would hold them open when the worker is gone: package
// internal/fuzz opens them as the files 3, 4 and 5 and leaves them inheritable.
func keepFromChildren() {
	for fd := 3; fd <= 5; fd++ {
		syscall.CloseOnExec(fd)
	}
}
