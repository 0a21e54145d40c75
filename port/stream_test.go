package port_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// streamer is a peer that answers calls with credit by streaming the binary that they
// ask for, as far as the credit goes, and others by echoing.
func streamer(t testing.TB, p *peer) {
	t.Helper()
	type stream struct {
		id   etf.Term
		left []byte
		room int64
	}
	open := make(map[uint64]*stream)
	push := func(key uint64) {
		s := open[key]
		for len(s.left) > 0 && s.room > 0 {
			n := min(int64(len(s.left)), s.room, 1000)
			p.write("chunk", s.id, etf.Binary(s.left[:n]))
			s.left, s.room = s.left[n:], s.room-n
		}
		if len(s.left) == 0 {
			p.write("done", s.id, etf.Atom("end"))
			delete(open, key)
		}
	}
	p.ready()
	for {
		frame, err := p.read()
		if err != nil {
			return
		}
		key, _ := frame.At(1).Uint64()
		switch {
		case frame.At(0).IsAtom("call") && frame.Len() == 4 && frame.At(2).Kind() == etf.KindBinary:
			content, _ := frame.At(2).Bytes()
			room, _ := frame.At(3).Int64()
			open[key] = &stream{frame.At(1), content, room}
			p.write("head", frame.At(1), etf.Int(int64(len(content))))
			push(key)
		case frame.At(0).IsAtom("call"):
			p.write("reply", frame.At(1), frame.At(2))
		case frame.At(0).IsAtom("credit"):
			if s := open[key]; s != nil {
				more, _ := frame.At(2).Int64()
				s.room += more
				push(key)
			}
		case frame.At(0).IsAtom("cancel"):
			if open[key] != nil {
				delete(open, key)
				p.fail(frame.At(1), "exit", "cancelled", "")
			}
		}
	}
}

func TestStream(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go streamer(t, p)
		for _, size := range []int{0, 1, 999, 5000, 300_000} {
			content := pattern(size, size)
			s, err := c.Stream(t.Context(), port.Request{Term: etf.Binary(content), Window: 2500})
			require.NoError(t, err)
			head, ok := s.Head()
			require.True(t, ok)
			length, err := head.Term()
			require.NoError(t, err)
			require.True(t, etf.Equal(etf.Int(int64(size)), length))
			if size > 0 {
				_, err = s.Result()
				require.Error(t, err, "the stream has not ended")
			}
			require.NoError(t, iotest.TestReader(s, content))
			last, err := s.Result()
			require.NoError(t, err)
			term, err := last.Term()
			require.NoError(t, err)
			require.True(t, term.IsAtom("end"))
			require.NoError(t, s.Close())

			s, err = c.Stream(t.Context(), port.Request{Term: etf.Binary(content)})
			require.NoError(t, err)
			var all bytes.Buffer
			n, err := s.WriteTo(&all)
			require.NoError(t, err)
			require.EqualValues(t, size, n)
			require.True(t, bytes.Equal(content, all.Bytes()))
		}
		require.Equal(t, port.Stats{Streams: 10}, c.Stats())
	})
}

// A call that may be answered by a stream, and is or is not, after the connection was
// idle or was not: its first frame may lie in memory of the caller's, no other does.
func TestStreamOrReply(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go streamer(t, p)
		buf := make([]byte, 4096)
		content := pattern(20_000, 1)
		for range 20 {
			s, err := c.Stream(t.Context(), port.Request{Term: etf.Atom("whole"), Buf: buf})
			require.NoError(t, err)
			_, ok := s.Head()
			require.False(t, ok)
			reply, err := s.Result()
			require.NoError(t, err)
			require.Equal(t, "w\x05whole", string(reply.Raw))
			require.NoError(t, s.Close())

			s, err = c.Stream(t.Context(), port.Request{Term: etf.Binary(content), Buf: buf, Window: 3000})
			require.NoError(t, err)
			_, ok = s.Head()
			require.True(t, ok)
			clear(buf)
			whole, err := c.Call(t.Context(), etf.Atom("meanwhile"))
			require.NoError(t, err)
			require.True(t, whole.IsAtom("meanwhile"))
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, got))
			require.NoError(t, s.Close())
		}
	})
}

