//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/beamport/beamport/port"
)

// maxPacket is the longest frame of a soak's connections, pipeful more than the pipes
// between the two sides hold.
const (
	maxPacket = 8 << 20
	pipeful   = 2 << 20
)

// offsets is how many bytes of a frame "half-written frame" tries to cut it after.
const offsets = 64

// A kind is a kind of fault.
type kind struct {
	name   string
	weight int  // how often it is chosen, beside the others'
	fatal  bool // the child does not survive it
	beam   bool // a BEAM can have it too
	// fire makes the fault happen and returns nil if what came of it is what the
	// fault explains.
	fire func(ctx context.Context, w *worker) error
}

// kinds are all there are.
var kinds = []kind{
	{"child killed", 20, true, true, childKilled},
	{"child stopped", 4, true, true, childStopped},
	{"exit in a call", 20, true, true, func(ctx context.Context, w *worker) error {
		return wantExit(w.do(ctx, "exit", 42, 100, nil), func(e *port.ExitError) bool { return e.Code == 42 })
	}},
	{"out of memory", 2, true, true, func(ctx context.Context, w *worker) error {
		return wantExit(w.do(ctx, "memory", 1<<30, 10, nil), func(e *port.ExitError) bool { return e.Code != 0 && e.Code != 96 && e.Code != 97 })
	}},
	{"bad header", 20, true, false, func(ctx context.Context, w *worker) error {
		return wantSize(w.do(ctx, "header", int64(0x80000000+rand.Int64N(1<<31)), 10, nil))
	}},
	{"oversized reply", 20, true, false, func(ctx context.Context, w *worker) error {
		return wantSize(w.do(ctx, "header", maxPacket+1, 10, nil))
	}},
	{"oversized request", 10, false, true, oversizedRequest},
	{"malformed term", 20, true, false, func(ctx context.Context, w *worker) error {
		return wantExit(w.do(ctx, "garbage", rand.Int64N(256), 10, nil), func(e *port.ExitError) bool {
			_, ok := errors.AsType[*port.ProtocolError](e.Err)
			return ok
		})
	}},
	{"half-written frame", 100, true, false, halfWritten},
	{"closed in mid-request", 10, true, false, closedInMidRequest},
	{"noisy stdout", 40, false, true, func(ctx context.Context, w *worker) error {
		return w.do(ctx, "stdout", 200_000, 100, nil)
	}},
	{"100 MB line on stderr", 0, false, false, func(ctx context.Context, w *worker) error {
		return w.do(ctx, "stderr", 100<<20, 100, nil)
	}},
	{"lying id", 600, false, false, func(ctx context.Context, w *worker) error {
		w.lies++
		return w.do(ctx, "unknown", rand.Int64N(1<<40), randomSize(), nil)
	}},
	{"duplicate reply", 600, false, false, func(ctx context.Context, w *worker) error {
		w.lies++
		return errors.Join(w.do(ctx, "twice", 0, randomSize(), nil), w.do(ctx, "echo", 0, 0, nil))
	}},
	{"failed call", 300, false, true, func(ctx context.Context, w *worker) error {
		err := w.do(ctx, "fail", 0, 100, nil)
		if _, ok := errors.AsType[*port.CallError](err); !ok {
			return fmt.Errorf("no CallError: %w", orNothing(err))
		}
		return nil
	}},
	{"slow owner", 20, false, true, func(ctx context.Context, w *worker) error {
		return w.together(4, func() error { return w.do(ctx, "slow", 5, pipeful/4, nil) })
	}},
	{"both pipes full", 10, false, true, bothPipesFull},
	{"cancelled context", 600, false, true, cancelled},
	{"late reply", 300, false, true, lateReply},
	{"freeze and thaw", 20, false, true, freezeAndThaw},
	{"parent killed", 3, false, false, func(ctx context.Context, w *worker) error { return parentKilled(ctx, w, false) }},
	{"parent frozen, then killed", 2, false, false, func(ctx context.Context, w *worker) error { return parentKilled(ctx, w, true) }},
	{"restart storm", 3, false, false, restartStorm},
}

// randomSize is small most of the time and a megabyte or more now and then.
func randomSize() int {
	switch rand.IntN(100) {
	case 0:
		return rand.IntN(3 << 20)
	case 1, 2, 3, 4:
		return rand.IntN(300_000)
	}
	return rand.IntN(4096)
}

var errNothing = errors.New("no error")

func orNothing(err error) error {
	if err == nil {
		return errNothing
	}
	return err
}

func wantExit(err error, as func(*port.ExitError) bool) error {
	e, ok := errors.AsType[*port.ExitError](err)
	if !ok {
		return fmt.Errorf("no ExitError: %w", orNothing(err))
	}
	if !as(e) {
		return fmt.Errorf("another ExitError: code %d, signal %d: %w", e.Code, e.Signal, err)
	}
	return nil
}

func wantSize(err error) error {
	return wantExit(err, func(e *port.ExitError) bool {
		_, ok := errors.AsType[*port.PacketSizeError](e.Err)
		return ok
	})
}

func childKilled(ctx context.Context, w *worker) error {
	err := w.do(ctx, "hold", 0, 100, func(port.Log) { w.p.Kill() })
	return wantExit(err, func(e *port.ExitError) bool { return e.Signal == syscall.SIGKILL })
}

