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

// awaitExit returns false at once: waitid also returns for a child that is only
// stopped. So the child is reaped without notice, and what it leaves in its process
// group stays.
func awaitExit(int) bool { return false }
