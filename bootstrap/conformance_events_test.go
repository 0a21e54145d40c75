package bootstrap

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// contextIs looks at what a function that returns its context was given.
func contextIs(want map[string]any) func(*testing.T, emulator.Result) {
	return func(t *testing.T, r emulator.Result) {
		var got map[string]any
		require.NoError(t, json.Unmarshal(r.Payload, &got), "%s", tail(r.Payload))
		for key, value := range want {
			assert.Contains(t, got, key)
			assert.Equal(t, value, got[key], key)
		}
	}
}

// inContext is an event whose answer is the context.
func inContext(want map[string]any, change func(*emulator.Invocation)) event {
	e := answered(`{"do":"context"}`, "").with(change)
	e.check = contextIs(want)
	return e
}

// ofType is an event that is answered with that content type.
func ofType(payload, contentType, want string) event {
	e := answered(payload, want)
	e.contentType = contentType
	return e
}

// isStreamed looks at whether an answer was.
func isStreamed(want bool) func(*testing.T, emulator.Result) {
	return func(t *testing.T, r emulator.Result) { assert.Equal(t, want, r.Streamed) }
}

func (e event) streamed(want bool) event {
	e.check = isStreamed(want)
	return e
}

const nuls = "\x00\x00\x00\x00\x00\x00\x00\x00"

var swallowedBytes [2]int64

