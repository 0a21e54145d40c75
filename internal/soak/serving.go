//go:build linux

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// serveCalls is the child whose calls a [port.Server] answers: what a [peer] does as well,
// as far as it keeps to the protocol.
func serveCalls(rwc io.ReadWriteCloser, err error) int {
	if err == nil {
		err = serveOn(rwc)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 96
	}
	return 0
}

func serveOn(rwc io.ReadWriteCloser) error {
	s := &serving{}
	return (&port.Server{Handler: port.HandlerFunc(s.answer), OnCast: s.cast, MaxPacket: maxPacket}).ServeConn(context.Background(), rwc)
}

type serving struct{ casts atomic.Int64 }

func (s *serving) cast(_ context.Context, message etf.Term) {
	s.casts.Add(1)
	if fails, _ := message.At(1).Bool(); fails {
		panic("a cast that fails")
	}
}

func (s *serving) answer(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
	request, err := c.Term()
	if err != nil {
		return etf.Term{}, err
	}
	if request.IsAtom("casts") {
		return etf.Int(s.casts.Load()), nil
	}
	op, _ := request.At(0).AtomName()
	n, _ := request.At(2).Int64()
	switch op {
	case "hold":
		<-ctx.Done()
		return etf.Term{}, ctx.Err()
	case "exit":
		os.Exit(int(n))
	case "oversize":
		return etf.Tuple(request.At(1), etf.Binary(make([]byte, maxPacket+n))), nil
	case "noise":
		chatter(int(n))
	case "slow":
		time.Sleep(time.Duration(n) * time.Microsecond)
	case "line":
		os.Stderr.Write(append(bytes.Repeat([]byte("x"), int(n)), '\n'))
	case "stream":
		return answerTo(request), stream(c, request, int(n))
	}
	return answerTo(request), nil
}

// stream sends the payload n times.
func stream(c *port.ServerCall, request etf.Term, n int) error {
	w, err := c.Stream(etf.Tuple(request.At(1)))
	if err != nil {
		return err
	}
	payload, _ := request.At(3).Bytes()
	for range n {
		if _, err := w.Write(payload); err != nil {
			return err
		}
	}
	return nil
}
