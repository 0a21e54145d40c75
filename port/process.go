//go:build linux || darwin

package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// lingerTime is how long, once the child has ended, what it left in its pipes
	// may take to be read: a descendant may go on filling them, and OnOutput or
	// OnLog may take for ever.
	lingerTime = time.Second

	// reportTime is how long calls in flight wait to fail for OnOutput to take the
	// child's last lines, which belong to their error.
	reportTime = 20 * time.Millisecond

	// exitTime is how long a child may live on when it has closed its end of the
	// protocol.
	exitTime = time.Second
)

// A Process is a child that speaks the protocol on file descriptors 3 and 4. Its
// methods are safe for concurrent use.
//
// The child has a process group of its own: signals that a terminal sends to the
// parent's do not reach it, and [Process.Kill] reaches what it has started. When it
// ends, however it does, what is left of the group is killed.
// Descendants that have gone to other groups, as the programs do that an emulator
// runs as ports, are beyond reach; they can keep nothing of ours waiting.
//
// When the parent dies, the child reads the end of file 3. On Linux it is killed
// besides. The kernel does that when the thread that started it ends, and Go may
// end threads at any time; so every Process keeps a thread of its own, which is the
// one that waits for the child.
type Process struct {
	command Command
	conn    *Conn
	ready   Ready
	pid     int

	ended    chan struct{} // closed when the child has been reaped
	closed   chan struct{} // closed when the connection has stopped reading
	reported chan struct{} // closed when err is set
	done     chan struct{} // closed when nothing of the child is left

	stderr tail

	mu     sync.Mutex
	gone   bool  // the child is reaped or about to be: its pid is not to be used
	reason error // why it was ended
	err    error
}

// Start starts a program and returns when it has sent its ready frame.
//
// If the child does not do so before ctx ends or the StartTimeout is over
// ([context.DeadlineExceeded]), ends before, or sends something else, it is killed
// and the error is an [*ExitError] that wraps the cause. ctx has no say over
// the child that was started.
func Start(ctx context.Context, c Command) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("port: starting a child: %w", err)
	}
	p := newProcess(c)
	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("port: starting a child: %w", err)
	}
	started := make(chan error)
	go p.live(pipes, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("port: starting a child: %w", err)
	}
	if err := p.awaitReady(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// newProcess returns a Process whose life has not begun.
func newProcess(c Command) *Process {
	return &Process{
		command:  c.withDefaults(),
		ended:    make(chan struct{}),
		closed:   make(chan struct{}),
		reported: make(chan struct{}),
		done:     make(chan struct{}),
	}
}

// awaitReady waits for the ready frame, or ends the child.
func (p *Process) awaitReady(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, p.command.StartTimeout)
	defer cancel()
	ready, err := p.conn.Ready(limited)
	if err == nil {
		p.ready = ready
		return nil
	}
	if limited.Err() != nil {
		p.end(err)
	}
	<-p.conn.Done()
	return p.Err()
}

