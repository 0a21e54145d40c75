package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const invokePath = "/2015-03-31/functions/function/invocations"

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// echo answers every event with itself in the background, until the server is
// closed, and gives the headers of each /next.
func (a *api) echo(t *testing.T) {
	go func() {
		for {
			r, err := a.try(t.Context(), "GET", runtimePath+"invocation/next", nil, nil)
			if err != nil || r.status != 200 {
				return
			}
			id := r.header.Get("Lambda-Runtime-Aws-Request-Id")
			fmt.Fprintf(a.Logs(), "context: %s\n", r.header.Get("Lambda-Runtime-Client-Context"))
			verb, header := "response", map[string]string{"Content-Type": "application/json"}
			if strings.Contains(r.body, "fail") {
				verb = "error"
				header["Lambda-Runtime-Function-Error-Type"] = "Function.Failed"
			}
			if _, err := a.try(t.Context(), "POST", runtimePath+"invocation/"+id+"/"+verb, header, strings.NewReader(r.body)); err != nil {
				return
			}
		}
	}()
}

func TestInvocationEndpoint(t *testing.T) {
	a := start(t, Options{})
	a.echo(t)
	for _, c := range []struct {
		name   string
		path   string
		header map[string]string
		body   string
		want   string
		failed bool
		log    string
	}{
		{name: "event", body: `{"a":1}`, want: `{"a":1}`},
		{name: "no event", want: `{}`},
		{name: "not JSON", body: `{oops`, want: `{oops`},
		{name: "explicit", header: map[string]string{"X-Amz-Invocation-Type": "RequestResponse", "X-Amz-Log-Type": "None"}, body: `1`, want: `1`},
		{name: "failure", body: `{"fail":1}`, want: `{"fail":1}`, failed: true},
		{name: "log", header: map[string]string{"X-Amz-Log-Type": "Tail", "X-Amz-Client-Context": encode("{\n \"custom\": {\"é\": 1}}")},
			body: `1`, want: `1`, log: `context: {"custom":{"é":1}}`},
		{name: "log of a failure", header: map[string]string{"X-Amz-Log-Type": "Tail"}, body: `"fail"`, want: `"fail"`, failed: true, log: "END RequestId"},
		{name: "qualifier", path: "/2015-03-31/functions/function:live/invocations?Qualifier=live", want: "{}"},
		{name: "ARN", path: "/2015-03-31/functions/arn:aws:lambda:us-east-1:012345678901:function:function/invocations", want: "{}"},
		{name: "partial ARN", path: "/2015-03-31/functions/012345678901:function:function/invocations", want: "{}"},
		{name: "escaped ARN", path: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A012345678901%3Afunction%3Afunction/invocations", want: "{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.path == "" {
				c.path = invokePath
			}
			r := a.do(t, "POST", c.path, c.header, strings.NewReader(c.body))
			require.Equal(t, 200, r.status, r.body)
			assert.Equal(t, c.want, r.body)
			assert.Equal(t, "application/json", r.header.Get("Content-Type"))
			assert.Equal(t, "$LATEST", r.header.Get("X-Amz-Executed-Version"))
			assert.NotEmpty(t, r.header.Get("X-Amzn-Requestid"))
			if c.failed {
				assert.Equal(t, "Unhandled", r.header.Get("X-Amz-Function-Error"))
			} else {
				assert.Empty(t, r.header.Values("X-Amz-Function-Error"))
			}
			if c.log == "" {
				assert.Empty(t, r.header.Values("X-Amz-Log-Result"))
			} else {
				log, err := base64.StdEncoding.DecodeString(r.header.Get("X-Amz-Log-Result"))
				require.NoError(t, err)
				assert.Contains(t, string(log), c.log)
				assert.Contains(t, string(log), r.header.Get("X-Amzn-Requestid"))
			}
		})
	}
}

