package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A caller is a stream whose input is fixed, and that keeps what is written.
type caller struct {
	io.Reader
	bytes.Buffer
}

func (c *caller) Read(b []byte) (int, error) { return c.Reader.Read(b) }
func (c *caller) Close() error               { return nil }

// stream is the bytes of frames, given as terms in Erlang's syntax.
func stream(tb testing.TB, frames ...string) []byte {
	var out bytes.Buffer
	w := port.NewWriter(&out, port.Packet4, 0)
	for _, frame := range frames {
		term, err := etf.Parse(frame)
		require.NoError(tb, err)
		b, err := etf.Encode(term)
		require.NoError(tb, err)
		require.NoError(tb, w.WritePacket(b))
	}
	return out.Bytes()
}

// FuzzServer has a server read anything: it never panics, ends in one of the ways
// that it says, and writes whole frames, of which one at most is the last of an id
// for every time that the id was given.
func FuzzServer(f *testing.F) {
	f.Add(stream(f, "{call,1,a}", "{cast,2,b}", "{ping,3}", "{stop,normal}"))
	f.Add(stream(f, "{call,1,<<\"stream\">>,2}", "{credit,1,100}", "{cancel,1}"))
	f.Add(stream(f, "{call,1,panic}", "{call,1,again}", "{call,2,<<\"stream\">>}"))
	f.Add(stream(f, "{call,0,a}"))
	f.Add(stream(f, "{credit,1,576460752303423487}", "{call,576460752303423487,[],576460752303423487}"))
	f.Add([]byte("\x00\x00\x00\x03\x83h\x00\x00"))
	handler := port.HandlerFunc(func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
		request, err := c.Term()
		if err != nil {
			return etf.Term{}, err
		}
		if request.IsAtom("panic") {
			panic("asked for")
		}
		if body, ok := request.Bytes(); ok {
			w, err := c.Stream(etf.Atom("head"))
			if err != nil {
				return etf.Term{}, err
			}
			if _, err := w.Write(body); err != nil {
				return etf.Term{}, err
			}
		}
		return request, nil
	})
	f.Fuzz(func(t *testing.T, input []byte) {
		c := &caller{Reader: bytes.NewReader(input)}
		s := &port.Server{Handler: handler, MaxPacket: 1 << 16, Grace: time.Minute}
		err := s.ServeConn(context.Background(), c)
		if err != nil {
			var protocol *port.ProtocolError
			var size *port.PacketSizeError
			require.True(t, errors.As(err, &protocol) || errors.As(err, &size) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
		}
		given := map[uint64]int{}
		for r := port.NewReader(bytes.NewReader(input), port.Packet4, 1<<16); ; {
			frame, err := r.ReadPacket(nil)
			if err != nil {
				break
			}
			if term, err := etf.Decode(frame); err == nil && (term.At(0).IsAtom("call") || term.At(0).IsAtom("cast")) {
				id, _ := term.At(1).Uint64()
				given[id]++
			}
		}
		for r := port.NewReader(bytes.NewReader(c.Bytes()), port.Packet4, 1<<16); ; {
			frame, err := r.ReadPacket(nil)
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			term, err := etf.Decode(frame)
			require.NoError(t, err)
			switch kind, _ := term.At(0).AtomName(); kind {
			case "reply", "error", "done", "ack":
				id, _ := term.At(1).Uint64()
				given[id]--
				require.GreaterOrEqual(t, given[id], 0, "id %d", id)
			}
		}
	})
}
