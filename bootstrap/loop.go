package bootstrap

import (
	"context"
	"errors"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

// loop serves one invocation after the other.
type loop struct {
	*settings
	api *runtimeapi.Client
	vms *supervisor

	// Kept from one invocation to the next.
	event, request, response []byte

	// overdue is the VM in which the process of the last invocation is being killed,
	// if it is.
	overdue *vm
}

// run serves until ctx ends or the runtime cannot go on; the error is why.
func (l *loop) run(ctx context.Context) error {
	for {
		// A VM that died is replaced before the next event is asked for, not when it
		// is there already.
		if _, err := l.vms.live(ctx); err != nil {
			return err
		}
		inv, err := l.api.Next(ctx, l.event)
		if err != nil {
			return err
		}
		l.event = keep(inv.Event)
		start := time.Now()
		failure, err := l.serve(ctx, inv)
		if l.OnInvocation != nil {
			l.OnInvocation(Done{RequestID: inv.RequestID, Duration: time.Since(start), Err: errors.Join(failure, err)})
		}
		if err != nil {
			return err
		}
		if l.overdue != nil {
			l.vms.settle(ctx, l.overdue)
			l.overdue = nil
		}
	}
}

// serve answers an invocation. failure is its own; err is the runtime's, which
// cannot go on after it.
func (l *loop) serve(ctx context.Context, inv *runtimeapi.Invocation) (failure, err error) {
	contentType, body, failure := l.invoke(ctx, inv)
	if failure == nil {
		err := l.api.Response(ctx, inv, contentType, body)
		var status *runtimeapi.StatusError
		if !errors.As(err, &status) || !status.BadRequest() {
			return l.posted(inv, err)
		}
		failure = failf("Runtime.BadResponse", err, "Lambda did not take the response: %v", status)
	}
	var f *FunctionError
	if ctx.Err() != nil || !errors.As(failure, &f) {
		return failure, nil
	}
	l.logs.failure(inv.RequestID, f)
	refused, err := l.posted(inv, l.api.Error(ctx, inv, f.failure()))
	return errors.Join(failure, refused), err
}

// posted says what a post's failure means: the invocation is lost, or all is.
func (l *loop) posted(inv *runtimeapi.Invocation, err error) (failure, fatal error) {
	var status *runtimeapi.StatusError
	if errors.As(err, &status) && status.Answered() {
		l.logs.runtime("ERROR", inv.RequestID, err.Error())
		return err, nil
	}
	// After anything else the invocation has no answer, as far as anybody knows,
	// and to ask for the next one would be out of turn.
	return nil, err
}
