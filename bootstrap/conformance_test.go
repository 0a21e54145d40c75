package bootstrap

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// A conformance is a point of the contract between Lambda and its runtimes, and how it
// shows: a runtime on the emulator, which is strict, is handed events, and the calls of
// the Runtime API are those, with the statuses that they are answered with, and the
// callers get that.
type conformance struct {
	contract string
	// fake is what the fake VM is like, empty for a BEAM with handler.
	fake, handler string
	environ       []string
	options       emulator.Options
	configure     func(*Config)
	// tamper is what happens to calls on their way, such as "response 1".
	tamper map[string]tamper
	events []event
	// atOnce has all events wait for the runtime at the same time; then neither the order
	// of calls nor who gets which counts.
	atOnce bool
	// do is done instead of invoking with events.
	do func(*conformer)

	// calls are all calls but those of an extension, which are extension unless that is
	// empty. A call that has no answer by the end is left out.
	calls, extension string
	logs             []string // what has been logged by the end
	// end is in the error that the runtime ends with, and status what the program exits
	// with then; it ends in good order, when it is told to, if that is empty.
	end    string
	status int
}

// event is one that the function is invoked with, and what its caller gets.
type event struct {
	emulator.Invocation
	want, contentType  string
	errorType, message string
	check              func(*testing.T, emulator.Result)
}

// answered is an event that is answered with that, if it is not empty.
func answered(payload, want string) event {
	return event{Invocation: emulator.Invocation{Payload: []byte(payload)}, want: want}
}

// failed is an event that ends with an error of that type, as Lambda counts it, with that
// in its message.
func failed(payload, errorType, message string) event {
	return event{Invocation: emulator.Invocation{Payload: []byte(payload)}, errorType: errorType, message: message}
}

// with changes the invocation.
func (e event) with(change func(*emulator.Invocation)) event {
	change(&e.Invocation)
	return e
}

// conformer is a row, running.
type conformer struct {
	*testing.T
	conformance
	*recorder
	rig *rig
}

