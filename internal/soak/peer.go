//go:build linux

package soak

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// roleVariable says, in the environment of this program, which part it is to play.
const roleVariable = "BEAMPORT_SOAK_ROLE"

// Play plays the part that this process was started for: a child that serves
// requests on file descriptors 3 and 4 and misbehaves when it is asked to, one that
// serves them with a [port.Server], there or on stdin and stdout, or a parent that owns
// a child. It returns false at once in a process that was started
// for neither, and not at all otherwise; main and TestMain call it first.
func Play() bool {
	switch os.Getenv(roleVariable) {
	case "child":
		p := &peer{in: &slowReader{from: os.NewFile(3, "in")}, out: os.NewFile(4, "out"), holding: make(map[int64]etf.Term)}
		p.r = port.NewReader(p.in, port.Packet4, maxPacket)
		os.Exit(p.serve())
	case "server":
		os.Exit(serveCalls(port.NoUseStdio()))
	case "worker":
		os.Exit(serveCalls(port.Stdio()))
	case "parent":
		os.Exit(playParent(bufio.NewReader(os.Stdin), os.Stdout))
	}
	return false
}

// A peer serves requests, one after the other: it writes before it reads on, so that
// it is slow when the parent is. A request is {Op, Nonce, Number, Payload}, its
// answer {Nonce, Payload}.
type peer struct {
	in      *slowReader
	r       *port.Reader
	out     *os.File
	holding map[int64]etf.Term // requests that are answered when they are cancelled, by id
}

// farID is an id that no call of a run comes to, and can be written as.
const farID = 1 << 50

func (p *peer) serve() int {
	p.send(etf.Tuple(etf.Atom("ready"), etf.Int(port.Version), etf.Map()))
	for {
		frame, err := p.r.ReadPacket(nil)
		if err != nil {
			return 0
		}
		t, err := etf.Decode(frame)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 90
		}
		id, _ := t.At(1).Int64()
		switch {
		case t.At(0).IsAtom("call"):
			p.answer(id, t.At(2))
		case t.At(0).IsAtom("cancel"):
			p.cancelled(id)
		case t.At(0).IsAtom("stop"):
			return 0
		}
	}
}

// answer does what a request says.
func (p *peer) answer(id int64, request etf.Term) {
	op, _ := request.At(0).AtomName()
	n, _ := request.At(2).Int64()
	switch op {
	case "hold", "late":
		p.holding[id] = request
		return
	case "lie":
		for i := range n {
			if i%2 == 0 {
				p.reply(farID+id+i, request)
			} else {
				p.fail(farID+id+i, "lie")
			}
		}
	case "dup":
		p.reply(id, request)
		for i := range n {
			if i%2 == 0 {
				p.reply(id, request)
			} else {
				p.fail(id, "twice")
			}
		}
		return
	case "exit":
		os.Exit(int(n))
	case "oom":
		exhaust(n)
	case "header":
		p.write([]byte{0x80 | byte(n), 1, 2, 3})
		p.ignore()
	case "oversize":
		p.write(binary.BigEndian.AppendUint32(nil, uint32(maxPacket+n)))
		p.ignore()
	case "half":
		frame := frameOf(etf.Tuple(etf.Atom("reply"), etf.Int(id), answerTo(request)))
		p.write(frame[:min(int(n), len(frame))])
		os.Exit(3)
	case "malformed":
		p.write(framed(malformed[int(n)%len(malformed)].bytes(id)))
		p.ignore()
	case "noise":
		chatter(int(n))
	case "line":
		os.Stderr.Write(bytes.Repeat([]byte("x"), int(n)))
		os.Stderr.Write([]byte("\n"))
	case "slow":
		p.in.pause.Store(n)
	case "log":
		p.send(etf.Tuple(etf.Atom("log"), etf.Atom("info"), etf.Int(1), etf.Int(id), etf.String("block"), etf.Map()))
	}
	p.reply(id, request)
}

// cancelled answers a request that was held: in time for nobody.
func (p *peer) cancelled(id int64) {
	request, ok := p.holding[id]
	if !ok {
		return // answered already
	}
	delete(p.holding, id)
	if request.At(0).IsAtom("late") {
		p.reply(id, request)
		return
	}
	p.fail(id, "cancelled")
}

func answerTo(request etf.Term) etf.Term { return etf.Tuple(request.At(1), request.At(3)) }

func (p *peer) reply(id int64, request etf.Term) {
	p.send(etf.Tuple(etf.Atom("reply"), etf.Int(id), answerTo(request)))
}

func (p *peer) fail(id int64, kind string) {
	p.send(etf.Tuple(etf.Atom("error"), etf.Int(id), etf.Atom("exit"), etf.Map(
		etf.Pair{Key: etf.Atom("type"), Value: etf.String(kind)},
		etf.Pair{Key: etf.Atom("message"), Value: etf.String("on purpose")},
	), etf.List()))
}

func (p *peer) send(t etf.Term) { p.write(frameOf(t)) }

func (p *peer) write(b []byte) {
	if _, err := p.out.Write(b); err != nil {
		os.Exit(0) // the parent is gone
	}
}

// ignore reads on and answers nothing: only the parent can end this.
func (p *peer) ignore() {
	io.Copy(io.Discard, p.in)
	for {
		time.Sleep(time.Hour)
	}
}

func framed(term []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(term))), term...)
}

func frameOf(t etf.Term) []byte {
	b, err := etf.Encode(t)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(91)
	}
	return framed(b)
}

// chatter writes lines to stdout and stderr, some of them much like frames.
func chatter(lines int) {
	for i := range lines {
		fmt.Fprintf(os.Stdout, "line %d %s\n", i, strings.Repeat("o", i*7%900))
		fmt.Fprintf(os.Stderr, "line %d %s\n", i, strings.Repeat("e", i*13%900))
		os.Stdout.Write([]byte{0, 0, 0, 4, 131, 104, 0, '\n', 0x80, 0, 0, 0})
	}
}

// exhaust takes memory until there is none, which the limit brings near.
func exhaust(more int64) {
	var pages int64
	statm, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(statm), &pages)
	limit := uint64(pages*int64(os.Getpagesize()) + more)
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(92)
	}
	var hoard [][]byte
	for {
		hoard = append(hoard, bytes.Repeat([]byte{1}, 4<<20))
		if int64(len(hoard))<<22 > 4*more+1<<30 {
			fmt.Fprintln(os.Stderr, "the limit does nothing")
			os.Exit(93)
		}
	}
}

// A slowReader pauses before each read for so many microseconds and then reads little.
type slowReader struct {
	from  io.Reader
	pause atomic.Int64
}

func (s *slowReader) Read(b []byte) (int, error) {
	if pause := s.pause.Load(); pause > 0 {
		time.Sleep(time.Duration(pause) * time.Microsecond)
		b = b[:min(len(b), 16<<10)]
	}
	return s.from.Read(b)
}
