package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A function is one that is invoked, with what it is made of.
type function struct {
	name   string
	sizes  map[string]*invocations // by the event's name
	load   *load                   // nil if it serves one event at a time
	memory string                  // in MB, that it says it has

	command func() *exec.Cmd
	api     *lambdaAPI
	process *exec.Cmd
}

// invocations are those of one event, over all rounds.
type invocations struct {
	took   []float64 // nanoseconds, of each
	rounds []float64 // the medians of the rounds
	cpu    time.Duration
	memory int64 // in the end
}

// load is what came of many invocations at a time.
type load struct {
	perSecond   []float64 // of the rounds
	took        []float64
	served      int
	memoryStart int64 // after a round to warm up
	memoryEnd   int64
}

// inLoad is how many invocations are under way at a time.
const inLoad = 64

// oneProcessor and twoProcessors are as many MB as pay for so many of Lambda's.
const oneProcessor, twoProcessors = "1769", "3538"

// bareLoop and goHello are the names of functions that others are compared with.
const (
	bareLoop = "bare loop"
	goHello  = "Go hello"
)

// An event has a name by its size.
type event struct {
	name string
	json []byte
}

// events are the sizes that there are targets for: an empty object, an event of API
// Gateway, and a list of records.
func (l *lab) events() ([]event, error) {
	events := []event{{"{}", []byte("{}")}}
	for _, s := range l.samples {
		name := map[string]string{"event": "5 KB", "records": "1 MB"}[s.name]
		if name == "" {
			continue
		}
		w, err := newWorkload(s)
		if err != nil {
			return nil, err
		}
		events = append(events, event{name, w.json})
	}
	slices.SortFunc(events, func(a, b event) int { return len(a.json) - len(b.json) })
	return events, nil
}

