package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/beamport/beamport/port"
)

// echoVariable makes this program the other side of the round trips: "fd" on the
// descriptors 3 and 4, and otherwise on the unix socket of that name.
const echoVariable = "BEAMPORT_BENCH_ECHO"

// playEcho is the other side, if the environment says so: it answers a call with its
// request, and looks at neither. It does not return then.
func playEcho() {
	where := os.Getenv(echoVariable)
	if where == "" {
		return
	}
	var stream io.ReadWriter = struct {
		io.Reader
		io.Writer
	}{os.NewFile(3, "3"), os.NewFile(4, "4")}
	if where != "fd" {
		socket, err := net.Dial("unix", where)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		stream = socket
	}
	echo(stream)
	os.Exit(0)
}

const (
	echoReady = "\x83h\x03w\x05readya\x01t\x00\x00\x00\x00"
	callHead  = "\x83h\x03w\x04call"
	replyHead = "\x83h\x03w\x05reply"
)

func echo(stream io.ReadWriter) {
	r, w := port.NewReader(stream, port.Packet4, 0), port.NewWriter(stream, port.Packet4, 0)
	if w.WritePacket([]byte(echoReady)) != nil {
		return
	}
	head := []byte(replyHead)
	var frame []byte
	for {
		var err error
		if frame, err = r.ReadPacket(frame); err != nil || len(frame) < len(callHead) {
			return
		}
		if w.WritePacket(head, frame[len(callHead):]) != nil {
			return
		}
	}
}
