//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// ticker streams for ever, a few bytes for each tick, and says what ended it.
func ticker(ticks <-chan struct{}, ended chan<- error) port.HandlerFunc {
	return func(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
		w, err := c.Stream(etf.Atom("head"))
		for err == nil {
			<-ticks
			_, err = w.Write([]byte("tick"))
		}
		ended <- err
		return etf.Term{}, err
	}
}

// A handler that streams to somebody who is gone is told so, and the server ends.
func TestServerStreamsToNobody(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		ticks, stopped, ended := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		s := &port.Server{Grace: time.Hour, Handler: ticker(ticks, stopped)}
		go func() { ended <- s.ServeConn(t.Context(), far) }()
		p := newPeer(near)
		_, err := p.read()
		require.NoError(t, err)
		require.NoError(t, p.write("call", etf.Int(1), etf.Int(0), etf.Int(1<<20)))
		frameIs(t, p, etf.Tuple(etf.Atom("head"), etf.Int(1), etf.Atom("head")))
		ticks <- struct{}{}
		frameIs(t, p, etf.Tuple(etf.Atom("chunk"), etf.Int(1), etf.String("tick")))
		require.NoError(t, near.Close())
		for {
			select {
			case ticks <- struct{}{}:
				continue
			case err := <-stopped:
				require.ErrorIs(t, err, context.Canceled)
			case <-time.After(time.Minute):
				require.FailNow(t, "the handler hangs")
			}
			break
		}
		require.NoError(t, <-ended)
	})
}

// The end of what the other side sends ends a stream that it does not read, credit or
// not.
func TestServerStreamsToNobodyWhoReads(t *testing.T) {
	near, far := openPipes(t)
	ticks, stopped, ended := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	close(ticks)
	s := &port.Server{Grace: time.Hour, Handler: ticker(ticks, stopped)}
	go func() { ended <- s.ServeConn(t.Context(), far) }()
	p := newPeer(near)
	_, err := p.read()
	require.NoError(t, err)
	require.NoError(t, p.write("call", etf.Int(1), etf.Int(0), etf.Int(1<<40)))
	frameIs(t, p, etf.Tuple(etf.Atom("head"), etf.Int(1), etf.Atom("head")))
	require.NoError(t, port.CloseWrite(near))
	require.ErrorIs(t, <-stopped, context.Canceled)
	require.NoError(t, <-ended)
	near.Close()
}

// After a violation the stream is dead at once, whatever handlers do.
func TestServerClosesBeforeItsHandlersReturn(t *testing.T) {
	near, far := net.Pipe()
	release := make(chan struct{})
	s := &port.Server{Grace: time.Hour, Handler: port.HandlerFunc(func(context.Context, *port.ServerCall) (etf.Term, error) {
		<-release
		return etf.Atom("late"), nil
	})}
	ended := make(chan error, 1)
	go func() { ended <- s.ServeConn(t.Context(), far) }()
	p := newPeer(near)
	_, err := p.read()
	require.NoError(t, err)
	require.NoError(t, p.write("call", etf.Int(1), etf.Int(0)))
	require.NoError(t, p.writeBytes([]byte("garbage")))
	_, err = p.read()
	require.ErrorIs(t, err, io.EOF)
	select {
	case err := <-ended:
		require.FailNow(t, "served while a handler runs", "%v", err)
	default:
	}
	close(release)
	_, ok := errors.AsType[*port.ProtocolError](<-ended)
	require.True(t, ok)
}