func childStopped(ctx context.Context, w *worker) error {
	if err := syscall.Kill(-w.p.Pid(), syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	// It may have read the request before it stopped, but cannot answer.
	if err := w.do(soon, "echo", 0, randomSize(), nil); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a stopped child: %w", orNothing(err))
	}
	w.p.Kill()
	return wantExit(w.do(ctx, "echo", 0, 0, nil), func(e *port.ExitError) bool { return e.Signal == syscall.SIGKILL })
}

func oversizedRequest(ctx context.Context, w *worker) error {
	err := w.do(ctx, "echo", 0, maxPacket, nil)
	if e, ok := errors.AsType[*port.PacketSizeError](err); !ok || e.Max != maxPacket {
		return fmt.Errorf("no PacketSizeError: %w", orNothing(err))
	}
	return w.do(ctx, "echo", 0, 10, nil)
}

func halfWritten(ctx context.Context, w *worker) error {
	at := int64(w.offset.Add(1)-1) % offsets
	err := wantExit(w.do(ctx, "half", at, 100, nil), func(e *port.ExitError) bool {
		return at == 0 || errors.Is(e.Err, io.ErrUnexpectedEOF)
	})
	if err != nil {
		return fmt.Errorf("cut after byte %d: %w", at, err)
	}
	return nil
}

// closedInMidRequest ends the connection while the child does not read.
func closedInMidRequest(ctx context.Context, w *worker) error {
	var wg sync.WaitGroup
	var slow, big error
	began := make(chan struct{})
	wg.Go(func() { slow = w.do(ctx, "hold", 0, 10, func(port.Log) { close(began) }) })
	select {
	case <-began:
	case <-w.p.Done():
	}
	syscall.Kill(-w.p.Pid(), syscall.SIGSTOP)
	wg.Go(func() { big = w.do(ctx, "echo", 0, pipeful, nil) })
	pause(ctx, time.Duration(rand.IntN(3))*time.Millisecond)
	w.p.Conn().Close()
	w.p.Kill() // a stopped child notices nothing
	wg.Wait()
	ended := func(e *port.ExitError) bool { return errors.Is(e.Err, port.ErrClosed) }
	return errors.Join(wantExit(slow, ended), wantExit(big, ended))
}

// bothPipesFull keeps the reader of one side busy while both have much to write.
func bothPipesFull(ctx context.Context, w *worker) error {
	var once sync.Once
	return w.together(4, func() error {
		return w.do(ctx, "flood", 3000, pipeful, func(port.Log) {
			once.Do(func() { pause(ctx, 30*time.Millisecond) })
		})
	})
}

func cancelled(ctx context.Context, w *worker) error {
	return w.together(4, func() error {
		soon, cancel := context.WithCancel(ctx)
		defer cancel()
		timer := time.AfterFunc(time.Duration(rand.IntN(1000))*time.Microsecond, cancel)
		defer timer.Stop()
		if err := w.do(soon, "echo", 0, randomSize(), nil); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

func lateReply(ctx context.Context, w *worker) error {
	soon, cancel := context.WithCancel(ctx)
	defer cancel()
	before := w.p.Conn().Stats().Late
	if err := w.do(soon, "hold", 0, randomSize(), func(port.Log) { cancel() }); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("not cancelled: %w", orNothing(err))
	}
	// The cancel goes out some time after the call has returned.
	for range 1000 {
		if w.p.Conn().Stats().Late > before {
			return nil
		}
		if err := w.do(ctx, "echo", 0, 10, nil); err != nil {
			return err
		}
	}
	return errors.New("the late reply was not counted")
}

func freezeAndThaw(ctx context.Context, w *worker) error {
	pid := w.p.Pid()
	if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("freezing: %w", err)
	}
	thaw := time.AfterFunc(5*time.Millisecond, func() { syscall.Kill(-pid, syscall.SIGCONT) })
	defer thaw.Stop()
	return w.together(4, func() error { return w.do(ctx, "echo", 0, randomSize(), nil) })
}

// parentKilled kills a program that owns a child, which has to be gone after a second.
func parentKilled(ctx context.Context, w *worker, freeze bool) error {
	c, pid, err := parent(w.run)
	if err != nil {
		return err
	}
	if freeze {
		syscall.Kill(-pid, syscall.SIGSTOP)
		c.Process.Signal(syscall.SIGSTOP)
	}
	c.Process.Kill()
	killed := time.Now()
	c.Wait()
	for alive(pid) {
		if time.Since(killed) > w.orphanBound {
			syscall.Kill(pid, syscall.SIGKILL)
			return fmt.Errorf("an orphan after %v", w.orphanBound)
		}
		pause(ctx, time.Millisecond)
	}
	return nil
}

// restartStorm supervises a child that ends at once when restarted.
func restartStorm(ctx context.Context, w *worker) error {
	starts := 0
	s, err := port.Supervise(ctx, command("peer", w.run), port.SupervisorOptions{
		Restart: port.Restart{Min: time.Millisecond, Max: 2 * time.Millisecond, CrashLimit: 5},
		OnStart: func(p *port.Process) { starts++; p.Kill() },
	})
	if err != nil {
		return wantExit(err, func(e *port.ExitError) bool { return e.Signal == syscall.SIGKILL })
	}
	select {
	case <-s.Done():
	case <-time.After(w.bound):
		s.Stop(ctx)
		return errors.New("a crash loop was not given up")
	}
	if e, ok := errors.AsType[*port.CrashLoopError](s.Err()); !ok || e.Crashes != 5 || starts != 5 {
		return fmt.Errorf("%d starts: %w", starts, orNothing(s.Err()))
	}
	return nil
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
