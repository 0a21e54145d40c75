package bootstrap

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// rig is a runtime on an emulated Lambda.
type rig struct {
	t      *testing.T
	api    *emulator.Server
	logs   *logBuffer
	config Config

	cancel context.CancelFunc
	ended  chan struct{} // closed when Run has returned
	err    error         // readable after that

	mu    sync.Mutex
	ready []Ready
	done  []Done
}

// roomy is time enough for an invocation on a machine that is busy with others.
const roomy = 20 * time.Second

// startRig runs c until the test is over, and fails the test if it does not get
// ready. The runtime has to end in good order then, nothing of it left.
func startRig(t *testing.T, o emulator.Options, c Config) *rig {
	t.Helper()
	r := newRig(t, o, c)
	r.start()
	require.NoError(t, r.api.Ready(t.Context()), "the function's logs:\n%s", r.logs)
	t.Cleanup(func() {
		r.cancel()
		<-r.ended
		assert.NoError(t, r.err)
		r.assertNothingLeft()
	})
	return r
}

func newRig(t *testing.T, o emulator.Options, c Config) *rig {
	t.Helper()
	api := newAPI(o)
	return newRigOn(t, api, serve(t, api, api), c)
}

// newAPI is an emulator that is as strict as can be, and gives invocations time.
func newAPI(o emulator.Options) *emulator.Server {
	o.Strict = true
	if o.Timeout == 0 {
		o.Timeout = roomy
	}
	return emulator.New(o)
}

// serve serves an emulator until the test is over, at the address returned. h is what it
// is reached through.
func serve(t *testing.T, api *emulator.Server, h http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		api.Close()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// newRigOn is newRig for an emulator that is served already.
func newRigOn(t *testing.T, api *emulator.Server, address string, c Config) *rig {
	t.Helper()
	r := &rig{t: t, api: api, logs: &logBuffer{}, config: c, ended: make(chan struct{})}
	r.config.RuntimeAPI = address
	if c.Logs == nil {
		r.config.Logs = r.logs
	}
	r.config.OnReady = func(ready Ready) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ready = append(r.ready, ready)
	}
	r.config.OnInvocation = func(done Done) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.done = append(r.done, done)
	}
	return r
}

func (r *rig) start() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel = cancel
	go func() {
		defer close(r.ended)
		r.err = Run(ctx, r.config)
	}()
}

// run runs a runtime that is expected to end by itself, with an error.
func (r *rig) run() error {
	r.start()
	defer r.assertNothingLeft()
	defer r.cancel()
	select {
	case <-r.ended:
		return r.err
	case <-time.After(roomy):
		r.cancel()
		<-r.ended
		require.FailNow(r.t, "the runtime does not end", "its VMs: %v", r.vms())
		return nil
	}
}

// vms are the VMs that got ready so far.
func (r *rig) vms() []Ready {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Ready(nil), r.ready...)
}

// awaitServed waits until so many invocations are over, which is a little later
// than their callers have their answers.
func (r *rig) awaitServed(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.served()) == n }, roomy, time.Millisecond, "%d invocations", n)
}

// served are the invocations that are over so far.
func (r *rig) served() []Done {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Done(nil), r.done...)
}

// forgetServed drops what is known of invocations that are over.
func (r *rig) forgetServed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = nil
}

func (r *rig) assertNothingLeft() {
	for _, vm := range r.vms() {
		assert.ErrorIs(r.t, syscall.Kill(vm.Pid, 0), syscall.ESRCH, "the VM is gone")
	}
}

func (r *rig) invoke(event string) emulator.Result {
	r.t.Helper()
	return r.do(emulator.Invocation{Payload: []byte(event)})
}

func (r *rig) do(inv emulator.Invocation) emulator.Result {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), roomy)
	defer cancel()
	result, err := r.api.Invoke(ctx, inv)
	require.NoError(r.t, err, "the function's logs:\n%s", r.logs)
	return result
}

// answers asserts that the event is answered with that.
func (r *rig) answers(event, payload string) {
	r.t.Helper()
	result := r.invoke(event)
	assert.Empty(r.t, result.FunctionError, "%s", result.Payload)
	assert.Equal(r.t, payload, string(result.Payload))
}

// fails asserts that the event is answered with an error of that type, with that
// in its message.
func (r *rig) fails(event, errorType, message string) failure {
	r.t.Helper()
	result := r.invoke(event)
	assert.Equal(r.t, emulator.FunctionErrorUnhandled, result.FunctionError)
	var f failure
	require.NoError(r.t, json.Unmarshal(result.Payload, &f), "%s", tail(result.Payload))
	assert.Equal(r.t, errorType, f.ErrorType, "%s", f.ErrorMessage)
	assert.Contains(r.t, f.ErrorMessage, message)
	assert.NotNil(r.t, f.StackTrace, "a list, be it empty")
	return f
}

// failure is the object that Lambda hands to callers of a function that failed.
type failure struct {
	ErrorType    string   `json:"errorType"`
	ErrorMessage string   `json:"errorMessage"`
	StackTrace   []string `json:"stackTrace"`
}

// logBuffer holds what was logged, an entry a write.
type logBuffer struct {
	mu      sync.Mutex
	entries []string
	waiting []chan struct{}
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, string(p))
	for _, c := range b.waiting {
		close(c)
	}
	b.waiting = nil
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.entries, "")
}

func (b *logBuffer) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.entries...)
}

// await waits until an entry has that text in it, and returns the entry.
func (b *logBuffer) await(t *testing.T, text string) string {
	t.Helper()
	return b.awaitCount(t, text, 1)
}

// awaitCount waits until so many entries have that text in them, and returns the
// last of those.
func (b *logBuffer) awaitCount(t *testing.T, text string, count int) string {
	t.Helper()
	limit := time.NewTimer(roomy)
	defer limit.Stop()
	for {
		b.mu.Lock()
		found := 0
		for _, entry := range b.entries {
			if !strings.Contains(entry, text) {
				continue
			}
			if found++; found == count {
				b.mu.Unlock()
				return entry
			}
		}
		changed := make(chan struct{})
		b.waiting = append(b.waiting, changed)
		b.mu.Unlock()
		select {
		case <-changed:
		case <-limit.C:
			require.FailNow(t, "not logged", "%q in:\n%s", text, b)
		}
	}
}

// tail is the end of a large text, for messages.
func tail(b []byte) string {
	return string(bytes.TrimSpace(b[max(0, len(b)-200):]))
}

func kill(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

// stop ends the runtime before the test is over.
func (r *rig) stop() {
	r.t.Helper()
	r.cancel()
	<-r.ended
}
