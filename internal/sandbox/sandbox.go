//go:build linux

// Package sandbox runs a program as Lambda does: in tests, it stops all of its processes,
// lets them go on, and ends them.
package sandbox

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// variable marks what belongs to a sandbox. Processes inherit it, whatever groups and
// sessions they go to and whoever becomes their parent.
const variable = "BEAMPORT_SANDBOX"

// pause is how long it takes until the processes are looked at again.
const pause = time.Millisecond

// A Sandbox is a program and all that comes from it.
type Sandbox struct {
	cmd    *exec.Cmd
	marker []byte
	done   chan struct{} // closed when the program has been waited for
}

// Start starts a command in a process group of its own.
func Start(cmd *exec.Cmd) (*Sandbox, error) {
	marker := variable + "=" + rand.Text()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, marker)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Sandbox{cmd: cmd, marker: []byte(marker), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = cmd.Wait() // Status says it
	}()
	return s, nil
}

// Pid returns the program's process id, which is also its group's.
func (s *Sandbox) Pid() int { return s.cmd.Process.Pid }

// Done returns a channel that is closed when the program has ended.
func (s *Sandbox) Done() <-chan struct{} { return s.done }

// Status returns the program's exit status, -1 if a signal has ended it, after Done.
func (s *Sandbox) Status() int { return s.cmd.ProcessState.ExitCode() }

// Processes returns the processes that are there, without those that only wait to be
// reaped.
func (s *Sandbox) Processes() []int {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		panic("sandbox: " + err.Error()) // the pattern is a good one
	}
	var pids []int
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(entry []byte) bool {
			return bytes.Equal(entry, s.marker)
		}) {
			continue // it has ended, is another user's or is not ours
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Freeze stops all processes, and returns when they have stopped. It looks twice: in the
// midst of an exec a process is not seen.
func (s *Sandbox) Freeze() {
	for seen := 0; seen < 2; seen++ {
		running := 0
		for _, pid := range s.Processes() {
			if !stopped(pid) {
				running++
				syscall.Kill(pid, syscall.SIGSTOP)
			}
		}
		if running > 0 {
			seen = -1
		}
		time.Sleep(pause)
	}
}

// stopped says whether a process, in all its threads, is stopped or gone.
func stopped(pid int) bool {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything.
		if state := stat[bytes.LastIndexByte(stat, ')')+2]; state != 'T' && state != 'Z' && state != 'X' {
			return false
		}
	}
	return true
}

// Thaw lets all processes go on.
func (s *Sandbox) Thaw() { s.signal(syscall.SIGCONT) }

// Terminate sends the program SIGTERM, which Lambda does before it kills a sandbox in
// which an extension is registered.
func (s *Sandbox) Terminate() { syscall.Kill(s.Pid(), syscall.SIGTERM) }

// KillGroup kills the program's process group, and nothing else, as the emulator of AWS
// does after a timeout.
func (s *Sandbox) KillGroup() { syscall.Kill(-s.Pid(), syscall.SIGKILL) }

// Close kills all processes, and returns when they are gone.
func (s *Sandbox) Close() {
	for {
		s.signal(syscall.SIGKILL)
		if len(s.Processes()) == 0 {
			break
		}
		time.Sleep(pause)
	}
	<-s.done
}

func (s *Sandbox) signal(signal syscall.Signal) {
	for _, pid := range s.Processes() {
		syscall.Kill(pid, signal)
	}
}
