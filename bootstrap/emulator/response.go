package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// serveResponse serves POST /runtime/invocation/{id}/response.
func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request, id string) {
	v, refusal := s.claim(id, r.Header, nameResponse)
	if refusal != nil {
		refuse(w, r, refusal)
		return
	}
	streamed := false
	switch r.Header.Get(headerResponseMode) {
	case "":
	case "streaming":
		streamed = true
	default:
		s.settleRefused(w, r, v, errResponseMode, errorBody{"Invalid function response mode", "Runtime.InvalidResponseModeHeader"})
		return
	}
	limit := s.opts.MaxResponse
	if streamed {
		limit = s.opts.MaxStreamedResponse
	}
	trailers := announced(r)
	body, refusal := readBody(r, limit)
	switch refusal {
	case nil:
		if refusal := s.strictResponse(r, body, streamed, trailers); refusal != nil {
			s.settleRefused(w, r, v, refusal, errorBody{refusal.Message, "Runtime." + refusal.Type})
			return
		}
	case errTruncated:
		s.settleRefused(w, r, v, refusal, errorBody{"The response was cut short", "Runtime.TruncatedResponse"})
		return
	default:
		s.settleRefused(w, r, v, refusal, errorBody{
			fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit),
			"Function.ResponseSizeTooLarge",
		})
		return
	}
	result := Result{Payload: body, ContentType: contentType(r), Streamed: streamed}
	if kind := r.Trailer.Get(headerErrorType); streamed && kind != "" {
		result = trailerError(kind, r.Trailer.Get(headerErrorBody))
	}
	s.accept(w, v, result)
}

// trailerError is the answer to a caller whose stream ended with an error.
func trailerError(kind, encoded string) Result {
	kind = errorType(kind)
	payload, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(payload) == 0 {
		payload = errorBody{Message: "The response stream failed", Type: kind}.json()
	}
	return Result{
		Payload:       payload,
		ContentType:   "application/json",
		FunctionError: FunctionErrorUnhandled,
		ErrorType:     kind,
		Streamed:      true,
	}
}

// serveError serves POST /runtime/invocation/{id}/error.
func (s *Server) serveError(w http.ResponseWriter, r *http.Request, id string) {
	v, refusal := s.claim(id, r.Header, nameError)
	if refusal != nil {
		refuse(w, r, refusal)
		return
	}
	body, refusal := readBody(r, s.opts.MaxResponse)
	kind := errorType(r.Header.Get(headerErrorType))
	if refusal != nil {
		s.settleRefused(w, r, v, refusal, errorBody{"The error could not be read", kind})
		return
	}
	if refusal := s.strictError(r, body); refusal != nil {
		s.settleRefused(w, r, v, refusal, errorBody{refusal.Message, "Runtime." + refusal.Type})
		return
	}
	s.accept(w, v, Result{
		Payload:       body,
		ContentType:   contentType(r),
		FunctionError: FunctionErrorUnhandled,
		ErrorType:     kind,
		XRayCause:     xrayCause(r.Header.Get(headerXRayCause)),
	})
}

// serveInitError serves POST /runtime/init/error. Everybody who waits for the
// function gets the error, and so does everybody who invokes it before
// [Server.RuntimeExited].
func (s *Server) serveInitError(w http.ResponseWriter, r *http.Request) {
	s.serveFailure(w, r, starting, nameInitError)
}

// serveFailure takes a failure of the function as a whole, which has to be in that
// state.
func (s *Server) serveFailure(w http.ResponseWriter, r *http.Request, in state, to string) {
	body, refusal := readBody(r, s.opts.MaxResponse)
	if refusal != nil {
		refuse(w, r, refusal)
		return
	}
	s.mu.Lock()
	if s.state != in {
		refusal = s.refusalLocked(to)
		s.mu.Unlock()
		refusal.write(w)
		return
	}
	s.state = initFailed
	s.initErr = newInitError(errorType(r.Header.Get(headerErrorType)), body)
	waiting := s.queue
	s.queue = nil
	for _, v := range waiting {
		s.finishLocked(v, s.initErr.result())
	}
	s.changedLocked()
	s.mu.Unlock()
	s.publish(waiting...)
	writeAccepted(w)
}

