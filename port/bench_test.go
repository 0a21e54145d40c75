package port_test

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

var benchSizes = []int{100, 5000, 1 << 20, 6 << 20}

var benchStreams = []struct {
	name string
	open func(t testing.TB) (near, far io.ReadWriteCloser)
}{
	{"pipe", openPipes},
	{"unix", func(t testing.TB) (near, far io.ReadWriteCloser) { return dial(t, "unix", t.TempDir()+"/s") }},
}

// openPipes connects two ends as a child's are.
func openPipes(t testing.TB) (near, far io.ReadWriteCloser) {
	r1, w1, err := os.Pipe()
	require.NoError(t, err)
	r2, w2, err := os.Pipe()
	require.NoError(t, err)
	return port.Pipes(r1, w2), port.Pipes(r2, w1)
}

// echoBytes answers calls without decoding what they hold: the benchmarks are of
// this side.
func echoBytes(rwc io.ReadWriteCloser) {
	r, w := port.NewReader(rwc, port.Packet4, 0), port.NewWriter(rwc, port.Packet4, 0)
	head := []byte("\x83h\x03w\x05reply")
	var frame []byte
	for {
		var err error
		if frame, err = r.ReadPacket(frame); err != nil {
			return
		}
		if w.WritePacket(head, frame[len("\x83h\x03w\x04call"):]) != nil {
			return
		}
	}
}

// BenchmarkRoundTrip is a call of [port.Conn.Do], and the same bytes there and back
// by hand: no ids, no callers, nothing looked at. A goroutine echoes.
func BenchmarkRoundTrip(b *testing.B) {
	for _, stream := range benchStreams {
		for _, size := range benchSizes {
			for _, inFlight := range []int{1, 8, 64} {
				if size > 1<<20 && inFlight > 8 {
					continue // half a gigabyte
				}
				name := fmt.Sprintf("%s/%dB/%d", stream.name, size, inFlight)
				b.Run(name+"/hand", func(b *testing.B) { roundTripByHand(b, stream.open, size, inFlight) })
				b.Run(name+"/Do", func(b *testing.B) { roundTripByDo(b, stream.open, size, inFlight) })
			}
		}
	}
}

func roundTripByDo(b *testing.B, open func(testing.TB) (near, far io.ReadWriteCloser), size, inFlight int) {
	near, far := open(b)
	c, p := connect(b, near, far, port.Options{MaxInFlightBytes: 1 << 30})
	require.NoError(b, p.ready())
	go echoBytes(far)
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(make([]byte, size)))
	require.NoError(b, err)
	ctx := b.Context()
	b.SetBytes(2 * int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	if inFlight == 1 {
		buf := make([]byte, size+100)
		for range b.N {
			if _, err := c.Do(ctx, port.Request{Raw: raw, Buf: buf}); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var callers sync.WaitGroup
	for range inFlight {
		callers.Go(func() {
			buf := make([]byte, size+100)
			for left.Add(-1) >= 0 {
				if _, err := c.Do(ctx, port.Request{Raw: raw, Buf: buf}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}

// roundTripByHand is what one would write for the purpose: a caller writes with a
// lock held, and a goroutine reads and hands the answers out in the order of the
// questions. Alone, a caller reads by itself, where the frame fits the pipe.
func roundTripByHand(b *testing.B, open func(testing.TB) (near, far io.ReadWriteCloser), size, inFlight int) {
	near, far := open(b)
	defer near.Close()
	defer far.Close()
	go echoBytes(far)
	frame := append([]byte("\x83h\x03w\x04call"), make([]byte, size)...)
	r, w := port.NewReader(near, port.Packet4, 0), port.NewWriter(near, port.Packet4, 0)
	b.SetBytes(2 * int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	if inFlight == 1 && size < 64<<10 {
		var buf []byte
		for range b.N {
			err := w.WritePacket(frame)
			if err == nil {
				buf, err = r.ReadPacket(buf)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	type question struct {
		buf      []byte
		answered chan struct{}
	}
	questions := make(chan *question, inFlight)
	var reader sync.WaitGroup
	reader.Go(func() {
		for q := range questions {
			var err error
			if q.buf, err = r.ReadPacket(q.buf); err != nil {
				b.Error(err)
			}
			q.answered <- struct{}{}
		}
	})
	var left atomic.Int64
	left.Store(int64(b.N))
	var turn sync.Mutex
	var callers sync.WaitGroup
	for range inFlight {
		callers.Go(func() {
			q := &question{make([]byte, size+100), make(chan struct{}, 1)}
			for left.Add(-1) >= 0 {
				turn.Lock()
				questions <- q
				err := w.WritePacket(frame)
				turn.Unlock()
				if err != nil {
					b.Error(err)
					return
				}
				<-q.answered
			}
		})
	}
	callers.Wait()
	close(questions)
	reader.Wait()
}

// BenchmarkPacket is one packet there, read by a goroutine that keeps its buffer.
func BenchmarkPacket(b *testing.B) {
	for _, stream := range benchStreams {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%s/%dB", stream.name, size), func(b *testing.B) {
				near, far := stream.open(b)
				defer near.Close()
				defer far.Close()
				go func() {
					r := port.NewReader(far, port.Packet4, 0)
					var buf []byte
					var err error
					for err == nil {
						buf, err = r.ReadPacket(buf)
					}
				}()
				w := port.NewWriter(near, port.Packet4, 0)
				packet := make([]byte, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, w.WritePacket(packet))
				}
			})
		}
	}
}