// What is handed to the function and back.
var eventRows = []conformance{
	{
		contract: "all headers of next",
		fake:     "good",
		events: []event{inContext(map[string]any{
			"request_id": "1", "trace_id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "tenant_id": "blue",
			"client_context":   map[string]any{"custom": map[string]any{"k": []any{1.0, nil, "é"}}},
			"cognito_identity": map[string]any{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"},
			"content_type":     "application/cloudevents+json",
			"function_arn":     "arn:aws:lambda:us-east-1:012345678901:function:function",
		}, func(inv *emulator.Invocation) {
			inv.TraceID, inv.TenantID = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "blue"
			inv.ClientContext = `{"custom":{"k":[1,null,"é"]}}`
			inv.CognitoIdentity = `{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}`
			inv.ContentType = "application/cloudevents+json"
		})},
		calls: "next 200, response 1 202",
	},
	{
		contract: "headers of next that are absent",
		fake:     "good",
		events: []event{inContext(map[string]any{"trace_id": nil, "client_context": nil, "cognito_identity": nil, "tenant_id": nil},
			func(*emulator.Invocation) {})},
		calls: "next 200, response 1 202",
	},
	{
		contract: "headers of next that are there and empty",
		fake:     "good", options: emulator.Options{EmptyHeaders: true},
		events: []event{inContext(map[string]any{"trace_id": nil, "client_context": nil, "cognito_identity": nil, "tenant_id": nil},
			func(*emulator.Invocation) {})},
		calls: "next 200, response 1 202",
	},
	{
		contract: "headers that hold no JSON where some is expected",
		fake:     "good",
		events: []event{inContext(map[string]any{"client_context": "{", "cognito_identity": "nobody"},
			func(inv *emulator.Invocation) { inv.ClientContext, inv.CognitoIdentity = "{", "nobody" })},
		calls: "next 200, response 1 202",
	},
	{
		contract: "a deadline that is none: the runtime exits without having served the event",
		fake:     "good",
		tamper: map[string]tamper{"next": func(h *hop) {
			h.onHeader = func(head http.Header) { head.Set("Lambda-Runtime-Deadline-Ms", "soon") }
			h.forward()
		}},
		events: []event{failed("1", "Runtime.ExitError", unheard)},
		calls:  "next 200",
		end:    `request 1 has the deadline "soon", not a number of milliseconds`,
	},
	{
		contract: "the id of an invocation is echoed with every answer to it",
		options:  emulator.Options{InvocationIDs: true},
		events: []event{
			answered("1", "1"), failed(`{"do":"error"}`, "Function.Teapot", "short and stout"), answered(streamed, "ab").streamed(true),
			failed(`{"do":"stream fails","by":0}`, "Function.Error", "arithmetic"),
		},
		calls: "next 200, response 1 202, next 200, error 2 202, next 200, response 3 202, next 200, response 4 202",
	},
	{
		contract: "the user agent names the runtime and its OTP",
		fake:     "good",
		events:   []event{answered("1", "1"), failed(raise, "Function.ArithmeticError", "")},
		do: func(c *conformer) {
			for _, call := range []string{"next", "response 1", "error 2"} {
				assert.Equal(c, "beamport/"+Version+" otp/99", c.agentOf(call), call)
			}
		},
		calls: "next 200, response 1 202, next 200, error 2 202",
	},

	// Several at a time.
	{
		contract: "as many invocations at a time as there may be, and then more",
		options:  emulator.Options{Concurrency: 4}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=4"},
		atOnce: true,
		events: []event{
			answered(`{"do":"meet","count":4}`, `{"met":4}`), answered(`{"do":"meet","count":4}`, `{"met":4}`),
			answered(`{"do":"meet","count":4}`, `{"met":4}`), answered(`{"do":"meet","count":4}`, `{"met":4}`),
			answered("5", "5"), answered("6", "6"),
		},
		calls: "next 200, next 200, next 200, next 200, next 200, next 200, " +
			"response 1 202, response 2 202, response 3 202, response 4 202, response 5 202, response 6 202",
	},
	{
		contract: "tenants that share a VM: each invocation has its own",
		options:  emulator.Options{Concurrency: 3}, environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=3"},
		atOnce: true,
		events: []event{
			inContext(map[string]any{"tenant_id": "blue", "request_id": "1"}, func(inv *emulator.Invocation) { inv.TenantID = "blue" }),
			inContext(map[string]any{"tenant_id": "green", "request_id": "2"}, func(inv *emulator.Invocation) { inv.TenantID = "green" }),
			inContext(map[string]any{"tenant_id": nil, "request_id": "3"}, func(*emulator.Invocation) {}),
		},
		calls: "next 200, next 200, next 200, response 1 202, response 2 202, response 3 202",
	},
	{
		contract: "logs are JSON with request ids on Managed Instances, unless another format was chosen",
		fake:     "good", options: emulator.Options{Concurrency: 2},
		environ: []string{"AWS_LAMBDA_MAX_CONCURRENCY=2", "AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"},
		events:  []event{answered(`{"do":"log"}`, "null"), failed(raise, "Function.ArithmeticError", "")},
		do: func(c *conformer) {
			c.rig.logs.await(c.T, "bad argument")
			ids := map[string]any{}
			for _, text := range c.rig.logs.all() {
				e := entryOf(c.T, text)
				ids[e["message"].(string)] = e["requestId"]
			}
			assert.Equal(c, map[string]any{"two\nlines": "1", "of nobody": nil, "ArithmeticError: bad argument": "2"}, ids)
		},
		calls: "next 200, response 1 202, next 200, error 2 202",
	},

	// Streamed responses.
	{
		contract: "a streamed response, of parts, of none, and behind a prelude",
		events: []event{
			ofType(streamed, "text/csv", "ab").streamed(true),
			ofType(`{"do":"stream","parts":[]}`, "text/csv", "").streamed(true),
			ofType(`{"do":"stream http"}`, httpStream,
				`{"cookies":["c=1"],"headers":{"content-type":"application/octet-stream","x-a":"7"},"statusCode":201}`+nuls+"ab").streamed(true),
		},
		calls: "next 200, response 1 202, next 200, response 2 202, next 200, response 3 202",
	},
	{
		contract: "what fails in the middle of a stream is told in its trailers, and the function is asked again",
		options:  emulator.Options{Timeout: roomy},
		events: []event{
			failed(`{"do":"stream fails","by":0}`, "Function.Error", "an operand of an arithmetic expression is no number").streamed(true),
			failed(`{"do":"stream bad part"}`, "Function.BadResult", "a part that is not iodata").streamed(true),
			failed(`{"do":"stream halts"}`, "Runtime.ExitError", "the VM ended with exit status 3").streamed(true),
			answered(`{"do":"stream fails","by":1}`, "half1").streamed(true),
		},
		logs: []string{
			"\t1\tbadarith: an operand of an arithmetic expression is no number", "\t2\tFunction.BadResult: the handler's stream",
			"\t3\tRuntime.ExitError: the VM ended with exit status 3",
		},
		calls: "next 200, response 1 202, next 200, response 2 202, next 200, response 3 202, next 200, response 4 202",
	},
	{
		contract: "a stream that does not end by the deadline is ended with an error in its trailers",
		options:  emulator.Options{Timeout: roomy},
		configure: func(c *Config) {
			c.DeadlineMargin = roomy - roomy/40
		},
		events: []event{failed(`{"do":"stream hangs"}`, "Function.Timeout", "did not answer by its deadline").streamed(true), answered("2", "2")},
		logs:   []string{"\t1\tFunction.Timeout: the function did not answer by its deadline"},
		calls:  good("response", "202"),
	},
	{
		contract: "no stream where none is taken",
		environ:  []string{"BEAMPORT_RESPONSE_MODE=buffered"},
		events: []event{
			ofType(streamed, "text/csv", "ab").streamed(false),
			ofType(`{"do":"stream http"}`, "application/json",
				`{"cookies":["c=1"],"headers":{"content-type":"application/octet-stream","x-a":"7"},"statusCode":201,"body":"ab","isBase64Encoded":false}`).streamed(false),
			failed(`{"do":"stream fails","by":0}`, "Function.Error", "arithmetic").streamed(false),
		},
		calls: "next 200, response 1 202, next 200, response 2 202, next 200, error 3 202",
	},

	// Sizes, at the limit and one over it.
	{
		contract: "a response of 6,291,556 bytes; one more is told as an error instead of being posted",
		fake:     "good",
		events: []event{
			answered(`{"do":"largest"}`, `"`+strings.Repeat("x", 6291554)+`"`),
			failed(`{"do":"too large"}`, "Function.ResponseSizeTooLarge", "the response has 6291557 bytes, and Lambda takes at most 6291556"),
		},
		calls: "next 200, response 1 202, next 200, error 2 202",
	},
	{
		contract: "a streamed response of 200 MB; one byte more ends it with an error in its trailers",
		tamper: map[string]tamper{
			"response 1": swallowed(&swallowedBytes[0]), "response 2": swallowed(&swallowedBytes[1]),
		},
		events: []event{
			answered(`{"do":"stream size","bytes":209715200}`, "x").streamed(true),
			failed(`{"do":"stream size","bytes":209715201}`, "Function.ResponseSizeTooLarge", "more than the 209715200 bytes that Lambda takes").streamed(true),
			answered("3", "3"),
		},
		do: func(c *conformer) {
			assert.EqualValues(c, 200<<20, swallowedBytes[0])
			assert.LessOrEqual(c, swallowedBytes[1], int64(200<<20))
		},
		calls: "next 200, response 1 202, next 200, response 2 202, next 200, response 3 202",
	},
	{
		contract: "a content type of 1,024 bytes; a longer one is an error of the function's",
		events: []event{
			ofType(`{"do":"of type","size":1024}`, strings.Repeat("t", 1024), "a"),
			failed(`{"do":"of type","size":1025}`, "Function.BadResult", "the content type of the handler's result has 1025 bytes, and may have at most 1024"),
			failed(`{"do":"of type","size":2000000}`, "Function.BadResult", "has 2000000 bytes"),
			ofType(`{"do":"stream of type","size":1024}`, strings.Repeat("t", 1024), "a"),
			failed(`{"do":"stream of type","size":2000000}`, "Function.BadResult", "has 2000000 bytes"),
		},
		calls: "next 200, response 1 202, next 200, error 2 202, next 200, error 3 202, next 200, response 4 202, next 200, error 5 202",
	},
	{
		contract: "an event of 6 MB",
		fake:     "good",
		events:   []event{answered(`"`+strings.Repeat("x", 6<<20-2)+`"`, `"`+strings.Repeat("x", 6<<20-2)+`"`)},
		calls:    "next 200, response 1 202",
	},
	{
		contract: "an event of more than 16 MiB is Lambda's mistake: the runtime exits",
		fake:     "good",
		do: func(c *conformer) {
			ctx, cancel := context.WithCancel(c.Context())
			invoked := make(chan struct{})
			go func() {
				defer close(invoked)
				_, err := c.api.Invoke(ctx, emulator.Invocation{Payload: bytes.Repeat([]byte(" "), 16<<20+1)})
				assert.ErrorIs(c, err, context.Canceled, "it waits for another runtime, since none has got the whole of it")
			}()
			<-c.rig.ended
			cancel()
			<-invoked
		},
		calls: "next 200",
		end:   "the event cannot be taken: it has more than 16777216 bytes",
	},
	{
		contract: "an event that is not JSON is answered with an error",
		fake:     "good",
		events:   []event{failed(`{"a":`, "Runtime.BadEvent", "unexpected EOF at byte 5"), answered("2", "2")},
		calls:    good("error", "202"),
	},
}

// What comes before the first event.
var restoreRows = []conformance{
	{
		contract:  "an extension is registered and asks for its events before the first event is asked for",
		fake:      "good",
		tamper:    map[string]tamper{"event/next": func(h *hop) { h.note(h.name); h.forward() }},
		events:    []event{answered("1", "1")},
		do:        func(c *conformer) { assert.True(c, c.api.ExtensionRegistered()) },
		calls:     "next 200, response 1 202",
		extension: "register 200, event/next",
	},
	{
		contract: "an extension that was not asked for is not registered",
		fake:     "good", configure: func(c *Config) { c.NoExtension = true },
		events: []event{answered("1", "1")},
		do:     func(c *conformer) { assert.False(c, c.api.ExtensionRegistered()) },
		calls:  "next 200, response 1 202",
	},
	{
		contract: "an extension that is refused is no obstacle",
		fake:     "good",
		tamper:   map[string]tamper{"register": refuse(403, "Extension.RegistrationClosed")},
		events:   []event{answered("1", "1")},
		do: func(c *conformer) {
			c.rig.logs.await(c.T, "the sandbox may end without notice: runtimeapi: registering the extension beamport: the Runtime API answered with status 403")
		},
		calls:     "next 200, response 1 202",
		extension: "register 403",
	},
	{
		contract: "extensions that there are none of, as in emulators",
		fake:     "good",
		tamper:   map[string]tamper{"register": refuse(404, "")},
		events:   []event{answered("1", "1")},
		do:       func(c *conformer) { assert.Empty(c, c.rig.logs.String()) },
		calls:    "next 200, response 1 202", extension: "register 404",
	},
	{
		contract: "an extension's connection that breaks, as in a freeze: it asks again",
		fake:     "good",
		tamper:   map[string]tamper{"event/next": sometimes(3, reset)},
		events:   []event{answered("1", "1")},
		do:       func(c *conformer) { assert.Empty(c, c.rig.logs.String()) },
		calls:    "next 200, response 1 202", extension: "register 200, event/next 0, event/next 0, event/next 0",
	},
	{
		contract: "an extension that is not known any more does not ask again",
		fake:     "good",
		tamper:   map[string]tamper{"event/next": refuse(403, "Extension.UnknownExtensionIdentifier")},
		do: func(c *conformer) {
			c.rig.logs.await(c.T, "the sandbox may end without notice: runtimeapi: waiting for an event of the extension: the Runtime API answered with status 403")
		},
		extension: "register 200, event/next 403",
	},
	{
		contract: "a snapshot: hooks around it, and the first event after it",
		handler:  "stateful", options: emulator.Options{SnapStart: true}, environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"},
		do: func(c *conformer) {
			require.NoError(c, c.api.Restore(c.Context()))
			c.expect(answered(`{"do":"state"}`, `{"state":"thawed"}`).with(named("1")))
		},
		calls: "restore/next 200, next 200, response 1 202",
		logs:  []string{"terminated"},
	},
	{
		contract: "after a restore the extension asks again on another connection",
		fake:     "good", options: emulator.Options{SnapStart: true}, environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"},
		tamper: map[string]tamper{"event/next": func(h *hop) {
			h.connections <- h.r.RemoteAddr
			h.forward()
		}},
		do: func(c *conformer) {
			asked := func(n int) func() bool { return func() bool { return len(c.connections) == n } }
			require.Eventually(c, asked(1), roomy, time.Millisecond)
			require.NoError(c, c.api.Restore(c.Context()))
			require.Eventually(c, asked(2), roomy, time.Millisecond)
			assert.NotEqual(c, <-c.connections, <-c.connections)
			c.expect(answered("1", "1").with(named("1")))
		},
		calls: "restore/next 200, next 200, response 1 202", extension: "register 200",
	},
	{
		contract: "a hook that fails before a snapshot: init/error, exit status 64",
		handler:  "stateful", options: emulator.Options{SnapStart: true},
		environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "STATEFUL=before"},
		calls:   "init/error 202",
		end:     "Runtime.BeforeSnapshotError", status: exitSnapshot,
	},
	{
		contract: "a hook that fails after a restore: restore/error, exit status 65",
		handler:  "stateful", options: emulator.Options{SnapStart: true},
		environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "STATEFUL=after"},
		do:      func(c *conformer) { require.NoError(c, c.api.Restore(c.Context())) },
		calls:   "restore/next 200, restore/error 202",
		end:     "Runtime.AfterRestoreError", status: exitRestore,
	},
	{
		contract: "500 to restore/next",
		fake:     "good", options: emulator.Options{SnapStart: true}, environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"},
		tamper: map[string]tamper{"restore/next": refuse(500, "InternalServerError")},
		calls:  "restore/next 500",
		end:    "runtimeapi: waiting for the restore: the Runtime API answered with status 500",
	},
	{
		contract: "500 to restore/error: the exit status is that of the hook",
		handler:  "stateful", options: emulator.Options{SnapStart: true},
		environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "STATEFUL=after"},
		tamper:  map[string]tamper{"restore/error": refuse(500, "InternalServerError")},
		do:      func(c *conformer) { require.NoError(c, c.api.Restore(c.Context())) },
		calls:   "restore/next 200, restore/error 500",
		end:     "status 500, InternalServerError", status: exitRestore,
	},
	{
		contract: "restore/next is asked for with snap-start alone",
		fake:     "good", environ: []string{"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"},
		events: []event{answered("1", "1")},
		calls:  "next 200, response 1 202",
	},
}