func (e *InitError) result() Result {
	return Result{
		Payload:       append([]byte(nil), e.Payload...),
		ContentType:   "application/json",
		FunctionError: FunctionErrorUnhandled,
		ErrorType:     e.Type,
	}
}

// accept answers the caller and the runtime.
func (s *Server) accept(w http.ResponseWriter, v *invocation, r Result) {
	if !s.settle(v, r) {
		errTimeout.write(w)
		return
	}
	writeAccepted(w)
}

// settleRefused answers the caller with e and the runtime with a refusal.
func (s *Server) settleRefused(w http.ResponseWriter, r *http.Request, v *invocation, refusal *apiError, e errorBody) {
	if !s.settle(v, Result{
		Payload:       e.json(),
		ContentType:   "application/json",
		FunctionError: FunctionErrorUnhandled,
		ErrorType:     e.Type,
	}) {
		refusal = errTimeout
	}
	refuse(w, r, refusal)
}

// refuse answers a POST whose body has not been read to its end. It reads the
// rest first: a client that is still writing would see its connection reset
// instead of the answer.
func refuse(w http.ResponseWriter, r *http.Request, e *apiError) {
	_, _ = io.CopyN(io.Discard, r.Body, DefaultMaxStreamedResponse)
	e.write(w)
}

// readBody reads a body of at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, *apiError) {
	if r.ContentLength > limit {
		return nil, errTooLarge(limit)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, errTruncated
	case int64(len(body)) > limit:
		return nil, errTooLarge(limit)
	}
	return body, nil
}

func contentType(r *http.Request) string {
	if t := r.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "application/json"
}

var validErrorType = regexp.MustCompile(`(Runtime|Function)\.[A-Z][a-zA-Z]+`)

// errorType is the type as which Lambda counts an error.
func errorType(header string) string {
	switch {
	case validErrorType.MatchString(header):
		return header
	case strings.HasPrefix(header, "Function."):
		return "Function.Unknown"
	default:
		return "Runtime.Unknown"
	}
}

// maxXRayCause is the longest cause that X-Ray takes whole.
const maxXRayCause = 64 << 10

type xrayFrame struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Label string `json:"label"`
}

type xrayException struct {
	Type    string      `json:"type"`
	Message string      `json:"message"`
	Stack   []xrayFrame `json:"stack"`
}

type xrayDocument struct {
	WorkingDirectory string          `json:"working_directory"`
	Exceptions       []xrayException `json:"exceptions"`
	Paths            []string        `json:"paths"`
}

// xrayCause is the cause as X-Ray gets it: nil when it is none, and cropped
// when it is too long.
func xrayCause(header string) json.RawMessage {
	var doc xrayDocument
	if json.Unmarshal([]byte(header), &doc) != nil ||
		doc.WorkingDirectory == "" && len(doc.Exceptions) == 0 && len(doc.Paths) == 0 {
		return nil
	}
	if len(header) <= maxXRayCause {
		return json.RawMessage(header)
	}
	for {
		b, err := json.Marshal(doc)
		if err != nil {
			return nil
		}
		if len(b) <= maxXRayCause {
			return b
		}
		doc.crop()
	}
}

// crop halves every part of the document. Repeated, it comes to nothing.
func (d *xrayDocument) crop() {
	d.WorkingDirectory = half(d.WorkingDirectory)
	d.Paths = d.Paths[:len(d.Paths)/2]
	if len(d.Exceptions) > 1 {
		d.Exceptions = d.Exceptions[:len(d.Exceptions)/2]
	}
	for i := range d.Exceptions {
		e := &d.Exceptions[i]
		e.Type, e.Message = half(e.Type), half(e.Message)
		e.Stack = e.Stack[:len(e.Stack)/2]
	}
}

func half(s string) string { return strings.ToValidUTF8(s[:len(s)/2], "") }
