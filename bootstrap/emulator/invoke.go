package emulator

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Invoke calls the function and waits for the answer. It waits for a runtime as
// long as there is none. An error of the function is a [Result] with
// FunctionError set, not an error: that is [ErrClosed], a request id that is
// under way, or the context's. When the context ends, an invocation that no
// runtime has is dropped; another one goes on without its caller.
func (s *Server) Invoke(ctx context.Context, inv Invocation) (Result, error) {
	v, err := s.enqueue(inv)
	if err != nil {
		return Result{}, err
	}
	return s.await(ctx, v)
}

// enqueue makes an invocation wait for a runtime.
func (s *Server) enqueue(inv Invocation) (*invocation, error) {
	if inv.RequestID == "" {
		inv.RequestID = newUUID()
	}
	if len(inv.Payload) == 0 {
		inv.Payload = []byte("{}")
	}
	if inv.ContentType == "" {
		inv.ContentType = "application/json"
	}
	v := &invocation{Invocation: inv, done: make(chan struct{})}
	if v.TraceID == "" && s.opts.Tracing {
		v.TraceID = newTraceID(time.Now())
	}
	s.mu.Lock()
	switch {
	case s.state == closed:
		s.mu.Unlock()
		return nil, ErrClosed
	case s.knownLocked(v.RequestID):
		s.mu.Unlock()
		return nil, fmt.Errorf("emulator: request id %s is in use", v.RequestID)
	case s.state == initFailed:
		s.finishLocked(v, s.initErr.result())
		s.mu.Unlock()
		s.publish(v)
		return v, nil
	}
	s.queue = append(s.queue, v)
	s.changedLocked()
	s.mu.Unlock()
	return v, nil
}

func (s *Server) knownLocked(id string) bool {
	if s.handed[id] != nil {
		return true
	}
	return slices.ContainsFunc(s.queue, func(v *invocation) bool { return v.RequestID == id })
}

func (s *Server) await(ctx context.Context, v *invocation) (Result, error) {
	select {
	case <-v.done:
		return v.result, nil
	case <-s.closing:
		return Result{}, ErrClosed
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queue, v); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	return Result{}, fmt.Errorf("emulator: invocation %s: %w", v.RequestID, context.Cause(ctx))
}
