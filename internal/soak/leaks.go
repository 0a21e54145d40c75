//go:build linux

package soak

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// measure counts what this process holds and the processes that carry run's mark.
func measure(run string) (Footprint, error) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return Footprint{}, fmt.Errorf("soak: counting file descriptors: %w", err)
	}
	f := Footprint{FDs: len(fds), Goroutines: runtime.NumGoroutine()}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return f, fmt.Errorf("soak: listing processes: %w", err)
	}
	mark := []byte(RunVariable + "=" + run + "\x00")
	self := []byte(strconv.Itoa(os.Getpid()))
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		// After the name, which may hold anything: state, parent.
		fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		if len(fields) > 1 && fields[0][0] == 'Z' {
			if bytes.Equal(fields[1], self) {
				f.Processes++ // a zombie has no environment
			}
			continue
		}
		env, err := os.ReadFile(filepath.Join(filepath.Dir(stat), "environ"))
		if err == nil && bytes.Contains(env, mark) && filepath.Dir(stat) != "/proc/"+string(self) {
			f.Processes++
		}
	}
	return f, nil
}

// settle waits until nothing is held beyond base, at most for bound, and returns what
// is still held beyond it.
func settle(run string, base Footprint, bound time.Duration) (Footprint, error) {
	for end := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		now, err := measure(run)
		if err != nil {
			return Footprint{}, err
		}
		over := Footprint{
			FDs:        max(0, now.FDs-base.FDs),
			Goroutines: max(0, now.Goroutines-base.Goroutines),
			Processes:  max(0, now.Processes-base.Processes),
		}
		if over == (Footprint{}) || time.Now().After(end) {
			return over, nil
		}
	}
}
