package bootstrap

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

const (
	raise    = `{"do":"raise"}`
	streamed = `{"do":"stream","parts":["a","b"]}`
	unheard  = "Runtime exited with error: exit status 1"
)

// good is a conversation of two invocations, the first of which is answered with status.
func good(what, status string) string {
	return "next 200, " + what + " 1 " + status + ", next 200, response 2 202"
}

// hurry gives the invocation stuck less time than others have.
func hurry(c *Config) {
	c.OnBegin = func(ctx context.Context, b Begun) context.Context {
		if b.RequestID != "stuck" {
			return ctx
		}
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
}

// outlive has an invocation that cannot be ended, and another one in the same VM.
func outlive(c *conformer, stuck string) {
	file := filepath.Join(c.TempDir(), "go")
	await := fmt.Sprintf(`{"do":"await","file":%q}`, file)
	require.NoError(c, c.api.Ready(c.Context()))
	old := c.rig.vms()[0].Pid
	var innocent sync.WaitGroup
	innocent.Go(func() { c.expect(answered(await, fmt.Sprintf(`{"pid":%d}`, old)).with(named("innocent"))) })
	c.rig.logs.await(c.T, "waiting")
	c.expect(failed(stuck, "Function.Timeout", "by the deadline of its context").with(named("stuck")))
	c.rig.logs.await(c.T, "the VM did not end an invocation that was given up: another one takes its place")
	require.Eventually(c, func() bool { return len(c.rig.vms()) == 2 }, roomy, time.Millisecond)
	young := fmt.Sprintf(`{"pid":%d}`, c.rig.vms()[1].Pid)
	c.expect(answered(`{"do":"await","file":"/"}`, young).with(named("young")))
	require.NoError(c, syscall.Kill(old, 0), "it has an invocation")
	writeFile(c.T, file)
	innocent.Wait()
	require.Eventually(c, func() bool { return syscall.Kill(old, 0) == syscall.ESRCH }, roomy, time.Millisecond)
}

// What answers of the Runtime API mean for the runtime.
var errorRows = []conformance{
	{
		contract: "202: the next event is asked for, and nothing else",
		fake:     "good",
		events:   []event{answered("1", "1"), failed(raise, "Function.ArithmeticError", "bad argument"), answered("2", "2")},
		calls:    "next 200, response 1 202, next 200, error 2 202, next 200, response 3 202",
	},

	// 413
	{
		contract: "413: on to the next event, no error after it",
		fake:     "good", options: emulator.Options{MaxResponse: 100},
		events: []event{
			failed(`"`+strings.Repeat("x", 200)+`"`, "Function.ResponseSizeTooLarge", "(100 bytes)"), answered("2", "2"),
		},
		calls: good("response", "413"),
	},
	{
		contract: "413 to a streamed response",
		options:  emulator.Options{MaxStreamedResponse: 1},
		events:   []event{failed(streamed, "Function.ResponseSizeTooLarge", "(1 bytes)"), answered("2", "2")},
		calls:    good("response", "413"),
	},
	{
		contract: "413 to a streamed response that is still being made",
		tamper:   map[string]tamper{"response 1": func(h *hop) { refuseEarly(h, 413) }},
		// The emulator has not seen it: the caller waits until the end.
		events: []event{failed(`{"do":"stream endless"}`, "Runtime.ExitError", unheard)},
		calls:  "next 200, response 1 413, next 403",
		end:    "status 403",
	},
	{
		contract: "413 to an error",
		fake:     "good", options: emulator.Options{MaxResponse: 100},
		events: []event{failed(raise, "Function.ArithmeticError", "could not be read"), answered("2", "2")},
		calls:  good("error", "413"),
	},

	// 410
	{
		contract: "410, a response that comes too late: on to the next event",
		fake:     "good", options: emulator.Options{Timeout: 200 * time.Millisecond, InvocationIDs: true},
		tamper: map[string]tamper{"next": patient, "response 1": late},
		events: []event{failed("1", "Sandbox.Timedout", "timed out"), answered("2", "2")},
		calls:  good("response", "410"),
	},
	{
		contract: "410, an error that comes too late",
		fake:     "good", options: emulator.Options{Timeout: 200 * time.Millisecond},
		tamper: map[string]tamper{"next": patient, "error 1": late},
		events: []event{failed(raise, "Sandbox.Timedout", "timed out"), answered("2", "2")},
		calls:  good("error", "410"),
	},
	{
		contract: "410, a streamed response that comes too late",
		options:  emulator.Options{Timeout: 500 * time.Millisecond},
		tamper:   map[string]tamper{"next": patient, "response 1": late},
		events:   []event{failed(streamed, "Sandbox.Timedout", "timed out"), answered("2", "2")},
		calls:    good("response", "410"),
	},
	{
		contract: "410 with several invocations at a time: the others go on",
		fake:     "good", options: emulator.Options{Timeout: 200 * time.Millisecond, Concurrency: 3},
		environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
		tamper:  map[string]tamper{"next": patient, "response 1": late},
		atOnce:  true,
		events:  []event{failed("1", "Sandbox.Timedout", "timed out"), answered("2", "2"), answered("3", "3")},
		calls:   "next 200, next 200, next 200, response 1 410, response 2 202, response 3 202",
	},
	{
		contract: "410, an answer to another handing-out of the invocation: on to the next event, which is refused here",
		fake:     "good", options: emulator.Options{InvocationIDs: true},
		tamper: map[string]tamper{"response 1": header("Lambda-Runtime-Invocation-Id", "another")},
		events: []event{failed("1", "Runtime.ExitError", unheard)},
		calls:  "next 200, response 1 410, next 403",
		end:    "status 403",
	},

	// 400: the API has told the caller, or there is none.
	{
		contract: "400 InvalidFunctionResponseMode: on to the next event, no error after it",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": header("Lambda-Runtime-Function-Response-Mode", "buffered")},
		events:   []event{failed("1", "Runtime.InvalidResponseModeHeader", "Invalid function response mode"), answered("2", "2")},
		calls:    good("response", "400"),
	},
	{
		contract: "400 InvalidFunctionResponseMode to a streamed response",
		tamper:   map[string]tamper{"response 1": header("Lambda-Runtime-Function-Response-Mode", "dripping")},
		events:   []event{failed(streamed, "Runtime.InvalidResponseModeHeader", "Invalid function response mode"), answered("2", "2")},
		calls:    good("response", "400"),
	},
	{
		contract: "400 TruncatedHTTPRequest: on to the next event, no error after it",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": cutShort(1)},
		events:   []event{failed(`"1234"`, "Runtime.TruncatedResponse", "cut short"), answered("2", "2")},
		calls:    good("response", "400"),
	},
	{
		contract: "400 TruncatedHTTPRequest to a streamed response",
		tamper:   map[string]tamper{"response 1": cutShort(1)},
		events:   []event{failed(streamed, "Runtime.TruncatedResponse", "cut short"), answered("2", "2")},
		calls:    good("response", "400"),
	},
	{
		contract: "400 TruncatedHTTPRequest to an error",
		fake:     "good",
		tamper:   map[string]tamper{"error 1": cutShort(1)},
		events:   []event{failed(raise, "Function.ArithmeticError", "could not be read"), answered("2", "2")},
		calls:    good("error", "400"),
	},
	{
		contract: "400 InvalidRequestID on Managed Instances, a second answer: on to the next event",
		fake:     "good", options: emulator.Options{Concurrency: 2}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2"},
		tamper: map[string]tamper{"response 1": repeated, "error 2": repeated},
		events: []event{answered("1", "1"), failed(raise, "Function.ArithmeticError", "bad argument"), answered("3", "3")},
		calls:  "next 200, response 1 400, next 200, error 2 400, next 200, response 3 202",
	},
	{
		contract: "400 InvalidRequestID to a streamed response",
		options:  emulator.Options{Concurrency: 2}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2"},
		tamper: map[string]tamper{"response 1": repeated},
		events: []event{answered(streamed, "ab"), answered("2", "2")},
		calls:  good("response", "400"),
	},
	{
		contract: "400 InvalidRequestID of an invocation that nobody answers: the next event is refused, the runtime exits",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": elsewhere},
		events:   []event{failed("1", "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 400, next 403",
		end:      "runtimeapi: next invocation: the Runtime API answered with status 403, InvalidStateTransition",
	},

	// 403
	{
		contract: "403 to a response: out of step, the runtime exits",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": repeated},
		events:   []event{answered("1", "1")},
		calls:    "next 200, response 1 403",
		end:      "runtimeapi: posting the response of request 1: the Runtime API answered with status 403, InvalidStateTransition",
	},
	{
		contract: "403 to an error",
		fake:     "good",
		tamper:   map[string]tamper{"error 1": repeated},
		events:   []event{failed(raise, "Function.ArithmeticError", "bad argument")},
		calls:    "next 200, error 1 403",
		end:      "status 403, InvalidStateTransition",
	},
	{
		contract: "403 to a streamed response",
		tamper:   map[string]tamper{"response 1": repeated},
		events:   []event{answered(streamed, "ab")},
		calls:    "next 200, response 1 403",
		end:      "status 403, InvalidStateTransition",
	},
	{
		contract: "403 to next",
		fake:     "good",
		tamper:   map[string]tamper{"next": refuse(403, "InvalidStateTransition")},
		calls:    "next 403",
		end:      "runtimeapi: next invocation: the Runtime API answered with status 403, InvalidStateTransition",
	},

	// 500
	{
		contract: "500 to a response: the container is broken, the runtime exits",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": refuse(500, "InternalServerError")},
		events:   []event{failed("1", "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 500",
		end:      "runtimeapi: posting the response of request 1: the Runtime API answered with status 500, InternalServerError",
	},
	{
		contract: "500 to an error",
		fake:     "good",
		tamper:   map[string]tamper{"error 1": refuse(500, "InternalServerError")},
		events:   []event{failed(raise, "Runtime.ExitError", unheard)},
		calls:    "next 200, error 1 500",
		end:      "status 500, InternalServerError",
	},
	{
		contract: "500 to a streamed response",
		tamper:   map[string]tamper{"response 1": refuse(500, "InternalServerError")},
		events:   []event{failed(streamed, "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 500",
		end:      "status 500, InternalServerError",
	},
	{
		contract: "500 to next",
		fake:     "good",
		tamper:   map[string]tamper{"next": sometimes(1, broken)},
		calls:    "next 500",
		end:      "runtimeapi: next invocation: the Runtime API answered with status 500, InternalServerError",
	},
	{
		contract: "500 promptly: other invocations are not waited for",
		fake:     "good", options: emulator.Options{Concurrency: 2}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2"},
		configure: func(c *Config) { c.DrainTimeout = time.Hour },
		tamper:    map[string]tamper{"response quick": refuse(500, "InternalServerError")},
		do: func(c *conformer) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.expect(failed(`{"do":"hang"}`, "Runtime.ExitError", unheard))
			}()
			c.rig.logs.await(c.T, "hanging")
			c.expect(failed("1", "Runtime.ExitError", unheard).with(named("quick")))
			<-done
		},
		calls: "next 200, next 200, response quick 500",
		end:   "status 500, InternalServerError",
	},
	{
		contract: "500 to init/error: nothing but the exit comes after it",
		fake:     "init error",
		tamper:   map[string]tamper{"init/error": refuse(500, "InternalServerError")},
		calls:    "init/error 500",
		end:      "status 500, InternalServerError",
	},

	// What Lambda does not answer with.
	{
		contract: "another status of the client's doing: the response was not read, an error takes its place",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": refuse(431, "")},
		events: []event{
			failed("1", "Runtime.BadResponse", "Lambda did not take the response: the Runtime API answered with status 431"), answered("2", "2"),
		},
		calls: "next 200, response 1 431, error 1 202, next 200, response 2 202",
	},
	{
		contract: "another status to a streamed response",
		tamper:   map[string]tamper{"response 1": refuse(404, "")},
		events:   []event{failed(streamed, "Runtime.BadResponse", "status 404"), answered("2", "2")},
		calls:    "next 200, response 1 404, error 1 202, next 200, response 2 202",
	},
	{
		contract: "another status to an error: there is no answer to be had, the runtime exits",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": refuse(431, ""), "error 1": refuse(431, "")},
		events:   []event{failed("1", "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 431, error 1 431",
		end:      "runtimeapi: posting the error of request 1: the Runtime API answered with status 431",
	},
	{
		contract: "a redirect is not followed",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": refuse(302, "")},
		events:   []event{failed("1", "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 302",
		end:      "status 302",
	},

	// No answer at all.
	{
		contract: "a post that breaks off: nobody knows whether it arrived, no event is asked for after it",
		fake:     "good",
		tamper:   map[string]tamper{"response 1": reset},
		events:   []event{failed("1", "Runtime.ExitError", unheard)},
		calls:    "next 200, response 1 0",
		end:      "runtimeapi: posting the response of request 1: ",
	},
	{
		contract: "next that breaks off is asked for again, three times in all",
		fake:     "good",
		tamper:   map[string]tamper{"next": reset},
		calls:    "next 0, next 0, next 0",
		end:      "runtimeapi: next invocation: ",
	},
	{
		contract: "next that breaks off once",
		fake:     "good",
		tamper:   map[string]tamper{"next": sometimes(1, reset)},
		events:   []event{answered("1", "1")},
		calls:    "next 0, next 200, response 1 202",
	},
	{
		contract: "a post that breaks off, with others under way: those are answered before the runtime exits",
		options:  emulator.Options{Concurrency: 3}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
		tamper: map[string]tamper{"response broken": reset},
		atOnce: true,
		do: func(c *conformer) {
			file := c.TempDir() + "/go"
			var others sync.WaitGroup
			for _, id := range []string{"a", "b"} {
				others.Go(func() { c.expect(answered(fmt.Sprintf(`{"do":"await","file":%q}`, file), "").with(named(id))) })
			}
			c.rig.logs.awaitCount(c.T, "waiting", 2)
			others.Go(func() { c.expect(failed("1", "Runtime.ExitError", unheard).with(named("broken"))) })
			c.rig.awaitServed(1)
			writeFile(c.T, file)
			others.Wait()
			served := c.rig.served()
			require.Len(c, served, 3)
			assert.NoError(c, served[1].Err)
			assert.NoError(c, served[2].Err)
		},
		calls: "next 200, next 200, next 200, response broken 0, response a 202, response b 202",
		end:   "runtimeapi: posting the response of request broken: ",
	},

	// Errors of the function's.
	{
		contract: "a process of the handler that cannot go on: error, and the VM serves the next event",
		events:   []event{failed(`{"do":"killed"}`, "Function.Error", "killed"), answered("2", "2")},
		calls:    good("error", "202"),
	},
	{
		contract: "a VM that cannot go on: error, and another one serves the next event",
		fake:     "good",
		events:   []event{failed(`{"do":"exit"}`, "Runtime.ExitError", "the VM ended with exit status 7"), answered("2", "2")},
		calls:    good("error", "202"),
	},
	{
		contract: "a function that takes too long: error before its deadline, and the VM serves the next event",
		fake:     "good", options: emulator.Options{Timeout: 2 * time.Second},
		configure: func(c *Config) { c.DeadlineMargin = 1800 * time.Millisecond },
		events:    []event{failed(`{"do":"hang"}`, "Function.Timeout", "did not answer by its deadline"), answered("2", "2")},
		calls:     good("error", "202"),
	},
	{
		contract: "an invocation that cannot be ended, with others under way: those come to their end, and what comes is served by another VM",
		fake:     "deaf", options: emulator.Options{Concurrency: 3}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
		configure: hurry,
		atOnce:    true,
		do:        func(c *conformer) { outlive(c, `{"do":"hang"}`) },
		calls:     "next 200, next 200, next 200, error stuck 202, response young 202, response innocent 202",
	},
	{
		contract: "an invocation that cannot be ended since the VM hangs: that is killed, which the others are told",
		fake:     "mute", options: emulator.Options{Concurrency: 2}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2"},
		configure: hurry,
		atOnce:    true,
		do: func(c *conformer) {
			var innocent sync.WaitGroup
			innocent.Go(func() {
				c.expect(failed(`{"do":"hang"}`, "Runtime.ExitError",
					"the VM was ended by signal 9 (killed): the runtime killed it, since it did not answer any more").with(named("innocent")))
			})
			c.rig.logs.await(c.T, "hanging")
			c.expect(failed(`{"do":"hang"}`, "Function.Timeout", "by the deadline of its context").with(named("stuck")))
			innocent.Wait()
			c.expect(answered("1", "1").with(named("1")))
		},
		calls: "next 200, next 200, next 200, error stuck 202, error innocent 202, response 1 202",
	},
	{
		contract: "an invocation that a BEAM cannot end, with others under way",
		options:  emulator.Options{Concurrency: 3}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
		configure: hurry,
		atOnce:    true,
		do:        func(c *conformer) { outlive(c, `{"do":"disable"}`) },
		calls:     "next 200, next 200, next 200, error stuck 202, response young 202, response innocent 202",
	},
	{
		contract: "a handler that cannot be made ready: init/error once, and no event is asked for",
		fake:     "init error",
		calls:    "init/error 202",
		end:      "bootstrap: Runtime.HandlerInitFailed: ",
	},
}
