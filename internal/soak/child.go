//go:build linux

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// ChildVariable names, in the environment, what the program is to play instead of
// running a soak; RunVariable marks all descendants of one run.
const (
	ChildVariable = "BEAMPORT_SOAK_CHILD"
	RunVariable   = "BEAMPORT_SOAK_RUN"
)

// PlayChild plays the child that the environment names and does not return if there
// is one. A program that calls [Run] calls it first.
func PlayChild() {
	switch name := os.Getenv(ChildVariable); name {
	case "":
		return
	case "peer":
		newPeer().serve()
	case "crash":
		os.Exit(7)
	case "parent":
		playParent()
	default:
		fmt.Fprintf(os.Stderr, "soak: no child is called %q\n", name)
		os.Exit(99)
	}
	os.Exit(0)
}

// playParent owns a child until it is killed.
func playParent() {
	os.Setenv(ChildVariable, "peer")
	p, err := port.Start(context.Background(), port.Command{Path: "/proc/self/exe"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.Pid())
	<-p.Done()
}

// A peer is the other side of a connection and misbehaves as it is told.
type peer struct {
	in, out *os.File
	r       *port.Reader
	w       *port.Writer
	held    map[int64]etf.Term // answers that wait for a cancel, by id
}

func newPeer() *peer {
	in, out := os.NewFile(3, "3"), os.NewFile(4, "4")
	return &peer{
		in: in, out: out, held: make(map[int64]etf.Term),
		r: port.NewReader(in, port.Packet4, 0), w: port.NewWriter(out, port.Packet4, 0),
	}
}

func (p *peer) write(kind string, elements ...etf.Term) {
	if err := p.w.WritePacket(frame(kind, elements...)); err != nil {
		os.Exit(0) // the parent has gone
	}
}

func frame(kind string, elements ...etf.Term) []byte {
	b, err := etf.Encode(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
	if err != nil {
		panic(err)
	}
	return b
}

func (p *peer) serve() {
	p.write("ready", etf.Int(1), etf.Map())
	for {
		b, err := p.r.ReadPacket(nil)
		if err != nil {
			return
		}
		f, err := etf.Decode(b)
		if err != nil {
			fmt.Fprintln(os.Stderr, "soak: bad frame:", err)
			os.Exit(98)
		}
		switch {
		case f.At(0).IsAtom("call"):
			r := f.At(2)
			op, _ := r.At(0).AtomName()
			arg, _ := r.At(1).Int64()
			p.call(f.At(1), op, arg, etf.Tuple(r.At(2), r.At(3)))
		case f.At(0).IsAtom("cancel"):
			id, _ := f.At(1).Int64()
			if answer, ok := p.held[id]; ok {
				delete(p.held, id)
				p.write("reply", f.At(1), answer)
			}
		case f.At(0).IsAtom("stop"):
			return
		}
	}
}

// call does what op says; answer is what an honest peer replies.
func (p *peer) call(id etf.Term, op string, arg int64, answer etf.Term) {
	switch op {
	case "hold":
		n, _ := id.Int64()
		p.held[n] = answer
		p.log(id)
		return
	case "exit":
		os.Exit(int(arg))
	case "memory":
		exhaustMemory(arg)
	case "header":
		n := uint32(arg)
		p.out.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		p.drain()
	case "garbage":
		p.w.WritePacket([]byte{131, 104, 3, 119, 5, 'r', 'e', 'p', 'l', 'y', byte(arg)})
		p.drain()
	case "half":
		b := frame("reply", id, answer)
		b = append([]byte{byte(len(b) >> 24), byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
		p.out.Write(b[:min(int(arg), len(b)-1)])
		os.Exit(0)
	case "stdout":
		os.Stdout.Write(bytes.Repeat([]byte("noise\n"), int(arg)/6))
	case "stderr":
		part := bytes.Repeat([]byte("e"), 1<<20)
		for n := int(arg); n > 0; n -= len(part) {
			os.Stderr.Write(part[:min(n, len(part))])
		}
		os.Stderr.Write([]byte("\n"))
	case "unknown":
		p.write("reply", etf.Int(1<<58+arg), answer)
	case "twice":
		p.write("reply", id, answer)
	case "slow":
		time.Sleep(time.Duration(arg) * time.Millisecond)
	case "flood":
		for range arg {
			p.log(id)
		}
	case "fail":
		p.write("error", id, etf.Atom("error"), etf.Map(
			etf.Pair{Key: etf.Atom("type"), Value: etf.String("soak")},
			etf.Pair{Key: etf.Atom("message"), Value: etf.String("on purpose")}), etf.List())
		return
	}
	p.write("reply", id, answer)
}

func (p *peer) log(id etf.Term) {
	p.write("log", etf.Atom("info"), etf.Int(1), id, etf.String("line"), etf.Map())
}

// drain reads until the parent closes or kills.
func (p *peer) drain() {
	io.Copy(io.Discard, p.in)
	os.Exit(0)
}

// exhaustMemory allocates until a limit of the address space ends the process.
func exhaustMemory(limit int64) {
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: uint64(limit), Max: uint64(limit)}); err != nil {
		os.Exit(97)
	}
	var all [][]byte
	for {
		all = append(all, make([]byte, 64<<20))
		if len(all) > 1<<10 {
			os.Exit(96)
		}
	}
}

// command starts the running program as a child.
func command(name, run string) port.Command {
	return port.Command{
		Path:    "/proc/self/exe",
		Env:     append(os.Environ(), ChildVariable+"="+name, RunVariable+"="+run),
		Options: port.Options{MaxPacket: maxPacket},
	}
}

// parent starts a program that owns a child, and returns both.
func parent(run string) (*exec.Cmd, int, error) {
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), ChildVariable+"=parent", RunVariable+"="+run)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := c.Start(); err != nil {
		return nil, 0, err
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		c.Process.Kill()
		c.Wait()
		return nil, 0, fmt.Errorf("soak: the parent has not said its child's pid: %w", err)
	}
	return c, pid, nil
}
