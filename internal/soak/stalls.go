//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/beamport/beamport/port"
)

// Faults by which one side stands still.

func childStopped(s *scenario) {
	sess := s.busy(3)
	if sess == nil {
		return
	}
	s.pause(s.between(0, 10*time.Millisecond))
	if err := syscall.Kill(sess.child.Pid(), syscall.SIGSTOP); err != nil {
		s.broken("stopping a child: %v", err)
	}
	s.fire(1)
	s.each(12, 6, func(r *rand.Rand) {
		ctx, cancel := context.WithTimeout(s.ctx, time.Duration(1+r.IntN(50))*time.Millisecond)
		defer cancel()
		// It may have been answered before the child stood still.
		sess.ask(ctx, query{payload: payloadOf(r, sizeOf(r))})
	})
	if s.turn()%2 == 0 {
		syscall.Kill(sess.child.Pid(), syscall.SIGCONT)
		s.finish(sess)
		return
	}
	sess.explain(killed)
	sess.child.Kill()
	s.ended(sess)
}

// Heartbeats are of this length where a stopped child is to be noticed, and where one
// that is stopped for less is to be left alone.
const (
	noticing = 300 * time.Millisecond
	lenient  = 5 * time.Second
)

// stoppedNoticed stops a child of which nobody asks anything but the heartbeat.
func stoppedNoticed(s *scenario) {
	c := s.make.command
	c.Options.Heartbeat = noticing
	sess := s.beginWith(c)
	if sess == nil {
		return
	}
	sess.ask(s.ctx, query{payload: s.payload()})
	if err := syscall.Kill(sess.child.Pid(), syscall.SIGSTOP); err != nil {
		s.broken("stopping a child: %v", err)
	}
	s.fire(1)
	sess.explain(exit(func(e *port.ExitError) bool { return errors.Is(e, port.ErrUnresponsive) }))
	if s.turn()%2 == 0 {
		sess.ask(s.ctx, query{payload: s.payload()})
	}
	s.ended(sess)
}

// freezeAndThaw stops a child's whole group for a while, in which nobody loses
// patience: everything is answered.
func freezeAndThaw(s *scenario) {
	c := s.make.command
	c.Options.Heartbeat = lenient
	s.program.heartbeat = lenient
	sess := s.beginWith(c)
	if sess == nil {
		return
	}
	sess.work(s.ctx, s.r.Uint64(), 6)
	groups := []int{-sess.child.Pid()}
	if s.make.make == Worker {
		groups = append(groups, s.programOf(sess, 0))
	}
	for range s.some(6) {
		s.pause(s.between(0, 10*time.Millisecond))
		frozen := groups[s.r.IntN(len(groups)):]
		for _, pid := range frozen {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				s.broken("freezing a child: %v", err)
			}
		}
		s.fire(1)
		s.pause(s.between(time.Millisecond, 150*time.Millisecond))
		for _, pid := range frozen {
			syscall.Kill(pid, syscall.SIGCONT)
		}
		sess.ask(s.ctx, query{payload: s.payload()})
	}
	s.finish(sess)
}

// A slow owner's child is sent no more than a window of this size, and has so much memory
// for all the rest.
const (
	slowWindow = 8 << 20
	slowMemory = 64 << 20
)

// slowOwner has a child read slowly, or not at all for a while, what many callers have to
// say. Neither side's memory grows by more than the window and some.
func slowOwner(s *scenario) {
	c := s.make.command
	c.Options.MaxInFlightBytes = slowWindow
	sess := s.beginWith(c)
	if sess == nil {
		return
	}
	sess.work(s.ctx, s.r.Uint64(), 4)
	before := memoryOf(sess.child.Pid(), "VmRSS")
	for range 3 {
		s.fire(1)
		sess.ask(s.ctx, query{op: "slow", number: int64(200 + s.r.IntN(800))})
		s.each(96, 48, func(r *rand.Rand) {
			sess.ask(s.ctx, query{payload: payloadOf(r, r.IntN(512<<10))})
		})
		sess.ask(s.ctx, query{op: "slow", number: 0})
	}
	if most := memoryOf(sess.child.Pid(), "VmHWM"); most > before+slowWindow+slowMemory {
		s.broken("a child of %d bytes came to %d, with a window of %d", before, most, slowWindow)
	}
	s.finish(sess)
}

// memoryOf is what the kernel says of a process's memory under that name.
func memoryOf(pid int, name string) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	var kilobytes int
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			fmt.Sscan(rest, &kilobytes)
		}
	}
	return kilobytes << 10
}

// fullPipes has the parent not read, so that the child does not either, until
// neither pipe takes any more.
func fullPipes(s *scenario) {
	sess := s.begin()
	if sess == nil {
		return
	}
	blocked, release := make(chan struct{}), make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		sess.ask(s.ctx, query{op: "log", onLog: func(port.Log) {
			close(blocked)
			<-release
		}})
	})
	if !await(blocked, s.bound) {
		s.broken("the line of log does not come")
	}
	for i := range 8 {
		payload := payloadOf(s.r, maxPayload-s.r.IntN(1000))
		patience := s.bound
		if i >= 4 && s.r.IntN(2) == 0 { // the others are enough to fill the pipes
			patience = s.between(time.Millisecond, 300*time.Millisecond)
		}
		callers.Go(func() {
			ctx, cancel := context.WithTimeout(s.ctx, patience)
			defer cancel()
			sess.ask(ctx, query{payload: payload})
		})
	}
	if s.full(sess.child.Pid()) {
		s.fire(1)
	} else {
		s.broken("the pipes do not fill")
	}
	close(release)
	if !finished(&callers, 2*s.bound) {
		s.broken("callers are stuck")
	}
	s.finish(sess)
}

// full waits until both pipes of a child are full: much is in them and nothing
// moves.
func (s *scenario) full(pid int) bool {
	var before [2]int
	still := 0
	return within(s.ctx, s.bound, func() bool {
		now := [2]int{inPipe(pid, 3), inPipe(pid, 4)}
		if now != before || now[0] < 32<<10 || now[1] < 32<<10 {
			before, still = now, 0
			return false
		}
		still++
		return still > 10
	})
}

// inPipe is how many bytes are in a pipe that a process holds.
func inPipe(pid, fd int) int {
	pipe, err := syscall.Open(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	defer syscall.Close(pipe)
	var n int32
	const fionread = 0x541B
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(pipe), fionread, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return -1
	}
	return int(n)
}
