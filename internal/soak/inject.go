//go:build linux

package soak

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// Faults of what is sent to a child, which package port does not send: bytes are put
// into the pipe that it reads, or written to a socket of the scenario's own.

// inject writes bytes to what a child reads. Nothing else may be on its way to it.
func inject(pid int, b []byte) error {
	pipe, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/3", pid), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("soak: opening a child's pipe: %w", err)
	}
	defer pipe.Close()
	if _, err := pipe.Write(b); err != nil {
		return fmt.Errorf("soak: writing into a child's pipe: %w", err)
	}
	return nil
}

// injected ends children, so many, by bytes in what they read, after which the stream
// ends if it is to.
func (s *scenario) injected(rounds int, next func() []byte, ends bool, by func(error) bool) {
	if s.make.make == Socket {
		s.injectedIntoSockets(rounds, next, ends)
		return
	}
	for range rounds {
		sess := s.begin()
		if sess == nil {
			return
		}
		sess.ask(s.ctx, query{payload: s.payload()})
		sess.explain(by)
		s.fire(1)
		if err := inject(sess.child.Pid(), next()); err != nil && !ends {
			// It may end before it has read all.
			s.ledger.Note("%v", err)
		}
		if ends {
			sess.child.(io.Closer).Close()
		}
		s.ended(sess)
	}
}

// badHeaderIn sends the child a header of 2^31 and more.
func badHeaderIn(s *scenario) {
	s.injected(s.rounds(), func() []byte { return []byte{0x80 | byte(s.r.IntN(0x80)), 1, 2, 3} }, false, crashed)
}

// oversizedIn sends the child a frame over the maximum. An emulator reads it to its end.
func oversizedIn(s *scenario) {
	s.injected(s.rounds(), func() []byte {
		size := maxPacket + 1 + s.r.IntN(1<<20)
		frame := binary.BigEndian.AppendUint32(nil, uint32(size))
		if s.make.make == BEAM {
			frame = append(frame, make([]byte, size)...)
		}
		return frame
	}, false, crashed)
}

// halfRequest has the stream end inside of a frame: after each number of its bytes.
func halfRequest(s *scenario) {
	rounds := s.some(24)
	by := closed(0)
	switch s.make.make {
	case BEAM:
		rounds = s.some(4)
	case Server: // it says so
		by = closed(96)
	}
	request := etf.Tuple(etf.Atom("echo"), etf.Uint(1<<63), etf.Int(0), etf.Binary(make([]byte, halfPayload)))
	frame := frameOf(etf.Tuple(etf.Atom("call"), etf.Int(farID), request))
	s.injected(rounds, func() []byte { return frame[:1+s.turn()%(len(frame)-1)] }, true, by)
}

// closed is the end of a child by itself after we have closed its stream.
func closed(code int) func(error) bool {
	return exit(func(e *port.ExitError) bool { return e.Code == code && errors.Is(e.Err, port.ErrClosed) })
}
