package layer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/beamfile"
	"github.com/beamport/beamport/port"
)

// linkRoots are the functions of the runtime that every invocation runs, and those of
// Erlang's that the emulator calls itself.
var linkRoots = []beamfile.MFA{
	{Module: "beamport_function", Function: "boot", Arity: 1},
	{Module: "beamport_function", Function: "hold", Arity: 0},
	{Module: "beamport_lambda", Function: "handle_call", Arity: 1},
	{Module: "beamport_lambda", Function: "context_keys", Arity: 0},
	{Module: "error_handler", Function: "undefined_function", Arity: 3},
	{Module: "error_handler", Function: "undefined_lambda", Arity: 3},
}

// linkCuts are functions, and whole modules, that those lead to in cases only that an
// invocation that goes well has none of: sockets, failures, text for people.
var linkCuts = []beamfile.MFA{
	{Module: "application"}, {Module: "code"}, {Module: "gen_tcp"}, {Module: "inet"}, {Module: "io_lib"}, {Module: "logger"},
	{Module: "logger_filters"}, {Module: "queue"}, {Module: "standard_error"}, {Module: "string"},
	{Module: "beamport_applications", Function: "start", Arity: 2},
	{Module: "beamport_applications", Function: "stop_one", Arity: 2},
	{Module: "beamport_elixir", Function: "inspect", Arity: 1},
	{Module: "beamport_elixir", Function: "start", Arity: 0},
	{Module: "beamport_elixir", Function: "start_config", Arity: 0},
	{Module: "beamport_error", Function: "down", Arity: 1},
	{Module: "beamport_error", Function: "format", Arity: 4},
	{Module: "beamport_function", Function: "drop_sasl", Arity: 0},
	{Module: "beamport_guardian", Function: "print", Arity: 5},
	{Module: "beamport_loader", Function: "logger", Arity: 1},
	{Module: "beamport_loader", Function: "start_server", Arity: 1},
	{Module: "beamport_handler_name", Function: "parse", Arity: 1},
	{Module: "beamport_lambda", Function: "init_failed", Arity: 3},
	{Module: "beamport_log", Function: "noise", Arity: 2},
	{Module: "beamport_log", Function: "write", Arity: 5},
	{Module: "beamport_plain", Function: "no_form", Arity: 2},
	{Module: "beamport_plain", Function: "place", Arity: 1},
	{Module: "beamport_resolve", Function: "in_task_root", Arity: 2},
	{Module: "beamport_resolve", Function: "no_function", Arity: 4},
	{Module: "beamport_resolve", Function: "not_loaded", Arity: 4},
	{Module: "beamport_resolve", Function: "start", Arity: 3},
	{Module: "beamport_result", Function: "stream", Arity: 3},
	{Module: "beamport_stack", Function: "origin", Arity: 1},
	{Module: "beamport_text", Function: "show", Arity: 1},
}

// loggerRoots start the logger, and write an event.
var loggerRoots = []beamfile.MFA{
	{Module: "beamport_loader", Function: "logger", Arity: 1},
	{Module: "beamport_log", Function: "log", Arity: 2},
}

// reachable are the modules that a handler leads to, with the runtime's own.
func (b *booter) reachable() *reach {
	runtime := newReach(b.library.module)
	for _, m := range linkCuts {
		runtime.cut[m] = true
	}
	runtime.from(linkRoots...)
	// What the runtime does without, a handler may need.
	handler := newReach(b.library.module)
	handler.modules = runtime.modules
	f := b.function
	if f == nil {
		return handler
	}
	if f.name == "" {
		handler.wholly(f.module)
	}
	for _, arity := range []int{2, 1} {
		handler.from(beamfile.MFA{Module: f.module, Function: f.name, Arity: arity})
	}
	if f.logs = handler.modules["logger"]; f.logs {
		handler.from(loggerRoots...)
	}
	if handler.modules["io"] || handler.modules["Elixir.IO"] {
		handler.from(beamfile.MFA{Module: "beamport_guardian", Function: "print", Arity: 5})
	}
	f.config = handler.modules["elixir_config"]
	for name := range handler.modules {
		if name != features && b.library.runsOnLoad(name) {
			f.needed = append(f.needed, name)
		}
	}
	slices.Sort(f.needed)
	return handler
}

