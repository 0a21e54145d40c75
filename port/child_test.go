//go:build linux || darwin

package port_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// children are what the test binary plays when it is started as a child, by the
// value of childVariable.
var children = map[string]func(p *peer){
	"echo":                echoChild,
	"exit at start":       exitAtStart,
	"signal at start":     func(*peer) { dieBySignal() },
	"never ready":         func(*peer) { sleepForever() },
	"another version":     func(p *peer) { p.write("ready", etf.Int(9), etf.Map()); sleepForever() },
	"noisy":               noisyChild,
	"half a frame":        halfAFrame,
	"oversize header":     afterCall(func(p *peer, _ etf.Term) { p.rwc.Write([]byte{0x80, 0, 0, 0}); sleepForever() }),
	"garbage":             afterCall(func(p *peer, _ etf.Term) { p.writeBytes([]byte("garbage")); sleepForever() }),
	"wrong ids":           wrongIDs,
	"exit in a call":      afterCall(func(p *peer, _ etf.Term) { os.Exit(42) }),
	"signal in a call":    afterCall(func(p *peer, _ etf.Term) { dieBySignal() }),
	"closes its output":   afterCall(func(p *peer, _ etf.Term) { p.rwc.(duplex).WriteCloser.Close(); sleepForever() }),
	"closes its input":    func(p *peer) { p.rwc.(duplex).ReadCloser.Close(); p.ready(); sleepForever() },
	"ignores stop":        ignoresStop,
	"ignores everything":  ignoresEverything,
	"reads nothing":       func(p *peer) { p.ready(); sleepForever() },
	"grandchild":          func(p *peer) { parentOfSleeper(p, &syscall.SysProcAttr{}) },
	"grandchild far away": func(p *peer) { parentOfSleeper(p, &syscall.SysProcAttr{Setsid: true}) },
	"grandchild far away, then deaf": func(p *peer) {
		p.ready()
		frame, _ := p.read()
		leaveSleeper(p, frame.At(1), &syscall.SysProcAttr{Setsid: true})
		sleepForever()
	},
	"answers and exits": answersAndExits,
	"huge line": func(p *peer) {
		p.ready()
		p.serve(func(id, request etf.Term) {
			os.Stderr.Write(bytes.Repeat([]byte("x"), hugeLine))
			p.write("reply", id, request)
		})
	},
	"environment": environment,
	"sleeper":     func(*peer) { sleepForever() },
}

func playChild(name string) {
	if parent, ok := strings.CutPrefix(name, "parent of "); ok {
		playParent(parent)
		return
	}
	play, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no child is called %q\n", name)
		os.Exit(99)
	}
	play(newPeer(duplex{os.NewFile(3, "3"), os.NewFile(4, "4")}))
}

func sleepForever() {
	for {
		time.Sleep(time.Hour)
	}
}

func dieBySignal() {
	fmt.Fprintln(os.Stderr, "goodbye")
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	sleepForever()
}

// echoChild does all of it well: it answers each call with its request, in order,
// and ends by the stop frame or the end of its input.
func echoChild(p *peer) {
	p.ready()
	for {
		frame, err := p.read()
		if err != nil || frame.At(0).IsAtom("stop") {
			return
		}
		if frame.At(0).IsAtom("call") {
			p.write("reply", frame.At(1), frame.At(2))
		}
	}
}

func exitAtStart(*peer) {
	for i := range 30 {
		fmt.Fprintln(os.Stderr, "line", i)
	}
	fmt.Fprint(os.Stderr, "the last one has no newline ", strings.Repeat("x", 5000))
	os.Exit(7)
}

// longLine is one line of a noisy child.
const longLine = 5 << 20

func noisyChild(p *peer) {
	fmt.Println("before ready")
	p.ready()
	p.serve(func(id, request etf.Term) {
		os.Stdout.Write(append(bytes.Repeat([]byte("o"), longLine), '\n'))
		os.Stderr.Write(append(bytes.Repeat([]byte("e"), longLine), '\n'))
		fmt.Fprintln(os.Stdout, "\nout")
		fmt.Fprintln(os.Stderr, "err")
		p.write("reply", id, request)
	})
}

