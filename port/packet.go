package port

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Packet is the form of a packet's length header, as in the port option
// {packet,N}: an unsigned big-endian integer.
type Packet int

// The length headers, by their size in bytes.
const (
	Packet1 Packet = 1 // packets of up to 255 bytes
	Packet2 Packet = 2 // packets of up to 65,535 bytes
	Packet4 Packet = 4 // packets of up to 4 GiB - 1, where the maximum allows them
)

// DefaultMaxPacket is the maximum length of a packet, header excluded, where
// none is given.
const DefaultMaxPacket = 64 << 20

// PacketSizeError says that a packet is longer than the maximum. When reading, it
// was found in the header: nothing of the packet was read or allocated. When
// writing, nothing of it was written.
type PacketSizeError struct {
	Size uint64 // of the packet, header excluded; when reading, as the header claims
	Max  int    // the maximum
}

func (e *PacketSizeError) Error() string {
	return fmt.Sprintf("port: packet of %d bytes is over the maximum of %d", e.Size, e.Max)
}

// limit returns the maximum length of a packet where max is asked for: 0 or less
// stands for the default, and none is more than the header can say.
func (p Packet) limit(max int) int {
	if max <= 0 {
		max = DefaultMaxPacket
	}
	switch p {
	case Packet1:
		return min(max, math.MaxUint8)
	case Packet2:
		return min(max, math.MaxUint16)
	case Packet4:
		return int(min(uint64(max), math.MaxUint32))
	}
	panic(fmt.Sprintf("port: no packet header has %d bytes", int(p)))
}

// length reads a header.
func (p Packet) length(header []byte) uint64 {
	switch p {
	case Packet1:
		return uint64(header[0])
	case Packet2:
		return uint64(binary.BigEndian.Uint16(header))
	default:
		return uint64(binary.BigEndian.Uint32(header))
	}
}

// appendHeader appends the header of a packet of n bytes, which is within the limit.
func (p Packet) appendHeader(dst []byte, n int) []byte {
	switch p {
	case Packet1:
		return append(dst, byte(n))
	case Packet2:
		return binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		return binary.BigEndian.AppendUint32(dst, uint32(n))
	}
}
