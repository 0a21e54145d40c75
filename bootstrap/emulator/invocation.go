package emulator

import (
	"bytes"
	"encoding/json"
	"time"
)

// An Invocation is one call of the function. Every field may be empty. The
// server reads the slices until the invocation is answered; they must not be
// changed before that.
type Invocation struct {
	// RequestID is the invocation's id, which must not be under way yet; a
	// new UUID when empty.
	RequestID string
	// Payload is the event, handed to the runtime as it is; {} when empty.
	Payload []byte
	// ContentType is the event's, application/json when empty.
	ContentType string
	// ClientContext and CognitoIdentity are JSON on one line.
	ClientContext   string
	CognitoIdentity string
	TraceID         string
	TenantID        string
}

// FunctionErrorUnhandled is the only function error that Lambda reports today.
const FunctionErrorUnhandled = "Unhandled"

// A Result is the answer to an [Invocation]. Its slices belong to the caller.
type Result struct {
	RequestID string
	// Payload is what the runtime answered, or the error's JSON object when
	// FunctionError is set.
	Payload     []byte
	ContentType string
	// FunctionError is empty or [FunctionErrorUnhandled].
	FunctionError string
	// ErrorType is the type of the error as Lambda counts it, such as
	// Runtime.ExitError or Function.Unknown; empty without an error.
	ErrorType string
	// XRayCause is the cause that the runtime gave with its error, in the
	// form in which X-Ray takes it; nil if there was none or it was invalid.
	XRayCause json.RawMessage
	// Streamed says that the runtime answered in streaming response mode.
	Streamed        bool
	ExecutedVersion string
	// Log is the end of the invocation's log, at most 4 KB.
	Log []byte
	// Duration is the time from handing out the event to the whole answer; 0
	// when no runtime got the event.
	Duration time.Duration
}

// contentTypeHTTP is that of a streamed HTTP response.
const contentTypeHTTP = "application/vnd.awslambda.http-integration-response"

// HTTP takes a streamed HTTP response apart: the object of statusCode, headers and
// cookies, and the body behind the eight NULs that end it. ok is false if it is none.
// https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html
func (r Result) HTTP() (prelude json.RawMessage, body []byte, ok bool) {
	if r.ContentType != contentTypeHTTP || r.FunctionError != "" {
		return nil, nil, false
	}
	prelude, body, ok = bytes.Cut(r.Payload, make([]byte, 8))
	return prelude, body, ok && json.Valid(prelude)
}

// phase is how far an invocation is.
type phase uint8

const (
	queued    phase = iota // no runtime has it
	running                // a runtime has it and may answer
	answering              // its answer is being read
	answered               // the caller has the answer
	timedOut               // the caller was told that it took too long
)

// invocation is the server's record of an [Invocation]. All but the immutable
// first group is guarded by Server.mu.
type invocation struct {
	Invocation
	done chan struct{} // closed when result is final

	phase        phase
	invocationID string // of the last time that it was handed out
	started      time.Time
	timer        *time.Timer
	log          logTail
	result       Result
}

// open reports whether the caller still waits for an answer.
func (v *invocation) open() bool { return v.phase <= answering }
