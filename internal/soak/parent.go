//go:build linux

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/beamport/beamport/port"
)

// commandVariable tells a parent which child to start, in JSON.
const commandVariable = "BEAMPORT_SOAK_COMMAND"

// A recipe is what of a [port.Command] goes to another process.
type recipe struct {
	Path      string
	Args      []string
	Env       []string
	Make      Make
	Idle      bool          // ask nothing by itself
	Heartbeat time.Duration // of the connection
}

// programOfParent is what runs under a parent's emulator.
var programOfParent = program{heartbeat: lenient}

// playParent owns a child and has it work without a pause. It says the child's pid
// first, then for each line of in whether all has gone well so far and still does, and
// ends at the end of in.
func playParent(in *bufio.Reader, out io.Writer) int {
	complain := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 95
	}
	var r recipe
	if err := json.Unmarshal([]byte(os.Getenv(commandVariable)), &r); err != nil {
		return complain(err)
	}
	ctx := context.Background()
	child, err := startProcess(ctx, port.Command{
		Path: r.Path, Args: r.Args, Env: r.Env, StartTimeout: startTimeout, Options: port.Options{MaxPacket: maxPacket, Heartbeat: r.Heartbeat},
	})
	if err != nil {
		return complain(err)
	}
	program := 0
	if r.Make == Worker {
		b, err := openBridge(ctx, child, os.Getenv(runVariable), programOfParent, startTimeout)
		if err == nil {
			program, err = b.program(ctx)
		}
		if err != nil {
			return complain(err)
		}
		child = b
	}
	sess := &session{ledger: NewLedger(), child: child, bound: startTimeout}
	if !r.Idle {
		sess.work(ctx, uint64(child.Pid()), 4)
	}
	fmt.Fprintln(out, "pid", child.Pid(), program)
	for {
		if _, err := in.ReadString('\n'); err != nil {
			break
		}
		for range 20 {
			sess.ask(ctx, query{payload: noise[:1000]})
		}
		fmt.Fprintln(out, verdict(sess.ledger))
	}
	sess.relax()
	sess.settled(ctx)
	if err := child.Stop(ctx); err != nil {
		return complain(err)
	}
	if v := verdict(sess.ledger); v != "well" {
		return complain(fmt.Errorf("%s", v))
	}
	return 0
}

// verdict is "well", or what is not.
func verdict(l *Ledger) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range append(l.counts[Lost:], l.twice) {
		if n > 0 {
			return strings.Join(append([]string{"ill"}, l.notes...), " | ")
		}
	}
	return "well"
}

// A parent is a process that plays a parent.
type parent struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *os.File
	lines *bufio.Reader
	child int // its pid

	program int // the pid of what runs under the child, or 0
}

func (s *scenario) beginParent(r recipe) *parent {
	p, err := s.startParent(r)
	if err != nil {
		s.broken("starting a parent: %v", err)
		return nil
	}
	s.starts.Add(1)
	return p
}

func (s *scenario) startParent(r recipe) (*parent, error) {
	c := s.make.command
	r.Path, r.Args, r.Env, r.Make = c.Path, c.Args, c.Env, s.make.make
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &parent{cmd: exec.Command(exe)}
	p.cmd.Env = append(os.Environ(), runVariable+"="+s.id, roleVariable+"=parent", commandVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.out, p.lines, p.cmd.Stdout = out, bufio.NewReader(out), theirs
	err = p.cmd.Start()
	theirs.Close()
	if err != nil {
		p.in.Close()
		out.Close()
		return nil, err
	}
	line, err := p.line(s.bound)
	if err == nil {
		_, err = fmt.Sscanf(line, "pid %d %d", &p.child, &p.program)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// line reads one.
func (p *parent) line(bound time.Duration) (string, error) {
	p.out.SetReadDeadline(time.Now().Add(bound))
	line, err := p.lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

// well asks whether all is well.
func (p *parent) well(bound time.Duration) error {
	if _, err := io.WriteString(p.in, "well?\n"); err != nil {
		return err
	}
	line, err := p.line(bound)
	if err == nil && line != "well" {
		err = fmt.Errorf("soak: the parent is %s", line)
	}
	return err
}

func (p *parent) kill() {
	p.cmd.Process.Kill()
	p.end()
}

// end waits for the parent and lets go of it.
func (p *parent) end() error {
	p.in.Close()
	err := p.cmd.Wait()
	p.out.Close()
	return err
}

// orphanTime is how long a child may outlive its parent.
const orphanTime = time.Second

// parentKilled kills programs that own a child at work, which may stand still.
func parentKilled(s *scenario) {
	rounds := s.some(8)
	if s.make.make >= BEAM {
		rounds = s.some(2)
	}
	for range rounds {
		p := s.beginParent(recipe{})
		if p == nil {
			return
		}
		if err := p.well(s.bound); err != nil {
			s.broken("a parent before it is killed: %v", err)
		}
		stands := s.turn()%2 == 1
		if stands {
			syscall.Kill(p.child, syscall.SIGSTOP)
		}
		s.pause(s.between(0, 10*time.Millisecond))
		s.fire(1)
		p.kill()
		s.orphaned(p, stands)
	}
}

// orphaned makes sure that nothing outlives a parent that was killed.
func (s *scenario) orphaned(p *parent, stands bool) {
	for _, pid := range []int{p.child, p.program} {
		if pid != 0 && !within(s.ctx, orphanTime, func() bool { return gone(pid) }) {
			s.orphans.Add(1)
			s.broken("process %d (standing still: %t) outlives its parent by %v", pid, stands, orphanTime)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// wedged gives an emulator a header after which it reads nothing any more, not even the
// end of its stream, and kills its parent.
func wedged(s *scenario) {
	for range s.some(2) {
		s.wedge()
	}
}

func (s *scenario) wedge() {
	p := s.beginParent(recipe{Idle: true})
	if p == nil {
		return
	}
	if err := inject(p.child, []byte{0x80 | byte(s.r.IntN(0x80)), 0, 0, byte(s.r.IntN(0x100))}); err != nil {
		s.broken("%v", err)
	}
	s.pause(s.between(0, 20*time.Millisecond))
	s.fire(1)
	p.kill()
	s.orphaned(p, true)
}

// pairFrozen freezes a program and its child together, as a machine that is put to
// sleep does, for longer than their heartbeats allow anybody to say nothing, and thaws them
// one after the other.
func pairFrozen(s *scenario) {
	p := s.beginParent(recipe{Heartbeat: noticing})
	if p == nil {
		return
	}
	for i := range 3 {
		pids := []int{p.cmd.Process.Pid, -p.child}
		s.r.Shuffle(2, func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				s.broken("freezing a pair: %v", err)
			}
		}
		s.fire(1)
		long := 150 * time.Millisecond
		if i == 0 {
			long = 6 * noticing
		}
		s.pause(s.between(long/2, long))
		s.r.Shuffle(2, func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGCONT)
		}
		if err := p.well(s.bound); err != nil {
			s.broken("a pair after its thaw: %v", err)
		}
	}
	p.in.Close()
	done := make(chan struct{})
	var err error
	go func() {
		err = p.end()
		close(done)
	}()
	if !await(done, s.bound) {
		s.broken("a parent does not end")
		p.cmd.Process.Kill()
		<-done
	} else if err != nil {
		s.broken("a parent's end: %v", err)
	}
}
