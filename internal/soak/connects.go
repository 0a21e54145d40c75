//go:build linux

package soak

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Faults of connections that an emulator makes to a server of the run's own.

// serverCut closes the connections of a client to a port.Server of ours. The client is
// started anew, and connects again.
func serverCut(s *scenario) {
	dir, err := os.MkdirTemp("", "beamport-soak-")
	if err != nil {
		s.broken("a directory: %v", err)
		return
	}
	defer os.RemoveAll(dir)
	s.program.connect = filepath.Join(dir, "s")
	accepted, end, err := s.serve(s.program.connect)
	if err != nil {
		s.broken("listening: %v", err)
		return
	}
	defer end()
	sess := s.begin()
	if sess == nil {
		return
	}
	sess.explain(callFailed("down"))
	sess.toil(s.ctx, s.r.Uint64(), 3)
	for range s.some(10) {
		s.pause(s.between(0, 5*time.Millisecond))
		select {
		case conn := <-accepted:
			s.fire(1)
			conn.Close()
		case <-time.After(s.bound):
			s.broken("the client does not connect again")
		}
		if outcome, err := sess.askUp(s); outcome != Answered {
			s.broken("the new connection: %s: %v", outcome, err)
		}
	}
	s.finish(sess)
}

// serve serves those who connect to a unix socket, and hands out their connections. end
// waits until none is left.
func (s *scenario) serve(path string) (accepted <-chan net.Conn, end func(), err error) {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, nil, err
	}
	conns := make(chan net.Conn, 64)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// Cut by us, or at the end by the other side; what it says differs.
			serving.Go(func() { serveOn(conn) })
			conns <- conn
		}
	})
	return conns, func() {
		listener.Close()
		if !finished(&serving, s.bound) {
			s.broken("a server does not end with its connections")
		}
	}, nil
}
