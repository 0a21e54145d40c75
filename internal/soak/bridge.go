//go:build linux

package soak

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A program is what runs under an emulator of the make [Worker]; the zero value is one
// with port.Serve.
type program struct {
	role      string // of this program; see Play
	heartbeat time.Duration
	connect   string // to a unix socket instead of starting anything, if not empty
}

// A bridge is an emulator that has a program answer its calls, through beamport_client.
type bridge struct {
	Child
	bound time.Duration
}

// underBridge has an emulator start a scenario's program.
func underBridge(ctx context.Context, s *scenario, child Child) (Child, error) {
	return openBridge(ctx, child, s.id, s.program, s.bound)
}

func openBridge(ctx context.Context, child Child, run string, p program, bound time.Duration) (*bridge, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	role, fds := p.role, "nouse"
	if role == "" {
		role, fds = "worker", "stdio"
	}
	env := etf.Map(
		etf.Pair{Key: etf.String(runVariable), Value: etf.String(run)},
		etf.Pair{Key: etf.String(roleVariable), Value: etf.String(role)},
		etf.Pair{Key: etf.String("GOMAXPROCS"), Value: etf.String("2")},
		etf.Pair{Key: etf.String("GORACE"), Value: etf.String("atexit_sleep_ms=0")},
		etf.Pair{Key: etf.String("GOTRACEBACK"), Value: etf.String("none")},
	)
	target := etf.Tuple(etf.String(exe), env, etf.String(fds))
	if p.connect != "" {
		target = etf.String(p.connect)
	}
	b := &bridge{Child: child, bound: bound}
	if _, err := b.control(ctx, "start", etf.Tuple(target, etf.Int(p.heartbeat.Milliseconds()))); err != nil {
		return nil, err
	}
	return b, nil
}

// program is the process id of what runs under the emulator, 0 while it is being
// started anew.
func (b *bridge) program(ctx context.Context) (int, error) {
	t, err := b.control(ctx, "worker")
	pid, _ := t.At(0).Int64()
	return int(pid), err
}

func (b *bridge) control(ctx context.Context, what string, arguments ...etf.Term) (etf.Term, error) {
	request := etf.Atom(what)
	if len(arguments) > 0 {
		request = etf.Tuple(append([]etf.Term{request}, arguments...)...)
	}
	return control(ctx, b.Child, etf.Tuple(etf.Atom("control"), request), b.bound)
}

// Stats are those of the connection to the emulator, and what its client says besides of
// the program: calls under way, and answers that were nobody's.
func (b *bridge) Stats() port.Stats {
	t, err := b.control(context.Background(), "worker")
	stats := b.Child.Stats()
	if err != nil {
		return stats // it has ended
	}
	inFlight, _ := t.At(1).Int64()
	unknown, _ := t.At(2).Int64()
	stats.InFlight += int(inFlight)
	stats.Unknown += uint64(unknown)
	return stats
}

// programOf waits for the session's program, which is another than it was.
func (s *scenario) programOf(sess *session, was int) int {
	var pid int
	var err error
	within(s.ctx, s.bound, func() bool {
		pid, err = sess.child.(*bridge).program(s.ctx)
		return err != nil || pid != 0 && pid != was
	})
	if pid == 0 || pid == was {
		s.broken("there is no program after %d: %v", was, err)
	}
	return pid
}

