package runtimeapi

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Invocation is an event and what is known about it. Text that the API left out
// is empty.
type Invocation struct {
	RequestID       string // [A-Za-z0-9-]{1,128}
	Deadline        time.Time
	FunctionARN     string
	TraceID         string
	ClientContext   string // JSON
	CognitoIdentity string // JSON
	TenantID        string
	ContentType     string
	Event           []byte // the caller's

	invocationID string // to be echoed, if there was one
	deadline     string // as it came
}

// errEvent marks an answer to /next that no further try makes better.
var errEvent = errors.New("the event cannot be taken")

// field takes in a field of the answer's head. Of equal names the first counts.
func (inv *Invocation) field(name, value []byte) {
	var to *string
	switch string(name) {
	case headerRequestID:
		to = &inv.RequestID
	case headerDeadline:
		to = &inv.deadline
	case headerFunctionARN:
		to = &inv.FunctionARN
	case headerTraceID:
		to = &inv.TraceID
	case headerClientContext:
		to = &inv.ClientContext
	case headerCognitoIdentity:
		to = &inv.CognitoIdentity
	case headerTenantID:
		to = &inv.TenantID
	case headerInvocationID:
		to = &inv.invocationID
	case fieldContentType:
		if string(value) == contentTypeJSON {
			inv.ContentType = contentTypeJSON
			return
		}
		to = &inv.ContentType
	default:
		return
	}
	if *to == "" {
		*to = string(value)
	}
}

// check says what the event lacks, and reads the deadline.
func (inv *Invocation) check() error {
	if !validID(inv.RequestID) {
		return fmt.Errorf("%w: its request id %.140q is not of the form [A-Za-z0-9-]{1,128}", errEvent, inv.RequestID)
	}
	ms, err := strconv.ParseInt(inv.deadline, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: request %s has the deadline %.40q, not a number of milliseconds", errEvent, inv.RequestID, inv.deadline)
	}
	inv.Deadline = time.UnixMilli(ms)
	return nil
}

// validID says whether an id may be put into a path.
func validID(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return true
}
