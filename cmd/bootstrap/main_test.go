package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap"
	"github.com/beamport/beamport/bootstrap/emulator"
)

const patience = 30 * time.Second

// build compiles the command into a folder of its own and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

const handler = `-module(whoami).
-export([handle/2]).
-on_load(init/0).
init() -> case os:getenv("CRASH") of false -> ok; _ -> error(asked_to) end.
handle(Event, _) -> {ok, #{event => Event, pid => list_to_integer(os:getpid()),
    ebin => unicode:characters_to_binary(filename:dirname(code:which(beamport))), core => core()}}.
core() ->
    {ok, Limits} = file:read_file("/proc/self/limits"),
    {match, [Core]} = re:run(Limits, "Max core file size +(\\S+ +\\S+)", [{capture, [1], binary}]),
    Core.
`

// taskRoot is a folder with a compiled handler.
func taskRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "whoami.erl")
	require.NoError(t, os.WriteFile(source, []byte(handler), 0o644))
	out, err := exec.Command("erlc", "-o", dir, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// program is the command, running.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	api    *emulator.Server
	stderr bytes.Buffer // readable after wait
}

// run starts the command for the handler whoami:handle. More of the environment
// comes last, and counts.
func run(t *testing.T, path string, environ ...string) *program {
	t.Helper()
	return runWith(t, path, nil, append([]string{"_HANDLER=whoami:handle"}, environ...))
}

// runWith starts the command with arguments.
func runWith(t *testing.T, path string, args, environ []string) *program {
	t.Helper()
	p := &program{t: t, api: emulator.New(emulator.Options{Timeout: patience, Strict: true})}
	server := httptest.NewServer(p.api)
	t.Cleanup(func() {
		p.api.Close()
		server.Close()
	})
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"),
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + t.TempDir(),
	}, environ...)
	p.cmd.Stderr = &p.stderr
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, unless the test has failed
		_ = p.cmd.Wait()
	})
	return p
}

// wait waits for the command's end and returns its exit status.
func (p *program) wait() int {
	p.t.Helper()
	stuck := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer stuck.Stop()
	_ = p.cmd.Wait() // ExitCode says it
	return p.cmd.ProcessState.ExitCode()
}

type answer struct {
	Event json.RawMessage `json:"event"`
	Pid   int             `json:"pid"`
	Ebin  string          `json:"ebin"`
	Core  string          `json:"core"` // the limits, soft and hard, of core dumps
}

// invoke invokes the function and returns what it says of its VM.
func (p *program) invoke(event string) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	result, err := p.api.Invoke(ctx, emulator.Invocation{Payload: []byte(event)})
	require.NoError(p.t, err)
	require.Empty(p.t, result.FunctionError, "%s", result.Payload)
	var a answer
	require.NoError(p.t, json.Unmarshal(result.Payload, &a))
	assert.JSONEq(p.t, event, string(a.Event))
	return a
}

func assertGone(t *testing.T, pid int) {
	t.Helper()
	assert.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, patience, time.Millisecond)
}

// The program alone, with an Erlang on the PATH, serves, and ends in good order.
func TestServes(t *testing.T) {
	path, root := build(t), taskRoot(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := run(t, path, "LAMBDA_TASK_ROOT="+root)
			first := p.invoke(`{"a":[1]}`)
			assert.Equal(t, first.Pid, p.invoke(`{}`).Pid)
			assert.DirExists(t, first.Ebin)
			require.NoError(t, p.cmd.Process.Signal(signal))
			assert.Equal(t, 0, p.wait(), "%s", p.stderr.String())
			assert.Empty(t, p.stderr.String())
			assert.ErrorIs(t, syscall.Kill(first.Pid, 0), syscall.ESRCH, "no VM is left")
			assert.NoDirExists(t, first.Ebin, "nor is a file")
		})
	}
}

