package bootstrap

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/internal/sandbox"
)

// program is cmd/bootstrap, built when it is first asked for and removed by [TestMain].
var program struct {
	once sync.Once
	dir  string
	err  error
}

func programPath(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "beamport-program-"); program.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", program.dir, "../cmd/bootstrap")
		if out, err := cmd.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	require.NoError(t, program.err)
	return filepath.Join(program.dir, "bootstrap")
}

func init() {
	cleanups = append(cleanups, func() {
		if program.dir != "" {
			_ = os.RemoveAll(program.dir) // it is in the temporary folder
		}
	})
}

// sandboxed is a program in a sandbox, which is started again when it has ended.
type sandboxed struct {
	*conformer
	*sandbox.Sandbox
	exited chan struct{} // closed when the emulator has been told of the program's end
}

// start starts the program.
func (s *sandboxed) start() {
	cmd := exec.Command(programPath(s.T))
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+s.rig.config.RuntimeAPI,
		"_HANDLER="+s.rig.config.Handler, "LAMBDA_TASK_ROOT="+s.rig.config.TaskRoot)
	cmd.Env = append(cmd.Env, s.environ...)
	cmd.Stderr = s.rig.logs
	box, err := sandbox.Start(cmd)
	require.NoError(s, err)
	s.Cleanup(box.Close)
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		<-box.Done()
		s.api.RuntimeExited(fmt.Errorf("exit status %d", box.Status()))
	}()
	s.Sandbox, s.exited = box, exited
}

// ends waits for the program's end, with that exit status.
func (s *sandboxed) ends(status int) {
	s.Helper()
	select {
	case <-s.exited:
	case <-time.After(roomy):
		require.Fail(s, "the program does not end", "its processes: %v, its logs:\n%s", s.Processes(), s.rig.logs)
	}
	assert.Equal(s, status, s.Status(), "%s", s.rig.logs)
}

// left asserts that those processes are left, and no others.
func (s *sandboxed) left(pids ...int) {
	s.Helper()
	assert.Eventually(s, func() bool { return slices.Equal(pids, s.Processes()) }, roomy, time.Millisecond, "left: %v", s.Processes())
}

// begin invokes the function and returns when that is over.
func (s *sandboxed) begin(id string, e event) (end func() emulator.Result) {
	done := make(chan emulator.Result, 1)
	go func() { done <- s.expect(e.with(named(id))) }()
	return func() emulator.Result { return <-done }
}

// remaining is what a function knows of its time, and its VM.
type remaining struct {
	Deadline, Remaining int64
	Pid                 int
}

func remainingOf(t *testing.T, r emulator.Result) remaining {
	t.Helper()
	var got remaining
	require.NoError(t, json.Unmarshal(r.Payload, &got), "%s", tail(r.Payload))
	return got
}

// awaitCall waits until a call has been answered so often.
func (s *sandboxed) awaitCall(call string, n int) {
	s.Helper()
	require.Eventually(s, func() bool { return strings.Count(s.recorder.String(), call) == n }, roomy, time.Millisecond, "%s", s.recorder)
}

const tellTime = `{"do":"remaining"}`

