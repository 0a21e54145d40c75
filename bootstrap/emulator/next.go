package emulator

import (
	"net/http"
	"strconv"
)

// Headers of the Runtime API.
const (
	headerRequestID       = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline        = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN     = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID         = "Lambda-Runtime-Trace-Id"
	headerClientContext   = "Lambda-Runtime-Client-Context"
	headerCognitoIdentity = "Lambda-Runtime-Cognito-Identity"
	headerTenantID        = "Lambda-Runtime-Aws-Tenant-Id"
	headerInvocationID    = "Lambda-Runtime-Invocation-Id"

	headerErrorType    = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody    = "Lambda-Runtime-Function-Error-Body"
	headerXRayCause    = "Lambda-Runtime-Function-Xray-Error-Cause"
	headerResponseMode = "Lambda-Runtime-Function-Response-Mode"
)

// serveNext serves GET /runtime/invocation/next.
func (s *Server) serveNext(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	v, refusal := s.takeLocked(r.Context())
	if v == nil {
		s.mu.Unlock()
		if refusal != nil {
			refusal.write(w)
		}
		return
	}
	started, invocationID := v.started, v.invocationID
	s.mu.Unlock()

	h := w.Header()
	h.Set(headerRequestID, v.RequestID)
	h.Set(headerDeadline, strconv.FormatInt(started.Add(s.opts.Timeout).UnixMilli(), 10))
	h.Set(headerFunctionARN, s.opts.FunctionARN)
	s.setOptional(h, headerTraceID, v.TraceID)
	s.setOptional(h, headerClientContext, v.ClientContext)
	s.setOptional(h, headerCognitoIdentity, v.CognitoIdentity)
	s.setOptional(h, headerTenantID, v.TenantID)
	if invocationID != "" {
		h.Set(headerInvocationID, invocationID)
	}
	h.Set("Content-Type", v.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(v.Payload)))
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(v.Payload)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		// A runtime that went away has not seen a whole event.
		s.putBack(v, started)
	}
}

func (s *Server) setOptional(h http.Header, name, value string) {
	if value != "" || s.opts.EmptyHeaders {
		h.Set(name, value)
	}
}
