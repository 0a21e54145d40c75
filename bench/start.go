package main

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// A starter is something that is started and then answers events.
type starter struct {
	name string
	// command is what is started. Those with frames speak {packet,4} on the descriptors
	// 3 and 4; the others are runtimes behind the Runtime API.
	command func() *exec.Cmd
	frames  bool
	// most is what the first answer may take, as a share of what startBaseline takes; 0 is
	// no target.
	most float64
	// mostMemory is what may be resident when it is ready, in bytes; 0 is no target.
	mostMemory int64

	runs []startRun
	// memory are runs that were looked at when they were ready.
	memory []startMemory
}

// startRun is one start.
type startRun struct {
	ready, first time.Duration // since the start: asks for an event, the first answer is read
	event        time.Duration // what the first event took
	warm, atOnce time.Duration // what later events took, with time between them and without: medians
	cpu          time.Duration // of all processes, until the first answer
}

// startMemory is what a tree of processes has resident when it is ready: with what they
// share counted once, and with it counted for each.
type startMemory struct{ once, each int64 }

// startBaseline is the name of what others are compared with, and startFaster that of the
// faster loop, which they are compared with too.
//
// What is to be compared with is "elixir -e with a trivial loop". A loop is a function that
// calls itself: that takes a module, which elixir -e compiles first. A fun that is handed
// to itself does too, without a compiler, and is run by Erlang's interpreter; nobody would
// write a function so. The targets are those of the module. All but that of a function of
// Erlang's hold with the fun too: the emulator alone, before it loads anything, takes more
// than a tenth of what the fun does.
const (
	startBaseline = "elixir -e, a module"
	startFaster   = "elixir -e, a fun"
)

// laterEvents are how many events follow the first, each laterPause after the one before;
// and as many after that, each at once.
const (
	laterEvents = 9
	laterPause  = 5 * time.Millisecond
)

// later has events served, by a function that returns how long one took, and says how
// long those after the first took.
func (r *startRun) later(serve func() (time.Duration, error)) error {
	for _, c := range []struct {
		pause time.Duration
		into  *time.Duration
	}{{laterPause, &r.warm}, {0, &r.atOnce}} {
		var took []float64
		for range laterEvents {
			time.Sleep(c.pause)
			one, err := serve()
			if err != nil {
				return err
			}
			took = append(took, float64(one))
		}
		*c.into = time.Duration(median(took))
	}
	return nil
}

// startMemoryRuns are how often each is started for its memory.
const startMemoryRuns = 3

// startEvent is what is invoked: one event of API Gateway's size with a text.
var startEvent = []byte(`{"text":"the quick brown fox jumps over the lazy dog","version":"2.0","rawPath":"/hello","padding":"` + strings.Repeat("x", 4<<10) + `"}`)

