package port_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/beamport/beamport/port"
)

func ExampleWriter() {
	var stream bytes.Buffer
	w := port.NewWriter(&stream, port.Packet2, 0)
	w.WritePacket([]byte("hello, "), []byte("BEAM"))
	w.WritePacket()
	fmt.Printf("%q\n", stream.Bytes())
	// Output:
	// "\x00\vhello, BEAM\x00\x00"
}

func ExampleReader() {
	stream := bytes.NewBufferString("\x05hello\x00\x04BEAM")
	r := port.NewReader(stream, port.Packet1, 0)
	var packet []byte
	for {
		var err error
		if packet, err = r.ReadPacket(packet); err != nil {
			if err != io.EOF {
				fmt.Println(err)
			}
			return
		}
		fmt.Printf("%q\n", packet)
	}
	// Output:
	// "hello"
	// ""
	// "BEAM"
}
