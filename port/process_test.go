//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// requireReaped checks that a child has ended and nothing of it is left.
func requireReaped(t testing.TB, p *port.Process) *port.ExitError {
	t.Helper()
	<-p.Done()
	require.Equal(t, syscall.ESRCH, syscall.Kill(p.Pid(), 0))
	exit, ok := errors.AsType[*port.ExitError](p.Err())
	require.True(t, ok, "%v", p.Err())
	return exit
}

func TestProcess(t *testing.T) {
	p := start(t, childCommand("echo"))
	require.NoError(t, p.Err())
	require.Equal(t, 1, p.Ready().Version)
	require.NoError(t, syscall.Kill(p.Pid(), 0))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			want := etf.Binary(pattern(i*5000, i))
			got, err := p.Conn().Call(t.Context(), want)
			assert.NoError(t, err)
			assert.True(t, etf.Equal(want, got))
		})
	}
	wg.Wait()
	require.NoError(t, p.Stop(t.Context()))
	exit := requireReaped(t, p)
	require.Equal(t, port.ExitError{}, *exit)
	require.Equal(t, "port: child ended with exit status 0", exit.Error())
	_, err := p.Conn().Call(t.Context(), etf.Int(1))
	require.Equal(t, p.Err(), err)
	require.NoError(t, p.Stop(t.Context()))
	require.NoError(t, p.Kill())
}

func TestStartFails(t *testing.T) {
	t.Run("no such program", func(t *testing.T) {
		_, err := port.Start(t.Context(), port.Command{Path: "/nonexistent/program"})
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = port.Start(t.Context(), port.Command{Path: "no-such-program-anywhere"})
		require.ErrorIs(t, err, exec.ErrNotFound)
	})
	t.Run("the context has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := port.Start(ctx, childCommand("echo"))
		require.ErrorIs(t, err, context.Canceled)
	})

	short := 100 * time.Millisecond
	tests := map[string]struct {
		timeout time.Duration
		want    func(t *testing.T, exit *port.ExitError)
	}{
		"exit at start": {0, func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, 7, exit.Code)
			require.Zero(t, exit.Signal)
			require.NoError(t, exit.Err)
			require.Len(t, exit.Stderr, 20)
			require.Equal(t, "line 11", exit.Stderr[0])
			require.Equal(t, "line 29", exit.Stderr[18])
			require.Len(t, exit.Stderr[19], 1024)
			require.NotContains(t, exit.Error(), "line")
		}},
		"signal at start": {0, func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, -1, exit.Code)
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			require.NoError(t, exit.Err)
			require.Equal(t, []string{"goodbye"}, exit.Stderr)
		}},
		"never ready": {short, func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			require.ErrorIs(t, exit, context.DeadlineExceeded)
		}},
		"another version": {0, func(t *testing.T, exit *port.ExitError) {
			version, ok := errors.AsType[*port.VersionError](exit)
			require.True(t, ok, "%v", exit)
			require.EqualValues(t, 9, version.Version)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := childCommand(name)
			c.StartTimeout = tt.timeout
			p, err := port.Start(t.Context(), c)
			require.Nil(t, p)
			exit, ok := errors.AsType[*port.ExitError](err)
			require.True(t, ok, "%v", err)
			tt.want(t, exit)
			requireNoChildren(t)
		})
	}
	t.Run("the context ends", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		defer cancel()
		_, err := port.Start(ctx, childCommand("never ready"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		requireNoChildren(t)
	})
}

// requireNoChildren checks that no child is left, not even as a zombie.
func requireNoChildren(t testing.TB) {
	t.Helper()
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	require.Equal(t, syscall.ECHILD, err, "child %d is left", pid)
}

func TestChildFailsInACall(t *testing.T) {
	tests := map[string]func(t *testing.T, exit *port.ExitError){
		"exit in a call": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, port.ExitError{Code: 42}, *exit)
		},
		"signal in a call": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, port.ExitError{Code: -1, Signal: syscall.SIGKILL, Stderr: []string{"goodbye"}}, *exit)
			require.Equal(t, "port: child ended by signal: killed", exit.Error())
		},
		"half a frame": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, 3, exit.Code)
			require.ErrorIs(t, exit, io.ErrUnexpectedEOF)
		},
		"oversize header": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			tooLong, ok := errors.AsType[*port.PacketSizeError](exit)
			require.True(t, ok, "%v", exit)
			require.Equal(t, uint64(1<<31), tooLong.Size)
		},
		"garbage": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			_, ok := errors.AsType[*port.ProtocolError](exit)
			require.True(t, ok, "%v", exit)
		},
		"closes its output": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			require.ErrorIs(t, exit, io.EOF)
		},
		"closes its input": func(t *testing.T, exit *port.ExitError) {
			require.Equal(t, syscall.SIGKILL, exit.Signal)
			require.ErrorIs(t, exit, syscall.EPIPE)
		},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, childCommand(name))
			failures := make(chan error)
			for i := range 10 {
				go func() {
					_, err := p.Conn().Call(context.Background(), etf.Int(int64(i)))
					failures <- err
				}()
			}
			exit := requireReaped(t, p)
			want(t, exit)
			for range 10 {
				err := <-failures
				require.ErrorIs(t, err, exit)
			}
			<-p.Conn().Done()
			require.Equal(t, p.Err(), p.Conn().Err())
			require.Equal(t, exit, p.Stop(t.Context()))
		})
	}
}