// workers has a program end so many times, each in one way or another, under callers
// who are told each time. It is started anew.
func (s *scenario) workers(rounds int, end func(sess *session, pid int)) {
	sess := s.begin()
	if sess == nil {
		return
	}
	sess.explain(callFailed("down"))
	sess.toil(s.ctx, s.r.Uint64(), 3)
	pid := s.programOf(sess, 0)
	for range rounds {
		s.pause(s.between(0, 5*time.Millisecond))
		s.fire(1)
		end(sess, pid)
		if !within(s.ctx, s.bound, func() bool { return gone(pid) }) {
			s.broken("program %d lives on", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
		pid = s.programOf(sess, pid)
	}
	if outcome, err := sess.askUp(s); outcome != Answered {
		s.broken("the new program: %s: %v", outcome, err)
	}
	s.finish(sess)
}

// askUp asks until a program that is being started answers.
func (s *session) askUp(of *scenario) (outcome Outcome, err error) {
	within(of.ctx, of.bound, func() bool {
		outcome, err = s.ask(of.ctx, query{payload: of.payload()})
		return outcome != Failed
	})
	return outcome, err
}

// raw has the program be one that misbehaves, by what it is asked.
func (s *scenario) raw(rounds int, next func() query) {
	s.program.role = "child"
	s.workers(rounds, func(sess *session, _ int) { s.endProgram(sess, next()) })
}

func (s *scenario) endProgram(sess *session, q query) {
	if outcome, err := sess.ask(s.ctx, q); outcome != Failed {
		s.broken("the call that ends the program: %s: %v", outcome, err)
	}
}

func workerKilled(s *scenario) {
	s.workers(s.some(12), func(_ *session, pid int) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			s.broken("killing a program: %v", err)
		}
	})
}

func exitingWorker(s *scenario) {
	s.workers(s.some(8), func(sess *session, _ int) { s.endProgram(sess, query{op: "exit", number: 1 + s.r.Int64N(80)}) })
}

// stoppedWorker stops the program, which only the client's heartbeat can tell.
func stoppedWorker(s *scenario) {
	s.program.heartbeat = noticing
	s.workers(1, func(_ *session, pid int) {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			s.broken("stopping a program: %v", err)
		}
	})
}

func badHeaderOfWorker(s *scenario) {
	s.raw(s.some(8), func() query { return query{op: "header", number: int64(s.r.IntN(0x80))} })
}

func oversizedOfWorker(s *scenario) {
	s.raw(s.some(8), func() query { return query{op: "oversize", number: 1 + s.r.Int64N(1<<20)} })
}

// malformedOfWorker has the program write frames that are none. What is wrong with an
// answer may be told to its caller alone, and a line of log is dropped: then the program
// is killed, which says no more.
func malformedOfWorker(s *scenario) {
	s.program.role = "child"
	down := callFailed("down")
	undecodable := callFailed("undecodable")
	s.workers(s.some(len(malformed)), func(sess *session, pid int) {
		sess.explain(func(err error) bool { return down(err) || undecodable(err) })
		ctx, cancel := context.WithTimeout(s.ctx, time.Second/2)
		defer cancel()
		if outcome, err := sess.ask(ctx, query{op: "malformed", number: int64(s.turn())}); outcome == Answered {
			s.broken("an answer that is none: %s: %v", outcome, err)
		}
		syscall.Kill(pid, syscall.SIGKILL)
	})
}

// halfReplyOfWorker has it write a part of an answer, or all, and end.
func halfReplyOfWorker(s *scenario) {
	s.program.role = "child"
	s.workers(s.some(48), func(sess *session, _ int) { sess.ask(s.ctx, s.half()) })
}

// killedUnderStream kills an emulator whose program streams to it: the program ends.
func killedUnderStream(s *scenario) {
	sess := s.begin()
	if sess == nil {
		return
	}
	pid := s.programOf(sess, 0)
	sess.explain(killed)
	s.fire(1)
	payload := noise[:32<<10]
	if outcome, err := sess.stream(s.ctx, query{number: 1 << 20, payload: payload}, 0, func(read int) error {
		if read > 1<<20 {
			return syscall.Kill(sess.child.Pid(), syscall.SIGKILL)
		}
		return nil
	}); outcome != Failed {
		s.broken("a stream under which the emulator was killed: %s: %v", outcome, err)
	}
	s.ended(sess)
	if !within(s.ctx, port.DefaultGrace, func() bool { return gone(pid) }) {
		s.orphans.Add(1)
		s.broken("program %d outlives its emulator", pid)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}
