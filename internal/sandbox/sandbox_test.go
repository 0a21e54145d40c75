//go:build linux

package sandbox_test

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/sandbox"
)

const patience = 30 * time.Second

// Whatever session a process goes to, it is stopped and ended with the others; the group
// alone is another matter.
func TestSandbox(t *testing.T) {
	cmd := exec.Command("sh", "-c", "setsid sleep 1000 & sleep 1000 & echo ready; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	s, err := sandbox.Start(cmd)
	require.NoError(t, err)
	defer s.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready", strings.TrimSpace(line))
	for range 3 {
		require.Eventually(t, func() bool { return len(s.Processes()) == 3 }, patience, time.Millisecond)
		s.Freeze()
		require.Len(t, s.Processes(), 3)
		s.Thaw()
	}
	s.KillGroup()
	<-s.Done()
	require.Equal(t, -1, s.Status())
	require.Eventually(t, func() bool { return len(s.Processes()) == 1 }, patience, time.Millisecond, "what has a session of its own")
	s.Close()
	require.Empty(t, s.Processes())
}

func TestStatus(t *testing.T) {
	s, err := sandbox.Start(exec.Command("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.01; done"))
	require.NoError(t, err)
	defer s.Close()
	require.Eventually(t, func() bool { return len(s.Processes()) > 1 }, patience, time.Millisecond, "it is under way")
	s.Terminate()
	<-s.Done()
	require.Equal(t, 7, s.Status())
	_, err = sandbox.Start(exec.Command("/nonexistent"))
	require.Error(t, err)
}
