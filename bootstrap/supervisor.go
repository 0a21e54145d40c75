package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

const (
	crashLimit  = 5
	crashWindow = 30 * time.Second
)

// ErrCrashLoop says that VM after VM died, so that there is no use in another.
var ErrCrashLoop = fmt.Errorf("bootstrap: the VM died %d times within %v", crashLimit, crashWindow)

// supervisor has one VM at a time that invocations get, and starts another when that
// has died or been retired.
type supervisor struct {
	*settings

	retiring   chan struct{} // holds a value while a retired VM has invocations
	closing    chan struct{} // closed when all VMs are to be stopped
	background sync.WaitGroup

	// lock holds the fields below. It is a channel since a start takes long, and
	// who waits for it has a context.
	lock    chan struct{}
	current *vm
	crashes crashes
	gaveUp  bool        // because of crashes
	invoked atomic.Bool // whether there was an invocation
	install *beam.Installation
	boot    beam.Boot
	environ []string // of the VM
	sharing sharing
	// cleanups remove what was written out for the VMs.
	cleanups []func() error
}

func newSupervisor(s *settings) *supervisor {
	return &supervisor{
		settings: s, lock: make(chan struct{}, 1), retiring: make(chan struct{}, 1), closing: make(chan struct{}),
	}
}

// live returns the VM, after starting one if there is none or it has died.
func (s *supervisor) live(ctx context.Context) (*vm, error) {
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.lock }()
	return s.liveLocked(ctx)
}

// take is live for an invocation, which has to release the VM.
func (s *supervisor) take(ctx context.Context) (*vm, error) {
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.lock }()
	one, err := s.liveLocked(ctx)
	if err == nil {
		one.take()
	}
	return one, err
}

// keep has a VM that dies while no invocation needs it replaced at once, until ctx ends
// or none can be started, which the error says.
func (s *supervisor) keep(ctx context.Context) error {
	for {
		one, err := s.live(ctx)
		if err != nil {
			return err
		}
		select {
		case <-one.process.Conn().Done():
		case <-one.retired:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *supervisor) liveLocked(ctx context.Context) (*vm, error) {
	if s.current != nil {
		select {
		case <-s.current.process.Conn().Done():
		default:
			return s.current, nil
		}
		<-s.current.process.Done() // follows at once
		s.logs.runtime("ERROR", "", "the VM died: "+strings.TrimPrefix(s.current.process.Err().Error(), "port: "))
		s.current = nil
		s.gaveUp = s.crashes.add(time.Now())
	}
	if s.gaveUp {
		return nil, ErrCrashLoop
	}
	started, err := s.startLocked(ctx)
	if err != nil {
		return nil, err
	}
	s.current = started
	return started, nil
}

// crashes are the times of the latest deaths, oldest first.
type crashes []time.Time

// add takes note of a death and says whether it was one too many.
func (c *crashes) add(now time.Time) bool {
	*c = append(*c, now)
	for now.Sub((*c)[0]) > crashWindow {
		*c = (*c)[1:]
	}
	return len(*c) >= crashLimit
}

func (s *supervisor) startLocked(ctx context.Context) (*vm, error) {
	if err := s.locateLocked(ctx); err != nil {
		return nil, err
	}
	path, args, env := s.install.Command(s.boot, s.environ)
	s.noteLocked(s.sharing.end())
	begin := time.Now()
	process, err := port.Start(ctx, port.Command{
		Path: path, Args: args, Env: env, Dir: s.TaskRoot,
		StartTimeout: s.StartTimeout,
		StopTimeout:  s.StopTimeout,
		OnOutput:     s.logs.output,
		Options:      port.Options{Alone: s.MaxConcurrency == 1, OnLog: func(line port.Log) { s.logs.log("", line) }},
	})
	if err != nil {
		return nil, &InitError{
			Type:    "Runtime.ExitError",
			Message: fmt.Sprintf("handler %q: the VM did not start: %s", s.Handler, s.describeStart(err)),
			Err:     err,
		}
	}
	ready := Ready{Start: time.Since(begin), Pid: process.Pid()}
	begin = time.Now()
	if ready.Handler, err = s.init(ctx, process); err != nil {
		s.stop(process)
		return nil, err
	}
	ready.Init = time.Since(begin)
	ready.Release = releaseOf(process)
	if s.OnReady != nil {
		s.OnReady(ready)
	}
	if s.shareProcessor {
		s.noteLocked(s.sharing.begin(process.Pid()))
	}
	return newVM(process), nil
}

// noteLocked logs what keeps the runtime and its VM from sharing a processor, or from no
// longer doing it: answers are slower then, and nothing else.
func (s *supervisor) noteLocked(err error) {
	if err != nil {
		s.logs.runtime("DEBUG", "", "the processors stay as they are: "+strings.TrimPrefix(err.Error(), "affinity: "))
	}
}

// releaseOf is the release of OTP that a VM is of, such as 25.
func releaseOf(process *port.Process) string {
	release, _ := process.Ready().Info.GetAtom("otp")
	text, _ := release.Text()
	return text
}

// init makes the handler ready and returns the name of the function found.
func (s *supervisor) init(ctx context.Context, process *port.Process) (string, error) {
	reply, err := process.Conn().Call(ctx, etf.Tuple(etf.Atom("init"), etf.Map(
		etf.Pair{Key: etf.Atom("handler"), Value: etf.String(s.Handler)},
		etf.Pair{Key: etf.Atom("task_root"), Value: etf.String(s.TaskRoot)},
		etf.Pair{Key: etf.Atom("concurrency"), Value: etf.Int(int64(s.MaxConcurrency))},
		etf.Pair{Key: etf.Atom("initialization_type"), Value: textOrNil(s.InitType)},
		etf.Pair{Key: etf.Atom("log_level"), Value: textOrNil(strings.ToUpper(s.LogLevel))},
	)))
	if err == nil {
		handler, _ := reply.GetAtom("handler")
		name, _ := handler.Text()
		return name, nil
	}
	var call *port.CallError
	if !errors.As(err, &call) {
		return "", &InitError{
			Type:    "Runtime.ExitError",
			Message: fmt.Sprintf("handler %q: the VM died while the handler was made ready: %s", s.Handler, describe(err)),
			Err:     err,
		}
	}
	f := explain(err)
	if !strings.Contains(f.Message, s.Handler) {
		f.Message = fmt.Sprintf("handler %q: %s", s.Handler, f.Message)
	}
	return "", &InitError{
		Type:       f.Type,
		Message:    f.Message,
		StackTrace: f.StackTrace,
		Err:        err,
	}
}

// textOrNil is nil where there is nothing.
func textOrNil(s string) etf.Term {
	if s == "" {
		return etf.Atom("nil")
	}
	return etf.String(s)
}

// stop ends a VM, by force if it takes too long.
func (s *supervisor) stop(process *port.Process) {
	ctx, cancel := context.WithTimeout(context.Background(), s.StopTimeout)
	defer cancel()
	_ = process.Stop(ctx) // how it ended is of no interest to anybody
}

// first says whether there was no invocation before, and that there is one now.
func (s *supervisor) first() bool { return !s.invoked.Swap(true) }

// close ends the VMs and removes what was written out for them.
func (s *supervisor) close() {
	close(s.closing)
	s.lock <- struct{}{}
	defer func() { <-s.lock }()
	if s.current != nil {
		s.stop(s.current.process)
		s.current = nil
	}
	s.background.Wait()
	s.noteLocked(s.sharing.end())
	for _, remove := range s.cleanups {
		_ = remove() // a folder left in the temporary one does no harm
	}
}
