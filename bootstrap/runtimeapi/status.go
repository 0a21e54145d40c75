package runtimeapi

import (
	"encoding/json"
	"fmt"
)

// Statuses that mean something of their own here. Package net/http has names for them, and
// would be a third of the program that Lambda starts.
const (
	statusBadRequest = 400
	statusNotFound   = 404
	statusGone       = 410
	statusTooLarge   = 413
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
	return e.Code == statusTooLarge || e.Code == statusGone
}

// BadRequest says that the API found the post itself wanting (400): if it was a
// response, the invocation may still be answered with an error.
func (e *StatusError) BadRequest() bool { return e.Code == statusBadRequest }

// NotFound says that the API has no such call (404).
func (e *StatusError) NotFound() bool { return e.Code == statusNotFound }

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