// What becomes of the processes: Lambda stops them between invocations, for as long as it
// likes, and ends them in its own ways.
var processRows = []struct {
	conformance
	act func(*sandboxed)
}{
	{
		conformance{
			contract: "frozen while idle, an event comes: the time that remains is what remains then",
			calls:    "next 200, response first 202, next 200, response 0 202, next 200, response 1 202, next 200, response 2 202",
		},
		func(s *sandboxed) {
			first := remainingOf(s.T, s.begin("first", answered(tellTime, ""))())
			for n := range 3 {
				s.awaitCall("202", n+1)
				s.Freeze()
				end := s.begin(fmt.Sprint(n), answered(tellTime, ""))
				s.awaitCall("next 200", n+2)
				handed := time.Now()
				require.Eventually(s, func() bool { return time.Since(handed) > 20*time.Millisecond }, roomy, time.Millisecond)
				thawed := time.Now()
				s.Thaw()
				got := remainingOf(s.T, end())
				assert.Equal(s, first.Pid, got.Pid, "it is the same VM")
				assert.LessOrEqual(s, got.Remaining, got.Deadline-thawed.UnixMilli())
				assert.Positive(s, got.Remaining)
			}
			s.terminated()
		},
	},
	{
		conformance{
			contract: "frozen while idle beyond the deadline of the event that came: its answer is too late, the next one is served",
			options:  emulator.Options{Timeout: time.Second},
			calls:    "next 200, response 1 202, next 200, error 2 410, next 200, response 3 202",
		},
		func(s *sandboxed) {
			first := remainingOf(s.T, s.begin("1", answered(tellTime, ""))())
			s.awaitCall("202", 1)
			s.Freeze()
			s.begin("2", failed(tellTime, "Sandbox.Timedout", "timed out"))()
			s.Thaw()
			assert.Equal(s, first.Pid, remainingOf(s.T, s.begin("3", answered(tellTime, ""))()).Pid, "it is the same VM")
			assert.Contains(s, s.rig.logs.String(), "Function.Timeout: the function did not answer by its deadline")
			s.terminated()
		},
	},
	{
		conformance{
			contract: "frozen in flight: the invocation goes on where it was",
			calls:    "next 200, response 1 202, next 200, response 2 202",
		},
		func(s *sandboxed) {
			file := filepath.Join(s.TempDir(), "go")
			end := s.begin("1", answered(fmt.Sprintf(`{"do":"await","file":%q}`, file), ""))
			s.rig.logs.await(s.T, "waiting")
			for range 3 {
				s.Freeze()
				s.Thaw()
			}
			s.Freeze()
			writeFile(s.T, file)
			s.Thaw()
			pid := remainingOf(s.T, end()).Pid
			assert.Equal(s, pid, remainingOf(s.T, s.begin("2", answered(tellTime, ""))()).Pid, "it is the same VM")
			assert.NotContains(s, s.rig.logs.String(), "ERROR")
			s.terminated()
		},
	},
	{
		conformance{
			contract: "frozen in flight beyond the deadline: the answer is too late, the next event is served by the same VM",
			options:  emulator.Options{Timeout: time.Second},
			calls:    "next 200, response 1 202, next 200, error 2 410, next 200, response 3 202",
		},
		func(s *sandboxed) {
			first := remainingOf(s.T, s.begin("1", answered(tellTime, ""))())
			end := s.begin("2", failed(`{"do":"hang"}`, "Sandbox.Timedout", "timed out"))
			s.rig.logs.await(s.T, "hanging")
			s.Freeze()
			end()
			s.Thaw()
			assert.Equal(s, first.Pid, remainingOf(s.T, s.begin("3", answered(tellTime, ""))()).Pid, "it is the same VM")
			s.terminated()
		},
	},
	{
		conformance{
			contract: "frozen with several invocations in flight: each goes on",
			options:  emulator.Options{Concurrency: 3}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
			atOnce: true,
			calls:  "next 200, next 200, next 200, response 0 202, response 1 202, response 2 202",
		},
		func(s *sandboxed) {
			file := filepath.Join(s.TempDir(), "go")
			var ends []func() emulator.Result
			for i := range 3 {
				ends = append(ends, s.begin(fmt.Sprint(i), answered(fmt.Sprintf(`{"do":"await","file":%q}`, file), "")))
			}
			require.Eventually(s, func() bool { return strings.Count(s.rig.logs.String(), "waiting") == 3 }, roomy, time.Millisecond)
			s.Freeze()
			writeFile(s.T, file)
			s.Thaw()
			pids := map[int]bool{}
			for _, end := range ends {
				pids[remainingOf(s.T, end()).Pid] = true
			}
			assert.Len(s, pids, 1)
			s.terminated()
		},
	},
	{
		conformance{
			contract: "SIGKILL to the process group in flight: no VM is left, and another runtime serves",
			calls:    "next 200, next 200, response 2 202",
		},
		func(s *sandboxed) {
			end := s.begin("1", failed(`{"do":"hang"}`, "Runtime.ExitError", "exit status -1"))
			s.rig.logs.await(s.T, "hanging")
			s.KillGroup()
			end()
			s.ends(-1)
			s.left()
			s.start()
			s.begin("2", answered("2", "2"))()
			assert.Equal(s, 2, strings.Count(strings.Join(s.allOfExtension(), ", "), "register 200"))
			s.terminated()
		},
	},
	{
		conformance{
			contract: "SIGKILL to the process group while idle",
			calls:    "next 200, response 1 202, next 200, response 2 202",
		},
		func(s *sandboxed) {
			s.begin("1", answered("1", "1"))()
			s.KillGroup()
			s.ends(-1)
			s.left()
			s.start()
			s.begin("2", answered("2", "2"))()
			s.terminated()
		},
	},
	{
		conformance{
			contract: "programs that a port runs are frozen with the rest; they outlive their VM, unless they watch their input",
			calls:    "next 200, response 1 202, next 200, response 2 202",
		},
		func(s *sandboxed) {
			r := s.begin("1", answered(`{"do":"start a program"}`, ""))()
			var pid int
			require.NoError(s, json.Unmarshal(r.Payload, &pid), "%s", r.Payload)
			require.Eventually(s, func() bool { return slices.Contains(s.Processes(), pid) }, roomy, time.Millisecond)
			s.Freeze()
			s.Thaw()
			s.begin("2", answered("2", "2"))()
			s.Terminate()
			s.ends(0)
			s.left(pid)
		},
	},
	{
		conformance{
			contract: "SIGTERM in flight, of which the extension has seen to it that it comes: the runtime does not wait for long, exit status 0",
			calls:    "next 200",
		},
		func(s *sandboxed) {
			end := s.begin("1", failed(`{"do":"hang"}`, "Runtime.ExitError", "exit status 0"))
			s.rig.logs.await(s.T, "hanging")
			assert.True(s, s.api.ExtensionRegistered())
			s.terminated()
			end()
		},
	},
	{
		conformance{
			contract: "SIGTERM while the VM starts",
		},
		func(s *sandboxed) {
			require.Eventually(s, func() bool { return len(s.allOfExtension()) > 0 }, roomy, time.Millisecond)
			s.terminated()
		},
	},
	{
		conformance{
			contract: "exit status 64 after a hook that fails before a snapshot",
			handler:  "stateful", options: emulator.Options{SnapStart: true},
			environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "STATEFUL=before"},
			calls:   "init/error 202",
		},
		func(s *sandboxed) { s.ends(64); s.left() },
	},
	{
		conformance{
			contract: "exit status 65 after a hook that fails after a restore",
			handler:  "stateful", options: emulator.Options{SnapStart: true},
			environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "STATEFUL=after"},
			calls:   "restore/next 200, restore/error 202",
		},
		func(s *sandboxed) {
			require.NoError(s, s.api.Restore(s.Context()))
			s.ends(65)
			s.left()
		},
	},
	{
		conformance{
			contract: "exit status 1 after an init/error, which is on stderr too",
			handler:  "nowhere:handle",
			calls:    "init/error 202",
		},
		func(s *sandboxed) {
			s.ends(1)
			s.left()
			assert.Contains(s, s.rig.logs.String(), "bootstrap: Runtime.NoSuchModule: ")
		},
	},
	{
		conformance{
			contract: "exit status 1 after a 500",
			tamper:   map[string]tamper{"response 1": refuse(500, "InternalServerError")},
			calls:    "next 200, response 1 500",
		},
		func(s *sandboxed) {
			s.begin("1", failed("1", "Runtime.ExitError", unheard))()
			s.ends(1)
			s.left()
		},
	},
}

// terminated ends the program as Lambda does, and says that nothing is left.
func (s *sandboxed) terminated() {
	s.Helper()
	s.Terminate()
	s.ends(0)
	s.left()
}

func TestConformanceOfProcesses(t *testing.T) {
	for _, c := range processRows {
		t.Run(c.contract, func(t *testing.T) {
			t.Parallel()
			record := newRecorder(c.options, c.tamper)
			config := beamConfig(t, "fixture:handle")
			if c.handler != "" {
				config.Handler = c.handler
			}
			run := &conformer{T: t, conformance: c.conformance, recorder: record,
				rig: newRigOn(t, record.api, serve(t, record.api, record), config)}
			s := &sandboxed{conformer: run}
			s.start()
			c.act(s)
			<-s.exited
			run.assertCalls()
		})
	}
}
