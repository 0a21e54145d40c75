package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Dial connects to a BEAM that serves on a unix or TCP socket, such as beamport_listener,
// and returns when its ready frame has come. network and address are those of
// [net.Dial]. ctx has a say until then.
func Dial(ctx context.Context, network, address string, o Options) (*Conn, error) {
	var d net.Dialer
	stream, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("port: dialing: %w", err)
	}
	return awaitReady(ctx, stream, o)
}

func awaitReady(ctx context.Context, stream net.Conn, o Options) (*Conn, error) {
	c := NewConn(stream, o)
	if _, err := c.Ready(ctx); err != nil {
		c.Close()
		<-c.Done()
		return nil, err
	}
	return c, nil
}

// A Listener takes connections on a unix or TCP socket. What it is for depends on who
// plays which part: [Listener.Accept] is for BEAMs that connect to be called,
// [Listener.Serve] for BEAMs that connect to call, as beamport_client does.
type Listener struct{ listener net.Listener }

// Listen listens on the networks "tcp", "tcp4", "tcp6" and "unix", as
// [net.ListenConfig] does. The file of a unix socket is removed when
// the Listener is closed; who may connect to it is up to the permissions of its folder.
func Listen(ctx context.Context, network, address string) (*Listener, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
	default:
		return nil, fmt.Errorf("port: listening: %w", net.UnknownNetworkError(network))
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("port: listening: %w", err)
	}
	return &Listener{l}, nil
}

// Addr returns the address that is listened on.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// Close ends Accept and Serve, and takes no more connections. Those that were taken
// live on.
func (l *Listener) Close() error { return l.listener.Close() }

// handshakeTime is how long somebody who connects may keep others waiting.
const handshakeTime = 5 * time.Second

// Accept waits for the next connection and its ready frame, and returns it. One that
// sends another frame first, or none for 5 seconds, is closed, and the next waited for. When ctx
// ends, it returns ctx's error; after [Listener.Close] the error is [net.ErrClosed].
// While there is want of descriptors or memory, it waits. It must not be called by two goroutines at a time.
func (l *Listener) Accept(ctx context.Context, o Options) (*Conn, error) {
	for {
		stream, err := patiently(ctx, func() (net.Conn, error) { return l.accept(ctx) })
		if err != nil {
			return nil, err
		}
		limited, cancel := context.WithTimeout(ctx, handshakeTime)
		c, err := awaitReady(limited, stream, o)
		cancel()
		if err == nil || ctx.Err() != nil {
			return c, err
		}
	}
}

// firstRetry and lastRetry are how long accepting pauses when it has failed for want of
// something: twice as long each time, up to the last.
const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = time.Second
)

// wants reports whether accepting failed for want of something that others use and may
// let go of.
func wants(err error) bool {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// patiently accepts until that goes well, fails for another reason than want, or ctx
// ends.
func patiently(ctx context.Context, accept func() (net.Conn, error)) (net.Conn, error) {
	for delay := firstRetry; ; delay = min(2*delay, lastRetry) {
		stream, err := accept()
		if err == nil {
			return stream, nil
		}
		if !wants(err) {
			return nil, fmt.Errorf("port: accepting: %w", err)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, fmt.Errorf("port: accepting: %w", ctx.Err())
		}
	}
}

// accept waits for a connection or ctx's end.
func (l *Listener) accept(ctx context.Context) (net.Conn, error) {
	deadlines := l.listener.(interface{ SetDeadline(time.Time) error }) // all that Listen makes have it
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		deadlines.SetDeadline(longAgo)
		close(cut)
	})
	stream, err := l.listener.Accept()
	if !stop() {
		<-cut
		deadlines.SetDeadline(time.Time{})
		if err != nil {
			err = ctx.Err()
		}
	}
	return stream, err
}

// Serve lets s answer the calls of each connection that comes, until ctx ends or the
// Listener is closed. Then it ends those that are left, waits for them, and returns
// nil. ended is told how each ended, as [Server.ServeConn] returns it; nil is for
// nobody. Want of descriptors or memory ends nothing: connections have to wait for these.
func (l *Listener) Serve(ctx context.Context, s *Server, ended func(remote net.Addr, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	defer connections.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.listener.Close() })
	defer stop()
	for {
		stream, err := patiently(ctx, l.listener.Accept)
		if err != nil && ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			l.listener.Close() // which may be about to happen
			return nil
		}
		if err != nil {
			return err
		}
		connections.Go(func() {
			err := s.ServeConn(ctx, stream)
			if ended != nil {
				ended(stream.RemoteAddr(), err)
			}
		})
	}
}
