package bootstrap

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

// scriptedAPI is a Runtime API that hands out events in turn and answers each post
// with the next of its statuses, the last of them for ever. When there are no more
// events it ends the test's part by answering 403.
type scriptedAPI struct {
	events   []string
	statuses []int

	mu    sync.Mutex
	log   []string // what came, such as "next" or "response 1"
	bytes []string // the bodies of posts
}

func (a *scriptedAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/")
	if path == "invocation/next" {
		a.log = append(a.log, "next")
		n := strings.Count(strings.Join(a.log, " "), "next")
		if n > len(a.events) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint(n))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(roomy).UnixMilli()))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, a.events[n-1]) // the client is there
		return
	}
	parts := strings.Split(path, "/") // invocation/ID/WHAT
	status := a.statuses[min(len(a.bytes), len(a.statuses)-1)]
	a.log = append(a.log, parts[2]+" "+parts[1])
	a.bytes = append(a.bytes, string(body))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"errorType":"Scripted"}`)
}

// What the Runtime API's answers to posts mean for the next one. The script's end
// is a 403 to /next, after which the runtime has to give up.
func TestLoopStatuses(t *testing.T) {
	const good, raise = `1`, `{"do":"raise"}`
	for _, c := range []struct {
		name     string
		events   []string
		statuses []int
		want     string
		end      int // the status that ended it
	}{
		{"all is well", []string{good, raise, good}, []int{202},
			"next, response 1, next, error 2, next, response 3, next", 403},
		{"413: no error after it", []string{good, good}, []int{413, 202},
			"next, response 1, next, response 2, next", 403},
		{"410: too late", []string{good, raise, good}, []int{410, 410, 202},
			"next, response 1, next, error 2, next, response 3, next", 403},
		{"400: the response is replaced by an error", []string{good, good}, []int{400, 202},
			"next, response 1, error 1, next, response 2, next", 403},
		{"400 twice: there is no answer to be had", []string{good, good}, []int{400, 400, 202},
			"next, response 1, error 1", 400},
		{"400 to an error", []string{raise, good}, []int{400, 202},
			"next, error 1", 400},
		{"403: not in this state", []string{good, good}, []int{403, 202},
			"next, response 1", 403},
		{"500: the container is broken", []string{good, good}, []int{500, 202},
			"next, response 1", 500},
		{"500 to an error", []string{raise, good}, []int{500, 202},
			"next, error 1", 500},
		{"a redirect", []string{good, good}, []int{302, 202},
			"next, response 1", 302},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := &scriptedAPI{events: c.events, statuses: c.statuses}
			server := httptest.NewServer(api)
			defer server.Close()
			config := fakeConfig(t, "good")
			config.NoExtension = true
			config.RuntimeAPI = strings.TrimPrefix(server.URL, "http://")
			config.Logs = &logBuffer{}
			err := Run(t.Context(), config)
			var status *runtimeapi.StatusError
			require.ErrorAs(t, err, &status)
			assert.Equal(t, c.end, status.Code)
			assert.Equal(t, c.want, strings.Join(api.log, ", "))
		})
	}
}

func TestLoopReports(t *testing.T) {
	api := &scriptedAPI{events: []string{`1`, `{"do":"raise"}`, `1`, `1`}, statuses: []int{202, 202, 410, 400}}
	server := httptest.NewServer(api)
	defer server.Close()
	config := fakeConfig(t, "good")
	config.NoExtension = true
	config.RuntimeAPI = strings.TrimPrefix(server.URL, "http://")
	logs := &logBuffer{}
	config.Logs = logs
	var done []Done
	config.OnInvocation = func(d Done) { done = append(done, d) }
	require.Error(t, Run(t.Context(), config))

	require.Len(t, done, 4)
	for i, d := range done {
		assert.Equal(t, fmt.Sprint(i+1), d.RequestID)
		assert.Positive(t, d.Duration)
	}
	assert.NoError(t, done[0].Err)
	var f *FunctionError
	require.ErrorAs(t, done[1].Err, &f)
	assert.Equal(t, "ArithmeticError", f.Type)
	assert.Equal(t, "bad argument", f.Message)
	assert.Equal(t, []string{"lib/a.ex:3: A.b/2", "A.c/1"}, f.StackTrace)
	var status *runtimeapi.StatusError
	require.ErrorAs(t, done[2].Err, &status)
	assert.Equal(t, 410, status.Code)
	require.ErrorAs(t, done[3].Err, &f)
	assert.Equal(t, "Runtime.BadResponse", f.Type)
	assert.Contains(t, logs.String(), "\t2\tArithmeticError: bad argument\n    lib/a.ex:3: A.b/2\n    A.c/1\n")
	assert.Contains(t, logs.String(), "\t3\truntimeapi: posting the response of request 3: the Runtime API answered with status 410, Scripted\n")
}

// A timeout is the invocation's own: its process is killed, the VM serves on.
func TestLoopTimeout(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := fakeConfig(t, "good")
	config.DeadlineMargin = roomy - time.Second
	r := startRig(t, emulator.Options{}, config)
	r.fails(`{"do":"hang"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	r.answers("1", "1")
	assert.Len(t, r.vms(), 1)
}

// A VM that does not end what was given up is ended itself.
func TestLoopTimeoutOfVM(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := fakeConfig(t, "deaf")
	config.DeadlineMargin = roomy - time.Second
	r := startRig(t, emulator.Options{}, config)
	r.fails(`{"do":"hang"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	r.logs.await(t, "the VM did not end an invocation that was given up, and is killed")
	r.answers("1", "1")
	assert.Len(t, r.vms(), 2)
}

// A deadline that has passed already, as it may have while the sandbox was frozen.
func TestLoopDeadlinePassed(t *testing.T) {
	config := fakeConfig(t, "good")
	config.DeadlineMargin = 2 * roomy
	r := startRig(t, emulator.Options{}, config)
	r.fails(`1`, "Function.Timeout", "the function did not answer by its deadline, ")
	assert.Len(t, r.vms(), 1)
}

// As many invocations are under way as there may be, in one VM.
func TestLoopConcurrency(t *testing.T) {
	t.Parallel() // it waits, most of the time
	const n = 5
	config := fakeConfig(t, "good", fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", n))
	config.DeadlineMargin = roomy - 2*time.Second
	r := startRig(t, emulator.Options{Concurrency: n}, config)
	var invoked sync.WaitGroup
	for range n - 1 {
		invoked.Go(func() { r.fails(`{"do":"hang"}`, "Function.Timeout", "") })
	}
	r.logs.awaitCount(t, "hanging", n-1)
	r.answers("1", "1") // besides those
	invoked.Wait()
	assert.Len(t, r.vms(), 1)
	r.awaitServed(n)
}
