package runtimeapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNext(t *testing.T) {
	api, c := newFakeAPI(t, event(`{"a": 1}`, map[string]string{
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
		"Lambda-Runtime-Trace-Id":             "Root=1-5759e988-bd862e3fe1be46a994272793",
		"Lambda-Runtime-Client-Context":       `{"custom":{}}`,
		"Lambda-Runtime-Cognito-Identity":     `{"cognitoIdentityId":"i"}`,
		"Lambda-Runtime-Aws-Tenant-Id":        "blue",
		"Lambda-Runtime-Invocation-Id":        "i-1",
		"Content-Type":                        "application/cloudevents+json",
	}))
	inv, err := c.Next(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, &Invocation{
		RequestID:       "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
		Deadline:        time.UnixMilli(deadline),
		FunctionARN:     "arn:aws:lambda:us-east-1:1:function:f",
		TraceID:         "Root=1-5759e988-bd862e3fe1be46a994272793",
		ClientContext:   `{"custom":{}}`,
		CognitoIdentity: `{"cognitoIdentityId":"i"}`,
		TenantID:        "blue",
		ContentType:     "application/cloudevents+json",
		Event:           []byte(`{"a": 1}`),
		invocationID:    "i-1",
		deadline:        "1735689603000",
	}, inv)

	require.Len(t, api.got(), 1)
	got := api.got()[0]
	assert.Equal(t, "GET /2018-06-01/runtime/invocation/next", got.method+" "+got.path)
	assert.Equal(t, "beamport/test", got.header.Get("User-Agent"))
	assert.Empty(t, got.header.Values("Accept-Encoding"), "compression is not asked for")
}

// Headers without a value may be left out or be empty.
func TestNextEmptyHeaders(t *testing.T) {
	_, c := newFakeAPI(t, event("1", map[string]string{
		"Lambda-Runtime-Trace-Id":       "",
		"Lambda-Runtime-Client-Context": "",
		"Lambda-Runtime-Invocation-Id":  "",
	}))
	inv, err := c.Next(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, inv.TraceID)
	assert.Empty(t, inv.ClientContext)
	assert.Empty(t, inv.FunctionARN)
}

func TestNextRequestID(t *testing.T) {
	for _, c := range []struct {
		id   string
		good bool
	}{
		{"a", true},
		{"0-Z", true},
		{strings.Repeat("x", 128), true},
		{"", false},
		{strings.Repeat("x", 129), false},
		{"../../init/error", false},
		{"a b", false},
		{"a?b", false},
		{"a%2fb", false},
		{"ä", false},
		{"a_b", false},
	} {
		t.Run(fmt.Sprintf("%.20s", c.id), func(t *testing.T) {
			api, client := newFakeAPI(t, event("{}", map[string]string{"Lambda-Runtime-Aws-Request-Id": c.id}))
			inv, err := client.Next(t.Context(), nil)
			require.Len(t, api.got(), 1, "another try makes it no better")
			if c.good {
				require.NoError(t, err)
				assert.Equal(t, c.id, inv.RequestID)
				return
			}
			require.ErrorContains(t, err, "runtimeapi: next invocation: the event cannot be taken: its request id")
		})
	}
}

func TestNextDeadline(t *testing.T) {
	for _, text := range []string{"", "soon", "1.5", "99999999999999999999"} {
		t.Run(text, func(t *testing.T) {
			_, c := newFakeAPI(t, event("{}", map[string]string{"Lambda-Runtime-Deadline-Ms": text}))
			_, err := c.Next(t.Context(), nil)
			require.ErrorContains(t, err, "request 8476a536-e9f4-11e8-9739-2dfe598c3fcd has the deadline")
		})
	}
}

const headOfEvent = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r\r\nLambda-Runtime-Deadline-Ms: 1\r\n"

