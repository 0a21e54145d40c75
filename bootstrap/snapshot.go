package bootstrap

import (
	"context"
	"errors"
	"fmt"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// snapshot lets the handler prepare for a snapshot, waits until the sandbox has been
// restored from it, and lets the handler renew what was not made to last:
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
//
// The error is an [*InitError] of which the Runtime API has been told, or the Runtime
// API's own.
func (s *settings) snapshot(ctx context.Context, api *runtimeapi.Client, e *extension, vm *vm) error {
	if err := s.hook(ctx, vm, "before", "before_snapshot/1", "Runtime.BeforeSnapshotError"); err != nil {
		err.status = exitSnapshot
		return initFailed(ctx, api, err)
	}
	if err := api.RestoreNext(ctx); err != nil {
		return err
	}
	e.renew()
	if err := s.hook(ctx, vm, "after", "after_restore/1", "Runtime.AfterRestoreError"); err != nil {
		err.status = exitRestore
		posted := api.RestoreError(ctx, runtimeapi.Failure{Type: err.Type, Message: err.Message, StackTrace: err.StackTrace})
		return errors.Join(err, posted)
	}
	return nil
}

// hook calls the handler's function for one side of a snapshot, if it has it.
func (s *settings) hook(ctx context.Context, vm *vm, side, function, errorType string) *InitError {
	_, err := vm.process.Conn().Call(ctx, etf.Tuple(etf.Atom("snapshot"), etf.Atom(side)))
	if err == nil {
		return nil
	}
	failure := &InitError{Type: errorType, Err: err}
	var call *port.CallError
	if errors.As(err, &call) {
		f := explain(err)
		failure.StackTrace = f.StackTrace
		failure.Message = fmt.Sprintf("handler %q: %s failed: %s: %s", s.Handler, function, f.Type, f.Message)
	} else {
		failure.Message = fmt.Sprintf("handler %q: the VM died in %s: %s", s.Handler, function, describe(err))
	}
	return failure
}
