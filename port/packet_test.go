package port_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/port"
)

var packets = []port.Packet{port.Packet1, port.Packet2, port.Packet4}

// A transport is a byte stream of one direction.
type transport struct {
	name string
	open func(t testing.TB) (io.Reader, io.WriteCloser)
}

var transports = []transport{
	{"net.Pipe", func(testing.TB) (io.Reader, io.WriteCloser) {
		a, b := net.Pipe()
		return a, b
	}},
	{"io.Pipe", func(testing.TB) (io.Reader, io.WriteCloser) { return io.Pipe() }},
	{"os.Pipe", func(t testing.TB) (io.Reader, io.WriteCloser) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		t.Cleanup(func() { r.Close() })
		return r, w
	}},
	{"unix", func(t testing.TB) (io.Reader, io.WriteCloser) {
		return dial(t, "unix", filepath.Join(t.TempDir(), "s"))
	}},
	{"tcp", func(t testing.TB) (io.Reader, io.WriteCloser) { return dial(t, "tcp", "127.0.0.1:0") }},
	{"one byte at a time", bufferRead(iotest.OneByteReader)},
	{"half of what is asked for", bufferRead(iotest.HalfReader)},
	{"the end with the last bytes", bufferRead(iotest.DataErrReader)},
}

// dial connects a pair of sockets.
func dial(t testing.TB, network, address string) (net.Conn, net.Conn) {
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	defer listener.Close()
	client, err := net.Dial(network, listener.Addr().String())
	require.NoError(t, err)
	server, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

// bufferRead is a transport that is read, through wrap, when it has been written.
func bufferRead(wrap func(io.Reader) io.Reader) func(testing.TB) (io.Reader, io.WriteCloser) {
	return func(testing.TB) (io.Reader, io.WriteCloser) {
		b := &afterwards{written: make(chan struct{})}
		b.wrapped = wrap(&b.Buffer)
		return readerFunc(func(p []byte) (int, error) {
			<-b.written
			return b.wrapped.Read(p)
		}), b
	}
}

type afterwards struct {
	bytes.Buffer
	wrapped io.Reader
	written chan struct{}
}

func (a *afterwards) Close() error {
	close(a.written)
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// sizes that meet the edges of headers and buffers.
func sizes(p port.Packet) []int {
	all := []int{0, 1, 2, 3, 4, 100, 254, 255, 256, 4095, 16379, 16380, 16381, 16384, 16385,
		65535, 65536, 65537, 100_000, 1<<20 + 7}
	largest := map[port.Packet]int{port.Packet1: math.MaxUint8, port.Packet2: math.MaxUint16, port.Packet4: 4 << 20}[p]
	var fit []int
	for _, n := range all {
		if n <= largest {
			fit = append(fit, n, 0, n)
		}
	}
	return fit
}

// pattern returns n bytes that differ from those of another seed; they repeat
// after a prime number of bytes, which is no buffer's size.
func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range min(n, 1009) {
		b[i] = byte(i*7 + i>>8*13 + seed)
	}
	for done := 1009; done < n; done *= 2 {
		copy(b[done:], b[:done])
	}
	return b
}

func TestPacketsOverEveryTransport(t *testing.T) {
	for _, tr := range transports {
		for _, p := range packets {
			t.Run(fmt.Sprintf("%s/%d", tr.name, p), func(t *testing.T) {
				r, w := tr.open(t)
				wrote := make(chan error, 1)
				go func() {
					defer w.Close()
					writer := port.NewWriter(w, p, 0)
					for i, n := range sizes(p) {
						b := pattern(n, i)
						// One part, many small ones, and a small head with a long body.
						parts := [][][]byte{{b}, {b[:n/3], nil, b[n/3 : n/2], b[n/2:]}, {b[:min(n, 9)], b[min(n, 9):]}}[i%3]
						if err := writer.WritePacket(parts...); err != nil {
							wrote <- err
							return
						}
					}
					wrote <- nil
				}()
				reader := port.NewReader(r, p, 0)
				var buf []byte
				var err error
				for i, n := range sizes(p) {
					buf, err = reader.ReadPacket(buf)
					require.NoError(t, err, "packet %d of %d bytes", i, n)
					require.True(t, bytes.Equal(pattern(n, i), buf), "packet %d of %d bytes is another", i, n)
				}
				require.NoError(t, <-wrote)
				for range 2 {
					_, err = reader.ReadPacket(buf)
					require.Equal(t, io.EOF, err)
				}
			})
		}
	}
}

func TestPacketsWithAnySplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(packets).Draw(t, "packet")
		contents := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 255), 0, 30).Draw(t, "contents")
		var stream bytes.Buffer
		w := port.NewWriter(&stream, p, 0)
		for _, content := range contents {
			cut := rapid.IntRange(0, len(content)).Draw(t, "cut")
			require.NoError(t, w.WritePacket(content[:cut], content[cut:]))
		}
		r := port.NewReader(readerFunc(func(b []byte) (int, error) {
			if stream.Len() > 0 && rapid.Bool().Draw(t, "nothing") {
				return 0, nil
			}
			n := rapid.IntRange(1, max(1, min(len(b), stream.Len()))).Draw(t, "n")
			return stream.Read(b[:n])
		}), p, 0)
		for _, content := range contents {
			got, err := r.ReadPacket(nil)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, got))
		}
		_, err := r.ReadPacket(nil)
		require.Equal(t, io.EOF, err)
	})
}

