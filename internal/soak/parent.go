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
	Path string
	Args []string
	Env  []string
}

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
		Path: r.Path, Args: r.Args, Env: r.Env, StartTimeout: startTimeout, Options: port.Options{MaxPacket: maxPacket},
	})
	if err != nil {
		return complain(err)
	}
	sess := &session{ledger: NewLedger(), child: child, bound: startTimeout}
	sess.work(ctx, uint64(child.Pid()), 4)
	fmt.Fprintln(out, "pid", child.Pid())
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
}

func (s *scenario) beginParent() *parent {
	p, err := s.startParent()
	if err != nil {
		s.broken("starting a parent: %v", err)
		return nil
	}
	s.starts.Add(1)
	return p
}

func (s *scenario) startParent() (*parent, error) {
	c := s.make.command
	text, err := json.Marshal(recipe{Path: c.Path, Args: c.Args, Env: c.Env})
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
		_, err = fmt.Sscanf(line, "pid %d", &p.child)
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

// parentKilled kills a program that owns a child at work, which may stand still.
func parentKilled(s *scenario) {
	p := s.beginParent()
	if p == nil {
		return
	}
	if err := p.well(s.bound); err != nil {
		s.broken("a parent before it is killed: %v", err)
	}
	wedged := s.kind.turn()%2 == 1
	if wedged {
		syscall.Kill(p.child, syscall.SIGSTOP)
	}
	s.pause(s.between(0, 10*time.Millisecond))
	s.fire(1)
	p.kill()
	if !within(s.ctx, orphanTime, func() bool { return gone(p.child) }) {
		s.orphans.Add(1)
		s.broken("child %d (stopped: %t) outlives its parent by %v", p.child, wedged, orphanTime)
		syscall.Kill(p.child, syscall.SIGKILL)
	}
}

// pairFrozen freezes a program and its child together, as a machine that is put to
// sleep does, and thaws them one after the other.
func pairFrozen(s *scenario) {
	p := s.beginParent()
	if p == nil {
		return
	}
	for range 3 {
		pids := []int{p.cmd.Process.Pid, -p.child}
		s.r.Shuffle(2, func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				s.broken("freezing a pair: %v", err)
			}
		}
		s.fire(1)
		s.pause(s.between(10*time.Millisecond, 150*time.Millisecond))
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
