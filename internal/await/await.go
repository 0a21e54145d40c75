// Package await waits for a descriptor for a short time in a way that Go's scheduler
// does not notice, where that is known to be faster.
//
// A goroutine that waits for a descriptor is parked, its processor becomes idle, and
// what arrives wakes the poller, a processor and the scheduler's monitor: several
// threads for one byte. For an answer that is expected from another process within
// some tens of microseconds, those wake-ups compete with that process for the machine's
// processors. A thread that waits by itself is woken alone.
//
// The price is that the goroutine's processor does nothing else meanwhile: it is for a
// program that has nothing else to do, and for at most [Most]. It is best with
// GOMAXPROCS=1: with more, a thread that has nothing to do waits for all descriptors, and
// is woken too.
package await

import (
	"syscall"
	"time"
)

// Most is how long a wait takes at most.
const Most = time.Millisecond

// A Waiter waits for one descriptor to be readable. The zero Waiter waits for nothing.
// It is not for concurrent use.
type Waiter struct {
	raw  syscall.RawConn
	once func(fd uintptr)
}

// For returns a waiter for a stream. It waits for nothing where there is no way to.
func For(stream any) Waiter {
	conn, ok := stream.(syscall.Conn)
	if !ok || !supported {
		return Waiter{}
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return Waiter{}
	}
	return Waiter{raw: raw, once: readable}
}

// Readable returns when there is something to be read, the end of the stream included,
// or when it has waited for long enough, or for no reason at all.
func (w Waiter) Readable() {
	if w.raw != nil {
		_ = w.raw.Control(w.once) // a stream that is closed says so when it is read
	}
}
