package bootstrap

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/port"
)

func TestVMDies(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	f := r.fails(`{"do":"exit"}`, "Runtime.ExitError", "the VM ended with exit status 7")
	assert.NotContains(t, f.ErrorMessage, "last words", "which may be of another invocation")
	assert.Equal(t, []string{}, f.StackTrace)
	r.answers("1", "1")
	require.Len(t, r.vms(), 2)
	assert.NotEqual(t, r.vms()[0].Pid, r.vms()[1].Pid)
	assert.Contains(t, r.logs.String(), "on stdout\n")
	assert.Contains(t, r.logs.String(), "last words\n")
	assert.Contains(t, r.logs.String(), "the VM died: child ended with exit status 7\n")
}

// A VM that dies while nobody needs it costs nobody an invocation.
func TestVMDiesIdle(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	r.answers("1", "1")
	r.awaitServed(1)
	require.NoError(t, syscall.Kill(r.vms()[0].Pid, syscall.SIGKILL))
	// It is replaced without an event that would need it.
	require.Eventually(t, func() bool { return len(r.vms()) == 2 }, roomy, time.Millisecond)
	r.answers("2", "2")
	assert.Len(t, r.vms(), 2)
	assert.Contains(t, r.logs.String(), "the VM died: child ended by signal: killed\n")
}

// Every invocation in flight is answered, none of them twice or never.
func TestVMDiesWithManyInFlight(t *testing.T) {
	const n = 8
	config := fakeConfig(t, "good")
	config.MaxConcurrency = n
	r := startRig(t, emulator.Options{Concurrency: n}, config)
	var invoked sync.WaitGroup
	for range n {
		invoked.Go(func() { r.fails(`{"do":"hang"}`, "Runtime.ExitError", "the VM was ended by signal 9 (killed)") })
	}
	r.logs.awaitCount(t, "hanging", n)
	require.NoError(t, syscall.Kill(r.vms()[0].Pid, syscall.SIGKILL))
	invoked.Wait()
	for range n {
		r.answers("1", "1")
	}
	assert.Len(t, r.vms(), 2)
	r.awaitServed(2 * n)
}

func TestVMDiesTooOften(t *testing.T) {
	r := newRig(t, emulator.Options{}, fakeConfig(t, "good"))
	r.start()
	for range crashLimit {
		r.fails(`{"do":"exit"}`, "Runtime.ExitError", "the VM ended with exit status 7")
	}
	<-r.ended
	r.cancel()
	require.ErrorIs(t, r.err, ErrCrashLoop)
	require.EqualError(t, r.err, "bootstrap: the VM died 5 times within 30s")
	assert.Len(t, r.vms(), crashLimit)
	r.assertNothingLeft()
}

// A VM in whose place none comes up: the invocation was answered, then all ends.
func TestVMNotReplaced(t *testing.T) {
	r := newRig(t, emulator.Options{}, fakeConfig(t, "init once"))
	r.start()
	r.answers("1", "1")
	r.fails(`{"do":"exit"}`, "Runtime.ExitError", "the VM ended with exit status 7")
	<-r.ended
	r.cancel()
	var e *InitError
	require.ErrorAs(t, r.err, &e)
	assert.Equal(t, "Runtime.NoSuchModule", e.Type)
	r.assertNothingLeft()
}

func TestCrashes(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		seconds []int
		want    int // the deaths until it is given up, 0 never
	}{
		{[]int{0, 0, 0, 0, 0}, 5},
		{[]int{0, 7, 14, 21, 30}, 5},
		{[]int{0, 7, 14, 21, 31}, 0},
		{[]int{0, 7, 14, 21, 31, 32}, 6},
		{[]int{0, 10, 20, 30, 40, 50, 60, 70}, 0},
	} {
		t.Run(fmt.Sprint(c.seconds), func(t *testing.T) {
			var all crashes
			gaveUp := 0
			for i, s := range c.seconds {
				if all.add(start.Add(time.Duration(s)*time.Second)) && gaveUp == 0 {
					gaveUp = i + 1
				}
			}
			assert.Equal(t, c.want, gaveUp)
		})
	}
}

func TestDescribeExit(t *testing.T) {
	assert.Equal(t, "the VM ended with exit status 1", describeExit(&port.ExitError{Code: 1}))
	assert.Equal(t, "the VM was ended by signal 9 (killed), likely because it was out of memory",
		describeExit(&port.ExitError{Code: -1, Signal: syscall.SIGKILL}))
	assert.Equal(t, "the VM was ended by signal 9 (killed): "+port.ErrClosed.Error(),
		describeExit(&port.ExitError{Code: -1, Signal: syscall.SIGKILL, Err: port.ErrClosed}), "by the runtime")
	for _, said := range []string{
		`eheap_alloc: Cannot allocate 1073741824 bytes of memory (of type "heap").`,
		`binary_alloc: Cannot reallocate 1073741824 bytes of memory (of type "binary").`,
	} {
		assert.Equal(t, "the VM was ended by signal 6 (aborted), likely because it was out of memory; it last wrote: "+said,
			describe(&port.ExitError{Code: -1, Signal: syscall.SIGABRT, Stderr: []string{said}}))
	}
	assert.Equal(t, "the VM was ended by signal 11 (segmentation fault)", describeExit(&port.ExitError{Code: -1, Signal: syscall.SIGSEGV}))
	assert.Equal(t, "the VM ended with exit status 0: port: connection closed; it last wrote: 2\n3\n4\n5\n6",
		describe(&port.ExitError{Stderr: []string{"1", "2", "3", "4", "5", "6"}, Err: port.ErrClosed}))
}
