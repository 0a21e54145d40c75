//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A dialed is a connection to an emulator that listens.
type dialed struct {
	*port.Conn
	host *bridge
	path string
	done chan struct{}
}

// overSocket has an emulator listen, and connects to it.
func overSocket(ctx context.Context, s *scenario, child Child) (Child, error) {
	dir, err := os.MkdirTemp("", "beamport-soak-")
	if err != nil {
		return nil, err
	}
	d := &dialed{host: &bridge{Child: child, bound: s.bound}, path: filepath.Join(dir, "s"), done: make(chan struct{})}
	if _, err = d.host.control(ctx, "listen", etf.String(d.path)); err == nil {
		d.Conn, err = port.Dial(ctx, "unix", d.path, port.Options{MaxPacket: maxPacket})
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	go func() {
		<-child.Done()
		<-d.Conn.Done()
		os.RemoveAll(dir)
		close(d.done)
	}()
	return d, nil
}

func (d *dialed) Pid() int              { return d.host.Pid() }
func (d *dialed) Kill() error           { return d.host.Kill() }
func (d *dialed) Done() <-chan struct{} { return d.done }

// Stop ends the connection in order, and then the emulator.
func (d *dialed) Stop(ctx context.Context) error {
	return errors.Join(d.Conn.Shutdown(ctx), d.host.Stop(ctx))
}

// cut is the end of a connection whose other side is gone.
func cut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// alone waits until there is no connection to the listener but the session's.
func (s *scenario) alone(sess *session) {
	d := sess.child.(*dialed)
	var n int64
	var err error
	if !within(s.ctx, s.bound, func() bool {
		var t etf.Term
		t, err = d.host.control(s.ctx, "connections")
		n, _ = t.Int64()
		return err != nil || n == 1
	}) || err != nil {
		s.broken("%d connections are left, not 1: %v", n, err)
	}
}

// connectionCut closes connections that have calls under way.
func connectionCut(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	for range s.some(10) {
		c, err := port.Dial(s.ctx, "unix", sess.child.(*dialed).path, port.Options{MaxPacket: maxPacket})
		if err != nil {
			s.broken("connecting: %v", err)
			break
		}
		other := &session{ledger: s.ledger, child: &dialed{Conn: c}, bound: s.bound}
		var closed func(error) bool = func(err error) bool { return errors.Is(err, port.ErrClosed) }
		var callers sync.WaitGroup
		for i := range 4 {
			q := query{payload: s.payload()}
			if i%2 == 0 {
				q.op = "hold"
			}
			callers.Go(func() {
				for range 3 {
					if _, err := other.ask(s.ctx, q); err != nil {
						return
					}
				}
			})
		}
		within(s.ctx, s.bound, func() bool { return c.Stats().InFlight > 1 })
		other.explain(closed)
		s.fire(1)
		c.Close()
		if !finished(&callers, s.bound) {
			s.broken("callers are stuck")
		}
		<-c.Done()
	}
	s.alone(sess)
	s.finish(sess)
}

// injectedIntoSockets writes bytes to connections of their own, under callers of another.
func (s *scenario) injectedIntoSockets(rounds int, next func() []byte, ends bool) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	for range rounds {
		s.fire(1)
		if err := s.injectOne(sess.child.(*dialed).path, next(), ends); err != nil {
			s.broken("a connection that is to be closed: %v", err)
		}
	}
	s.alone(sess)
	s.finish(sess)
}

// injectOne sends bytes, and waits for the other side to close the connection unless
// they are the end of it.
func (s *scenario) injectOne(path string, b []byte, ends bool) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.bound)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	r := port.NewReader(conn, port.Packet4, maxPacket)
	if _, err := r.ReadPacket(nil); err != nil {
		return fmt.Errorf("its first frame: %w", err)
	}
	if _, err := conn.Write(b); err != nil && !cut(err) {
		return err
	}
	if ends {
		return nil
	}
	if frame, err := r.ReadPacket(nil); !cut(err) {
		return fmt.Errorf("%d bytes came: %w", len(frame), err)
	}
	return nil
}