func TestReadPacketCutAnywhere(t *testing.T) {
	for _, p := range packets {
		var stream bytes.Buffer
		w := port.NewWriter(&stream, p, 0)
		ends := map[int]bool{0: true}
		for _, n := range []int{0, 5, 0, 40} {
			require.NoError(t, w.WritePacket(pattern(n, 0)))
			ends[stream.Len()] = true
		}
		for cut := range stream.Len() + 1 {
			r := port.NewReader(bytes.NewReader(stream.Bytes()[:cut]), p, 0)
			var err error
			for err == nil {
				_, err = r.ReadPacket(nil)
			}
			want := io.ErrUnexpectedEOF
			if ends[cut] {
				want = io.EOF
			}
			require.Equal(t, want, err, "packet %d, cut at %d", p, cut)
			_, again := r.ReadPacket(nil)
			require.Equal(t, want, again)
		}
	}
}

func TestReadPacketOverTheMaximum(t *testing.T) {
	tests := []struct {
		packet port.Packet
		max    int
		header []byte
		size   uint64
		ok     bool
	}{
		{port.Packet1, 10, []byte{10}, 10, true},
		{port.Packet1, 10, []byte{11}, 11, false},
		{port.Packet2, 0x102, []byte{1, 2}, 0x102, true},
		{port.Packet2, 0x102, []byte{1, 3}, 0x103, false},
		{port.Packet4, 0, []byte{4, 0, 0, 0}, 64 << 20, true},
		{port.Packet4, 0, []byte{4, 0, 0, 1}, 64<<20 + 1, false},
		{port.Packet4, 1 << 20, []byte{0x7F, 0xFF, 0xFF, 0xFF}, math.MaxInt32, false},
		{port.Packet4, math.MaxInt32, []byte{0x80, 0, 0, 0}, 1 << 31, false},
		{port.Packet4, math.MaxInt32, []byte{0xFF, 0xFF, 0xFF, 0xFF}, math.MaxUint32, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d/%d/%d", tt.packet, tt.max, tt.size), func(t *testing.T) {
			source := bytes.NewReader(append(tt.header, "abc"...))
			r := port.NewReader(source, tt.packet, tt.max)
			got, err := r.ReadPacket(nil)
			assert.Empty(t, got)
			// Neither claim is worth more than the first step.
			assert.LessOrEqual(t, cap(got), 64<<10)
			if tt.ok {
				require.Equal(t, io.ErrUnexpectedEOF, err)
				return
			}
			tooLong, ok := errors.AsType[*port.PacketSizeError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, tt.size, tooLong.Size)
			assert.Zero(t, cap(got))
			_, again := r.ReadPacket(nil)
			require.Equal(t, err, again)
		})
	}
}

func TestReadPacketGrowsWithWhatArrives(t *testing.T) {
	for _, claim := range []uint32{100 << 10, 1 << 20, 63 << 20} {
		for _, arrived := range []int{0, 1, 60 << 10, 70 << 10, 300 << 10, 2 << 20, 3 << 20, 9 << 20} {
			if arrived >= int(claim) {
				continue
			}
			stream := append(binary.BigEndian.AppendUint32(nil, claim), make([]byte, arrived)...)
			r := port.NewReader(bytes.NewReader(stream), port.Packet4, 0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := r.ReadPacket(nil)
			runtime.ReadMemStats(&after)
			require.Equal(t, io.ErrUnexpectedEOF, err)
			// What was allocated in all, steps that were thrown away included.
			require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(70<<10+6*arrived), "%d bytes of %d", arrived, claim)
		}
	}
}

func TestReadPacketAllocatesLongPacketsOnce(t *testing.T) {
	for _, size := range []int{100, 64 << 10, 1 << 20, 6 << 20} {
		var stream bytes.Buffer
		w := port.NewWriter(&stream, port.Packet4, 0)
		for range 2 {
			require.NoError(t, w.WritePacket(pattern(size, 1)))
		}
		r := port.NewReader(&stream, port.Packet4, 0)
		_, err := r.ReadPacket(nil)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		second, err := r.ReadPacket(nil)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.True(t, bytes.Equal(pattern(size, 1), second))
		require.Equal(t, size, cap(second))
		require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(size+size/4+8<<10), "%d bytes", size)
	}
}

