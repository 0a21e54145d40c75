package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

var errNoAPI = errors.New("bootstrap: AWS_LAMBDA_RUNTIME_API is not set: Lambda sets it for the program that it starts; to run a function on your own machine, use beamport invoke")

// Exit statuses that Lambda knows: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
const (
	exitFailure  = 1
	exitSnapshot = 64 // a hook before the snapshot has failed
	exitRestore  = 65 // a hook after the restore has
)

// InitError says that the function could not be made ready, as it was posted to
// the Runtime API.
type InitError struct {
	Type       string   // such as Runtime.NoSuchModule
	Message    string   // names the handler
	StackTrace []string // innermost call first, if code of the function's crashed
	Err        error    // what it came from, or nil

	status int // of the program's exit, 0 for exitFailure
}

// Error gives the type and the message.
func (e *InitError) Error() string { return "bootstrap: " + e.Type + ": " + e.Message }

// Unwrap returns Err.
func (e *InitError) Unwrap() error { return e.Err }

// ExitStatus is what a program exits with after [Run] has returned err: 0 for nil; 64
// if the handler failed before a snapshot, 65 if it did after a restore, which Lambda
// tells apart; and 1 otherwise.
func ExitStatus(err error) int {
	var e *InitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return cmp.Or(e.status, exitFailure)
	default:
		return exitFailure
	}
}

// Run runs the function until ctx ends, and returns nil then, with nothing left
// running. No event is asked for after that; invocations that are under way may go on
// for DrainTimeout, and stay unanswered then.
//
// It returns an error when the function cannot be made ready, an [*InitError], of
// which the Runtime API has been told; when the Runtime API does not answer as it
// should, an error of package runtimeapi; and when VM after VM dies,
// [ErrCrashLoop]. [ExitStatus] says what to exit with.
//
// What is under way when Run is to end with an error has the time that it would have had
// otherwise, unless the Runtime API is broken (a status of 500 or more).
//
// A VM that dies takes the invocations in flight with it: each is answered with
// Runtime.ExitError, none is run again, and another VM is started. So it is when an
// invocation that was given up does not end, as inside of native code: with a
// MaxConcurrency of one, or if the VM does not answer any more, the VM is killed; else it
// finishes what it has beside that, and another one serves what comes.
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

	if s.MaxConcurrency == 1 {
		api.Alone()
	}
	extension := s.register(ctx, api) // while the VM starts
	defer extension.end()
	vms := newSupervisor(s)
	defer vms.close()
	first, err := vms.live(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		extension.end() // it could not register any more
		return initFailed(ctx, api, err)
	}
	// What is not known of it, or cannot be said, is left out.
	_ = api.SetUserAgent("beamport/" + Version + " otp/" + releaseOf(first.process))
	extension.await()
	if s.InitType == initSnapStart {
		if err := s.snapshot(ctx, api, extension, first); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return s.serve(ctx, api, vms)
}

// serve runs the loops until ctx ends or one of them cannot go on. The others finish what
// they have under way then.
func (s *settings) serve(ctx context.Context, api *runtimeapi.Client, vms *supervisor) error {
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	drained := make(chan struct{})
	var drain sync.WaitGroup
	drain.Go(func() {
		<-asking.Done()
		s.drain(ctx, context.Cause(asking), drained)
		cancel()
	})
	var running sync.WaitGroup
	running.Go(func() { stop(vms.keep(asking)) })
	for range s.MaxConcurrency {
		running.Go(func() {
			l := &loop{settings: s, api: api, vms: vms}
			stop(l.run(serving, asking))
		})
	}
	running.Wait()
	close(drained)
	stop(nil)
	drain.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(asking)
}

// drain returns when invocations that are under way may not go on: DrainTimeout after the
// end of ctx. If it is a loop that could not go on, they have the time that they would
// have had, unless the Runtime API is broken, which asks for the runtime's prompt exit.
func (s *settings) drain(ctx context.Context, cause error, drained <-chan struct{}) {
	var status *runtimeapi.StatusError
	if ctx.Err() == nil && errors.As(cause, &status) && status.Broken() {
		return
	}
	select {
	case <-ctx.Done():
	case <-drained:
		return
	}
	timer := time.NewTimer(s.DrainTimeout)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-drained:
	}
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
