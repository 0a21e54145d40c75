package bootstrap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
	"github.com/beamport/beamport/port"
)

// FunctionError is how an invocation failed, as its caller was told: the
// function's own error, or the runtime's for it.
type FunctionError struct {
	Type       string   // such as ArithmeticError, Function.Timeout or Runtime.ExitError
	Message    string   // the function's own text, or a sentence
	StackTrace []string // innermost call first
	Err        error    // what it came from, or nil
}

// Error gives the type and the message.
func (e *FunctionError) Error() string { return "bootstrap: " + e.Type + ": " + e.Message }

// Unwrap returns Err.
func (e *FunctionError) Unwrap() error { return e.Err }

func (e *FunctionError) failure() runtimeapi.Failure {
	return runtimeapi.Failure{Type: e.Type, Message: e.Message, StackTrace: e.StackTrace}
}

func failf(errorType string, err error, format string, args ...any) *FunctionError {
	return &FunctionError{Type: errorType, Message: fmt.Sprintf(format, args...), Err: err}
}

// explain turns the failure of a call into what the function's caller is told.
func explain(err error) *FunctionError {
	var call *port.CallError
	if errors.As(err, &call) {
		errorType := call.Type()
		if errorType == "" {
			errorType = "Function.Error"
		}
		return &FunctionError{Type: errorType, Message: call.Message(), StackTrace: call.Stack, Err: err}
	}
	var exit *port.ExitError
	var limit *etf.LimitError
	switch {
	case errors.As(err, &exit):
		return failf("Runtime.ExitError", err, "%s", describeExit(exit))
	case errors.As(err, &limit):
		return failf("Function.BadResult", err, "the handler's result cannot be written as JSON: %s", describeLimit(limit))
	default:
		return failf("Runtime.ExitError", err, "the VM did not answer: %v", err)
	}
}

// describeLimit says what a result is that package port would not even look through.
func describeLimit(limit *etf.LimitError) string {
	if limit.Limit == "MaxDepth" { // port's own, far beyond that for results
		return fmt.Sprintf("more than %d containers inside one another", etfjson.DefaultMaxDepth)
	}
	return strings.TrimPrefix(limit.Error(), "etf: ")
}

// describeExit says how a VM ended. It is what callers are told: what the VM wrote to
// stderr may be of other invocations, so it is for the log.
func describeExit(exit *port.ExitError) string {
	how := fmt.Sprintf("the VM ended with exit status %d", exit.Code)
	if exit.Signal != 0 {
		how = fmt.Sprintf("the VM was ended by signal %d (%s)", int(exit.Signal), exit.Signal)
	}
	if outOfMemory(exit) {
		how += ", likely because it was out of memory"
	}
	if exit.Err != nil {
		how += ": " + exit.Err.Error()
	}
	return how
}

// shownLines is how many of the last lines on stderr the end of a VM is explained with
// that has served no invocation.
const shownLines = 5

// outOfMemory reports whether a VM seems to have ended for want of memory: the kernel
// kills it then, which nobody else does unasked, or its own allocator says so before
// it aborts (eheap_alloc: Cannot allocate 1073741824 bytes of memory).
func outOfMemory(exit *port.ExitError) bool {
	if exit.Err != nil { // the runtime ended it
		return false
	}
	return exit.Signal == syscall.SIGKILL || slices.ContainsFunc(exit.Stderr, func(line string) bool {
		return strings.Contains(line, "_alloc: Cannot ") && strings.Contains(line, " bytes of memory")
	})
}

// describe says how a VM ended that has served no invocation, with what it last wrote to
// stderr, the place where it says why. Of another error it is the error's own text.
func describe(err error) string {
	var exit *port.ExitError
	if !errors.As(err, &exit) {
		return err.Error()
	}
	how := describeExit(exit)
	if n := len(exit.Stderr); n > 0 {
		how += "; it last wrote: " + strings.Join(exit.Stderr[max(0, n-shownLines):], "\n")
	}
	return how
}