// functions builds what is to be invoked into the lab's folder.
func (l *lab) functions() ([]*function, error) {
	bootstrap, hello := filepath.Join(l.dir, "bootstrap"), filepath.Join(l.dir, "hello")
	for out, pkg := range map[string]string{bootstrap: "github.com/beamport/beamport/cmd/bootstrap", hello: "./hello"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as for Lambda
		if output, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("bench: building %s: %w: %s", pkg, err, output)
		}
	}
	info, err := buildinfo.ReadFile(hello)
	if err != nil {
		return nil, err
	}
	l.hello = "a function"
	for _, module := range info.Deps {
		if module.Path == "github.com/aws/aws-lambda-go" {
			l.hello = module.Path + " " + module.Version
		}
	}
	runtime := func(handler string, more ...string) func() *exec.Cmd {
		return func() *exec.Cmd {
			c := exec.Command(bootstrap)
			c.Env = append(append(os.Environ(), "_HANDLER="+handler, "LAMBDA_TASK_ROOT="+l.dir), more...)
			return c
		}
	}
	self := func() *exec.Cmd {
		c := exec.Command("/proc/self/exe")
		c.Env = append(os.Environ(), bareVariable+"=1")
		return c
	}
	return []*function{
		{name: goHello, memory: oneProcessor, command: func() *exec.Cmd {
			c := exec.Command(hello)
			c.Env = os.Environ()
			return c
		}},
		{name: bareLoop, memory: oneProcessor, command: self},
		{name: "beamport, Erlang", memory: oneProcessor, command: runtime("bench_hello:handle")},
		{name: "beamport, Elixir", memory: oneProcessor, command: runtime("BenchHello.handle")},
		{name: "  of 3,538 MB", memory: twoProcessors, command: runtime("BenchHello.handle")},
		{name: "beamport, Erlang, 64 at a time", load: &load{}, command: runtime("bench_hello:handle", "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(inLoad))},
	}, nil
}

// start starts the function's processes in a group of their own.
func (f *function) start() (err error) {
	if f.api, err = newLambdaAPI(); err != nil {
		return err
	}
	f.process = f.command()
	f.process.Env = append(f.process.Env, "AWS_LAMBDA_RUNTIME_API="+f.api.address(), "ERL_CRASH_DUMP=/dev/null")
	if f.memory != "" {
		f.process.Env = append(f.process.Env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+f.memory)
	}
	f.process.Stderr = os.Stderr
	f.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := f.process.Start(); err != nil {
		f.api.close()
		return err
	}
	return nil
}

func (f *function) stop() {
	_ = syscall.Kill(-f.process.Process.Pid, syscall.SIGKILL) // it may have ended
	_ = f.process.Wait()                                      // killed
	f.api.close()
}

// measureFunctions lets the functions take turns with each event.
func (p plan) measureFunctions(l *lab) (measured []function, err error) {
	if p.only != nil && !p.only.MatchString("invoke/") {
		return nil, nil
	}
	events, err := l.events()
	if err != nil {
		return nil, err
	}
	functions, err := l.functions()
	if err != nil {
		return nil, err
	}
	for _, f := range functions {
		if err := f.start(); err != nil {
			return nil, err
		}
		defer f.stop()
		f.sizes = map[string]*invocations{}
	}
	for _, e := range events {
		fmt.Fprintf(p.log, "invoke %s\n", e.name)
		if err := p.measureEvent(functions, e); err != nil {
			return nil, err
		}
	}
	for _, f := range functions {
		if f.load == nil {
			continue
		}
		fmt.Fprintf(p.log, "invoke %s\n", f.name)
		if err := p.measureLoad(f, events[1]); err != nil {
			return nil, err
		}
	}
	for _, f := range functions {
		measured = append(measured, *f)
	}
	return measured, nil
}

// invokeTurn is how long a function is invoked in a round, about.
func (p plan) invokeTurn() time.Duration { return 5 * p.turn }

func (p plan) measureEvent(functions []*function, e event) error {
	counts := map[*function]int{}
	for _, f := range functions {
		if f.load != nil {
			continue
		}
		f.api.setEvent(e.json)
		if _, err := f.api.invoke(warmUp, 1); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		took, err := f.api.invoke(warmUp, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		counts[f] = max(5, int(float64(p.invokeTurn().Nanoseconds())/median(took)))
		f.sizes[e.name] = &invocations{}
	}
	for round := range p.rounds {
		for i := range functions {
			f := functions[(i+round)%len(functions)]
			if f.load != nil {
				continue
			}
			one := f.sizes[e.name]
			pids := processes(f.process.Process.Pid)
			before := cpuTime(pids)
			took, err := f.api.invoke(counts[f], 1)
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			one.cpu += cpuTime(pids) - before
			one.took = append(one.took, took...)
			one.rounds = append(one.rounds, median(took))
			one.memory = resident(pids)
		}
	}
	return nil
}

// warmUp is how many invocations come before those that are measured.
const warmUp = 20

// measureLoad has a function serve many events at a time.
func (p plan) measureLoad(f *function, e event) error {
	f.api.setEvent(e.json)
	n := int(p.invokeTurn() / (20 * time.Microsecond))
	for round := range p.rounds + 1 {
		start := time.Now()
		took, err := f.api.invoke(n, inLoad)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if round == 0 {
			f.load.memoryStart = resident(processes(f.process.Process.Pid))
			continue
		}
		f.load.perSecond = append(f.load.perSecond, float64(n)/time.Since(start).Seconds())
		f.load.took = append(f.load.took, took...)
		f.load.served += n
	}
	f.load.memoryEnd = resident(processes(f.process.Process.Pid))
	return nil
}

// percentile returns the value below which that share of the values lies.
func percentile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// invocationTable has a line for each function and event.
func (r report) invocationTable() table {
	t := table{{"event", "function", "p50", "of Go hello", "p99", "CPU an event", "memory"}}
	for _, name := range []string{"{}", "5 KB", "1 MB"} {
		for _, f := range r.functions {
			one := f.sizes[name]
			if one == nil {
				continue
			}
			t = append(t, []string{name, f.name, duration(median(one.rounds)), r.ofHello(f, name),
				duration(percentile(one.took, 0.99)), duration(float64(one.cpu.Nanoseconds()) / float64(len(one.took))), size(int(one.memory))})
		}
	}
	return t
}

// toHello is the ratio of the medians of a function and Go hello.
func (r report) toHello(f function, eventName string) (float64, bool) {
	for _, hello := range r.functions {
		if hello.name == goHello && hello.sizes[eventName] != nil && f.sizes[eventName] != nil {
			return median(f.sizes[eventName].rounds) / median(hello.sizes[eventName].rounds), true
		}
	}
	return 0, false
}

func (r report) ofHello(f function, eventName string) string {
	ratio, ok := r.toHello(f, eventName)
	if !ok || f.name == goHello {
		return ""
	}
	return times(ratio)
}

func (r report) loadTable() table {
	t := table{{"function, events of 5 KB", "a second", "p50", "p99", "served", "memory, first round", "last"}}
	for _, f := range r.functions {
		if f.load != nil {
			t = append(t, []string{f.name, fmt.Sprintf("%.0f", median(f.load.perSecond)),
				duration(percentile(f.load.took, 0.5)), duration(percentile(f.load.took, 0.99)), strconv.Itoa(f.load.served),
				size(int(f.load.memoryStart)), size(int(f.load.memoryEnd))})
		}
	}
	return t
}

// invocationTarget is about the slower of our functions.
func invocationTarget(eventName string, most float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		var shown []string
		held := true
		for _, f := range r.functions {
			if ratio, ok := r.toHello(f, eventName); ok && strings.HasPrefix(f.name, "beamport") {
				shown = append(shown, strings.TrimPrefix(f.name, "beamport, ")+" "+times(ratio))
				held = held && ratio <= most
			}
		}
		return strings.Join(shown, ", "), held, len(shown) > 0
	}
}