func TestConformance(t *testing.T) {
	for _, c := range slices.Concat(errorRows, eventRows, restoreRows) {
		t.Run(c.contract, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c conformance) run(t *testing.T) {
	var config Config
	if c.fake != "" {
		config = fakeConfig(t, c.fake, c.environ...)
	} else {
		config = beamConfig(t, c.handler, c.environ...)
		if c.handler == "" {
			config.Handler = "fixture:handle"
		}
	}
	if c.configure != nil {
		c.configure(&config)
	}
	record := newRecorder(c.options, c.tamper)
	run := &conformer{T: t, conformance: c, recorder: record}
	run.rig = newRigOn(t, record.api, serve(t, record.api, record), config)
	run.rig.start()
	// As Lambda does when the process has ended.
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		<-run.rig.ended
		record.api.RuntimeExited(fmt.Errorf("exit status %d", ExitStatus(run.rig.err)))
	}()
	run.invoke()
	if c.end == "" {
		run.rig.cancel()
	}
	select {
	case <-exited:
	case <-time.After(roomy):
		run.rig.cancel()
		require.Fail(t, "the runtime does not end", "calls: %s\nlogs:\n%s", record, run.rig.logs)
	}
	run.rig.cancel()
	if c.end == "" {
		require.NoError(t, run.rig.err)
	} else {
		require.ErrorContains(t, run.rig.err, c.end)
		assert.Equal(t, max(c.status, 1), ExitStatus(run.rig.err))
	}
	run.rig.assertNothingLeft()
	run.assertCalls()
	for _, text := range c.logs {
		assert.Contains(t, run.rig.logs.String(), text)
	}
}

// invoke hands out the events.
func (c *conformer) invoke() {
	var callers sync.WaitGroup
	for i, e := range c.events {
		if e.RequestID == "" {
			e.RequestID = fmt.Sprint(i + 1)
		}
		callers.Go(func() { c.expect(e) })
		if !c.atOnce {
			callers.Wait()
			c.awaitPost(e.RequestID)
		}
	}
	callers.Wait()
	if c.do != nil {
		c.do(c)
	}
}

// awaitPost waits until the runtime knows what its answer to an invocation came to, which
// may be later than the caller has it; or until it has ended.
func (c *conformer) awaitPost(id string) {
	require.Eventually(c, func() bool {
		select {
		case <-c.rig.ended:
			return true
		default:
			return slices.ContainsFunc(c.all(), func(call string) bool {
				return strings.HasPrefix(call, "response "+id+" ") || strings.HasPrefix(call, "error "+id+" ")
			})
		}
	}, roomy, time.Millisecond, "%s", c.recorder)
}

// expect invokes the function and looks at the answer.
func (c *conformer) expect(e event) emulator.Result {
	ctx, cancel := context.WithTimeout(c.Context(), 2*roomy)
	defer cancel()
	result, err := c.api.Invoke(ctx, e.Invocation)
	if !assert.NoError(c, err, "%.80s; calls: %s", e.Payload, c.recorder) {
		return result
	}
	assert.Equal(c, e.errorType, result.ErrorType, "%.80s: %s", e.Payload, tail(result.Payload))
	if e.errorType != "" {
		var f failure
		assert.NoError(c, json.Unmarshal(result.Payload, &f), "%s", tail(result.Payload))
		assert.Contains(c, f.ErrorMessage, e.message)
	}
	if e.want != "" {
		assert.True(c, e.want == string(result.Payload), "%.80s: %s", e.Payload, tail(result.Payload))
	}
	if e.contentType != "" {
		assert.Equal(c, e.contentType, result.ContentType)
	}
	if e.check != nil {
		e.check(c.T, result)
	}
	return result
}

func (c *conformer) assertCalls() {
	got, want := c.all(), strings.Split(c.calls, ", ")
	if c.calls == "" {
		want = nil
	}
	if c.atOnce {
		slices.Sort(got)
		slices.Sort(want)
	}
	assert.Equal(c, strings.Join(want, ", "), strings.Join(got, ", "))
	if c.extension != "" {
		assert.Equal(c, c.extension, strings.Join(c.allOfExtension(), ", "))
	}
}

// recorder is an emulator and what is asked of it.
type recorder struct {
	api    *emulator.Server
	tamper map[string]tamper

	mu          sync.Mutex
	seen        []string // calls, and their statuses
	ofExtension []string
	agents      map[string]string // user agents by call
	connections chan string       // where calls come from, of rows that look
	done        map[string]chan struct{}
}

func newRecorder(o emulator.Options, t map[string]tamper) *recorder {
	r := &recorder{tamper: t, agents: map[string]string{}, connections: make(chan string, 9), done: map[string]chan struct{}{}}
	o.OnDone = func(result emulator.Result) { close(r.answered(result.RequestID)) }
	r.api = newAPI(o)
	return r
}

// answered is closed when the caller of an invocation has been given its answer.
func (r *recorder) answered(id string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done[id] == nil {
		r.done[id] = make(chan struct{})
	}
	return r.done[id]
}

// callName is a request as rows write it: "next", "response 1", "init/error", "event".
func callName(r *http.Request) (name string, extension bool) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/2020-01-01/extension/"); ok {
		return path, true
	}
	path := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/")
	if rest, ok := strings.CutPrefix(path, "invocation/"); ok {
		id, verb, post := strings.Cut(rest, "/")
		if !post {
			return rest, false
		}
		return verb + " " + id, false
	}
	return path, false
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name, extension := callName(req)
	h := &hop{recorder: r, ResponseWriter: w, r: req, name: name}
	h.note = func(what string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.agents[name] = req.UserAgent()
		if extension {
			r.ofExtension = append(r.ofExtension, what)
		} else {
			r.seen = append(r.seen, what)
		}
	}
	if t := r.tamper[name]; t != nil {
		t(h)
		return
	}
	h.forward()
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *recorder) allOfExtension() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ofExtension)
}

