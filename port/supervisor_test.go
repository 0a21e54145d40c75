//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

var restarts = flag.Int("restarts", 200, "how many times TestRestarts has a child killed")

// eager restarts at once and without end.
var eager = port.Restart{Min: time.Millisecond, Max: time.Millisecond, CrashLimit: -1}

func supervise(t testing.TB, c port.Command, o port.SupervisorOptions) *port.Supervisor {
	t.Helper()
	s, err := port.Supervise(t.Context(), c, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Stop(context.Background())
		<-s.Done()
	})
	return s
}

func TestSupervise(t *testing.T) {
	starts, exits := make(chan *port.Process, 2), make(chan error, 2)
	s := supervise(t, childCommand("echo"), port.SupervisorOptions{
		OnStart: func(p *port.Process) { starts <- p },
		OnExit:  func(_ *port.Process, err error) { exits <- err },
	})
	first := <-starts
	require.Same(t, first, s.Process())
	got, err := s.Call(t.Context(), etf.Int(7))
	require.NoError(t, err)
	require.True(t, etf.Equal(etf.Int(7), got))

	require.NoError(t, syscall.Kill(first.Pid(), syscall.SIGKILL))
	require.ErrorIs(t, <-exits, first.Err())
	_, err = s.Do(t.Context(), port.Request{Term: etf.Int(8)})
	require.NoError(t, err)
	require.NoError(t, s.Cast(t.Context(), etf.Int(9)))
	require.NoError(t, s.Stop(t.Context()))
	<-s.Done()
	require.ErrorIs(t, s.Err(), port.ErrClosed)
	require.Nil(t, s.Process())
	_, err = s.Call(t.Context(), etf.Int(1))
	require.ErrorIs(t, err, port.ErrClosed)
	stats := s.Stats()
	require.Equal(t, uint64(2), stats.Starts)
	require.Equal(t, uint64(1), stats.Restarts)
	require.Equal(t, uint64(1), stats.Crashes)
	require.Equal(t, uint64(2), stats.Conn.Calls)
	require.NoError(t, s.Stop(t.Context()))
	requireNoChildren(t)
}

func TestSuperviseFailsAtTheFirstStart(t *testing.T) {
	_, err := port.Supervise(t.Context(), port.Command{Path: "/nonexistent/program"}, port.SupervisorOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = port.Supervise(t.Context(), childCommand("exit at start"), port.SupervisorOptions{})
	exit, ok := errors.AsType[*port.ExitError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 7, exit.Code)
}

// A call in flight fails once with its child's error, and no other child sees it.
func TestSupervisorNeverResends(t *testing.T) {
	s := supervise(t, childCommand("exit in a call"), port.SupervisorOptions{Restart: eager})
	for i := range 3 {
		_, err := s.Call(t.Context(), etf.Int(1))
		exit, ok := errors.AsType[*port.ExitError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, 42, exit.Code)
		eventually(t, func() bool { return s.Stats().Restarts == uint64(i+1) && s.Process() != nil })
	}
	require.Equal(t, uint64(3), s.Stats().Conn.Calls)
}

// What was under way on children that are gone is not.
func TestSupervisorCountsTheLivingOnly(t *testing.T) {
	c := childCommand("reads nothing")
	c.StopTimeout = time.Millisecond
	c.Options.MaxInFlight = 3
	s := supervise(t, c, port.SupervisorOptions{Restart: eager})
	for range 10 {
		var p *port.Process
		eventually(t, func() bool { p = s.Process(); return p != nil })
		ended := make(chan error)
		for range 3 {
			go func() {
				_, err := s.Call(t.Context(), etf.Int(1))
				ended <- err
			}()
		}
		eventually(t, func() bool { return p.Conn().Stats().InFlight == 3 })
		require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGKILL))
		for range 3 {
			require.Error(t, <-ended)
		}
	}
	eventually(t, func() bool { return s.Stats().Restarts == 10 })
	require.Equal(t, port.Stats{Calls: 30}, s.Stats().Conn)
}

// A call that waits for room when its child ends has not been sent, and goes to the next
// one.
func TestSupervisorSendsWhatWaited(t *testing.T) {
	c := childCommand("exit in a call")
	c.Options.MaxInFlight = 1
	s := supervise(t, c, port.SupervisorOptions{Restart: eager})
	const calls = 10
	ended := make(chan error)
	for range calls {
		go func() {
			_, err := s.Call(t.Context(), etf.Int(1))
			ended <- err
		}()
	}
	for range calls {
		err := <-ended
		exit, ok := errors.AsType[*port.ExitError](err)
		require.True(t, ok, "%v", err)
		require.NotEqual(t, error(exit), err, "it was sent: the error has its id")
	}
	eventually(t, func() bool { return s.Stats().Crashes == calls })
	require.Equal(t, port.Stats{Calls: calls}, s.Stats().Conn)
}

// A program that is gone is a crash like others.
func TestSupervisorCannotRestart(t *testing.T) {
	c := childCommand("exit in a call")
	program := t.TempDir() + "/child"
	require.NoError(t, os.Symlink(os.Args[0], program))
	c.Path = program
	s := supervise(t, c, port.SupervisorOptions{Restart: port.Restart{Min: time.Millisecond, CrashLimit: 3}})
	require.NoError(t, os.Remove(program))
	_, err := s.Call(t.Context(), etf.Int(1))
	require.Error(t, err)
	_, err = s.Call(t.Context(), etf.Int(1)) // waits, and is told
	loop, ok := errors.AsType[*port.CrashLoopError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 3, loop.Crashes)
	require.ErrorIs(t, loop, os.ErrNotExist)
	<-s.Done()
	require.Equal(t, loop, s.Err())
	require.NoError(t, s.Stop(t.Context()))
}

// TestRestarts kills the child again and again: nothing may grow.
func TestRestarts(t *testing.T) {
	s := supervise(t, childCommand("echo"), port.SupervisorOptions{Restart: eager})
	var slowestReport, slowestServe, sum time.Duration
	late := 0
	once := func() {
		p := s.Process()
		failed := make(chan struct{})
		killed := time.Now()
		go func() {
			<-p.Conn().Done()
			close(failed)
		}()
		require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGKILL))
		<-failed
		report := time.Since(killed)
		slowestReport = max(slowestReport, report)
		if report > 50*time.Millisecond {
			late++
		}
		_, err := s.Call(t.Context(), etf.Int(1))
		require.NoError(t, err)
		slowestServe = max(slowestServe, time.Since(killed))
		sum += time.Since(killed)
		<-p.Done()
	}
	measure := func() (fds, goroutines int, heap uint64) {
		entries, err := os.ReadDir("/dev/fd")
		require.NoError(t, err)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return len(entries), runtime.NumGoroutine(), m.HeapAlloc
	}
	for range 20 {
		once()
	}
	fds, goroutines, heap := measure()
	for range *restarts {
		once()
	}
	eventually(t, func() bool {
		f, g, _ := measure()
		return f <= fds+2 && g <= goroutines+5 // some are those that look
	})
	f, g, h := measure()
	t.Logf("%d restarts: death reported within %v, %d times later than 50 ms, served again within %v, %v on average; %d to %d descriptors, %d to %d goroutines, %d to %d KiB of heap",
		*restarts, slowestReport, late, slowestServe, sum/time.Duration(*restarts+20), fds, f, goroutines, g, heap>>10, h>>10)
	require.Less(t, h, heap+1<<20)
	require.NoError(t, s.Stop(t.Context()))
	requireNoChildren(t)
}
