package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

func snapStart(t *testing.T, environ ...string) *rig {
	environ = append(environ, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start")
	return newRig(t, emulator.Options{SnapStart: true}, beamConfig(t, "stateful", environ...))
}

func TestBEAMSnapStartFailures(t *testing.T) {
	for _, c := range []struct {
		stateful, errorType, message string
		status                       int
	}{
		{"before", "Runtime.BeforeSnapshotError", `handler "stateful": before_snapshot/1 failed: not_now: `, 64},
		{"after", "Runtime.AfterRestoreError", `handler "stateful": after_restore/1 failed: Function.BadResult: stateful:after_restore/1 returned {error,no_connection}`, 65},
		{"gone", "Runtime.AfterRestoreError", `handler "stateful": the VM died in after_restore/1: the VM ended with exit status 6`, 65},
		{"raise", "Runtime.HandlerInitFailed", "no_database", 1},
	} {
		t.Run(c.stateful, func(t *testing.T) {
			r := snapStart(t, "STATEFUL="+c.stateful)
			go r.api.Restore(t.Context())
			err := r.run()
			var e *InitError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.errorType, e.Type)
			assert.Contains(t, e.Message, c.message)
			assert.Equal(t, c.status, ExitStatus(err))
			var posted *emulator.InitError
			require.ErrorAs(t, r.api.Ready(t.Context()), &posted)
			assert.Equal(t, c.errorType, posted.Type)
			assert.Equal(t, e.Message, posted.Message)
		})
	}
}

// A runtime that is ended while it waits for the restore ends in good order.
func TestBEAMSnapStartEnded(t *testing.T) {
	r := snapStart(t)
	r.start()
	require.NoError(t, r.api.AwaitSnapshot(t.Context()))
	r.cancel()
	<-r.ended
	require.NoError(t, r.err)
	r.assertNothingLeft()
}

// What is under way when the runtime is to end may come to its end, for a while.
func TestBEAMDrain(t *testing.T) {
	for _, c := range []struct {
		drain    time.Duration
		ms       string
		answered bool
	}{
		{roomy, "100", true},
		{time.Millisecond, "100000", false},
	} {
		config := beamConfig(t, "fixture:handle")
		config.DrainTimeout = c.drain
		r := newRig(t, emulator.Options{}, config)
		r.start()
		require.NoError(t, r.api.Ready(t.Context()))
		require.True(t, r.api.ExtensionRegistered())
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan emulator.Result, 1)
		failed := make(chan error, 1)
		go func() {
			result, err := r.api.Invoke(ctx, emulator.Invocation{Payload: []byte(`{"do":"sleep","ms":` + c.ms + `}`)})
			failed <- err
			got <- result
		}()
		r.logs.await(t, "sleeping")
		r.cancel()
		<-r.ended
		require.NoError(t, r.err)
		r.assertNothingLeft()
		done := r.served()
		require.Len(t, done, 1)
		if c.answered {
			require.NoError(t, <-failed)
			assert.Equal(t, `"slept"`, string((<-got).Payload))
			assert.NoError(t, done[0].Err)
		} else {
			assert.ErrorIs(t, done[0].Err, context.Canceled)
			cancel()
			assert.ErrorIs(t, <-failed, context.Canceled)
		}
		cancel()
	}
}

type spanKey struct{}

// The functions around an invocation are what a tracer needs: a context to put a span
// into, and one place that it comes back at.
func TestBEAMHooks(t *testing.T) {
	config := beamConfig(t, "fixture:handle")
	var begun []Begun
	cancels := make(chan context.CancelCauseFunc, 1)
	config.OnBegin = func(ctx context.Context, b Begun) context.Context {
		begun = append(begun, b)
		switch b.RequestID {
		case "short":
			ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		case "cancelled":
			ctx, cancel := context.WithCancelCause(ctx)
			cancels <- cancel
			return ctx
		case "cancelled-at-once":
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}
		return context.WithValue(ctx, spanKey{}, b.RequestID)
	}
	r := startRig(t, emulator.Options{}, config)
	r.do(emulator.Invocation{RequestID: "1", Payload: []byte("[1, 2]"), TraceID: "Root=1", TenantID: "blue"})
	r.do(emulator.Invocation{RequestID: "2", Payload: []byte(`{"do":"raise"}`)})
	hang := func(id, errorType, message string) {
		result := r.do(emulator.Invocation{RequestID: id, Payload: []byte(`{"do":"hang"}`)})
		var f failure
		require.NoError(t, json.Unmarshal(result.Payload, &f))
		assert.Equal(t, errorType, f.ErrorType)
		assert.Regexp(t, message, f.ErrorMessage)
	}
	hang("short", "Function.Timeout", `^the function did not answer by the deadline of its context, \d\d:\d\d:\d\d\.\d{3}; its process was killed$`)
	reason := errors.New("the client went away")
	go func() {
		cancel := <-cancels
		r.logs.awaitCount(t, "hanging", 2)
		cancel(reason)
	}()
	hang("cancelled", "Function.Cancelled", "^the invocation was cancelled: the client went away; its process was killed$")
	hang("cancelled-at-once", "Function.Cancelled", "^the invocation was cancelled; it had not begun$")
	r.answers("[1]", "[1]")
	assert.Len(t, r.vms(), 1)
	r.awaitServed(6)

	require.Len(t, begun, 6)
	assert.WithinDuration(t, time.Now().Add(roomy), begun[0].Deadline, roomy)
	begun[0].Deadline = time.Time{}
	assert.Equal(t, Begun{RequestID: "1", TraceID: "Root=1", TenantID: "blue", EventSize: 6, First: true,
		FunctionARN: "arn:aws:lambda:us-east-1:012345678901:function:function"}, begun[0])
	assert.False(t, begun[1].First)
	done := r.served()
	assert.Equal(t, "1", done[0].Context.Value(spanKey{}))
	assert.EqualValues(t, len("[1,2]"), done[0].ResponseSize)
	assert.Equal(t, "2", done[1].Context.Value(spanKey{}))
	var f *FunctionError
	assert.ErrorAs(t, done[1].Err, &f)
	assert.ErrorIs(t, done[2].Err, context.DeadlineExceeded)
	assert.ErrorIs(t, done[3].Err, context.Canceled)
	assert.ErrorIs(t, done[4].Err, context.Canceled)
}

func TestExitStatus(t *testing.T) {
	assert.Equal(t, 0, ExitStatus(nil))
	assert.Equal(t, 1, ExitStatus(context.Canceled))
	assert.Equal(t, 1, ExitStatus(&InitError{}))
}
