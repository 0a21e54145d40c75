//go:build linux || darwin

package port

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// lender is a connection over a unix socket and the other side's end of that.
type lender struct {
	*Conn
	far net.Conn
	r   *Reader
}

func newLender(t *testing.T) *lender {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	c := &lender{NewConn(near, Options{}), far, NewReader(far, Packet4, 0)}
	t.Cleanup(func() {
		c.Close()
		far.Close()
		<-c.Done()
	})
	c.write(t, frameOf([]byte("\x83h\x03w\x05readya\x01t\x00\x00\x00\x00")))
	_, err = c.Ready(t.Context())
	require.NoError(t, err)
	return c
}

func frameOf(term []byte) []byte { return append(Packet4.appendHeader(nil, len(term)), term...) }

// replyOf is the frame of a reply, a binary of so many bytes.
func replyOf(id uint64, size int) []byte {
	term, err := etf.Append(appendID(appendHead(nil, 3, frameReply), id), etf.Binary(bytes.Repeat([]byte{byte(id)}, size)))
	if err != nil {
		panic(err)
	}
	at := bytes.LastIndexByte(term[:len(term)-size], termVersion) // which Append puts before the binary
	return frameOf(append(term[:at], term[at+1:]...))
}

func (c *lender) write(t *testing.T, b []byte) {
	t.Helper()
	_, err := c.far.Write(b)
	require.NoError(t, err)
}

// awaitLent waits until half a reply has been read to where its caller wants it.
func (c *lender) awaitLent(t *testing.T, id uint64) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.reading.lent != nil && c.reading.lent.id == id
	}, 10*time.Second, time.Millisecond)
}

// A caller in the test: it gives memory, which is its own again when Do has returned.
type borrowedCall struct {
	cancel context.CancelFunc
	ended  chan error
	buf    []byte
	raw    []byte
}

const lentSize = 300 << 10

// begin makes a call, whose frame the other side reads.
func (c *lender) begin(t *testing.T) *borrowedCall {
	t.Helper()
	b := &borrowedCall{ended: make(chan error, 1), buf: make([]byte, lentSize+100)}
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(t.Context())
	go func() {
		reply, err := c.Do(ctx, Request{Term: etf.Int(1), Buf: b.buf})
		for i := range b.buf {
			if err != nil {
				b.buf[i] = 0xAA
			}
		}
		b.raw = reply.Raw
		b.ended <- err
	}()
	for {
		frame, err := c.r.ReadPacket(nil)
		require.NoError(t, err)
		if bytes.HasPrefix(frame, []byte("\x83h\x03w\x04call")) { // no cancel
			return b
		}
	}
}

func (b *borrowedCall) requireGivenBack(t *testing.T) {
	t.Helper()
	require.Equal(t, len(b.buf), bytes.Count(b.buf, []byte{0xAA}), "nobody writes to it any more")
}

func (b *borrowedCall) requireAnswer(t *testing.T, id byte) {
	t.Helper()
	require.NoError(t, <-b.ended)
	require.Equal(t, lentSize, bytes.Count(b.raw[5:], []byte{id}))
	require.Same(t, &b.buf[:cap(b.buf)][cap(b.buf)-1], &b.raw[:cap(b.raw)][cap(b.raw)-1], "it lies in the caller's memory")
}

