package port_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

var benchSizes = []int{100, 5000, 1 << 20}

var benchStreams = []struct {
	name string
	open func(t testing.TB) (near, far io.ReadWriteCloser)
}{
	{"pipe", func(t testing.TB) (near, far io.ReadWriteCloser) { return filePairs(t) }},
	{"unix", func(t testing.TB) (near, far io.ReadWriteCloser) { return dial(t, "unix", t.TempDir()+"/s") }},
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

// BenchmarkDo is the round trip of a call, echoed by a goroutine.
func BenchmarkDo(b *testing.B) {
	for _, stream := range benchStreams {
		for _, size := range benchSizes {
			for _, inFlight := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("%s/%dB/%d", stream.name, size, inFlight), func(b *testing.B) {
					near, far := stream.open(b)
					c, p := connect(b, near, far, port.Options{})
					require.NoError(b, p.ready())
					go echoBytes(far)
					raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(make([]byte, size)))
					require.NoError(b, err)
					b.SetBytes(2 * int64(size))
					b.ReportAllocs()
					b.ResetTimer()
					turns := make(chan struct{}, inFlight)
					ended := make(chan error, inFlight)
					for range inFlight {
						go func() {
							for range turns {
								if _, err := c.Do(b.Context(), port.Request{Raw: raw}); err != nil {
									ended <- err
									return
								}
							}
							ended <- nil
						}()
					}
					for range b.N {
						turns <- struct{}{}
					}
					close(turns)
					for range inFlight {
						require.NoError(b, <-ended)
					}
				})
			}
		}
	}
}

// BenchmarkByHand is the same round trip, one in flight, with no calls around it.
func BenchmarkByHand(b *testing.B) {
	for _, stream := range benchStreams {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("%s/%dB", stream.name, size), func(b *testing.B) {
				near, far := stream.open(b)
				defer near.Close()
				defer far.Close()
				go echoBytes(far)
				frame := append([]byte("\x83h\x03w\x04call"), make([]byte, size)...)
				r, w := port.NewReader(near, port.Packet4, 0), port.NewWriter(near, port.Packet4, 0)
				var buf []byte
				b.SetBytes(2 * int64(size))
				b.ReportAllocs()
				for b.Loop() {
					done := make(chan error, 1)
					// A frame that does not fit the pipe has to be written while the answer is read.
					if size > 64<<10 {
						go func() { done <- w.WritePacket(frame) }()
					} else {
						done <- w.WritePacket(frame)
					}
					var err error
					buf, err = r.ReadPacket(buf)
					require.NoError(b, err)
					require.NoError(b, <-done)
				}
			})
		}
	}
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