// As in a layer: all that is needed lies beside the program.
func TestServesFromItsFolder(t *testing.T) {
	path, root := build(t), taskRoot(t)
	installed, err := beam.Find(beam.DefaultSearch(os.Environ()))
	require.NoError(t, err)
	dir := filepath.Dir(path)
	require.NoError(t, os.Symlink(installed.Root, filepath.Join(dir, "erlang")))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "beam", "ebin"), os.DirFS("../../beam/ebin")))

	p := run(t, path, "LAMBDA_TASK_ROOT="+root, "PATH=/nonexistent", "TMPDIR=/nonexistent")
	want, err := filepath.EvalSymlinks(filepath.Join(dir, "beam", "ebin"))
	require.NoError(t, err)
	assert.Equal(t, want, p.invoke(`{}`).Ebin)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.wait(), "%s", p.stderr.String())
}

// A VM that crashes leaves no core dump, whatever the limit is around it.
func TestNoCoreDumps(t *testing.T) {
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &before))
	if before.Max == 0 {
		t.Skip("there are none on this machine")
	}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: before.Max, Max: before.Max}))
	t.Cleanup(func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_CORE, &before)) })
	p := run(t, build(t), "LAMBDA_TASK_ROOT="+taskRoot(t))
	assert.Equal(t, []string{"0", "0"}, strings.Fields(p.invoke(`{}`).Core))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.wait())
}

// The program killed leaves no VM behind.
func TestKilled(t *testing.T) {
	p := run(t, build(t), "LAMBDA_TASK_ROOT="+taskRoot(t))
	pid := p.invoke(`{}`).Pid
	require.NoError(t, p.cmd.Process.Kill())
	p.wait()
	assertGone(t, pid)
}

func TestInitFailures(t *testing.T) {
	path, root := build(t), taskRoot(t)
	for _, c := range []struct {
		name, environ      string
		errorType, message string
	}{
		{"no Erlang", "PATH=/nonexistent", "Runtime.NoErlang", "Erlang/OTP is not installed: install it (Debian, Ubuntu: apt-get install "},
		{"no module", "_HANDLER=nowhere:handle", "Runtime.NoSuchModule", "nowhere:handle"},
		{"wrong arity", "_HANDLER=whoami:init", "Runtime.NoSuchFunction", "whoami:init"},
		{"crash at load", "CRASH=yes", "Runtime.HandlerLoadFailed", "whoami:handle"},
		{"no handler", "_HANDLER=", "Runtime.BadConfiguration", "_HANDLER is not set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := run(t, path, "LAMBDA_TASK_ROOT="+root, c.environ)
			assert.Equal(t, 1, p.wait())
			assert.Contains(t, p.stderr.String(), "bootstrap: "+c.errorType+": ")
			assert.Contains(t, p.stderr.String(), c.message)
			var e *emulator.InitError
			require.ErrorAs(t, p.api.Ready(t.Context()), &e)
			assert.Equal(t, c.errorType, e.Type)
			assert.Contains(t, e.Message, c.message)
		})
	}
}

func TestWithoutLambda(t *testing.T) {
	cmd := exec.Command(build(t))
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Equal(t, "bootstrap: AWS_LAMBDA_RUNTIME_API is not set: Lambda sets it for the program that it starts; to run a function on your own machine, use beamport invoke\n", string(out))

	out, err = exec.Command(build(t), "-version").Output()
	require.NoError(t, err)
	assert.Equal(t, "beamport "+bootstrap.Version+"\n", string(out))
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	report(&out, &bootstrap.InitError{Type: "Runtime.HandlerInitFailed", Message: "m", StackTrace: []string{"a", "b"}})
	assert.Equal(t, "bootstrap: Runtime.HandlerInitFailed: m\n    a\n    b\n", out.String())
}

// The command of a container image is the handler.
func TestHandlerAsArgument(t *testing.T) {
	p := runWith(t, build(t), []string{"whoami:handle"}, []string{"LAMBDA_TASK_ROOT=" + taskRoot(t)})
	a := p.invoke(`{"n":1}`)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 0, p.wait())
	assertGone(t, a.Pid)
}
