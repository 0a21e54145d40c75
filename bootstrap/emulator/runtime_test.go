package emulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNextHeaders(t *testing.T) {
	full := Invocation{
		Payload: []byte(`{"a": [1,  2]}`), ContentType: "application/cloudevents+json",
		ClientContext: `{"custom":{"k":"v"}}`, CognitoIdentity: `{"cognitoIdentityId":"i"}`,
		TraceID: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1", TenantID: "blue",
	}
	optional := map[string]string{
		"Lambda-Runtime-Trace-Id":         full.TraceID,
		"Lambda-Runtime-Client-Context":   full.ClientContext,
		"Lambda-Runtime-Cognito-Identity": full.CognitoIdentity,
		"Lambda-Runtime-Aws-Tenant-Id":    full.TenantID,
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

	for _, c := range []struct {
		name string
		opts Options
		inv  Invocation
		// headers that must be there, with their values
		want map[string]string
		// headers that must not
		absent []string
	}{
		{"everything", Options{}, full, optional, []string{"Lambda-Runtime-Invocation-Id"}},
		{"nothing", Options{}, Invocation{}, nil, []string{
			"Lambda-Runtime-Trace-Id", "Lambda-Runtime-Client-Context", "Lambda-Runtime-Cognito-Identity",
			"Lambda-Runtime-Aws-Tenant-Id", "Lambda-Runtime-Invocation-Id"}},
		{"empty headers", Options{EmptyHeaders: true}, Invocation{}, map[string]string{
			"Lambda-Runtime-Trace-Id": "", "Lambda-Runtime-Client-Context": "", "Lambda-Runtime-Cognito-Identity": "",
			"Lambda-Runtime-Aws-Tenant-Id": ""}, nil},
		{"ARN", Options{FunctionARN: "arn:aws:lambda:eu-west-1:1:function:f:live"}, Invocation{},
			map[string]string{"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f:live"}, nil},
		{"ARN of a name", Options{FunctionName: "thumb"}, Invocation{},
			map[string]string{"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:012345678901:function:thumb"}, nil},
		{"own id", Options{}, Invocation{RequestID: "abc"}, map[string]string{"Lambda-Runtime-Aws-Request-Id": "abc"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, c.opts)
			before := time.Now()
			got := a.call(t, c.inv)
			id, r := a.next(t)
			after := time.Now()

			for name, want := range c.want {
				if assert.Len(t, r.header.Values(name), 1, name) {
					assert.Equal(t, want, r.header.Get(name), name)
				}
			}
			for _, name := range c.absent {
				assert.Empty(t, r.header.Values(name), name)
			}
			if c.inv.RequestID == "" {
				assert.Regexp(t, uuid, id)
			}
			deadline, err := strconv.ParseInt(r.header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, deadline, before.Add(DefaultTimeout).UnixMilli())
			assert.LessOrEqual(t, deadline, after.Add(DefaultTimeout).UnixMilli())
			wantType, wantBody := "application/json", "{}"
			if c.inv.Payload != nil {
				wantType, wantBody = c.inv.ContentType, string(c.inv.Payload)
			}
			assert.Equal(t, wantType, r.header.Get("Content-Type"))
			assert.Equal(t, wantBody, r.body)

			require.Equal(t, 202, a.post(t, id, "response", "1").status)
			require.Equal(t, id, (<-got).RequestID)
		})
	}
}

func TestTracing(t *testing.T) {
	a := start(t, Options{Tracing: true})
	got := a.call(t, Invocation{})
	id, r := a.next(t)
	assert.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, r.header.Get("Lambda-Runtime-Trace-Id"))
	a.post(t, id, "response", "1")
	require.NoError(t, (<-got).err)
}

func TestWrongPaths(t *testing.T) {
	a := start(t, Options{})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/2018-06-01/", 404, ""},
		{"GET", "/2018-06-01/runtime/", 404, ""},
		{"GET", "/2018-06-01/runtime/invocation", 404, ""},
		{"GET", "/2018-06-01/runtime/invocation/next/", 404, ""},
		{"POST", "/2018-06-01/runtime/invocation/x/answer", 404, ""},
		{"GET", "/2019-01-01/runtime/invocation/next", 404, ""},
		{"POST", "/2015-03-31/functions/function", 404, ""},
		{"POST", "/2015-03-31/functions//invocations", 404, ""},
		{"POST", "/2015-03-31/functions/a/b/invocations", 404, ""},
		{"POST", "/2018-06-01/runtime/invocation/next", 405, "GET"},
		{"GET", "/2018-06-01/runtime/invocation/x/response", 405, "POST"},
		{"PUT", "/2018-06-01/runtime/invocation/x/error", 405, "POST"},
		{"GET", "/2018-06-01/runtime/init/error", 405, "POST"},
		{"GET", "/2015-03-31/functions/function/invocations", 405, "POST"},
	} {
		r := a.do(t, c.method, c.path, nil, nil)
		assert.Equal(t, c.status, r.status, c.path)
		assert.NotEmpty(t, r.errorType(t), c.path)
		assert.Equal(t, c.allow, r.header.Get("Allow"), c.path)
	}
}

