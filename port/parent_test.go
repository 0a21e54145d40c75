//go:build linux || darwin

package port_test

import (
	"bufio"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var parents = flag.Int("parents", 10, "how many times TestParentsKilled kills one")

// When the parent is killed, no child outlives it: not one that heeds the end of
// its input, nor, where the kernel sees to it, one that heeds nothing.
func TestParentKilled(t *testing.T) {
	names := []string{"echo", "erl"}
	if pdeathsig {
		names = append(names, "ignores everything")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killParent(t, name)
		})
	}
}

// Each time anew, whatever the child does at that moment.
func TestParentsKilled(t *testing.T) {
	if !pdeathsig {
		t.Skip("the kernel does not see to it")
	}
	for range *parents {
		killParent(t, "ignores everything")
	}
	t.Logf("%d parents killed, no orphan", *parents)
}

// killParent kills a parent whose child is up and requires the child's end.
func killParent(t *testing.T, name string) {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), childVariable+"=parent of "+name)
	parent.Stderr = os.Stderr
	stdout, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	endIfFailed(t, pid)
	require.False(t, gone(pid))
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	requireGone(t, pid)
}
