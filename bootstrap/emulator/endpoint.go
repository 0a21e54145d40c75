package emulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// serviceError is an answer of the Lambda service to a caller whose request it
// did not take.
type serviceError struct {
	status  int
	kind    string
	message string
}

func (e serviceError) write(w http.ResponseWriter) {
	by := "User"
	if e.status >= http.StatusInternalServerError {
		by = "Service"
	}
	body, err := json.Marshal(struct{ Type, Message string }{by, e.message})
	if err != nil {
		panic("emulator: two strings that JSON cannot hold") // unreachable
	}
	w.Header().Set("X-Amzn-Errortype", e.kind)
	writeJSON(w, e.status, body)
}

// serveInvoke serves POST /2015-03-31/functions/{name}/invocations.
func (s *Server) serveInvoke(w http.ResponseWriter, r *http.Request, name string) {
	inv := Invocation{
		RequestID: newUUID(),
		TraceID:   r.Header.Get("X-Amzn-Trace-Id"),
		TenantID:  r.Header.Get("X-Amz-Tenant-Id"),
	}
	w.Header().Set("X-Amzn-Requestid", inv.RequestID)
	mode, tail, refusal := s.readInvoke(r, name, &inv)
	if refusal != nil {
		_, _ = io.CopyN(io.Discard, r.Body, DefaultMaxStreamedResponse) // as refuse does
		refusal.write(w)
		return
	}
	if mode == "DryRun" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	v, err := s.enqueue(inv)
	if err != nil {
		serviceError{http.StatusInternalServerError, "ServiceException", err.Error()}.write(w)
		return
	}
	if mode == "Event" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, err := s.await(r.Context(), v)
	if err != nil {
		serviceError{http.StatusInternalServerError, "ServiceException", err.Error()}.write(w)
		return
	}
	h := w.Header()
	h.Set("X-Amz-Executed-Version", result.ExecutedVersion)
	if v.TraceID != "" {
		h.Set("X-Amzn-Trace-Id", v.TraceID)
	}
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if tail {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.Log))
	}
	h.Set("Content-Type", result.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(result.Payload)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(result.Payload) // the caller has gone: nobody to tell
}

// readInvoke checks a request and fills the invocation from it.
func (s *Server) readInvoke(r *http.Request, name string, inv *Invocation) (mode string, tail bool, refusal *serviceError) {
	if !s.isFunction(name) {
		return "", false, &serviceError{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + name}
	}
	limit := int64(maxRequest)
	switch mode = r.Header.Get("X-Amz-Invocation-Type"); mode {
	case "", "RequestResponse", "DryRun":
	case "Event":
		limit = maxEventRequest
	default:
		return "", false, &serviceError{http.StatusBadRequest, "InvalidParameterValueException",
			"X-Amz-Invocation-Type must be RequestResponse, Event or DryRun"}
	}
	switch r.Header.Get("X-Amz-Log-Type") {
	case "", "None":
	case "Tail":
		tail = true
	default:
		return "", false, &serviceError{http.StatusBadRequest, "InvalidParameterValueException",
			"X-Amz-Log-Type must be None or Tail"}
	}
	if encoded := r.Header.Get("X-Amz-Client-Context"); encoded != "" {
		if inv.ClientContext, refusal = clientContext(encoded); refusal != nil {
			return "", false, refusal
		}
	}
	body, bodyErr := readBody(r, limit)
	switch bodyErr {
	case nil:
	case errTruncated:
		return "", false, &serviceError{http.StatusBadRequest, "InvalidRequestContentException", "The request was cut short"}
	default:
		return "", false, &serviceError{http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit)}
	}
	inv.Payload = body
	return mode, tail, nil
}

// isFunction reports whether a path's name, partial ARN or ARN, with or without
// a qualifier, is of this function.
func (s *Server) isFunction(name string) bool {
	if _, after, ok := strings.Cut(name, ":function:"); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, ":")
	return name == s.opts.FunctionName
}

// clientContext decodes the header to JSON that fits in one header of /next.
func clientContext(encoded string) (string, *serviceError) {
	if len(encoded) > base64.StdEncoding.EncodedLen(maxClientContext) {
		return "", &serviceError{http.StatusBadRequest, "InvalidRequestContentException",
			fmt.Sprintf("Client context must be no more than %d bytes.", maxClientContext)}
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	var object map[string]json.RawMessage
	var line bytes.Buffer
	if err != nil || json.Unmarshal(decoded, &object) != nil || json.Compact(&line, decoded) != nil {
		return "", &serviceError{http.StatusBadRequest, "InvalidRequestContentException",
			"Client context must be a valid Base64-encoded JSON object."}
	}
	return line.String(), nil
}
