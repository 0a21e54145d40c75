package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

var errNoAPI = errors.New("bootstrap: AWS_LAMBDA_RUNTIME_API is not set: Lambda sets it for the program that it starts; to run a function on your own machine, use beamport invoke")

// InitError says that the function could not be made ready, as it was posted to
// the Runtime API.
type InitError struct {
	Type       string   // such as Runtime.NoSuchModule
	Message    string   // names the handler
	StackTrace []string // innermost call first, if code of the function's crashed
	Err        error    // what it came from, or nil
}

// Error gives the type and the message.
func (e *InitError) Error() string { return "bootstrap: " + e.Type + ": " + e.Message }

// Unwrap returns Err.
func (e *InitError) Unwrap() error { return e.Err }

// Run runs the function until ctx ends, and returns nil then, with nothing left
// running. Invocations that are under way at that time stay unanswered.
//
// It returns an error when the function cannot be made ready, an [*InitError], of
// which the Runtime API has been told; when the Runtime API does not answer as it
// should, an error of package runtimeapi; and when VM after VM dies,
// [ErrCrashLoop].
//
// A VM that dies takes the invocations in flight with it: each is answered with
// Runtime.ExitError, none is run again, and another VM is started.
func Run(ctx context.Context, c Config) error {
	s, badConfig := c.complete()
	if s.RuntimeAPI == "" {
		return errNoAPI
	}
	api, err := runtimeapi.New(s.RuntimeAPI, "beamport/"+Version)
	if err != nil {
		return fmt.Errorf("bootstrap: AWS_LAMBDA_RUNTIME_API: %w", err)
	}
	defer api.Close()
	if badConfig != nil {
		return initFailed(ctx, api, &InitError{
			Type: "Runtime.BadConfiguration", Message: strings.TrimPrefix(badConfig.Error(), "bootstrap: "), Err: badConfig,
		})
	}

	vms := newSupervisor(s)
	defer vms.close()
	if _, err := vms.live(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return initFailed(ctx, api, err)
	}

	loops, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for range s.MaxConcurrency {
		running.Go(func() {
			l := &loop{settings: s, api: api, vms: vms}
			cancel(l.run(loops))
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(loops)
}

// initFailed posts what keeps the function from being made ready, and returns it.
func initFailed(ctx context.Context, api *runtimeapi.Client, err error) error {
	var e *InitError
	if !errors.As(err, &e) {
		e = &InitError{Type: "Runtime.InitError", Message: err.Error(), Err: err}
	}
	posted := api.InitError(ctx, runtimeapi.Failure{Type: e.Type, Message: e.Message, StackTrace: e.StackTrace})
	return errors.Join(e, posted)
}