// buildStarters makes a layer and functions of the machine's Erlang and Elixir in dir.
func buildStarters(dir string) ([]*starter, error) {
	tool := filepath.Join(dir, "beamport")
	program := filepath.Join(dir, "bootstrap")
	for out, pkg := range map[string]string{tool: "./cmd/beamport", program: "./cmd/bootstrap"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0") // as make build does
		if said, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("bench: building %s: %w: %s", pkg, err, said)
		}
	}
	layer := filepath.Join(dir, "layer")
	if err := packed(layer, tool, "layer", "--preset", "elixir", "--target", "image", "--bootstrap", program); err != nil {
		return nil, err
	}
	if said, err := exec.Command("erlc", "-o", dir, "testdata/loops/loop.erl").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("bench: %w: %s", err, said)
	}
	var scripts []string
	for _, name := range []string{"module.ex", "fun.ex"} {
		b, err := os.ReadFile(filepath.Join("testdata/loops", name))
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(b))
	}
	starters := []*starter{
		{name: startBaseline, frames: true, command: func() *exec.Cmd { return exec.Command("elixir", "-e", scripts[0]) }},
		{name: startFaster, frames: true, command: func() *exec.Cmd { return exec.Command("elixir", "-e", scripts[1]) }},
		{name: "erl -s", frames: true, command: func() *exec.Cmd {
			return exec.Command("erl", "-noshell", "-noinput", "-pa", dir, "-s", "loop", "start")
		}},
	}
	most := map[string][2]float64{"full": {0.55, 0.55}, "lean": {0.40, 0.40}, "function": {0.13, 0.25}}
	memory := map[string]int64{"full": 48 << 20, "function": 28 << 20}
	for i, f := range []struct{ name, handler, source string }{
		{"Erlang", "start_erlang:handle", "testdata/start_erlang"},
		{"Elixir", "StartElixir.handle", "testdata/start_elixir"},
	} {
		// Mix compiles in the project's folder.
		source := filepath.Join(dir, filepath.Base(f.source))
		if err := os.CopyFS(source, os.DirFS(f.source)); err != nil {
			return nil, err
		}
		for _, kind := range []string{"stock", "full", "lean", "function"} {
			root := filepath.Join(dir, kind+"-"+f.name)
			args := []string{"package", "--target", "image", "--handler", f.handler}
			if kind != "stock" {
				args = append(args, "--boot", kind)
			}
			if err := packed(root, tool, append(args, source)...); err != nil {
				return nil, err
			}
			handler := f.handler
			starters = append(starters, &starter{
				name: f.name + ", " + kind, most: most[kind][i], mostMemory: memory[kind],
				command: func() *exec.Cmd {
					c := exec.Command(filepath.Join(layer, "bootstrap"))
					c.Env = append(os.Environ(), "_HANDLER="+handler, "LAMBDA_TASK_ROOT="+root, "BEAMPORT_BOOT="+kind)
					return c
				},
			})
		}
	}
	return starters, nil
}

// packed runs the tool and unpacks the archive that it makes.
func packed(dir, tool string, args ...string) error {
	archive := dir + ".zip"
	if said, err := exec.Command(tool, append([]string{args[0], "-o", archive}, args[1:]...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("bench: beamport %s: %w: %s", args[0], err, said)
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		r, err := f.Open()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, b, f.Mode()); err != nil {
			return err
		}
	}
	return nil
}

// run starts it once. With memory, it is looked at when it is ready, and not timed.
func (s *starter) run(l *limit, memory *startMemory) (startRun, error) {
	if s.frames {
		return s.runFrames(l, memory)
	}
	return s.runAPI(l, memory, os.Stderr)
}

func (s *starter) runAPI(l *limit, memory *startMemory, stderr io.Writer) (r startRun, err error) {
	api, err := newLambdaAPI()
	if err != nil {
		return r, err
	}
	defer api.close()
	api.setEvent(startEvent)
	api.anything = true
	c := s.command()
	c.Env = append(c.Env, "AWS_LAMBDA_RUNTIME_API="+api.address())
	c.Stderr = stderr
	p, err := l.start(c)
	if err != nil {
		return r, err
	}
	defer p.kill()
	if err := api.handOut(); err != nil {
		return r, err
	}
	r.ready = time.Since(p.begin)
	if memory != nil {
		*memory = memoryOf(processes(p.pid()))
		return r, nil
	}
	answer := func() (time.Duration, error) {
		select {
		case a := <-api.done:
			return a.took, a.err
		case <-time.After(invokePatience):
			return 0, fmt.Errorf("bench: %s does not answer", s.name)
		}
	}
	if r.event, err = answer(); err != nil {
		return r, err
	}
	r.first = time.Since(p.begin)
	r.cpu = cpuTime(processes(p.pid()))
	return r, r.later(func() (time.Duration, error) {
		if err := api.handOut(); err != nil {
			return 0, err
		}
		return answer()
	})
}