// A reader that reads nothing holds up neither calls nor other streams.
func TestStreamThatIsNotRead(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go streamer(t, p)
		slow, err := c.Stream(t.Context(), port.Request{Term: etf.Binary(pattern(100_000, 1)), Window: 3000})
		require.NoError(t, err)
		for i := range 20 {
			got, err := c.Call(t.Context(), etf.Int(int64(i)))
			require.NoError(t, err)
			require.True(t, etf.Equal(etf.Int(int64(i)), got))
			quick, err := c.Stream(t.Context(), port.Request{Term: etf.Binary(pattern(10_000, i)), Window: 700})
			require.NoError(t, err)
			content, err := io.ReadAll(quick)
			require.NoError(t, err)
			require.True(t, bytes.Equal(pattern(10_000, i), content))
		}
		content, err := io.ReadAll(slow)
		require.NoError(t, err)
		require.True(t, bytes.Equal(pattern(100_000, 1), content))
	})
}

// What the other side may send ahead is the window, and what it is granted is what has been read.
func TestStreamCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		opened := make(chan *port.Stream)
		go func() {
			s, err := c.Stream(t.Context(), port.Request{Term: etf.Int(5), Window: 10})
			assert.NoError(t, err)
			opened <- s
		}()
		id := etf.Int(1)
		frameIs(t, p, etf.Tuple(etf.Atom("call"), id, etf.Int(5), etf.Int(10)))
		require.NoError(t, p.write("head", id, etf.Atom("h")))
		s := <-opened
		require.NoError(t, p.write("chunk", id, etf.String("0123456789")))
		_, err := io.ReadFull(s, make([]byte, 4))
		require.NoError(t, err)
		_, err = io.ReadFull(s, make([]byte, 1)) // that is half of the window
		require.NoError(t, err)
		frameIs(t, p, etf.Tuple(etf.Atom("credit"), id, etf.Int(5)))
		require.NoError(t, p.write("chunk", id, etf.String("abcde")))
		rest := make([]byte, 10)
		_, err = io.ReadFull(s, rest)
		require.NoError(t, err)
		require.Equal(t, "56789abcde", string(rest))
		for range 2 {
			frameIs(t, p, etf.Tuple(etf.Atom("credit"), id, etf.Int(5)))
		}
		require.NoError(t, p.fail(id, "error", "half", "way"))
		_, err = s.Read(rest)
		failure, ok := errors.AsType[*port.CallError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "half", failure.Type())
		_, err = s.Result()
		require.ErrorIs(t, err, failure)
	})
}

func TestStreamAnsweredOtherwise(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.serve(func(id, request etf.Term) {
			if request.IsAtom("fail") {
				p.fail(id, "error", "badarg", "")
				return
			}
			p.write("reply", id, request)
		})
	}()
	s, err := c.Stream(t.Context(), port.Request{Term: etf.Atom("whole")})
	require.NoError(t, err)
	_, ok := s.Head()
	require.False(t, ok)
	reply, err := s.Result()
	require.NoError(t, err)
	term, err := reply.Term()
	require.NoError(t, err)
	require.True(t, term.IsAtom("whole"))
	_, err = s.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)

	_, err = c.Stream(t.Context(), port.Request{Term: etf.Atom("fail")})
	_, ok = errors.AsType[*port.CallError](err)
	require.True(t, ok, "%v", err)
	_, err = c.Stream(t.Context(), port.Request{})
	require.ErrorIs(t, err, etf.ErrInvalid)
	require.Equal(t, port.Stats{Streams: 2}, c.Stats())
}

