//go:build linux || darwin

package port_test

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A poor listener fails with err while it has one, and otherwise takes what comes.
type poor struct {
	net.Listener // nil
	come         chan net.Conn
	closed       chan struct{}
	close        func()

	mu       sync.Mutex
	err      error
	failures int
}

func newPoor() *poor {
	p := &poor{come: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *poor) Accept() (net.Conn, error) {
	if err := p.fail(); err != nil {
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", err)}
	}
	select {
	case c := <-p.come:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *poor) fail() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		p.failures++
	}
	return p.err
}

// become sets what Accept fails with and returns how often it has.
func (p *poor) become(err error) (failures int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	return p.failures
}

func (p *poor) Close() error                { p.close(); return nil }
func (p *poor) SetDeadline(time.Time) error { return nil }

// Want of descriptors ends neither a server nor its connections.
func TestListenerServesOnWhenDescriptorsAreScarce(t *testing.T) {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		synctest.Test(t, func(t *testing.T) {
			l := newPoor()
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error)
			go func() {
				served <- port.ListenerOf(l).Serve(ctx, &port.Server{Handler: port.HandlerFunc(testHandler)}, nil)
			}()
			connect := func() *port.Conn {
				near, far := net.Pipe()
				l.come <- far
				return port.NewConn(near, port.Options{})
			}
			echo := func(c *port.Conn) {
				got, err := c.Call(t.Context(), request("echo", etf.Int(7)))
				require.NoError(t, err)
				require.True(t, etf.Equal(etf.Int(7), got))
			}
			first := connect()
			echo(first)
			synctest.Wait()
			l.become(want)
			second := connect() // the last for now
			time.Sleep(time.Minute)
			synctest.Wait()
			echo(first)
			require.InDelta(t, 65, l.become(nil), 5, "it tries again, and not all the time")
			third := connect()
			for _, c := range []*port.Conn{first, second, third} {
				echo(c)
			}
			cancel()
			require.NoError(t, <-served)
			for _, c := range []*port.Conn{first, second, third} {
				<-c.Done()
			}
		})
	}
}

func TestListenerAcceptsWhenDescriptorsAreScarce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPoor()
		l.become(syscall.EMFILE)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := port.ListenerOf(l).Accept(ctx, port.Options{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Greater(t, l.become(syscall.EINVAL), 50) // which is not for want of anything
		_, err = port.ListenerOf(l).Accept(t.Context(), port.Options{})
		require.ErrorIs(t, err, syscall.EINVAL)
		err = port.ListenerOf(l).Serve(t.Context(), &port.Server{Handler: port.HandlerFunc(testHandler)}, nil)
		require.ErrorIs(t, err, syscall.EINVAL)
	})
}