func TestWrongIDsFromAChild(t *testing.T) {
	p := start(t, childCommand("wrong ids"))
	for i := range 3 {
		got, err := p.Conn().Call(t.Context(), etf.Int(int64(i)))
		require.NoError(t, err)
		require.True(t, etf.Equal(etf.Int(int64(i)), got))
	}
	eventually(t, func() bool { return p.Conn().Stats().Unknown == 6 })
}

// output collects what a child prints.
type output struct {
	mu      sync.Mutex
	lines   map[port.Output][]string
	longest int
}

func (o *output) add(s port.Output, line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lines == nil {
		o.lines = make(map[port.Output][]string)
	}
	o.longest = max(o.longest, len(line))
	o.lines[s] = append(o.lines[s], string(line))
}

func TestNoise(t *testing.T) {
	var out output
	c := childCommand("noisy")
	c.OnOutput = out.add
	p := start(t, c)
	for range 2 {
		_, err := p.Conn().Call(t.Context(), etf.Int(1))
		require.NoError(t, err)
	}
	require.NoError(t, p.Stop(t.Context()))
	requireReaped(t, p)
	require.Equal(t, 64<<10, out.longest)

	const parts = longLine / (64 << 10)
	stdout, stderr := out.lines[port.Stdout], out.lines[port.Stderr]
	require.Len(t, stdout, 1+2*(parts+2))
	require.Equal(t, "before ready", stdout[0])
	require.Equal(t, strings.Repeat("o", longLine), strings.Join(stdout[1:1+parts], ""))
	require.Equal(t, []string{"", "out"}, stdout[1+parts:3+parts])
	require.Len(t, stderr, 2*(parts+1))
	require.Equal(t, strings.Repeat("e", longLine), strings.Join(stderr[:parts], ""))
	require.Equal(t, "err", stderr[parts])

	exit := requireReaped(t, p)
	require.Len(t, exit.Stderr, 20)
	require.Equal(t, "err", exit.Stderr[19])
	require.Equal(t, strings.Repeat("e", 1024), exit.Stderr[18])
}

func TestEverythingIsReadWhenTheChildHasEnded(t *testing.T) {
	var out output
	c := childCommand("answers and exits")
	c.OnOutput = out.add
	p := start(t, c)
	want := etf.Binary(pattern(900_000, 1))
	var lines []port.Log
	reply, err := p.Conn().Do(t.Context(), port.Request{Term: want, OnLog: func(l port.Log) { lines = append(lines, l) }})
	require.NoError(t, err)
	got, err := reply.Term()
	require.NoError(t, err)
	require.True(t, etf.Equal(want, got))
	require.Len(t, lines, 1)
	require.Equal(t, port.ExitError{}, *requireReaped(t, p))
	require.Equal(t, []string{"the end"}, out.lines[port.Stdout])
}

func TestCommand(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "port")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	c := childCommand("environment")
	c.Env = append(c.Env, "COLOUR=blue")
	c.Args = []string{"-x", "a b"}
	c.Dir = dir
	p := start(t, c)
	got, err := p.Conn().Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	home, _ := got.At(0).Text()
	require.True(t, strings.HasSuffix(home, dir), home)
	colour, _ := got.At(1).Text()
	require.Equal(t, "blue", colour)
	args, _ := got.At(2).Text()
	require.Equal(t, "-x|a b", args)
	// It has inherited nothing of ours.
	for fd := range 5 {
		number, _ := got.At(3).At(fd).Int64()
		require.EqualValues(t, fd, number)
	}
}