func (r *recorder) agentOf(call string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.agents[call]
}

func (r *recorder) String() string { return strings.Join(r.all(), ", ") }

// hop is a call on its way to the emulator.
type hop struct {
	*recorder
	http.ResponseWriter
	r        *http.Request
	name     string
	note     func(what string) // among the calls
	once     sync.Once
	onHeader func(http.Header)
}

func (h *hop) WriteHeader(status int) {
	if h.onHeader != nil {
		h.onHeader(h.Header())
	}
	h.once.Do(func() { h.note(fmt.Sprint(h.name, " ", status)) })
	h.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (h *hop) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hop) forward() { h.api.ServeHTTP(h, h.r) }

// tamper is what happens to a call on its way. What is not forwarded does not reach the
// emulator.
type tamper func(*hop)

// refuse answers in the emulator's place.
func refuse(status int, errorType string) tamper {
	return func(h *hop) {
		_, _ = io.Copy(io.Discard, h.r.Body) // as a server does that is about to answer
		h.Header().Set("Content-Type", "application/json")
		h.WriteHeader(status)
		_, _ = fmt.Fprintf(h.ResponseWriter, `{"errorMessage":"m","errorType":%q}`, errorType)
	}
}

// reset breaks the connection.
func reset(h *hop) {
	h.once.Do(func() { h.note(h.name + " 0") })
	panic(http.ErrAbortHandler)
}

// sometimes tampers with the first n of the calls.
func sometimes(n int, t tamper) tamper {
	var mu sync.Mutex
	return func(h *hop) {
		mu.Lock()
		n--
		first := n >= 0
		mu.Unlock()
		if first {
			t(h)
		} else {
			h.forward()
		}
	}
}

// header changes a field of the request.
func header(name, value string) tamper {
	return func(h *hop) {
		h.r.Header.Set(name, value)
		h.forward()
	}
}

// cutShort has no more than n bytes of the body arrive.
func cutShort(n int64) tamper {
	return func(h *hop) {
		h.r.ContentLength = -1
		h.r.Body = io.NopCloser(io.MultiReader(io.LimitReader(h.r.Body, n), brokenReader{}))
		h.forward()
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// swallowed has the body arrive, but keeps it from taking memory.
func swallowed(n *int64) tamper {
	return func(h *hop) {
		var err error
		if *n, err = io.Copy(io.Discard, h.r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
		h.r.Body = io.NopCloser(strings.NewReader("x"))
		h.forward()
	}
}

// elsewhere has the call be about another invocation.
func elsewhere(h *hop) {
	h.r.URL.Path = strings.Replace(h.r.URL.Path, "/invocation/", "/invocation/x", 1)
	h.forward()
}

// repeated has an answer arrive twice; the runtime learns what the second one came to.
func repeated(h *hop) {
	body, err := io.ReadAll(h.r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, w := range []http.ResponseWriter{httptest.NewRecorder(), h} {
		h.r.Body = io.NopCloser(bytes.NewReader(body))
		h.api.ServeHTTP(w, h.r)
	}
}

// late has an answer arrive when its caller has been told that it takes too long.
func late(h *hop) {
	_, id, _ := strings.Cut(h.name, " ")
	<-h.answered(id)
	h.forward()
}

// patient has the runtime think that it has longer than it has.
func patient(h *hop) {
	h.onHeader = func(head http.Header) {
		if head.Get("Lambda-Runtime-Deadline-Ms") != "" {
			head.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(roomy).UnixMilli()))
		}
	}
	h.forward()
}

// broken is the API when its own end has come.
func broken(h *hop) {
	h.api.Close()
	h.forward()
}

// refuseEarly answers before the body has come, which ends the connection.
func refuseEarly(h *hop, status int) {
	h.Header().Set("Connection", "close")
	h.WriteHeader(status)
}

// named gives an invocation a request id.
func named(id string) func(*emulator.Invocation) {
	return func(inv *emulator.Invocation) { inv.RequestID = id }
}

func writeFile(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, nil, 0o644))
}
