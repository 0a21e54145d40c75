package main

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/affinity"
)

// A function that pays for one processor has the runtime and its VM on one, a VM that
// takes another's place too, and it gives them all where it is told to.
func TestProcessors(t *testing.T) {
	all, err := affinity.Of(0)
	require.NoError(t, err)
	if all.Len() < 2 {
		t.Skip("there is one processor")
	}
	path, root := build(t), taskRoot(t)
	for name, c := range map[string]struct {
		environ []string
		want    int
	}{
		"one processor's worth": {[]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769"}, 1},
		"more":                  {[]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1770"}, all.Len()},
		"not known":             {nil, all.Len()},
		"all":                   {[]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "BEAMPORT_PROCESSORS=all"}, all.Len()},
		"one":                   {[]string{"BEAMPORT_PROCESSORS=one"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, path, append(c.environ, "LAMBDA_TASK_ROOT="+root)...)
			vm := p.invoke(`{}`).Pid
			assertProcessors(t, c.want, p.cmd.Process.Pid)
			assertProcessors(t, c.want, vm)

			require.NoError(t, syscall.Kill(vm, syscall.SIGKILL))
			assertGone(t, vm)
			vm = p.invoke(`{}`).Pid
			assertProcessors(t, c.want, p.cmd.Process.Pid)
			assertProcessors(t, c.want, vm)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
			assert.Equal(t, 0, p.wait(), "%s", p.stderr.String())
			assert.NotContains(t, p.stderr.String(), "processors")
		})
	}
}

// assertProcessors checks how many processors each thread of a process may run on.
func assertProcessors(t *testing.T, want, pid int) {
	t.Helper()
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	require.NoError(t, err)
	require.NotEmpty(t, threads)
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		require.NoError(t, err)
		got, err := affinity.Of(id)
		require.NoError(t, err)
		assert.Equal(t, want, got.Len(), "thread %d of %d", id, pid)
	}
}
