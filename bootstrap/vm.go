package bootstrap

import (
	"sync"

	"github.com/beamport/beamport/port"
)

// vm is a VM whose handler is ready.
type vm struct {
	process *port.Process

	retired chan struct{} // closed when it is not for invocations to come
	unused  chan struct{} // closed when it is retired and no invocation has it

	mu    sync.Mutex
	users int // invocations that have it
}

func newVM(process *port.Process) *vm {
	return &vm{process: process, retired: make(chan struct{}), unused: make(chan struct{})}
}

// take says that an invocation has the VM, until release.
func (v *vm) take() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.users++
}

func (v *vm) release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.users--
	v.lookLocked()
}

// retire says that nobody will take the VM any more. It is called once.
func (v *vm) retire() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.retired)
	v.lookLocked()
}

func (v *vm) isRetired() bool {
	select {
	case <-v.retired:
		return true
	default:
		return false
	}
}

func (v *vm) lookLocked() {
	if v.users == 0 && v.isRetired() {
		close(v.unused)
	}
}