// An emulator that is asked for its modules may take so long, and is started so often:
// one of OTP 27 in twenty, when calls are counted while it boots, gets no further.
const (
	probeTime  = 20 * time.Second
	probeTries = 3
)

// probe starts an emulator with a script of that kind that loads in advance only what it
// could not load later, has it answer two invocations, and asks which modules it has
// called by then.
func (b *booter) probe(ctx context.Context, kind, handler string, command func(beam.Script) (path string, args, env []string)) (names []string, err error) {
	for range probeTries {
		if names, err = b.probeOnce(ctx, kind, handler, command); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			break
		}
	}
	return names, err
}

func (b *booter) probeOnce(ctx context.Context, kind, handler string, command func(beam.Script) (path string, args, env []string)) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "beamport-probe-")
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	counting := *b
	counting.counts = true
	if b.function != nil {
		// The function's own code is not run where it is packed.
		stand, err := parseHandler(handler)
		if err != nil {
			return nil, err
		}
		counting.function = &functionSpec{handler: handler, module: stand.module, name: stand.function}
		for _, a := range b.function.start {
			if slices.Contains(quiet, a.name) {
				counting.function.start = append(counting.function.start, a)
			}
		}
	}
	term, err := counting.kernel(kind, append(b.server(),
		// The atoms of the frames have to be there.
		"beamport_lambda", "beamport_probe"))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "probe")
	if err := writeTerm(file+".boot", term); err != nil {
		return nil, err
	}
	script, err := beam.ReadScript(file)
	if err != nil {
		return nil, err
	}
	path, args, env := command(script)
	var said atomic.Value // the last line that it printed
	process, err := port.Start(ctx, port.Command{
		Path: path, Args: append(args, "-beamport_callback", "beamport_probe"), Env: env, Dir: dir,
		StartTimeout: probeTime, StopTimeout: time.Second,
		OnOutput: func(_ port.Output, line []byte) {
			if line := strings.TrimSpace(string(line)); line != "" {
				said.Store(line)
			}
		},
	})
	if err != nil {
		line, _ := said.Load().(string)
		return nil, fmt.Errorf("layer: the Erlang in %s could not be started: %w %s", b.otp.Root, err, line)
	}
	defer func() { _ = process.Stop(ctx) }()
	return ask(ctx, process.Conn(), handler, dir)
}

// server are the modules that the code server calls, and cannot load itself.
func (b *booter) server() []string {
	needed := newReach(b.library.module)
	needed.from(beamfile.MFA{Module: "code", Function: "start_link"}, linkRoots[4])
	needed.wholly("code_server")
	return append(needed.names(), "proplists", "gb_sets", "gb_trees", "binary", "beam_lib")
}

func ask(ctx context.Context, conn *port.Conn, handler, root string) ([]string, error) {
	event := etf.Map(etf.Pair{Key: etf.String("key"), Value: etf.String("value")})
	var reply etf.Term
	for _, request := range []etf.Term{
		etf.Tuple(etf.Atom("init"), etf.Map(
			etf.Pair{Key: etf.Atom("handler"), Value: etf.String(handler)},
			etf.Pair{Key: etf.Atom("task_root"), Value: etf.String(root)},
		)),
		etf.Tuple(etf.Atom("invoke"), event, etf.Map()),
		etf.Tuple(etf.Atom("invoke"), event, etf.Map()),
		etf.Atom("called"),
	} {
		var err error
		if reply, err = conn.Call(ctx, request); err != nil {
			return nil, fmt.Errorf("layer: the Erlang to be packed: %w", err)
		}
	}
	var names []string
	for name := range reply.All() {
		text, _ := name.Text()
		names = append(names, text)
	}
	slices.Sort(names)
	return names, nil
}

func writeTerm(file string, t etf.Term) error {
	b, err := etf.Encode(t)
	if err == nil {
		err = os.WriteFile(file, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	return nil
}

// probeHandler is a handler that every installation has.
func probeHandler(withElixir bool) string {
	return cmp.Or(map[bool]string{true: "Map.keys"}[withElixir], "maps:keys")
}
