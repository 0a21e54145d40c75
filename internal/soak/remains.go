//go:build linux

package soak

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runVariable is in the environment of whatever a run starts, and of what that
// starts in turn, with a value of the run's own: so every process of a run is found,
// whatever its parent and its group have become.
const runVariable = "BEAMPORT_SOAK_RUN"

// Remains is what a program holds, or has more of than before.
type Remains struct {
	FDs        int `json:"fds"`
	Goroutines int `json:"goroutines"`
	Threads    int `json:"threads"`
	Processes  int `json:"processes"`
	Heap       int `json:"heap_bytes"`
}

// The runtime makes threads as it needs them and keeps them, and some heap as well: so
// much more than at the start is no leak, however long the run.
const (
	spareThreads = 64
	spareHeap    = 32 << 20
)

// remains counts what there is now. Processes are those of a run, and zombies that
// are children of this process.
func remains(run string) (Remains, error) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return Remains{}, fmt.Errorf("soak: counting file descriptors: %w", err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return Remains{}, fmt.Errorf("soak: counting threads: %w", err)
	}
	pids, err := processes(run)
	return Remains{FDs: len(fds), Goroutines: runtime.NumGoroutine(), Threads: len(threads), Processes: len(pids)}, err
}

// heap is what is in use of it.
func heap() int {
	runtime.GC()
	runtime.GC() // pools are emptied by two
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int(memory.HeapAlloc)
}

// processes returns the pids of a run's processes and of our zombies.
func processes(run string) ([]int, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("soak: listing processes: %w", err)
	}
	mark := []byte(runVariable + "=" + run)
	self := strconv.Itoa(os.Getpid())
	var found []int
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, _ := os.ReadFile(dir + "/environ") // unreadable: gone, or somebody else's
		ours := false
		for variable := range bytes.SplitSeq(environ, []byte{0}) {
			ours = ours || bytes.Equal(variable, mark)
		}
		state, parent := stateOf(pid)
		if ours && state != "Z" || state == "Z" && parent == self {
			found = append(found, pid)
		}
	}
	return found, nil
}

// stateOf returns a process's state and its parent's pid; they are empty if there is
// none.
func stateOf(pid int) (state, parent string) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", ""
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return "", ""
	}
	return fields[0], fields[1]
}

// gone reports whether a process has ended; one that nobody has reaped has.
func gone(pid int) bool {
	state, _ := stateOf(pid)
	return state == "" || state == "Z" || state == "X"
}

// within looks again and again until the condition holds, and returns false if it
// does not by the end of the bound or of ctx.
func within(ctx context.Context, bound time.Duration, condition func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if condition() {
			return true
		}
		select {
		case <-ctx.Done():
			return condition()
		case <-time.After(pause):
		}
	}
}

// leaked waits until no more is left than there was before, and returns by how much
// it is more at the end of the bound. It ends the processes that it counts.
func leaked(ctx context.Context, run string, before Remains, bound time.Duration) (Remains, error) {
	var (
		more Remains
		err  error
	)
	within(ctx, bound, func() bool {
		var now Remains
		if now, err = remains(run); err != nil {
			return true
		}
		more = Remains{
			FDs:        max(0, now.FDs-before.FDs),
			Goroutines: max(0, now.Goroutines-before.Goroutines),
			Threads:    max(0, now.Threads-before.Threads-spareThreads),
			Processes:  max(0, now.Processes-before.Processes),
		}
		return more == Remains{}
	})
	more.Heap = max(0, heap()-before.Heap-spareHeap)
	if more.Processes > 0 {
		endAll(run)
	}
	return more, err
}

// endAll kills what is left of a run.
func endAll(run string) {
	pids, err := processes(run)
	if err != nil {
		return
	}
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}
