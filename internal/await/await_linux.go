package await

import (
	"syscall"
	"unsafe"
)

const supported = true

// pollfd is the struct of poll(2).
type pollfd struct {
	fd      int32
	events  int16
	revents int16
}

const pollIn = 1

// readable is one ppoll(2). A signal, such as the one with which Go stops goroutines for
// its collector, ends it.
func readable(fd uintptr) {
	p := pollfd{fd: int32(fd), events: pollIn}
	t := syscall.NsecToTimespec(Most.Nanoseconds())
	// Both live on the stack until the call returns; the kernel keeps neither.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&t)), 0, 0, 0)
}
