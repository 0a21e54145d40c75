package port_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// deaf serves somebody who writes and has read nothing but the ready frame. Its
// handlers wait for release, whatever their context says.
func deaf(t *testing.T, s *port.Server) (p *peer, release func(), ended <-chan error) {
	near, far := net.Pipe()
	held := make(chan struct{})
	release = sync.OnceFunc(func() { close(held) })
	s.Grace = time.Hour
	s.Handler = port.HandlerFunc(func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
		<-held
		return c.Term()
	})
	served := make(chan error, 1)
	go func() {
		defer close(served)
		served <- s.ServeConn(t.Context(), far)
	}()
	t.Cleanup(func() {
		near.Close()
		release()
		<-served
	})
	p = newPeer(near)
	_, err := p.read()
	require.NoError(t, err)
	return p, release, served
}

// flood is more than a server lets wait.
const flood = 20_000

// Calls that are cancelled while they wait for a handler wait no more.
func TestServerForgetsCancelledCalls(t *testing.T) {
	p, _, ended := deaf(t, &port.Server{MaxConcurrent: 1})
	require.NoError(t, p.write("call", etf.Int(flood), etf.Int(0)))
	wrote := make(chan error, 1)
	go func() {
		var err error
		for i := int64(0); i < flood && err == nil; i++ {
			err = errors.Join(p.write("call", etf.Int(i), etf.Int(0)), p.write("cancel", etf.Int(i)))
		}
		wrote <- err
	}()
	for i := range flood {
		frame, err := p.read()
		if err != nil {
			require.NoError(t, <-ended)
		}
		require.True(t, frame.At(0).IsAtom("error"))
		require.True(t, etf.Equal(etf.Int(int64(i)), frame.At(1)))
	}
	require.NoError(t, <-wrote)
	require.NoError(t, p.write("cancel", etf.Int(flood)))
	frame, err := p.read()
	require.NoError(t, err)
	require.True(t, etf.Equal(etf.Int(flood), frame.At(1)))
}

// Of pings that come faster than their answers are read, the newest is answered.
func TestServerAnswersTheNewestPing(t *testing.T) {
	p, _, _ := deaf(t, &port.Server{})
	for i := range flood {
		require.NoError(t, p.write("ping", etf.Int(int64(i))))
	}
	for answers := 1; ; answers++ {
		frame, err := p.read()
		require.NoError(t, err)
		require.True(t, frame.At(0).IsAtom("pong"))
		if etf.Equal(etf.Int(flood-1), frame.At(1)) {
			break
		}
		require.Less(t, answers, 3)
	}
}

// Who is answered and does not read is not answered without end.
func TestServerAnswersNobodyWithoutEnd(t *testing.T) {
	for name, floods := range map[string]func(p *peer, i int64) error{
		"calls that are cancelled": func(p *peer, i int64) error {
			return errors.Join(p.write("call", etf.Int(i), etf.Int(0)), p.write("cancel", etf.Int(i)))
		},
		"calls after a stop": func(p *peer, i int64) error { return p.write("call", etf.Int(i), etf.Int(0)) },
		"casts after a stop": func(p *peer, i int64) error { return p.write("cast", etf.Int(i), etf.Int(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			p, release, ended := deaf(t, &port.Server{})
			require.NoError(t, p.write("call", etf.Int(flood), etf.Int(0)))
			if strings.HasSuffix(name, "stop") {
				require.NoError(t, p.write("stop", etf.Atom("normal")))
			}
			var err error
			for i := int64(0); i < flood && err == nil; i++ {
				err = floods(p, i)
			}
			require.ErrorIs(t, err, io.ErrClosedPipe)
			release()
			_, ok := errors.AsType[*port.ProtocolError](<-ended)
			require.True(t, ok)
		})
	}
}

// A cast that is cancelled ends, and is acknowledged.
func TestServerCancelsCasts(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	ended := make(chan error, 1)
	s := &port.Server{MaxConcurrent: 1, Handler: port.HandlerFunc(testHandler), OnCast: func(ctx context.Context, _ etf.Term) { <-ctx.Done() }}
	go func() { ended <- s.ServeConn(t.Context(), far) }()
	p := newPeer(near)
	_, err := p.read()
	require.NoError(t, err)
	for id := range int64(2) { // the second waits for the first
		require.NoError(t, p.write("cast", etf.Int(id), etf.Int(0)))
	}
	for id := range int64(2) {
		require.NoError(t, p.write("cancel", etf.Int(1-id)))
		frameIs(t, p, etf.Tuple(etf.Atom("ack"), etf.Int(1-id)))
	}
	require.NoError(t, p.write("call", etf.Int(3), request("echo", etf.Int(4))))
	frameIs(t, p, etf.Tuple(etf.Atom("reply"), etf.Int(3), etf.Int(4)))
	require.NoError(t, near.Close())
	require.NoError(t, <-ended)
}