// What may pass is tried again, twice; nothing of a partial event is ever seen.
func TestNextRetries(t *testing.T) {
	good := event("{}", nil)
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		message string
	}{
		{"closed", cutShort(""), "EOF"},
		{"no HTTP", cutShort("hello\r\n\r\n"), "malformed HTTP response"},
		{"cut in the head", cutShort(headOfEvent), "unexpected EOF"},
		{"cut before the body", cutShort(headOfEvent + "Content-Length: 10\r\n\r\n"), "unexpected EOF"},
		{"cut in the body", cutShort(headOfEvent + "Content-Length: 10\r\n\r\n{\"a\":1}"), "unexpected EOF"},
		{"cut in a chunk", cutShort(headOfEvent + "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\""), "unexpected EOF"},
		{"cut between chunks", cutShort(headOfEvent + "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n"), "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, client := newFakeAPI(t, c.answer, c.answer, good)
			inv, err := client.Next(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, "{}", string(inv.Event))
			assert.Len(t, api.got(), 3)

			api, client = newFakeAPI(t, c.answer)
			_, err = client.Next(t.Context(), nil)
			require.ErrorContains(t, err, "runtimeapi: next invocation: ")
			require.ErrorContains(t, err, c.message)
			assert.Len(t, api.got(), 3)
		})
	}
}

func TestNextRefused(t *testing.T) {
	_, err := newClient(t, refusing(t)).Next(t.Context(), nil)
	require.ErrorContains(t, err, "connection refused")
}

func TestNextNotRetried(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		message string
	}{
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "status 302"},
		{"403", status(403, `{"errorMessage":"x","errorType":"InvalidStateTransition"}`), "status 403, InvalidStateTransition"},
		{"404", status(404, "page"), "status 404"},
		{"500", status(500, `{"errorType":"Runtime.Unknown"}`), "status 500, Runtime.Unknown"},
		{"204", status(204, ""), "status 204"},
		{"too long", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(MaxEvent+1))
			event("", nil)(w, r)
		}, "it has more than 16777216 bytes"},
		{"too long, in chunks", func(w http.ResponseWriter, r *http.Request) {
			for range 17 {
				event(strings.Repeat(" ", 1<<20), nil)(w, r)
			}
		}, "it has more than 16777216 bytes"},
		{"without a length", cutShort("HTTP/1.0 200 OK\r\nLambda-Runtime-Aws-Request-Id: r\r\nLambda-Runtime-Deadline-Ms: 1\r\n\r\n{}"), "its length is not given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, client := newFakeAPI(t, c.answer)
			_, err := client.Next(t.Context(), nil)
			require.ErrorContains(t, err, c.message)
			assert.Len(t, api.got(), 1)
		})
	}
}

func TestNextLengths(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 4096, 1 << 20, MaxEvent} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(n, chunked), func(t *testing.T) {
				want := strings.Repeat("7", n)
				_, c := newFakeAPI(t, func(w http.ResponseWriter, r *http.Request) {
					if chunked {
						w.Header().Set("Transfer-Encoding", "chunked")
					} else {
						w.Header().Set("Content-Length", fmt.Sprint(n))
					}
					event(want, nil)(w, r)
				})
				for range 2 {
					inv, err := c.Next(t.Context(), nil)
					require.NoError(t, err)
					require.True(t, string(inv.Event) == want, "an event of %d bytes", len(inv.Event))
				}
			})
		}
	}
}

// The client waits as long as it takes, until its context ends.
func TestNextCanceled(t *testing.T) {
	waiting := make(chan struct{})
	api, c := newFakeAPI(t, func(_ http.ResponseWriter, r *http.Request) {
		close(waiting)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-waiting
		cancel()
	}()
	_, err := c.Next(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, api.got(), 1)

	_, err = c.Next(canceled(t), nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, api.got(), 1)
}

func TestNewAddress(t *testing.T) {
	for _, address := range []string{"", "http://127.0.0.1:9001", "127.0.0.1:9001/x", "a b", "u@h", "h?x", "h#x"} {
		_, err := New(address, "beamport/test")
		assert.ErrorContains(t, err, "is no address of the form host:port", address)
	}
}

// The environment's proxy is for other programs.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://"+refusing(t))
	t.Setenv("http_proxy", "http://"+refusing(t))
	api, c := newFakeAPI(t, event("{}", nil))
	_, err := c.Next(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, api.got(), 1)
}

// The event is read into the memory that is given, if it fits.
func TestNextInto(t *testing.T) {
	_, c := newFakeAPI(t, event(`{"a":1}`, nil))
	buf := make([]byte, 3, 7)
	inv, err := c.Next(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, string(inv.Event))
	assert.Same(t, &buf[0], &inv.Event[0])
	inv, err = c.Next(t.Context(), make([]byte, 0, 6))
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, string(inv.Event))
}
