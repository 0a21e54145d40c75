package affinity

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// Of returns the processors that the first thread of a process may run on, or the
// calling thread for 0.
func Of(pid int) (s Set, err error) {
	// The kernel writes no more than the size that it is given.
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, uintptr(pid), unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s)))
	if errno != 0 {
		return Set{}, fmt.Errorf("affinity: process %d: sched_getaffinity: %w", pid, errno)
	}
	return s, nil
}

// Apply has all threads of a process run on these processors alone, and those that they
// start. Those that end meanwhile do not count.
func (s *Set) Apply(pid int) error {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	done := map[string]bool{}
	for {
		threads, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("affinity: %w", err)
		}
		began := len(done)
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || done[t.Name()] {
				continue
			}
			done[t.Name()] = true
			_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(id), unsafe.Sizeof(*s), uintptr(unsafe.Pointer(s)))
			if errno != 0 && errno != syscall.ESRCH {
				return fmt.Errorf("affinity: thread %d: sched_setaffinity: %w", id, errno)
			}
		}
		// One that was not there yet may have been started by one that was still free.
		if len(done) == began {
			return nil
		}
	}
}
