package runtimeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// StatusError is an answer of the API that is not the one hoped for.
type StatusError struct {
	Code int    // the HTTP status
	Type string // the API's errorType, such as "InvalidRequestID", if it gave one
}

// Error gives the status and the API's own word for it.
func (e *StatusError) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("the Runtime API answered with status %d", e.Code)
	}
	return fmt.Sprintf("the Runtime API answered with status %d, %s", e.Code, e.Type)
}

// Answered says that the invocation is over in spite of the refusal, so that the
// next one is to be asked for, and nothing more to be posted: the response was too
// large, which the caller has been told (413), or it came too late (410).
func (e *StatusError) Answered() bool {
	return e.Code == http.StatusRequestEntityTooLarge || e.Code == http.StatusGone
}

// BadRequest says that the API found the post itself wanting (400): if it was a
// response, the invocation may still be answered with an error.
func (e *StatusError) BadRequest() bool { return e.Code == http.StatusBadRequest }

// maxStatusType bounds what is taken for an error type.
const maxStatusType = 128

func statusError(code int, body []byte) *StatusError {
	e := &StatusError{Code: code}
	var answer struct {
		Type string `json:"errorType"`
	}
	if json.Unmarshal(body, &answer) == nil && len(answer.Type) <= maxStatusType {
		e.Type = answer.Type
	}
	return e
}
