package emulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// What the state of an execution environment is called in refusals.
const (
	nameStarted   = "Started"
	nameInitError = "InitError"
	nameReady     = "Ready"
	nameRunning   = "Running"
	nameSent      = "ResponseSent"
	nameResponse  = "InvocationResponse"
	nameError     = "InvocationErrorResponse"
)

// takeLocked hands the oldest waiting invocation to the runtime once there is
// one. It returns nil without an error when the context has ended.
func (s *Server) takeLocked(ctx context.Context) (*invocation, *apiError) {
	switch {
	case s.state == closed:
		return nil, errInternal
	case s.state == initFailed, s.state == restoring, s.state == starting && s.opts.SnapStart:
		return nil, s.refusalLocked(nameReady)
	case s.activeLocked() >= s.opts.Concurrency:
		return nil, errTransition(nameRunning, nameReady)
	}
	s.state = ready
	// What was answered is complete now: its id means nothing from here on.
	for id, v := range s.handed {
		if v.phase == answered {
			delete(s.handed, id)
		}
	}
	s.changedLocked()
	life := s.life
	for {
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case s.state == closed || s.life != life:
			return nil, errInternal
		case len(s.queue) > 0 && s.activeLocked() < s.opts.Concurrency && s.extensionsAskedLocked():
			v := s.queue[0]
			s.queue = s.queue[1:]
			s.startLocked(v)
			return v, nil
		}
		if s.waitLocked(ctx) != nil {
			return nil, nil
		}
	}
}

// activeLocked counts the invocations that the runtime has yet to answer.
func (s *Server) activeLocked() int {
	n := 0
	for _, v := range s.handed {
		if v.phase == running || v.phase == answering {
			n++
		}
	}
	return n
}

func (s *Server) startLocked(v *invocation) {
	v.phase = running
	v.started = time.Now()
	if s.opts.InvocationIDs {
		v.invocationID = newUUID()
	}
	started := v.started
	v.timer = time.AfterFunc(s.opts.Timeout, func() { s.expire(v, started) })
	v.log = logTail{}
	v.log.write(fmt.Appendf(nil, "START RequestId: %s Version: %s\n", v.RequestID, s.opts.FunctionVersion))
	s.handed[v.RequestID] = v
}

// putBack makes an invocation wait again that could not be handed out.
func (s *Server) putBack(v *invocation, started time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed || v.phase != running || !v.started.Equal(started) {
		return
	}
	v.timer.Stop()
	v.phase = queued
	delete(s.handed, v.RequestID)
	s.queue = slices.Insert(s.queue, 0, v)
	s.changedLocked()
}

// expire answers an invocation whose time is over, unless it has been handed
// out again since.
func (s *Server) expire(v *invocation, started time.Time) {
	s.mu.Lock()
	if s.state == closed || !v.open() || v.phase == queued || !v.started.Equal(started) {
		s.mu.Unlock()
		return
	}
	now := time.Now()
	s.failLocked(v, errorBody{Message: fmt.Sprintf("%s %s Task timed out after %.2f seconds",
		now.UTC().Format("2006-01-02T15:04:05.000Z"), v.RequestID, s.opts.Timeout.Seconds())})
	v.phase = timedOut
	v.result.ErrorType = "Sandbox.Timedout"
	// Its id stays known, so that a late answer gets 410, but not for ever.
	s.expired = append(s.expired, v.RequestID)
	if len(s.expired) > rememberedTimeout {
		delete(s.handed, s.expired[0])
		s.expired = s.expired[1:]
	}
	s.mu.Unlock()
	s.publish(v)
}

// claim turns to the runtime's answer to an invocation. After it, nobody else
// may answer, save for the timeout. The state name is that of the answer.
func (s *Server) claim(id string, h http.Header, answer string) (*invocation, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.handed[id]
	switch {
	case s.state == closed:
		return nil, errInternal
	case v == nil:
		return nil, errRequestID
	case v.phase == timedOut:
		return nil, errTimeout
	case s.stale(v, h):
		return nil, errTimeout
	case v.phase == answered && s.opts.Concurrency > 1:
		return nil, errRequestID
	case v.phase == answered:
		return nil, errTransition(nameSent, answer)
	case v.phase == answering:
		return nil, errTransition(nameResponse, answer)
	}
	v.phase = answering
	return v, nil
}

// stale reports whether an answer belongs to an earlier handing out. A runtime
// that does not know of invocation ids sends none, and is believed, as by Lambda, unless
// that is not good enough.
func (s *Server) stale(v *invocation, h http.Header) bool {
	id := h.Get(headerInvocationID)
	if id == "" {
		return s.opts.Strict && v.invocationID != ""
	}
	return id != v.invocationID
}

// settle answers an invocation that was claimed. It reports false when the
// invocation's time ended, or the runtime or the server, while it was read.
func (s *Server) settle(v *invocation, r Result) bool {
	s.mu.Lock()
	if s.state == closed || v.phase != answering {
		s.mu.Unlock()
		return false
	}
	s.finishLocked(v, r)
	s.mu.Unlock()
	s.publish(v)
	return true
}

// failLocked answers an invocation with an error that is not of its runtime's
// making.
func (s *Server) failLocked(v *invocation, e errorBody) {
	s.finishLocked(v, Result{
		Payload:       e.json(),
		ContentType:   "application/json",
		FunctionError: FunctionErrorUnhandled,
		ErrorType:     e.Type,
	})
	if e.Type == "" {
		v.log.write(fmt.Appendf(nil, "%s\n", e.Message))
	} else {
		v.log.write(fmt.Appendf(nil, "%s\n%s\n", e.Message, e.Type))
	}
}

// finishLocked makes r the answer. [Server.publish] must follow, without the
// lock.
func (s *Server) finishLocked(v *invocation, r Result) {
	r.RequestID = v.RequestID
	r.ExecutedVersion = s.opts.FunctionVersion
	if v.phase != queued {
		v.timer.Stop()
		r.Duration = time.Since(v.started)
		ms := float64(r.Duration) / float64(time.Millisecond)
		v.log.write(fmt.Appendf(nil,
			"END RequestId: %[1]s\nREPORT RequestId: %[1]s\tDuration: %.2[2]f ms\tBilled Duration: %[3]d ms\tMemory Size: %[4]d MB\n",
			v.RequestID, ms, (r.Duration+time.Millisecond-1)/time.Millisecond, s.opts.MemorySize))
	}
	v.phase = answered
	v.result = r
	s.changedLocked()
}

// publish lets the callers have their answers.
func (s *Server) publish(vs ...*invocation) {
	for _, v := range vs {
		v.result.Log = v.log.b
		if s.opts.OnDone != nil {
			s.opts.OnDone(v.result)
		}
		close(v.done)
	}
}