// TestOutOfTurn has the refusals that depend on the state alone.
func TestOutOfTurn(t *testing.T) {
	refused := func(t *testing.T, r reply, status int, kind string) {
		t.Helper()
		require.Equal(t, status, r.status, r.body)
		require.Equal(t, kind, r.errorType(t))
	}
	next := func(t *testing.T, a *api) reply {
		return a.do(t, "GET", runtimePath+"invocation/next", nil, nil)
	}
	initError := func(t *testing.T, a *api) reply {
		return a.do(t, "POST", runtimePath+"init/error", nil, strings.NewReader("{}"))
	}
	t.Run("answers before any invocation", func(t *testing.T) {
		a := start(t, Options{})
		refused(t, a.post(t, "x", "response", "1"), 400, "InvalidRequestID")
		refused(t, a.post(t, "x", "error", "1"), 400, "InvalidRequestID")
	})
	t.Run("wrong id", func(t *testing.T) {
		a := start(t, Options{})
		got := a.call(t, Invocation{})
		id, _ := a.next(t)
		refused(t, a.post(t, "x", "response", "1"), 400, "InvalidRequestID")
		refused(t, a.post(t, "x", "error", "1"), 400, "InvalidRequestID")
		require.Equal(t, 202, a.post(t, id, "response", "1").status)
		require.Equal(t, "1", string((<-got).Payload))
	})
	t.Run("next without having answered", func(t *testing.T) {
		a := start(t, Options{})
		got := a.call(t, Invocation{})
		id, _ := a.next(t)
		refused(t, next(t, a), 403, "InvalidStateTransition")
		require.Equal(t, 202, a.post(t, id, "response", "1").status)
		require.Equal(t, "1", string((<-got).Payload))
	})
	t.Run("init error after next", func(t *testing.T) {
		a := start(t, Options{})
		got := a.call(t, Invocation{})
		id, _ := a.next(t)
		refused(t, initError(t, a), 403, "InvalidStateTransition")
		require.Equal(t, 202, a.post(t, id, "response", "1").status)
		refused(t, initError(t, a), 403, "InvalidStateTransition")
		require.Equal(t, "1", string((<-got).Payload))
	})
	t.Run("anything after init error", func(t *testing.T) {
		a := start(t, Options{})
		require.Equal(t, 202, initError(t, a).status)
		refused(t, initError(t, a), 403, "InvalidStateTransition")
		refused(t, next(t, a), 403, "InvalidStateTransition")
	})
	t.Run("answered twice, with concurrency", func(t *testing.T) {
		a := start(t, Options{Concurrency: 2})
		got := a.call(t, Invocation{})
		id, _ := a.next(t)
		require.Equal(t, 202, a.post(t, id, "response", "1").status)
		refused(t, a.post(t, id, "response", "1"), 400, "InvalidRequestID")
		refused(t, a.post(t, id, "error", "1"), 400, "InvalidRequestID")
		require.Equal(t, "1", string((<-got).Payload))
	})
	t.Run("closed", func(t *testing.T) {
		a := start(t, Options{})
		a.Close()
		refused(t, next(t, a), 500, "InternalServerError")
		refused(t, a.post(t, "x", "response", "1"), 500, "InternalServerError")
		refused(t, initError(t, a), 500, "InternalServerError")
	})
}

func TestInvocationIDs(t *testing.T) {
	a := start(t, Options{InvocationIDs: true})
	const header = "Lambda-Runtime-Invocation-Id"
	for _, verb := range []string{"response", "error"} {
		got := a.call(t, Invocation{})
		id, r := a.next(t)
		own := r.header.Get(header)
		require.NotEmpty(t, own)
		stale := a.post(t, id, verb, "stale", header, "another")
		require.Equal(t, 410, stale.status)
		require.Equal(t, "InvokeTimeout", stale.errorType(t))
		require.Equal(t, 202, a.post(t, id, verb, "good", header, own).status)
		require.Equal(t, "good", string((<-got).Payload))
	}
	// A runtime of before July 2026 does not echo it.
	got := a.call(t, Invocation{})
	id, _ := a.next(t)
	require.Equal(t, 202, a.post(t, id, "response", "good").status)
	require.NoError(t, (<-got).err)

	// And one that invents it is wrong.
	plain := start(t, Options{})
	got = plain.call(t, Invocation{})
	id, _ = plain.next(t)
	require.Equal(t, 410, plain.post(t, id, "response", "1", header, "made up").status)
	require.Equal(t, 202, plain.post(t, id, "response", "1").status)
	require.NoError(t, (<-got).err)
}

func TestConcurrency(t *testing.T) {
	a := start(t, Options{Concurrency: 3})
	calls := map[string]<-chan outcome{}
	for i := range 5 {
		id := fmt.Sprint("call-", i)
		calls[id] = a.call(t, Invocation{RequestID: id, Payload: fmt.Appendf(nil, "%d", i)})
	}
	answer := func(id, event string) {
		require.Equal(t, 202, a.post(t, id, "response", event+event).status)
		require.Equal(t, event+event, string((<-calls[id]).Payload))
	}
	type handed struct{ id, event string }
	var under []handed
	for range 3 {
		id, r := a.next(t)
		under = append(under, handed{id, r.body})
	}
	// A fourth is too many,
	require.Equal(t, 403, a.do(t, "GET", runtimePath+"invocation/next", nil, nil).status)
	// and answers may come in any order.
	answer(under[2].id, under[2].event)
	id, r := a.next(t)
	answer(id, r.body)
	answer(under[0].id, under[0].event)
	answer(under[1].id, under[1].event)
	id, r = a.next(t)
	answer(id, r.body)
}
