package bootstrap

import (
	"context"
	"errors"
	"time"
)

const (
	// settleTicks is how long a VM may take to end the process of an invocation that was
	// given up, and then to say whether it is alive. It is counted in ticks of our own, so
	// that the time in which all is frozen counts for nothing.
	settleTicks = 10
	settleTick  = 100 * time.Millisecond
)

// Why a VM is killed, as the callers of the invocations that are lost with it are told.
var (
	errStuck  = errors.New("the runtime killed it, since an invocation that was given up did not end")
	errSilent = errors.New("the runtime killed it, since it did not answer any more")
)

// settle returns when nothing of an invocation goes on in its VM any more, whose call had
// that id. A VM in which something does, for too long, is replaced: one that hangs, or one
// with a process that cannot be killed because it is inside of native code.
func (s *supervisor) settle(ctx context.Context, vm *vm, call uint64) {
	gone := vm.process.Conn().Gone(call)
	select {
	case <-gone:
		return
	default:
	}
	if !within(ctx, gone) && ctx.Err() == nil {
		s.replace(ctx, vm, gone)
	}
}

// within waits for done, for so many ticks.
func within(ctx context.Context, done <-chan struct{}) bool {
	ticker := time.NewTicker(settleTick)
	defer ticker.Stop()
	for range settleTicks {
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return false
}

// replace takes a VM out of service. If it has other invocations and is alive, they may
// come to their ends.
func (s *supervisor) replace(ctx context.Context, vm *vm, gone <-chan struct{}) {
	reason := errStuck
	if s.MaxConcurrency > 1 {
		if answers(ctx, vm) {
			s.retire(ctx, vm, gone)
			return
		}
		if ctx.Err() != nil {
			return
		}
		reason = errSilent
	}
	s.logs.runtime("ERROR", "", "the VM did not end an invocation that was given up, and is killed")
	vm.process.KillFor(reason)
	<-vm.process.Conn().Done()
}

// answers says whether a VM is alive.
func answers(ctx context.Context, vm *vm) bool {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = vm.process.Conn().Ping(asking)
	}()
	within(ctx, done)
	cancel()
	<-done
	return err == nil
}

// retire has another VM take the place of one, which is stopped when the invocations that
// it has are over. There is one such VM at a time, so that memory holds two of them at
// most: an invocation that does not end keeps its loop waiting while there is another.
func (s *supervisor) retire(ctx context.Context, vm *vm, gone <-chan struct{}) {
	select {
	case s.retiring <- struct{}{}:
	case <-vm.retired: // because of another invocation
		return
	case <-gone:
		return
	case <-ctx.Done():
		return
	}
	if !s.displace(ctx, vm) {
		<-s.retiring
		return
	}
	s.logs.runtime("ERROR", "", "the VM did not end an invocation that was given up: another one takes its place, and it is stopped when its other invocations are over")
	s.background.Go(func() {
		defer func() { <-s.retiring }()
		select {
		case <-vm.unused:
		case <-vm.process.Conn().Done():
		case <-s.closing:
		}
		s.stop(vm.process)
	})
}

// displace has no invocation get that VM any more. It reports false if that is so already.
func (s *supervisor) displace(ctx context.Context, vm *vm) bool {
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-s.lock }()
	if s.current != vm {
		return false
	}
	s.current = nil
	vm.retire()
	return true
}
