package runtimeapi

import (
	"errors"
	"fmt"
	"net/http"
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
}

// errEvent marks an answer to /next that no further try makes better.
var errEvent = errors.New("the event cannot be taken")

func newInvocation(h http.Header, event []byte) (*Invocation, error) {
	inv := &Invocation{
		RequestID:       h.Get(headerRequestID),
		FunctionARN:     h.Get(headerFunctionARN),
		TraceID:         h.Get(headerTraceID),
		ClientContext:   h.Get(headerClientContext),
		CognitoIdentity: h.Get(headerCognitoIdentity),
		TenantID:        h.Get(headerTenantID),
		ContentType:     h.Get(headerContentType),
		Event:           event,
	}
	if !validID(inv.RequestID) {
		return nil, fmt.Errorf("%w: its request id %.140q is not of the form [A-Za-z0-9-]{1,128}", errEvent, inv.RequestID)
	}
	ms, err := strconv.ParseInt(h.Get(headerDeadline), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: request %s has the deadline %.40q, not a number of milliseconds", errEvent, inv.RequestID, h.Get(headerDeadline))
	}
	inv.Deadline = time.UnixMilli(ms)
	inv.invocationID = h.Get(headerInvocationID)
	return inv, nil
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

// echo returns the headers that an answer takes over from the invocation.
func (inv *Invocation) echo() http.Header {
	h := http.Header{}
	if inv.invocationID != "" {
		h.Set(headerInvocationID, inv.invocationID)
	}
	return h
}
