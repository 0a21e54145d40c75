package layer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/beamfile"
	"github.com/beamport/beamport/port"
)

// BenchmarkLoadLists starts an emulator and has it answer one event, with boot scripts
// whose one list of modules to load was made in different ways:
//
//	traced   what an emulator has called by the time it has answered twice (see probe)
//	closure  what the functions that are started lead to (see reach)
//	stock    what the installation's own script loads, with the runtime's
//
// and reports how many modules are in it, and which share of a processor's milliseconds a
// start takes, which other programs of the machine have less to do with.
//
// Scripts of kind full and lean have the traced list: what kernel starts is known from
// tables, and from what is configured, which code does not say. With the function's own
// comes the closure of its handler, since it is not run where it is packed; a script of
// kind function has that alone.
func BenchmarkLoadLists(b *testing.B) {
	ebin, remove, err := beam.Ebin("")
	require.NoError(b, err)
	b.Cleanup(func() { _ = remove() })
	found, err := readOTP("")
	require.NoError(b, err)
	elixir, err := readElixir("")
	require.NoError(b, err)
	for _, preset := range []string{"erlang", "elixir"} {
		layer := &builder{Options: Options{Preset: preset}, contents: newContents()}
		require.NoError(b, layer.choose())
		maker := layer.booter(ebin)
		handler := probeHandler(layer.elixir != nil)
		for _, kind := range []string{beam.BootFull, beam.BootLean} {
			traced, err := maker.modules(b.Context(), kind, ebin, layer.elixir != nil)
			require.NoError(b, err)
			for _, way := range []struct {
				name    string
				modules []string
			}{{"traced", traced}, {"closure", maker.started()}, {"stock", maker.stock()}} {
				b.Run(kind+"/"+preset+"/"+way.name, func(b *testing.B) {
					term, err := maker.kernel(kind, way.modules)
					require.NoError(b, err)
					benchStart(b, maker, ebin, handler, term, len(way.modules))
				})
			}
		}
	}
	for name, handler := range map[string]string{"start_erlang": "start_erlang:handle", "start_elixir": "StartElixir.handle"} {
		dir := filepath.Join(b.TempDir(), name)
		require.NoError(b, os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "bench", "testdata", name))))
		p := &packer{FunctionOptions: FunctionOptions{Dir: dir, Handler: handler, Boot: beam.BootFunction}, contents: newContents(), otp: found, elixir: elixir}
		p.code, err = (&compiler{dir: dir, otp: found, elixir: elixir, temp: b.TempDir()}).code(b.Context())
		require.NoError(b, err)
		parsed, err := parseHandler(handler)
		require.NoError(b, err)
		maker, err := p.booter(parsed, ebin)
		require.NoError(b, err)
		closure := maker.reachable().names()
		maker.function.root = ""
		tracing := *maker
		tracing.function = nil
		traced, err := tracing.probe(b.Context(), beam.BootLean, handler, func(script beam.Script) (string, []string, []string) {
			return maker.command(ebin, p.code.root, script)
		})
		require.NoError(b, err)
		for _, way := range []struct {
			name    string
			modules []string
		}{{"traced", traced}, {"closure", closure}} {
			b.Run("function/"+name+"/"+way.name, func(b *testing.B) {
				term, err := maker.bare(way.modules)
				require.NoError(b, err)
				benchStart(b, maker, ebin, handler, term, len(way.modules))
			})
		}
	}
}

// started are the modules that what the installation's script starts leads to.
func (m *booter) started() []string {
	r := newReach(m.library.module)
	for _, c := range linkCuts {
		if c.Function != "" {
			r.cut[c] = true
		}
	}
	r.from(linkRoots...)
	r.from(loggerRoots...)
	for i := range m.otp.start.At(2).All() {
		call := i.At(i.Len() - 1)
		module, ok := call.At(0).AtomName()
		if !ok || call.Len() != 3 || module == "c" || module == "heart" {
			continue
		}
		function, _ := call.At(1).AtomName()
		r.from(beamfile.MFA{Module: module, Function: function, Arity: call.At(2).Len()})
	}
	for _, module := range []string{"kernel", "kernel_config", "code_server", "application_starter", "application_master"} {
		r.wholly(module)
	}
	return r.names()
}

// command starts an emulator with a script.
func (m *booter) command(ebin, root string, script beam.Script) (string, []string, []string) {
	boot := beam.Boot{Ebin: ebin, TaskRoot: root, Script: script}
	for _, dir := range m.library.dirs {
		if strings.HasSuffix(filepath.ToSlash(dir), "/lib/elixir/ebin") {
			boot.Elixir = []string{dir}
		}
	}
	return m.otp.Command(boot, []string{"PATH=" + os.Getenv("PATH"), "HOME=/tmp"})
}

// benchStart starts an emulator until it has answered an event, again and again.
func benchStart(b *testing.B, m *booter, ebin, handler string, term etf.Term, modules int) {
	file := filepath.Join(b.TempDir(), "start")
	require.NoError(b, writeTerm(file+".boot", term))
	script, err := beam.ReadScript(file)
	require.NoError(b, err)
	root := os.TempDir()
	for _, v := range m.variables {
		if v[0] == "TASK" {
			root = v[1]
		}
	}
	var cpu time.Duration
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), probeTime)
		path, args, env := m.command(ebin, root, script)
		p, err := port.Start(ctx, port.Command{Path: path, Args: args, Env: env, Dir: root, StartTimeout: probeTime, StopTimeout: time.Second,
			OnOutput: func(_ port.Output, line []byte) { b.Logf("%s", line) }})
		require.NoError(b, err)
		for _, request := range []etf.Term{
			etf.Tuple(etf.Atom("init"), etf.Map(etf.Pair{Key: etf.Atom("handler"), Value: etf.String(handler)}, etf.Pair{Key: etf.Atom("task_root"), Value: etf.String(root)})),
			etf.Tuple(etf.Atom("invoke"), etf.Map(etf.Pair{Key: etf.String("text"), Value: etf.String("a few words")}), etf.Map()),
		} {
			_, err = p.Conn().Call(ctx, request)
			require.NoError(b, err)
		}
		cpu += cpuOf(b, p.Pid())
		_ = p.Stop(ctx) // it may say how it ended
		cancel()
	}
	b.ReportMetric(float64(cpu.Microseconds())/1e3/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(modules), "modules")
}

// cpuOf is how long the threads of a process have run.
func cpuOf(b *testing.B, pid int) (total time.Duration) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	require.NoError(b, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		run, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(run, 10, 64)
		require.NoError(b, err)
		total += time.Duration(ns)
	}
	return total
}
