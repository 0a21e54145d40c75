package bootstrap

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

// What becomes of an invocation is told once it is over.
func TestLoopReports(t *testing.T) {
	record := newRecorder(emulator.Options{Timeout: 500 * time.Millisecond}, map[string]tamper{
		"next": patient, "response 3": late, "response 4": header("Lambda-Runtime-Function-Response-Mode", "x"), "response 5": refuse(404, ""),
	})
	r := newRigOn(t, record.api, serve(t, record.api, record), fakeConfig(t, "good"))
	r.start()
	for i, event := range []string{`1`, `{"do":"raise"}`, `1`, `1`, `1`} {
		r.do(emulator.Invocation{RequestID: fmt.Sprint(i + 1), Payload: []byte(event)})
	}
	r.awaitServed(5)
	r.cancel()
	<-r.ended
	require.NoError(t, r.err)

	done := r.served()
	for i, d := range done {
		assert.Equal(t, fmt.Sprint(i+1), d.RequestID)
		assert.Positive(t, d.Duration)
	}
	assert.NoError(t, done[0].Err)
	var f *FunctionError
	require.ErrorAs(t, done[1].Err, &f)
	assert.Equal(t, "ArithmeticError", f.Type)
	assert.Equal(t, "bad argument", f.Message)
	assert.Equal(t, []string{"lib/a.ex:3: A.b/2", "A.c/1"}, f.StackTrace)
	var status *runtimeapi.StatusError
	for i, code := range map[int]int{2: 410, 3: 400, 4: 404} {
		require.ErrorAs(t, done[i].Err, &status)
		assert.Equal(t, code, status.Code)
	}
	assert.NotErrorAs(t, done[2].Err, &f, "the caller was told by Lambda")
	assert.NotErrorAs(t, done[3].Err, &f)
	require.ErrorAs(t, done[4].Err, &f)
	assert.Equal(t, "Runtime.BadResponse", f.Type)
	logs := r.logs.String()
	assert.Contains(t, logs, "\t2\tArithmeticError: bad argument\n    lib/a.ex:3: A.b/2\n    A.c/1\n")
	assert.Contains(t, logs, "\t3\truntimeapi: posting the response of request 3: the Runtime API answered with status 410, InvokeTimeout\n")
	assert.Contains(t, logs, "\t4\truntimeapi: posting the response of request 4: the Runtime API answered with status 400, InvalidFunctionResponseMode\n")
}

// A timeout is the invocation's own: its process is killed, the VM serves on.
func TestLoopTimeout(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := fakeConfig(t, "good")
	config.DeadlineMargin = roomy - time.Second
	r := startRig(t, emulator.Options{}, config)
	r.fails(`{"do":"hang"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	r.answers("1", "1")
	assert.Len(t, r.vms(), 1)
}

// A VM that does not end what was given up is ended itself, which is said to be so.
func TestLoopTimeoutOfVM(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := fakeConfig(t, "deaf")
	config.DeadlineMargin = roomy - time.Second
	r := startRig(t, emulator.Options{}, config)
	r.fails(`{"do":"hang"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	r.logs.await(t, "the VM did not end an invocation that was given up, and is killed")
	r.answers("1", "1")
	assert.Len(t, r.vms(), 2)
	assert.Contains(t, r.logs.String(), "the VM died: child ended by signal: killed: the runtime killed it, since an invocation that was given up did not end\n")
	assert.NotContains(t, r.logs.String(), "memory")
}

// A deadline that has passed already, as it may have while the sandbox was frozen.
func TestLoopDeadlinePassed(t *testing.T) {
	config := fakeConfig(t, "good")
	config.DeadlineMargin = 2 * roomy
	r := startRig(t, emulator.Options{}, config)
	r.fails(`1`, "Function.Timeout", "the function did not answer by its deadline, ")
	assert.Len(t, r.vms(), 1)
}

// As many invocations are under way as there may be, in one VM.
func TestLoopConcurrency(t *testing.T) {
	t.Parallel() // it waits, most of the time
	const n = 5
	config := fakeConfig(t, "good", fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", n))
	config.DeadlineMargin = roomy - 2*time.Second
	r := startRig(t, emulator.Options{Concurrency: n}, config)
	var invoked sync.WaitGroup
	for range n - 1 {
		invoked.Go(func() { r.fails(`{"do":"hang"}`, "Function.Timeout", "") })
	}
	r.logs.awaitCount(t, "hanging", n-1)
	r.answers("1", "1") // besides those
	invoked.Wait()
	assert.Len(t, r.vms(), 1)
	r.awaitServed(n)
}