func TestReadPacketErrors(t *testing.T) {
	failure := errors.New("line noise")
	for cut, header := range map[int][]byte{0: nil, 2: {0, 0}, 4: {0, 0, 0, 9}, 6: {0, 0, 0, 9, 1, 2}} {
		r := port.NewReader(io.MultiReader(bytes.NewReader(header), iotest.ErrReader(failure)), port.Packet4, 0)
		for range 2 {
			_, err := r.ReadPacket(nil)
			require.ErrorIs(t, err, failure, "after %d bytes", cut)
		}
	}
	_, err := port.NewReader(readerFunc(func([]byte) (int, error) { return 0, nil }), port.Packet4, 0).ReadPacket(nil)
	require.ErrorIs(t, err, io.ErrNoProgress)
}

func TestReadPacketReadsAhead(t *testing.T) {
	var stream bytes.Buffer
	w := port.NewWriter(&stream, port.Packet4, 0)
	for i := range 100 {
		require.NoError(t, w.WritePacket(pattern(100, i)))
	}
	reads := 0
	r := port.NewReader(readerFunc(func(b []byte) (int, error) {
		reads++
		return stream.Read(b)
	}), port.Packet4, 0)
	for i := range 100 {
		got, err := r.ReadPacket(nil)
		require.NoError(t, err)
		require.Equal(t, pattern(100, i), got)
	}
	require.Equal(t, 1, reads)
}

func TestWritePacketOverTheMaximum(t *testing.T) {
	for _, tt := range []struct {
		packet port.Packet
		max    int
		most   int
	}{
		{port.Packet1, 0, 255}, {port.Packet1, 10, 10}, {port.Packet2, 1 << 30, 65535}, {port.Packet4, 1 << 20, 1 << 20},
	} {
		var stream bytes.Buffer
		w := port.NewWriter(&stream, tt.packet, tt.max)
		err := w.WritePacket(make([]byte, tt.most), []byte{1})
		tooLong, ok := errors.AsType[*port.PacketSizeError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, port.PacketSizeError{Size: uint64(tt.most) + 1, Max: tt.most}, *tooLong)
		require.Zero(t, stream.Len())
		// The Writer is as good as before.
		require.NoError(t, w.WritePacket(make([]byte, tt.most)))
		require.Equal(t, int(tt.packet)+tt.most, stream.Len())
	}
}

func TestWritePacketWritesOnce(t *testing.T) {
	for _, tt := range []struct{ size, writes int }{{0, 1}, {1, 1}, {5000, 1}, {64 << 10, 1}, {64<<10 + 1, 2}, {1 << 20, 2}} {
		writes := 0
		w := port.NewWriter(writerFunc(func(b []byte) (int, error) {
			writes++
			return len(b), nil
		}), port.Packet4, 0)
		body := make([]byte, tt.size)
		head := min(tt.size, 10)
		require.NoError(t, w.WritePacket(body[:head], body[head:]))
		require.Equal(t, tt.writes, writes, "%d bytes", tt.size)
	}
}

func TestWritePacketErrors(t *testing.T) {
	failure := errors.New("line noise")
	for room := range 9 {
		calls := 0
		w := port.NewWriter(writerFunc(func(b []byte) (int, error) {
			calls++
			return min(room, len(b)), failure
		}), port.Packet4, 0)
		require.ErrorIs(t, w.WritePacket([]byte("abcde")), failure)
		require.ErrorIs(t, w.WritePacket([]byte("abcde")), failure)
		if room == 0 {
			require.Equal(t, 2, calls, "nothing was written: the stream is whole")
		} else {
			require.Equal(t, 1, calls, "a packet was broken off: nothing may follow")
		}
	}
	short := port.NewWriter(writerFunc(func(b []byte) (int, error) { return len(b) - 1, nil }), port.Packet4, 0)
	require.ErrorIs(t, short.WritePacket([]byte("abcde")), io.ErrShortWrite)
}

func TestPacketsDoNotAllocate(t *testing.T) {
	for _, tr := range transports[2:5] { // those that the kernel buffers
		for _, size := range []int{100, 5000, 100_000} {
			r, w := tr.open(t)
			reader, writer := port.NewReader(r, port.Packet4, 0), port.NewWriter(w, port.Packet4, 0)
			head, body := pattern(20, 1), pattern(size, 2)
			turn := make(chan struct{})
			go func() {
				for range turn {
					if writer.WritePacket(head, body) != nil {
						return
					}
				}
			}()
			var buf []byte
			allocated := testing.AllocsPerRun(50, func() {
				turn <- struct{}{}
				var err error
				buf, err = reader.ReadPacket(buf)
				require.NoError(t, err)
			})
			close(turn)
			require.Zero(t, allocated, "%s, %d bytes", tr.name, size)
			require.Len(t, buf, len(head)+size)
		}
	}
}

func TestNoSuchPacket(t *testing.T) {
	require.Panics(t, func() { port.NewReader(nil, 3, 0) })
	require.Panics(t, func() { port.NewWriter(nil, 0, 0) })
}
