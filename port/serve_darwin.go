package port

import (
	"os"
	"syscall"
)

// redirect makes one descriptor a copy of another.
func redirect(from, to int) error {
	return os.NewSyscallError("dup2", syscall.Dup2(from, to))
}
