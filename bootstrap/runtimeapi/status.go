package runtimeapi

import (
	"encoding/json"
	"fmt"
)

// Statuses that mean something of their own here. Package net/http has names for them, and
// would be a third of the program that Lambda starts.
const (
	statusBadRequest = 400
	statusForbidden  = 403
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
// large (413), or cut short, or in a mode that there is not (400), which the caller has
// been told; or it came too late (410); or nobody waits for an answer with that id (400),
// since it has been given, or too long ago. A post to /error is refused after each of
// these, with 403 or with 400 again:
// https://github.com/aws/aws-lambda-runtime-interface-emulator, rapi/handler/invocationresponse.go
func (e *StatusError) Answered() bool {
	return e.Code == statusBadRequest || e.Code == statusTooLarge || e.Code == statusGone
}

// Unread says that the post was refused with a status of the client's doing that the API
// itself does not have, such as 431: it has not come as far as to the invocation, which
// may be answered with something else.
func (e *StatusError) Unread() bool {
	return e.Code/100 == 4 && !e.Answered() && e.Code != statusForbidden
}

// Broken says that the API itself has failed (500 and more). The runtime has to exit at
// once.
func (e *StatusError) Broken() bool { return e.Code >= 500 }

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
