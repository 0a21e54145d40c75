//go:build linux

package main

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// state is a process's, as /proc shows it: T is stopped.
func state(t *testing.T, pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	return string(stat[bytes.LastIndexByte(stat, ')')+2])
}

// Between two invocations Lambda stops all processes, for as long as it likes, and lets
// them go on when there is an event.
func TestFrozenBetweenInvocations(t *testing.T) {
	p := run(t, build(t), "LAMBDA_TASK_ROOT="+taskRoot(t))
	first := p.invoke(`{"n":0}`)
	processes := []int{p.cmd.Process.Pid, first.Pid}
	for n := range 20 {
		for _, pid := range processes {
			require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		}
		for _, pid := range processes {
			require.Eventually(t, func() bool { return state(t, pid) == "T" }, patience, 1)
		}
		// The event is there when they wake up, or comes later.
		answered := make(chan emulator.Result, 1)
		invoke := func() {
			result, err := p.api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(`{"n":` + strconv.Itoa(n) + `}`)})
			assert.NoError(t, err)
			answered <- result
		}
		if n%2 == 0 {
			go invoke()
		}
		for _, pid := range processes {
			require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
		}
		if n%2 == 1 {
			go invoke()
		}
		result := <-answered
		require.Empty(t, result.FunctionError, "%s", result.Payload)
		require.Contains(t, string(result.Payload), `"pid":`+strconv.Itoa(first.Pid), "it is the same VM")
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.wait(), "%s", p.stderr.String())
}
