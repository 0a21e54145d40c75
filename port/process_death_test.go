//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// Nobody's OnOutput keeps a call waiting whose child is dead, nor Done for ever.
func TestDeathIsReportedPastAnOutputThatHangs(t *testing.T) {
	release := make(chan struct{})
	returned := make(chan struct{})
	c := childCommand("signal in a call")
	c.OnOutput = func(port.Output, []byte) {
		<-release
		close(returned)
	}
	p := start(t, c)
	_, err := p.Conn().Call(t.Context(), etf.Int(1))
	exit, ok := errors.AsType[*port.ExitError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, []string{"goodbye"}, exit.Stderr)
	require.Equal(t, exit, requireReaped(t, p))
	close(release)
	<-returned
}

// Nor does an OnLog keep Stop.
func TestStopPastALogThatHangs(t *testing.T) {
	t.Parallel() // it waits
	release, logged, failed := make(chan struct{}), make(chan struct{}), make(chan error)
	c := childCommand("answers and exits")
	c.Options.OnLog = func(port.Log) {
		close(logged)
		<-release
	}
	p := start(t, c)
	go func() {
		_, err := p.Conn().Call(context.Background(), etf.Int(1))
		failed <- err
	}()
	<-logged
	require.NoError(t, p.Stop(t.Context()))
	select {
	case <-p.Conn().Done():
		require.FailNow(t, "the log does not hang")
	default:
	}
	close(release)
	<-failed // or answered, if that had been read together with the line
}

// A descendant that holds stdout, stderr and the protocol's pipe does not keep the
// death of the child from those who wait for an answer.
func TestDeathIsReportedPastADescendant(t *testing.T) {
	p := start(t, childCommand("grandchild far away, then deaf"))
	pid, err := p.Conn().Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	number, _ := pid.Int64()
	t.Cleanup(func() { syscall.Kill(int(number), syscall.SIGKILL) })
	failure := make(chan error)
	go func() {
		_, err := p.Conn().Call(context.Background(), etf.Int(2))
		failure <- err
	}()
	eventually(t, func() bool { return p.Conn().Stats().InFlight == 1 })
	killed := time.Now()
	require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGKILL))
	require.ErrorIs(t, <-failure, requireReaped(t, p))
	t.Logf("the call failed and the child was done with %v after the kill", time.Since(killed))
	require.False(t, gone(int(number)))
	require.NoError(t, syscall.Kill(int(number), syscall.SIGKILL))
	requireGone(t, int(number))
}

// hugeLine is one line without an end, of which the last bytes say that all came.
const hugeLine = 100 << 20

// A line of 100 MB on stderr comes in parts and takes no memory to speak of.
func TestHugeLine(t *testing.T) {
	total := 0
	c := childCommand("huge line")
	c.OnOutput = func(s port.Output, line []byte) { total += len(line) }
	p := start(t, c)
	_, err := p.Conn().Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	require.NoError(t, p.Stop(t.Context()))
	exit := requireReaped(t, p)
	require.Equal(t, hugeLine, total)
	require.Len(t, exit.Stderr, 20)
	for _, line := range exit.Stderr {
		require.Len(t, line, 1<<10)
	}
}