// live is the child's life, from its start until nothing of it is left.
func (p *Process) live(pipes *pipes, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.Command(p.command.Path, p.command.Args...)
	cmd.Env = p.command.Env
	cmd.Dir = p.command.Dir
	cmd.Stdout = pipes.child[0]
	cmd.Stderr = pipes.child[1]
	cmd.ExtraFiles = pipes.child[2:]
	cmd.SysProcAttr = attributes()
	err := cmd.Start()
	closeAll(pipes.child)
	if err != nil {
		pipes.closeOurs()
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	stdout := startDrain(&pipes.stdout, func(line []byte) { p.command.OnOutput(Stdout, line) })
	stderr := startDrain(&pipes.stderr, func(line []byte) {
		p.stderr.add(line)
		p.command.OnOutput(Stderr, line)
	})
	p.conn = newConn(&pipes.protocol, p.command.Options, p.streamEnded)
	started <- nil

	err = p.reap(cmd)
	close(p.ended)
	pipes.finish()
	enough, stop := context.WithTimeout(context.Background(), lingerTime)
	defer stop()
	p.awaitLastWords(stderr, enough.Done())
	p.mu.Lock()
	p.err = p.exitErrorLocked(cmd.ProcessState, err)
	p.mu.Unlock()
	close(p.reported)
	p.linger(pipes, enough.Done(), stdout.done, stderr.done, p.closed)
	close(p.done)
}

// reap waits for the child's end and, where it can be seen before the kernel
// forgets the child, kills what is left of its group.
func (p *Process) reap(cmd *exec.Cmd) error {
	if awaitExit(p.pid) {
		p.mu.Lock()
		p.signalLocked()
		p.gone = true
		p.mu.Unlock()
	}
	err := cmd.Wait()
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	return err
}

// awaitLastWords waits until what the child has left in the protocol's pipe and in
// stderr is read, which its error may tell of. It does not wait for an OnOutput that
// takes its time.
func (p *Process) awaitLastWords(stderr *draining, enough <-chan struct{}) {
	select {
	case <-p.closed:
	case <-enough:
		return
	}
	busy := time.NewTicker(reportTime)
	defer busy.Stop()
	for {
		select {
		case <-stderr.done:
			return
		case <-enough:
			return
		case <-busy.C:
			if stderr.handing.Load() {
				return
			}
		}
	}
}

// linger waits until all that the child has left is read and handed on, or for
// long enough, and closes the pipes.
func (p *Process) linger(pipes *pipes, enough <-chan struct{}, parts ...<-chan struct{}) {
	defer func() {
		p.conn.shutdown()
		pipes.closeOurs()
	}()
	for _, part := range parts {
		select {
		case <-part:
		case <-enough:
			return
		}
	}
}

// streamEnded is called when the connection has stopped reading. It returns when
// the child is gone, with what calls are to fail with.
func (p *Process) streamEnded(cause error) error {
	var patience time.Duration // for the child to end by itself
	blame := true
	switch {
	case errors.Is(cause, os.ErrClosed): // Stop or linger closed it, and sees to the child
		close(p.closed)
		<-p.reported
		return p.Err()
	case errors.Is(cause, io.EOF), errors.Is(cause, syscall.EPIPE): // what its end looks like from here
		patience, blame = exitTime, false
	case errors.Is(cause, io.ErrUnexpectedEOF), errors.Is(cause, ErrClosed): // what its end follows or goes with
		patience = exitTime
	}
	if blame {
		p.mu.Lock()
		p.blameLocked(cause)
		p.mu.Unlock()
	}
	close(p.closed)
	if !p.waitFor(context.Background(), patience) {
		p.end(cause)
	}
	<-p.reported
	return p.Err()
}

// waitFor waits for the child to be reaped, and reports whether it was, within d
// and before ctx ends.
func (p *Process) waitFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-ctx.Done():
		return false
	case <-timer.C:
		return false
	}
}

// blameLocked records why the child is ended; the first reason counts.
func (p *Process) blameLocked(reason error) {
	if p.reason == nil {
		p.reason = reason
	}
}

// end kills the child and its process group, if it is not gone by itself.
func (p *Process) end(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		p.blameLocked(reason)
		p.signalLocked()
	}
}

// signalLocked kills the child and its process group. The child has not been
// reaped: nobody else has these numbers.
func (p *Process) signalLocked() {
	syscall.Kill(-p.pid, syscall.SIGKILL)
	syscall.Kill(p.pid, syscall.SIGKILL)
}

// exitErrorLocked says how the child ended.
func (p *Process) exitErrorLocked(state *os.ProcessState, err error) *ExitError {
	e := &ExitError{Code: -1, Stderr: p.stderr.last(), Err: p.reason}
	if state == nil {
		e.Err = errors.Join(p.reason, err)
		return e
	}
	e.Code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
	}
	return e
}

// Conn returns the connection to the child. It ends when the child does, and its
// [Conn.Err] is the [*ExitError]. Closing it ends the child, if need be by force.
func (p *Process) Conn() *Conn { return p.conn }

// Pid returns the child's process id. It is that of another process, or none, some
// time after [Process.Done] is closed.
func (p *Process) Pid() int { return p.pid }

// Ready returns the child's first frame.
func (p *Process) Ready() Ready { return p.ready }

// Done returns a channel that is closed when the child has ended and has been
// reaped, and all that it wrote has been given to OnOutput and OnLog. If those have
// not returned a second after the child's end, or if a descendant has been filling its
// pipes all that time, it is closed all the same.
//
// Calls in flight do not wait for this: they fail as soon as the child has been
// reaped and the protocol's pipe is empty.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns nil until the child has ended, and then an [*ExitError]. That is so
// when [Process.Done] is closed, or the [Conn.Done] of its connection.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Kill kills the child and its process group, and does not wait for
// [Process.Done]. It does nothing if the child has ended.
func (p *Process) Kill() error {
	p.end(nil)
	return nil
}

// KillFor is Kill with a reason, which the [*ExitError] wraps: so calls in flight say why
// they failed.
func (p *Process) KillFor(reason error) { p.end(reason) }
