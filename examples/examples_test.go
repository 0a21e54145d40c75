package examples

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beamport/beamport/bootstrap"
	"github.com/beamport/beamport/bootstrap/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logged is what a function logs while it runs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// copyOf copies a project to a folder of the test's own, so that nothing is
// compiled in the tree. What was compiled there is left behind.
func copyOf(t *testing.T, project string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), project)
	require.NoError(t, os.CopyFS(dir, os.DirFS(project)))
	for _, built := range []string{"_build", "ebin"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, built)))
	}
	return dir
}

// command runs a program in a folder.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MIX_ENV=")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}

// function runs a handler behind the emulator until the test's end.
func function(t *testing.T, taskRoot, handler string) (*emulator.Server, *logged) {
	t.Helper()
	api := emulator.New(emulator.Options{Timeout: time.Minute})
	server := httptest.NewServer(api)
	logs := new(logged)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := bootstrap.Run(ctx, bootstrap.Config{
			RuntimeAPI: server.Listener.Addr().String(),
			Handler:    handler,
			TaskRoot:   taskRoot,
			Logs:       logs,
		})
		api.RuntimeExited(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
		api.Close()
		server.Close()
	})
	return api, logs
}

// want is what a function should make of an event of events/.
type want struct {
	event  string
	answer string // JSON
	log    string // in what it logs
}

func check(t *testing.T, taskRoot, handler string, wants []want) {
	api, logs := function(t, taskRoot, handler)
	checkAnswers(t, api, logs, wants)
}

func checkAnswers(t *testing.T, api *emulator.Server, logs *logged, wants []want) {
	events, err := filepath.Glob("events/*.json")
	require.NoError(t, err)
	require.Len(t, wants, len(events), "an expectation for each event")
	for _, w := range wants {
		t.Run(w.event, func(t *testing.T) {
			event, err := os.ReadFile(filepath.Join("events", w.event+".json"))
			require.NoError(t, err)
			r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: event})
			require.NoError(t, err)
			require.Empty(t, r.FunctionError, string(r.Payload))
			assert.Equal(t, "application/json", r.ContentType)
			assert.JSONEq(t, w.answer, string(r.Payload))
			assert.Eventually(t, func() bool { return strings.Contains(logs.String(), w.log) }, 10*time.Second, time.Millisecond, "%q in:\n%s", w.log, logs)
		})
	}
}

var elixirsAnswers = []want{
	{"empty", `{"greeting":"Hello, world!"}`, "An event of 0 keys"},
	{"apigateway-v2", `{"statusCode":200,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"Olá, José!"}`, "GET /hello/Jos%C3%A9, "},
	{"sqs-batch", `{"batchItemFailures":[]}`, "message 3d6f0c1a-52f4-4e0b-9a57-0e1f6a1b2c03: 84 bytes"},
	{"s3-put", `{"objects":[{"event":"ObjectCreated:Put","bucket":"example-uploads","key":"photos/2026/Café at night.jpg","bytes":2097152}]}`, "s3://example-uploads/photos/2026/Café at night.jpg"},
	{"eventbridge", `{"source":"aws.ec2","type":"EC2 Instance State-change Notification","state":"running"}`, "aws.ec2: EC2 Instance State-change Notification"},
}

func TestHelloElixir(t *testing.T) {
	dir := copyOf(t, "hello_elixir")
	command(t, dir, "mix", "compile")
	check(t, filepath.Join(dir, "_build", "dev"), "HelloElixir.handle", elixirsAnswers)
}

func TestHelloElixirsOwnTests(t *testing.T) {
	dir := copyOf(t, "hello_elixir")
	command(t, dir, "mix", "format", "--check-formatted")
	require.Contains(t, command(t, dir, "mix", "test"), "5 tests, 0 failures")
}

// compileErlang follows the project's README.
func compileErlang(t *testing.T) string {
	dir := copyOf(t, "hello_erlang")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "ebin"), 0o700))
	command(t, dir, "erlc", "+warnings_as_errors", "-o", "ebin", "src/hello_erlang.erl")
	return dir
}

var erlangsAnswers = []want{
	{"empty", `{"greeting":"Hello, world!"}`, "An event of 0 keys"},
	{"apigateway-v2", `{"statusCode":200,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"Hello, José!"}`, "GET /hello/Jos%C3%A9, "},
	{"sqs-batch", `{"batchItemFailures":[]}`, "3 messages"},
	{"s3-put", `{"objects":[{"event":"ObjectCreated:Put","bucket":"example-uploads","key":"photos/2026/Café at night.jpg","bytes":2097152}]}`, "s3://example-uploads/photos/2026/Café at night.jpg"},
	{"eventbridge", `{"source":"aws.ec2","type":"EC2 Instance State-change Notification","state":"running"}`, "aws.ec2: EC2 Instance State-change Notification"},
}

func TestHelloErlang(t *testing.T) {
	check(t, compileErlang(t), "hello_erlang:handle", erlangsAnswers)
}

func TestHelloErlangGreets(t *testing.T) {
	api, _ := function(t, compileErlang(t), "hello_erlang:greet")
	for event, want := range map[string]string{
		`{}`:                    "Hello, world!",
		`{"name": "José"}`:      "Hello, José!",
		`{"name": "J\u00f6rg"}`: "Hello, Jörg!",
	} {
		r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(event)})
		require.NoError(t, err)
		require.Empty(t, r.FunctionError, string(r.Payload))
		assert.Equal(t, want, string(r.Payload))
		assert.Equal(t, "text/plain", r.ContentType)
	}
	r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(`[]`)})
	require.NoError(t, err)
	assert.Equal(t, emulator.FunctionErrorUnhandled, r.FunctionError)
	assert.Contains(t, string(r.Payload), "greet/1")
}