func (s *starter) runFrames(l *limit, memory *startMemory) (r startRun, err error) {
	toChild, events, err := os.Pipe()
	if err != nil {
		return r, err
	}
	answers, fromChild, err := os.Pipe()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, events.Close(), answers.Close()) }()
	c := s.command()
	c.Env = os.Environ()
	c.ExtraFiles = []*os.File{toChild, fromChild}
	p, err := l.start(c)
	err = errors.Join(err, toChild.Close(), fromChild.Close())
	if err != nil {
		return r, err
	}
	defer p.kill()
	late := time.AfterFunc(invokePatience, p.kill)
	defer late.Stop()
	in := bufio.NewReader(answers)
	if err := readFrame(in); err != nil {
		return r, fmt.Errorf("bench: %s does not start: %w", s.name, err)
	}
	r.ready = time.Since(p.begin)
	if memory != nil {
		*memory = memoryOf(processes(p.pid()))
		return r, nil
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(startEvent))), startEvent...)
	serve := func() (time.Duration, error) {
		begin := time.Now()
		_, err := events.Write(frame)
		if err == nil {
			err = readFrame(in)
		}
		if err != nil {
			return 0, fmt.Errorf("bench: %s does not answer: %w", s.name, err)
		}
		return time.Since(begin), nil
	}
	if r.event, err = serve(); err != nil {
		return r, err
	}
	r.first = time.Since(p.begin)
	r.cpu = cpuTime(processes(p.pid()))
	return r, r.later(serve)
}

func readFrame(r *bufio.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	_, err := r.Discard(int(binary.BigEndian.Uint32(head[:])))
	return err
}

// measureStarts starts all of them in turns, after some starts of each for its memory.
func measureStarts(starters []*starter, l *limit, rounds int, log io.Writer) error {
	for _, s := range starters {
		s.runs, s.memory = nil, nil
	}
	forMemory := min(startMemoryRuns, rounds)
	for round := range forMemory + rounds {
		for _, s := range starters {
			var looked *startMemory
			if round < forMemory {
				looked = new(startMemory)
			}
			r, err := s.run(l, looked)
			if err != nil {
				return fmt.Errorf("%w (%s)", err, s.name)
			}
			if looked != nil {
				s.memory = append(s.memory, *looked)
			} else {
				s.runs = append(s.runs, r)
			}
		}
		fmt.Fprintf(log, "\r%s: round %d of %d", l, round+1, forMemory+rounds)
	}
	fmt.Fprint(log, "\r\x1b[K")
	return nil
}

// startPlan is what is asked for on the command line.
type startPlan struct {
	rounds int
	cpus   []float64
	only   *regexp.Regexp
	svg    string
	out    string
}

// runStarts measures, prints, and writes what is asked for.
func (p startPlan) run(stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "beamport-start-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	starters, err := buildStarters(dir)
	if err != nil {
		return err
	}
	chosen := starters[:0:0]
	for _, s := range starters {
		if s.name == startBaseline || s.name == startFaster || p.only == nil || p.only.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	report := startReport{rounds: p.rounds}
	for _, cpu := range p.cpus {
		l, err := newLimit(cpu)
		if err != nil {
			report.notes = append(report.notes, err.Error())
			continue
		}
		err = measureStarts(chosen, l, p.rounds, stderr)
		if err == nil {
			report.add(l, chosen)
		}
		if err = errors.Join(err, l.remove()); err != nil {
			return err
		}
	}
	layers, err := measureLayers(dir)
	if err != nil {
		return err
	}
	report.addLayers(layers)
	if report.phases, err = measurePhases(chosen, p.rounds); err != nil {
		return err
	}
	if report.machine, err = startMachine(); err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, report.text()); err != nil {
		return err
	}
	if p.out != "" {
		err = os.WriteFile(p.out, []byte(report.markdown()), 0o644)
	}
	if p.svg != "" {
		err = errors.Join(err, os.WriteFile(p.svg, []byte(report.svg()), 0o644))
	}
	return err
}

// startedProcess is one with all that it starts.
type startedProcess struct {
	cmd   *exec.Cmd
	begin time.Time
}

func (p *startedProcess) pid() int { return p.cmd.Process.Pid }

func (p *startedProcess) kill() {
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL) // it may have ended
	_ = p.cmd.Wait()                            // killed
}
