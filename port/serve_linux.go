package port

import (
	"os"
	"syscall"
)

// redirect makes one descriptor a copy of another. Not every Linux has dup2.
func redirect(from, to int) error {
	return os.NewSyscallError("dup3", syscall.Dup3(from, to, 0))
}
