package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
)

// ErrClosed is the error of a call on a [Server] that was closed.
var ErrClosed = errors.New("emulator: the server is closed")

// An InitError is what a runtime reported on /runtime/init/error or
// /runtime/restore/error.
type InitError struct {
	// Type is the error type of the header, Runtime.Unknown if it had none.
	Type string
	// Message is the errorMessage of the body, if it was such an object.
	Message string
	// Payload is the body.
	Payload []byte
}

// Error gives type and message.
func (e *InitError) Error() string {
	if e.Message == "" {
		return "emulator: the runtime could not start: " + e.Type
	}
	return "emulator: the runtime could not start: " + e.Type + ": " + e.Message
}

// Server is the Runtime API and the invocation endpoint of one function. Make
// it with [New]. All methods may be called concurrently.
type Server struct {
	opts    Options
	closing chan struct{}

	mu      sync.Mutex
	state   state
	life    int                    // how many runtimes have ended
	initErr *InitError             // in state initFailed
	queue   []*invocation          // waiting for a runtime, oldest first
	handed  map[string]*invocation // handed out: running, answering, answered or timedOut
	expired []string               // ids of handed that timed out, oldest first
	changed chan struct{}          // closed, and replaced, at each change

	extensions map[string]*extension // by identifier
}

// state is that of the execution environment.
type state uint8

const (
	starting   state = iota // no runtime has asked for an invocation
	restoring               // the runtime waits to be restored from a snapshot
	restored                // the runtime was told that it was
	initFailed              // the runtime has posted to /init/error or /restore/error
	ready                   // the runtime has asked for an invocation
	closed
)

// New makes a server. It holds nothing that needs [Server.Close] as long as no
// invocation is under way.
func New(o Options) *Server {
	return &Server{
		opts:    o.withDefaults(),
		closing: make(chan struct{}),
		handed:  make(map[string]*invocation),
		changed: make(chan struct{}),

		extensions: make(map[string]*extension),
	}
}

// ServeHTTP serves both sides; paths of neither get 404.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/"); ok {
		s.serveRuntime(w, r, rest)
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, "/2020-01-01/extension/"); ok {
		s.serveExtension(w, r, rest)
		return
	}
	s.serveFunctions(w, r)
}

// InvocationEndpoint serves what callers need and nothing of the Runtime API, for
// an address that others can reach.
func (s *Server) InvocationEndpoint() http.Handler { return http.HandlerFunc(s.serveFunctions) }

func (s *Server) serveFunctions(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/"); ok {
		if name, ok := strings.CutSuffix(rest, "/invocations"); ok && name != "" && !strings.Contains(name, "/") {
			if allow(w, r, http.MethodPost) {
				s.serveInvoke(w, r, name)
			}
			return
		}
	}
	errNotFound.write(w)
}

func (s *Server) serveRuntime(w http.ResponseWriter, r *http.Request, path string) {
	switch path {
	case "invocation/next":
		if allow(w, r, http.MethodGet) {
			s.serveNext(w, r)
		}
		return
	case "init/error":
		if allow(w, r, http.MethodPost) {
			s.serveInitError(w, r)
		}
		return
	case "restore/next":
		if allow(w, r, http.MethodGet) {
			s.serveRestoreNext(w, r)
		}
		return
	case "restore/error":
		if allow(w, r, http.MethodPost) {
			s.serveRestoreError(w, r)
		}
		return
	}
	if rest, ok := strings.CutPrefix(path, "invocation/"); ok {
		switch id, verb, _ := strings.Cut(rest, "/"); verb {
		case "response":
			if allow(w, r, http.MethodPost) {
				s.serveResponse(w, r, id)
			}
			return
		case "error":
			if allow(w, r, http.MethodPost) {
				s.serveError(w, r, id)
			}
			return
		}
	}
	errNotFound.write(w)
}

// allow reports whether the request has the method, and answers it if not.
func allow(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.Method == method {
		return true
	}
	w.Header().Set("Allow", method)
	errMethod.write(w)
	return false
}

// Ready waits until a runtime has asked for its first invocation. The error is
// an [*InitError] when the runtime reported one instead, [ErrClosed], or the
// context's.
func (s *Server) Ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.started() {
		if err := s.waitLocked(ctx); err != nil {
			return err
		}
	}
	return s.readyLocked()
}

// started says whether the runtime has come so far as to ask for an invocation, or
// never will.
func (s *Server) started() bool {
	return s.state != starting && s.state != restoring && s.state != restored
}

func (s *Server) readyLocked() error {
	switch s.state {
	case initFailed:
		return s.initErr
	case closed:
		return ErrClosed
	default:
		return nil
	}
}

// RuntimeExited tells that the runtime's process has ended: with err as
// os/exec reports it, or nil for status 0. Every invocation that was handed to
// it fails with Runtime.ExitError, and those that wait too if it ended before
// it asked for one. The server then waits for another runtime to start.
func (s *Server) RuntimeExited(err error) {
	s.mu.Lock()
	if s.state == closed {
		s.mu.Unlock()
		return
	}
	var failed []*invocation
	for _, v := range s.handed {
		if v.open() {
			failed = append(failed, v)
		}
	}
	if !s.started() {
		failed = append(failed, s.queue...)
		s.queue = nil
	}
	for _, v := range failed {
		s.failLocked(v, exitError(v.RequestID, err))
	}
	clear(s.handed)
	clear(s.extensions)
	s.expired = nil
	s.state, s.initErr = starting, nil
	s.life++
	s.changedLocked()
	s.mu.Unlock()
	s.publish(failed...)
}

func exitError(id string, err error) errorBody {
	reason := "Runtime exited without providing a reason"
	if err != nil {
		reason = "Runtime exited with error: " + err.Error()
	}
	return errorBody{Message: "RequestId: " + id + " Error: " + reason, Type: "Runtime.ExitError"}
}

// Close ends the server: every waiting GET of /next is answered with 500, every
// [Server.Invoke] returns [ErrClosed]. It waits for nothing; what it answers
// HTTP requests with is left to the [net/http.Server] to send.
func (s *Server) Close() {
	s.mu.Lock()
	if s.state == closed {
		s.mu.Unlock()
		return
	}
	s.state = closed
	close(s.closing)
	for _, v := range s.handed {
		v.timer.Stop()
	}
	s.queue = nil
	s.changedLocked()
	s.mu.Unlock()
}

// waitLocked waits for the next change, without the lock.
func (s *Server) waitLocked(ctx context.Context) error {
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Server) changedLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// newInitError reads the body of an error as far as it has the usual form.
func newInitError(kind string, body []byte) *InitError {
	var e errorBody
	_ = json.Unmarshal(body, &e) // any body is allowed
	return &InitError{Type: kind, Message: e.Message, Payload: body}
}