func TestStreamGivenUp(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go streamer(t, p)
		big := etf.Binary(pattern(1<<20, 1))
		for _, way := range []string{"close", "context", "context while reading"} {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, err := c.Stream(ctx, port.Request{Term: big, Window: 1000})
			require.NoError(t, err)
			switch way {
			case "close":
				require.NoError(t, s.Close())
				_, err = s.Read(make([]byte, 1))
				require.Error(t, err)
			case "context":
				cancel()
				eventually(t, func() bool { _, err := s.Result(); return errors.Is(err, context.Canceled) })
			default:
				go cancel()
				_, err = io.Copy(io.Discard, struct{ io.Reader }{s})
				if err != nil { // it may have come to its end
					require.ErrorIs(t, err, context.Canceled)
				}
			}
			require.NoError(t, s.Close())
			eventually(t, func() bool { return c.Stats().Abandoned == 0 })
		}
		_, err := c.Call(t.Context(), etf.Int(1))
		require.NoError(t, err)
		require.Zero(t, c.Stats().InFlight)
	})
}

func TestStreamOfAConnectionThatEnds(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.read()
		p.write("head", etf.Int(1), etf.Int(0))
		p.write("chunk", etf.Int(1), etf.String("abc"))
		p.rwc.Close()
	}()
	s, err := c.Stream(t.Context(), port.Request{Term: etf.Int(1)})
	require.NoError(t, err)
	content, err := io.ReadAll(s)
	require.Equal(t, "abc", string(content), "what had come is good")
	require.ErrorIs(t, err, io.EOF)
	require.ErrorContains(t, err, "call 1: ")
}

func TestStreamViolations(t *testing.T) {
	id := etf.Int(1)
	chunk := func(text string) []etf.Term { return []etf.Term{etf.Atom("chunk"), id, etf.String(text)} }
	head := []etf.Term{etf.Atom("head"), id, etf.Int(0)}
	done := []etf.Term{etf.Atom("done"), id, etf.Int(0)}
	reply := []etf.Term{etf.Atom("reply"), id, etf.Int(0)}
	tests := map[string][][]etf.Term{
		"more than the credit":    {head, chunk("12345"), chunk("67890123456789012345")},
		"a chunk before a head":   {chunk("1")},
		"an empty chunk":          {head, chunk("")},
		"a chunk of another kind": {head, {etf.Atom("chunk"), id, etf.Int(1)}},
		"two heads":               {head, head},
		"done before a head":      {done},
		"a reply behind a head":   {head, reply},
		"an ack":                  {{etf.Atom("ack"), id}},
	}
	for name, frames := range tests {
		t.Run(name, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{})
			go func() {
				p.ready()
				p.read()
				for _, f := range frames {
					name, _ := f[0].AtomName()
					p.write(name, f[1:]...)
				}
			}()
			s, err := c.Stream(t.Context(), port.Request{Term: etf.Int(1), Window: 10})
			if err == nil {
				_, err = io.ReadAll(s)
				s.Close()
			}
			_, ok := errors.AsType[*port.ProtocolError](err)
			require.True(t, ok, "%v", err)
		})
	}
	for name, frame := range map[string][]etf.Term{
		"head": head, "chunk": chunk("1"), "done": done, "ack": {etf.Atom("ack"), id},
	} {
		t.Run(name+" for a plain call", func(t *testing.T) {
			c, p := connectPipe(t, port.Options{})
			go func() {
				p.ready()
				p.read()
				p.write(name, frame[1:]...)
			}()
			_, err := c.Call(t.Context(), etf.Int(1))
			_, ok := errors.AsType[*port.ProtocolError](err)
			require.True(t, ok, "%v", err)
		})
	}
	t.Run("a reply for a cast", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		go func() {
			p.ready()
			p.read()
			p.write("reply", id, etf.Int(0))
		}()
		require.NoError(t, c.Cast(t.Context(), etf.Int(1)))
		<-c.Done()
		_, ok := errors.AsType[*port.ProtocolError](c.Err())
		require.True(t, ok, "%v", c.Err())
	})
}

// Frames of streams that are over are dropped, as other late ones are.
func TestStreamLateFrames(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.write("head", etf.Int(7), etf.Int(0))
		p.write("chunk", etf.Int(7), etf.String("x"))
		p.write("done", etf.Int(7), etf.Int(0))
		p.write("ack", etf.Int(7))
		p.echo()
	}()
	_, err := c.Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	require.Equal(t, port.Stats{Calls: 1, Unknown: 2}, c.Stats())
}
