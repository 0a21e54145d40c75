package port

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/beamport/beamport/etf"
)

// An ErrorTyper is an error with a type of its own to show to the other side, such as
// "Image.TooLarge". For others it is the name of the Go type, such as "*fs.PathError".
type ErrorTyper interface {
	error
	ErrorType() string
}

// ErrorReason returns the reason of the error frame that the other side of a [Server]
// is sent for a handler's error: a map of type and message.
func ErrorReason(err error) etf.Term {
	kind := fmt.Sprintf("%T", err)
	if typer, ok := errors.AsType[ErrorTyper](err); ok {
		kind = typer.ErrorType()
	}
	return reason(kind, err.Error())
}

func reason(kind, message string) etf.Term {
	return etf.Map(
		etf.Pair{Key: etf.Atom("type"), Value: etf.String(strings.ToValidUTF8(kind, "\uFFFD"))},
		etf.Pair{Key: etf.Atom("message"), Value: etf.String(strings.ToValidUTF8(message, "\uFFFD"))},
	)
}

// cancelled answers a call that the other side has cancelled.
var cancelled = &CallError{Class: "exit", Reason: reason("cancelled", "the call was cancelled")}

// stopping answers a call that comes after a stop.
var stopping = &CallError{Class: "exit", Reason: reason("stopping", "the other side was told to stop")}

// goexited answers a call whose handler has called runtime.Goexit.
var goexited = &CallError{Class: "error", Reason: reason("exited", "the handler's goroutine has ended")}

// returned is what a handler's error is answered with. That of another call goes on
// as it came.
func returned(err error) *CallError {
	if failure, ok := errors.AsType[*CallError](err); ok && failure.Reason.Kind() == etf.KindMap {
		return failure
	}
	if errors.Is(err, context.Canceled) {
		return cancelled
	}
	return &CallError{Class: "returned", Reason: ErrorReason(err)}
}

// unsendable is what a call is answered with whose answer cannot be sent.
func unsendable(err error) *CallError {
	kind := "Runtime.BadAnswer"
	if _, ok := errors.AsType[*PacketSizeError](err); ok {
		kind = "Function.ResponseSizeTooLarge"
	}
	return &CallError{Class: "error", Reason: reason(kind, err.Error())}
}

// panicked is what a handler's panic is answered with. It has to be called by the
// function that recovers.
func panicked(v any) *CallError {
	kind := "panic"
	if err, ok := v.(runtime.Error); ok {
		kind = fmt.Sprintf("%T", err)
	}
	return &CallError{Class: "error", Reason: reason(kind, fmt.Sprint(v)), Stack: stack()}
}

// stackLines is how many of a panic's lines are sent.
const stackLines = 32

// stack returns where a panic was, innermost first.
func stack() []string {
	pcs := make([]uintptr, 2*stackLines)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var lines []string
	inside := false // of what panicked
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			inside, lines = true, nil
		case inside && !strings.HasPrefix(f.Function, "runtime.") && len(lines) < stackLines:
			lines = append(lines, fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Function))
		}
		if !more {
			return lines
		}
	}
}

// cut returns the first bytes of a text, whole characters.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