func TestInvocationEndpointRefuses(t *testing.T) {
	a := start(t, Options{FunctionName: "thumb"})
	a.echo(t)
	const path = "/2015-03-31/functions/thumb/invocations"
	for _, c := range []struct {
		name   string
		path   string
		header map[string]string
		body   string
		status int
		kind   string
	}{
		{"another function", invokePath, nil, "1", 404, "ResourceNotFoundException"},
		{"invocation type", path, map[string]string{"X-Amz-Invocation-Type": "Later"}, "1", 400, "InvalidParameterValueException"},
		{"log type", path, map[string]string{"X-Amz-Log-Type": "Head"}, "1", 400, "InvalidParameterValueException"},
		{"context not base64", path, map[string]string{"X-Amz-Client-Context": "{}"}, "1", 400, "InvalidRequestContentException"},
		{"context not an object", path, map[string]string{"X-Amz-Client-Context": encode("[1]")}, "1", 400, "InvalidRequestContentException"},
		{"context not JSON", path, map[string]string{"X-Amz-Client-Context": encode("{")}, "1", 400, "InvalidRequestContentException"},
		{"context too long", path, map[string]string{"X-Amz-Client-Context": encode(`{"a":"` + strings.Repeat("a", 4000) + `"}`)}, "1", 400, "InvalidRequestContentException"},
		{"event too large", path, nil, strings.Repeat("a", 6<<20+1), 413, "RequestTooLargeException"},
		{"asynchronous event too large", path, map[string]string{"X-Amz-Invocation-Type": "Event"}, strings.Repeat("a", 1<<20+1), 413, "RequestTooLargeException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := a.do(t, "POST", c.path, c.header, strings.NewReader(c.body))
			require.Equal(t, c.status, r.status, r.body)
			assert.Equal(t, c.kind, r.header.Get("X-Amzn-Errortype"))
			var e struct{ Type, Message string }
			require.NoError(t, json.Unmarshal([]byte(r.body), &e))
			assert.Equal(t, "User", e.Type)
			assert.NotEmpty(t, e.Message)
		})
	}
	a.Close()
	r := a.do(t, "POST", path, nil, strings.NewReader("1"))
	require.Equal(t, 500, r.status)
	require.Equal(t, "ServiceException", r.header.Get("X-Amzn-Errortype"))
}

func TestInvocationTypes(t *testing.T) {
	done := make(chan Result, 1)
	a := start(t, Options{OnDone: func(r Result) { done <- r }})

	dry := a.do(t, "POST", invokePath, map[string]string{"X-Amz-Invocation-Type": "DryRun"}, strings.NewReader("1"))
	require.Equal(t, 204, dry.status)
	require.Empty(t, dry.body)

	// An event is accepted before a runtime has it, and runs later.
	r := a.do(t, "POST", invokePath, map[string]string{"X-Amz-Invocation-Type": "Event"}, strings.NewReader(`"later"`))
	require.Equal(t, 202, r.status)
	require.Empty(t, r.body)
	id, next := a.next(t)
	require.Equal(t, r.header.Get("X-Amzn-Requestid"), id)
	require.Equal(t, `"later"`, next.body)
	require.Equal(t, 202, a.post(t, id, "response", "1").status)
	require.Equal(t, id, (<-done).RequestID)
}

func TestEndpointHeadersReachTheRuntime(t *testing.T) {
	a := start(t, Options{})
	const trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"
	got := make(chan reply, 1)
	go func() {
		r, _ := a.try(t.Context(), "POST", invokePath, map[string]string{
			"X-Amz-Client-Context": encode(`{"a":1}`), "X-Amz-Tenant-Id": "blue", "X-Amzn-Trace-Id": trace,
			"Content-Type": "application/x-www-form-urlencoded",
		}, strings.NewReader("{}"))
		got <- r
	}()
	id, r := a.next(t)
	assert.Equal(t, `{"a":1}`, r.header.Get("Lambda-Runtime-Client-Context"))
	assert.Equal(t, "blue", r.header.Get("Lambda-Runtime-Aws-Tenant-Id"))
	assert.Equal(t, trace, r.header.Get("Lambda-Runtime-Trace-Id"))
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	a.post(t, id, "response", "1")
	answer := <-got
	assert.Equal(t, trace, answer.header.Get("X-Amzn-Trace-Id"))
	assert.Equal(t, id, answer.header.Get("X-Amzn-Requestid"))
}

func TestTruncatedInvokeIsRefused(t *testing.T) {
	a := start(t, Options{})
	resp, body := a.cutShort(t, invokePath, "Content-Length: 100\r\n\r\n{\"a\":")
	require.Equal(t, 400, resp.StatusCode)
	require.Equal(t, "InvalidRequestContentException", resp.Header.Get("X-Amzn-Errortype"))
	require.Contains(t, body, "cut short")
}

func TestInvocationEndpointAlone(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for path, status := range map[string]int{
		runtimePath + "invocation/next": 404,
		runtimePath + "init/error":      404,
		invokePath:                      204,
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", path, nil)
		r.Header.Set("X-Amz-Invocation-Type", "DryRun")
		s.InvocationEndpoint().ServeHTTP(w, r)
		require.Equal(t, status, w.Code, path)
	}
}