func TestStop(t *testing.T) {
	short := 50 * time.Millisecond
	t.Run("by the end of input", func(t *testing.T) {
		t.Parallel() // it waits for the first timeout
		c := childCommand("ignores stop")
		c.StopTimeout = 2 * time.Second
		p := start(t, c)
		require.NoError(t, p.Stop(t.Context()))
		require.Equal(t, port.ExitError{}, *requireReaped(t, p))
	})
	t.Run("by force", func(t *testing.T) {
		c := childCommand("ignores everything")
		c.StopTimeout = short
		p := start(t, c)
		err := p.Stop(t.Context())
		exit := requireReaped(t, p)
		require.Equal(t, exit, err)
		require.Equal(t, syscall.SIGKILL, exit.Signal)
		require.ErrorContains(t, err, "did not stop in time")
	})
	t.Run("by the context", func(t *testing.T) {
		p := start(t, childCommand("ignores everything"))
		ctx, cancel := context.WithTimeout(t.Context(), short)
		defer cancel()
		err := p.Stop(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, syscall.SIGKILL, requireReaped(t, p).Signal)
	})
	t.Run("a child that is stopped by a signal", func(t *testing.T) {
		c := childCommand("echo")
		c.StopTimeout = short
		p := start(t, c)
		require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGSTOP))
		require.Error(t, p.Stop(t.Context()))
		require.Equal(t, syscall.SIGKILL, requireReaped(t, p).Signal)
	})
	t.Run("while the pipe is full", func(t *testing.T) {
		c := childCommand("reads nothing")
		c.StopTimeout = short
		p := start(t, c)
		failures := make(chan error)
		for range 3 {
			go func() {
				_, err := p.Conn().Call(context.Background(), etf.Binary(make([]byte, 4<<20)))
				failures <- err
			}()
		}
		eventually(t, func() bool { return p.Conn().Stats().InFlight == 3 })
		require.Error(t, p.Stop(t.Context()))
		exit := requireReaped(t, p)
		for range 3 {
			require.ErrorIs(t, <-failures, exit)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		p := start(t, childCommand("echo"))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.NoError(t, p.Stop(t.Context())) })
		}
		wg.Wait()
		requireReaped(t, p)
	})
	t.Run("by closing the connection", func(t *testing.T) {
		p := start(t, childCommand("echo"))
		p.Conn().Close()
		exit := requireReaped(t, p)
		require.Zero(t, exit.Code)
		require.ErrorIs(t, exit, port.ErrClosed)
		<-p.Conn().Done()
		require.Equal(t, p.Err(), p.Conn().Err())
	})
}

func TestKill(t *testing.T) {
	p := start(t, childCommand("ignores everything"))
	failure := make(chan error)
	go func() {
		_, err := p.Conn().Call(context.Background(), etf.Int(1))
		failure <- err
	}()
	require.NoError(t, p.Kill())
	exit := requireReaped(t, p)
	require.Equal(t, port.ExitError{Code: -1, Signal: syscall.SIGKILL}, *exit)
	require.ErrorIs(t, <-failure, exit)
	require.NoError(t, p.Kill())
}

// Calls in flight learn why the child was killed; of two reasons the first counts.
func TestKillFor(t *testing.T) {
	p := start(t, childCommand("ignores everything"))
	failure := make(chan error)
	go func() {
		_, err := p.Conn().Call(context.Background(), etf.Int(1))
		failure <- err
	}()
	reason := errors.New("it is late")
	p.KillFor(reason)
	p.KillFor(errors.New("it is later"))
	exit := requireReaped(t, p)
	require.Equal(t, port.ExitError{Code: -1, Signal: syscall.SIGKILL, Err: reason}, *exit)
	require.ErrorIs(t, <-failure, reason)
	require.EqualError(t, p.Err(), "port: child ended by signal: killed: it is late")
}

func TestGrandchildren(t *testing.T) {
	sleeper := func(t *testing.T, p *port.Process) int {
		pid, err := p.Conn().Call(t.Context(), etf.Int(1))
		require.NoError(t, err)
		number, ok := pid.Int64()
		require.True(t, ok)
		endIfFailed(t, int(number))
		return int(number)
	}
	t.Run("in the child's group die with it", func(t *testing.T) {
		t.Parallel()
		p := start(t, childCommand("grandchild"))
		pid := sleeper(t, p)
		require.Zero(t, requireReaped(t, p).Code)
		requireGone(t, pid)
	})
	t.Run("elsewhere keep nothing waiting", func(t *testing.T) {
		t.Parallel()
		p := start(t, childCommand("grandchild far away"))
		pid := sleeper(t, p)
		require.Zero(t, requireReaped(t, p).Code)
		<-p.Conn().Done()
		require.False(t, gone(pid))
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		requireGone(t, pid)
	})
}

func TestNothingIsLeft(t *testing.T) {
	descriptors := func() int {
		entries, err := os.ReadDir("/dev/fd")
		require.NoError(t, err)
		return len(entries)
	}
	run := func() {
		for _, name := range []string{"echo", "exit in a call", "exit at start", "garbage"} {
			p, err := port.Start(t.Context(), childCommand(name))
			if err != nil {
				continue
			}
			p.Conn().Call(t.Context(), etf.Int(1))
			p.Stop(t.Context())
			requireReaped(t, p)
		}
		_, err := port.Start(t.Context(), port.Command{Path: "/nonexistent/program"})
		require.Error(t, err)
	}
	run()
	before := descriptors()
	for range 5 {
		run()
	}
	require.Equal(t, before, descriptors())
	requireNoChildren(t)
}
