package emulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
)

// What [Options.Strict] refuses. These are not Lambda's own words: it hands such an answer
// on, or what is left of it.
var (
	errPrelude   = &apiError{http.StatusBadRequest, errorBody{"The response does not begin with the object of an HTTP response and eight NULs", "InvalidPrelude"}}
	errTrailers  = &apiError{http.StatusBadRequest, errorBody{"The trailers are not those of an error", "InvalidTrailers"}}
	errErrorForm = &apiError{http.StatusBadRequest, errorBody{"The error is not of the form that Lambda documents", "InvalidErrorForm"}}
)

// announced says which trailers a request has announced. It is asked before the body is
// read, after which there are those that came.
func announced(r *http.Request) map[string]bool {
	names := make(map[string]bool, len(r.Trailer))
	for name := range r.Trailer {
		names[name] = true
	}
	return names
}

// strictResponse says what is wrong with the form of a response.
func (s *Server) strictResponse(r *http.Request, body []byte, streamed bool, announced map[string]bool) *apiError {
	if !s.opts.Strict || !streamed {
		return nil
	}
	kind, failure := r.Trailer.Get(headerErrorType), r.Trailer.Get(headerErrorBody)
	failed := kind != "" || failure != ""
	if failed {
		decoded, err := base64.StdEncoding.DecodeString(failure)
		if err != nil || !isErrorType(kind) || !isError(decoded) || !announced[headerErrorType] || !announced[headerErrorBody] {
			return errTrailers
		}
	}
	if r.Header.Get("Content-Type") == contentTypeHTTP && !(failed && len(body) == 0) && !hasPrelude(body) {
		return errPrelude
	}
	return nil
}

// strictError says what is wrong with the form of an error.
func (s *Server) strictError(r *http.Request, body []byte) *apiError {
	if s.opts.Strict && (!isErrorType(r.Header.Get(headerErrorType)) || !isError(body)) {
		return errErrorForm
	}
	return nil
}

func isErrorType(kind string) bool { return validErrorType.FindString(kind) == kind && kind != "" }

// isError says whether a body is the object that Lambda's runtimes post.
func isError(body []byte) bool {
	var e struct {
		Message *string   `json:"errorMessage"`
		Type    *string   `json:"errorType"`
		Stack   *[]string `json:"stackTrace"`
	}
	return decodeStrictly(body, &e) && e.Message != nil && e.Type != nil && e.Stack != nil
}

// hasPrelude says whether a body begins as a streamed HTTP response has to.
func hasPrelude(body []byte) bool {
	prelude, _, ok := bytes.Cut(body, make([]byte, 8))
	var p struct {
		Status  int               `json:"statusCode"`
		Headers map[string]string `json:"headers"`
		Cookies []string          `json:"cookies"`
	}
	return ok && decodeStrictly(prelude, &p) && p.Status >= 100 && p.Status <= 999
}

// decodeStrictly decodes an object that has no other keys, and nothing behind it.
func decodeStrictly(text []byte, v any) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}
