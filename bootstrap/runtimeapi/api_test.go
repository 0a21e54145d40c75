package runtimeapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is one that the fake API got.
type request struct {
	method, path string
	header       http.Header
	body         string
	trailer      http.Header
}

// fakeAPI answers requests over real HTTP, each with the next of its answers and
// the last of them for ever, and keeps what it got.
type fakeAPI struct {
	server  *httptest.Server
	answers []http.HandlerFunc

	mu       sync.Mutex
	requests []request
}

func newFakeAPI(t *testing.T, answers ...http.HandlerFunc) (*fakeAPI, *Client) {
	t.Helper()
	f := &fakeAPI{answers: answers}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f, newClient(t, f.address())
}

// newRawAPI is an API that is a handler's alone.
func newRawAPI(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(t, strings.TrimPrefix(server.URL, "http://"))
}

func newClient(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(address, "beamport/test")
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (f *fakeAPI) address() string { return strings.TrimPrefix(f.server.URL, "http://") }

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	answer := f.answers[min(len(f.requests), len(f.answers)-1)]
	f.requests = append(f.requests, request{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body), r.Trailer})
	f.mu.Unlock()
	answer(w, r)
}

func (f *fakeAPI) got() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]request(nil), f.requests...)
}

// deadline is that of the fake's events.
const deadline = 1735689603000

// event answers with an event, after having set further headers or taken away
// those that are empty.
func event(body string, headers map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
		h.Set("Lambda-Runtime-Deadline-Ms", "1735689603000")
		h.Set("Content-Type", "application/json")
		for name, value := range headers {
			h.Set(name, value)
		}
		_, _ = io.WriteString(w, body) // a client that has gone is what some tests are about
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// cutShort writes raw bytes instead of an answer and closes the connection.
func cutShort(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, raw)
	}
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return strings.TrimPrefix(server.URL, "http://")
}

// invocation is one that can be answered.
func invocation(invocationID string) *Invocation {
	return &Invocation{RequestID: "r-1", Deadline: time.UnixMilli(deadline), invocationID: invocationID}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
