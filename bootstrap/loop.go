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
	event, request, reply, response, inner []byte

	// vm is the one that has the invocation, and call the id of its call there; nil if
	// it came to none.
	vm   *vm
	call uint64
}

// run serves until asking ends, after which no event is asked for, or ctx does, which
// what is under way then does not outlive, or the runtime cannot go on; the error is why.
func (l *loop) run(ctx, asking context.Context) error {
	for {
		// A VM that died is replaced before the next event is asked for, not when it
		// is there already.
		if _, err := l.vms.live(asking); err != nil {
			return err
		}
		inv, err := l.api.Next(asking, l.event)
		if err != nil {
			return err
		}
		l.event = keep(inv.Event)
		err = l.one(ctx, inv)
		if l.vm != nil {
			if err == nil {
				l.vms.settle(ctx, l.vm, l.call)
			}
			l.vm.release()
			l.vm = nil
		}
		if err != nil {
			return err
		}
	}
}

// one serves an invocation, between the functions that want to know of it.
func (l *loop) one(ctx context.Context, inv *runtimeapi.Invocation) error {
	d := Done{RequestID: inv.RequestID, Context: ctx}
	start := time.Now()
	if l.OnBegin != nil {
		d.Context = l.OnBegin(ctx, Begun{
			RequestID: inv.RequestID, TraceID: inv.TraceID, FunctionARN: inv.FunctionARN, TenantID: inv.TenantID,
			Deadline: inv.Deadline, EventSize: len(inv.Event), First: l.vms.first(),
		})
	}
	failure, err := l.serve(ctx, inv, &d)
	if l.OnInvocation != nil {
		d.Duration, d.Err = time.Since(start), errors.Join(failure, err)
		l.OnInvocation(d)
	}
	return err
}

// serve answers an invocation. failure is its own; err is the runtime's, which
// cannot go on after it.
func (l *loop) serve(ctx context.Context, inv *runtimeapi.Invocation, d *Done) (failure, err error) {
	call, cancel := context.WithDeadline(d.Context, inv.Deadline.Add(-l.DeadlineMargin))
	defer cancel()
	a, failure := l.invoke(call, inv)
	switch {
	case failure == nil && a.stream != nil:
		return l.stream(ctx, call, inv, a, d)
	case failure == nil:
		d.ResponseSize = int64(len(a.body))
		return l.answered(ctx, inv, l.api.Response(ctx, inv, a.contentType, a.body))
	case ctx.Err() != nil:
		return context.Cause(ctx), nil
	}
	var f *FunctionError
	if !errors.As(failure, &f) {
		f = explain(failure)
	}
	return l.fail(ctx, inv, f)
}

// fail answers an invocation with an error.
func (l *loop) fail(ctx context.Context, inv *runtimeapi.Invocation, f *FunctionError) (failure, err error) {
	l.logs.failure(inv.RequestID, f)
	refused, err := l.posted(inv, l.api.Error(ctx, inv, l.tell(f)))
	return errors.Join(f, refused), err
}

// answered says what came of the post of a response. One that has not been read is
// replaced by an error.
func (l *loop) answered(ctx context.Context, inv *runtimeapi.Invocation, posted error) (failure, err error) {
	var status *runtimeapi.StatusError
	if errors.As(posted, &status) && status.Unread() {
		return l.fail(ctx, inv, failf("Runtime.BadResponse", posted, "Lambda did not take the response: %v", status))
	}
	return l.posted(inv, posted)
}

// tell is a failure as the Runtime API is told of it.
func (l *loop) tell(f *FunctionError) runtimeapi.Failure {
	told := f.failure()
	told.Dir = l.TaskRoot
	return told
}

// posted says what a post's failure means: the invocation is lost, or all is. AWS's own
// clients differ here: aws-lambda-go ends at any status but 202, aws-lambda-rust-runtime
// logs any and goes on. Going on is right where the API says that the invocation is over.
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
