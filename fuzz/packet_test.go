package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/port"
)

var packets = []port.Packet{port.Packet1, port.Packet2, port.Packet4}

// pieces reads a stream in pieces of the sizes that cuts says, over and over.
type pieces struct {
	stream []byte
	cuts   []byte
	next   int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.stream) == 0 {
		return 0, io.EOF
	}
	n := len(p.stream)
	if len(p.cuts) > 0 {
		n = int(p.cuts[p.next%len(p.cuts)])
		p.next++
		if n == 0 && p.next%2 == 0 {
			n = 1 // not nothing for ever
		}
	}
	n = copy(b, p.stream[:min(n, len(p.stream))])
	p.stream = p.stream[n:]
	if len(p.stream) == 0 && len(p.cuts)%2 == 1 {
		return n, io.EOF // bytes and the end together
	}
	return n, nil
}

// parse is what the packets of a stream are, and how it ends.
func parse(stream []byte, p port.Packet, most uint64) (packets [][]byte, err error) {
	for len(stream) > 0 {
		if len(stream) < int(p) {
			return packets, io.ErrUnexpectedEOF
		}
		var header [8]byte
		copy(header[8-int(p):], stream)
		size := binary.BigEndian.Uint64(header[:])
		stream = stream[p:]
		switch {
		case size > most:
			return packets, &port.PacketSizeError{Size: size, Max: int(most)}
		case size > uint64(len(stream)):
			return packets, io.ErrUnexpectedEOF
		}
		packets = append(packets, stream[:size])
		stream = stream[size:]
	}
	return packets, io.EOF
}

func FuzzPacket(f *testing.F) {
	f.Add(uint8(0), uint16(0), []byte("\x03abc\x00\x01z"), []byte{})
	f.Add(uint8(1), uint16(3), []byte("\x00\x03abc\x00\x04over"), []byte{1})
	f.Add(uint8(2), uint16(0), []byte("\x00\x00\x00\x02\x83j\x00\x00\x00\x00"), []byte{3, 0, 2})
	f.Add(uint8(2), uint16(0), []byte("\x80\x00\x00\x00"), []byte{2})
	f.Add(uint8(2), uint16(9), []byte("\xff\xff\xff\xff\xff"), []byte{4, 1})
	f.Add(uint8(2), uint16(1000), []byte("\x00\x00\x03\xe8 cut"), []byte{200})
	f.Fuzz(func(t *testing.T, which uint8, most uint16, stream, cuts []byte) {
		packet := packets[int(which)%len(packets)]
		limit := min(uint64(most), 1<<(8*uint(packet))-1)
		if most == 0 {
			limit = min(uint64(port.DefaultMaxPacket), 1<<(8*uint(packet))-1)
		}
		want, wantErr := parse(stream, packet, limit)

		r := port.NewReader(&pieces{stream: stream, cuts: cuts}, packet, int(most))
		var got [][]byte
		var err error
		for err == nil {
			var b []byte
			if b, err = r.ReadPacket(nil); err == nil {
				require.LessOrEqual(t, uint64(len(b)), limit)
				require.LessOrEqual(t, cap(b), 64<<10+4*len(stream))
				got = append(got, b)
			}
		}
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.True(t, bytes.Equal(want[i], got[i]), "packet %d", i)
		}
		sameError(t, wantErr, err)
		_, again := r.ReadPacket(nil)
		require.Equal(t, err, again, "another error the second time")

		writeAndRead(t, packet, int(most), limit, got, cuts)
		// The stream itself, as a packet.
		writeAndRead(t, packet, int(most), limit, [][]byte{stream}, cuts)
	})
}

func sameError(t *testing.T, want, got error) {
	var size *port.PacketSizeError
	if errors.As(want, &size) {
		var gotSize *port.PacketSizeError
		require.ErrorAs(t, got, &gotSize)
		require.Equal(t, *size, *gotSize)
		return
	}
	require.Equal(t, want, got)
}

// writeAndRead writes packets in parts and reads them back.
func writeAndRead(t *testing.T, p port.Packet, most int, limit uint64, packets [][]byte, cuts []byte) {
	var stream bytes.Buffer
	w := port.NewWriter(&stream, p, most)
	var written [][]byte
	for _, b := range packets {
		before := stream.Len()
		err := w.WritePacket(split(b, cuts)...)
		if uint64(len(b)) > limit {
			var size *port.PacketSizeError
			require.ErrorAs(t, err, &size)
			require.Equal(t, uint64(len(b)), size.Size)
			require.Equal(t, before, stream.Len(), "something was written of a packet that is too long")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, before+int(p)+len(b), stream.Len())
		written = append(written, b)
	}
	parsed, err := parse(stream.Bytes(), p, limit)
	require.Equal(t, io.EOF, err)
	require.Equal(t, len(written), len(parsed))

	r := port.NewReader(&pieces{stream: stream.Bytes(), cuts: cuts}, p, most)
	var reused []byte
	for _, b := range written {
		reused, err = r.ReadPacket(reused)
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, reused))
	}
	_, err = r.ReadPacket(reused)
	require.Equal(t, io.EOF, err)
}

func split(b, cuts []byte) [][]byte {
	var parts [][]byte
	for _, n := range cuts {
		n := min(int(n), len(b))
		parts = append(parts, b[:n])
		b = b[n:]
	}
	return append(parts, b)
}