func halfAFrame(p *peer) {
	afterCall(func(p *peer, _ etf.Term) {
		p.rwc.Write([]byte{0, 0, 1, 0, 131, 104, 3})
		os.Exit(3)
	})(p)
}

func wrongIDs(p *peer) {
	p.ready()
	p.serve(func(id, request etf.Term) {
		p.write("reply", etf.Int(123456), request)
		p.write("reply", id, request)
		p.write("reply", id, request)
	})
}

// afterCall waits for a call and then does something else than answer it.
func afterCall(misbehave func(p *peer, id etf.Term)) func(*peer) {
	return func(p *peer) {
		p.ready()
		p.serve(func(id, _ etf.Term) { misbehave(p, id) })
	}
}

// ignoresStop ends only when its input does.
func ignoresStop(p *peer) {
	p.ready()
	io.Copy(io.Discard, p.rwc)
}

// ignoresEverything can only be killed.
func ignoresEverything(p *peer) {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	p.ready()
	sleepForever()
}

// parentOfSleeper answers one call with the pid of a grandchild, which holds its
// stdout, its stderr and the protocol's output for ever, and exits.
func parentOfSleeper(p *peer, attributes *syscall.SysProcAttr) {
	p.ready()
	p.serve(func(id, _ etf.Term) {
		leaveSleeper(p, id, attributes)
		os.Exit(0)
	})
}

// leaveSleeper starts the grandchild.
func leaveSleeper(p *peer, id etf.Term, attributes *syscall.SysProcAttr) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=sleeper")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{p.rwc.(duplex).WriteCloser.(*os.File)}
	cmd.SysProcAttr = attributes
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(98)
	}
	p.write("reply", id, etf.Int(int64(cmd.Process.Pid)))
}

// answersAndExits leaves much to be read when it is gone.
func answersAndExits(p *peer) {
	p.ready()
	p.serve(func(id, request etf.Term) {
		p.log(id, "last words")
		p.write("reply", id, request)
		fmt.Println("the end")
		os.Exit(0)
	})
}

func environment(p *peer) {
	p.ready()
	p.serve(func(id, _ etf.Term) {
		dir, _ := os.Getwd()
		var open []etf.Term
		for fd := range 10 {
			if _, err := os.Stat("/dev/fd/" + strconv.Itoa(fd)); err == nil {
				open = append(open, etf.Int(int64(fd)))
			}
		}
		p.write("reply", id, etf.Tuple(etf.String(dir), etf.String(os.Getenv("COLOUR")), etf.String(strings.Join(os.Args[1:], "|")), etf.List(open...)))
	})
}

// playParent starts a child of its own, prints its pid and does nothing more.
func playParent(name string) {
	p, err := port.Start(context.Background(), parentsCommand(name))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(97)
	}
	fmt.Println(p.Pid())
	sleepForever()
}

func parentsCommand(name string) port.Command {
	if name == "erl" {
		return erlCommand()
	}
	return childCommand(name)
}

// childCommand is the test binary in another role. The race detector would have it
// sleep for a second when it exits.
func childCommand(name string) port.Command {
	return port.Command{
		Path: os.Args[0],
		Env:  append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0"),
	}
}

// start starts a child and has it killed when the test ends.
func start(t testing.TB, c port.Command) *port.Process {
	t.Helper()
	p, err := port.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p
}

// requireGone waits for a process of which nobody tells us the end.
func requireGone(t testing.TB, pid int) {
	t.Helper()
	eventually(t, func() bool { return gone(pid) })
}

// gone reports whether a process has ended; one that its parent has not reaped has.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return os.IsNotExist(err) && syscall.Kill(pid, 0) == syscall.ESRCH
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

// endIfFailed kills what should have ended in a test that failed.
func endIfFailed(t testing.TB, pid int) {
	t.Cleanup(func() {
		if t.Failed() && !gone(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}