// Long replies are read to where their callers want them; who gives up while that
// happens has his memory back at once, and the stream goes on.
func TestMemoryIsHandedBack(t *testing.T) {
	half := func(id uint64) (first, rest []byte) {
		frame := replyOf(id, lentSize)
		return frame[:len(frame)/2], frame[len(frame)/2:]
	}
	t.Run("whose call is answered", func(t *testing.T) {
		c := newLender(t)
		first, second := c.begin(t), c.begin(t)
		a, b := half(2)
		c.write(t, a)
		c.awaitLent(t, 2)
		c.write(t, b)
		second.requireAnswer(t, 2)
		c.write(t, replyOf(1, lentSize))
		first.requireAnswer(t, 1)
	})
	t.Run("by another caller", func(t *testing.T) {
		c := newLender(t)
		first, second := c.begin(t), c.begin(t)
		a, b := half(2)
		c.write(t, a)
		c.awaitLent(t, 2)
		second.cancel()
		require.ErrorIs(t, <-second.ended, context.Canceled)
		c.write(t, b)
		c.write(t, replyOf(1, lentSize))
		first.requireAnswer(t, 1)
		second.requireGivenBack(t)
	})
	t.Run("when the other caller has gone before", func(t *testing.T) {
		c := newLender(t)
		first, second, third := c.begin(t), c.begin(t), c.begin(t)
		a, b := half(2)
		c.write(t, a)
		c.awaitLent(t, 2)
		first.cancel()
		require.ErrorIs(t, <-first.ended, context.Canceled)
		second.cancel()
		require.ErrorIs(t, <-second.ended, context.Canceled)
		c.write(t, b)
		c.write(t, replyOf(1, lentSize))
		c.write(t, replyOf(3, lentSize))
		third.requireAnswer(t, 3)
		first.requireGivenBack(t)
		second.requireGivenBack(t)
		require.EqualValues(t, 2, c.Stats().Late)
	})
	t.Run("when the other caller has gone, and comes to its end", func(t *testing.T) {
		c := newLender(t)
		first, second := c.begin(t), c.begin(t)
		a, b := half(2)
		c.write(t, a)
		c.awaitLent(t, 2)
		first.cancel()
		require.ErrorIs(t, <-first.ended, context.Canceled)
		c.write(t, b)
		second.requireAnswer(t, 2)
	})
	t.Run("when all go at once", func(t *testing.T) {
		for range 50 {
			c := newLender(t)
			first, second := c.begin(t), c.begin(t)
			a, b := half(2)
			c.write(t, a)
			c.awaitLent(t, 2)
			go first.cancel()
			second.cancel()
			require.ErrorIs(t, <-first.ended, context.Canceled)
			require.ErrorIs(t, <-second.ended, context.Canceled)
			c.write(t, b)
			third := c.begin(t)
			first.requireGivenBack(t)
			second.requireGivenBack(t)
			c.write(t, replyOf(3, lentSize))
			third.requireAnswer(t, 3)
		}
	})
	t.Run("when the connection ends", func(t *testing.T) {
		c := newLender(t)
		c.begin(t)
		second := c.begin(t)
		a, _ := half(2)
		c.write(t, a)
		c.awaitLent(t, 2)
		go second.cancel()
		c.far.Close()
		require.Error(t, <-second.ended)
		<-c.Done()
		second.requireGivenBack(t)
	})
}

// Whatever callers do, they get their own answers, and nothing else writes to their
// memory.
func TestMemoryOfMany(t *testing.T) {
	r1, w1, err := os.Pipe()
	require.NoError(t, err)
	r2, w2, err := os.Pipe()
	require.NoError(t, err)
	far := Pipes(r2, w1)
	go func() {
		r, w := NewReader(far, Packet4, 0), NewWriter(far, Packet4, 0)
		w.WritePacket([]byte("\x83h\x03w\x05readya\x01t\x00\x00\x00\x00"))
		for {
			frame, err := r.ReadPacket(nil)
			if err != nil {
				return
			}
			if bytes.HasPrefix(frame, []byte("\x83h\x02w\x06cancel")) {
				continue
			}
			w.WritePacket([]byte("\x83h\x03w\x05reply"), frame[len("\x83h\x03w\x04call"):])
		}
	}()
	c := NewConn(Pipes(r1, w2), Options{})
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(caller)))
			buf := make([]byte, 200<<10)
			for n := range 200 {
				size := 1 << random.IntN(18)
				want := etf.Binary(bytes.Repeat([]byte{byte(n)}, size))
				ctx, cancel := context.WithCancel(t.Context())
				if n%2 == 0 {
					cancel = sync.OnceFunc(cancel)
					time.AfterFunc(time.Duration(random.IntN(500))*time.Microsecond, cancel)
				}
				reply, err := c.Do(ctx, Request{Term: want, Buf: buf})
				cancel()
				for i := range buf[:cap(buf)] {
					if err != nil {
						buf[i] = 0xAA
					}
				}
				if err != nil {
					assert.ErrorIs(t, err, context.Canceled)
					continue
				}
				got, err := reply.Term()
				assert.NoError(t, err)
				assert.True(t, etf.Equal(want, got))
			}
		})
	}
	callers.Wait()
	require.NoError(t, c.Err())
	require.NoError(t, c.Close())
	<-c.Done()
	far.Close()
}
