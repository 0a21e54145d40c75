package runtimeapi

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResponse(t *testing.T) {
	api, c := newFakeAPI(t, status(202, `{"status":"OK"}`))
	require.NoError(t, c.Response(t.Context(), invocation("i-1"), "text/plain", []byte("hello")))
	require.NoError(t, c.Response(t.Context(), invocation(""), "", nil))
	got := api.got()
	require.Len(t, got, 2)

	assert.Equal(t, "POST /2018-06-01/runtime/invocation/r-1/response", got[0].method+" "+got[0].path)
	assert.Equal(t, "hello", got[0].body)
	assert.Equal(t, "text/plain", got[0].header.Get("Content-Type"))
	assert.Equal(t, "beamport/test", got[0].header.Get("User-Agent"))
	assert.Equal(t, []string{"i-1"}, got[0].header.Values("Lambda-Runtime-Invocation-Id"))
	assert.Equal(t, "5", got[0].header.Get("Content-Length"))

	assert.Empty(t, got[1].body)
	assert.NotContains(t, got[1].header, "Content-Type")
	assert.NotContains(t, got[1].header, "Lambda-Runtime-Invocation-Id", "it is echoed only where it was given")
}

func TestError(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	failure := Failure{Type: "My.ArgumentError", Message: "no \"x\" <é>\xff", StackTrace: []string{"a.ex:1: A.b/2"}}
	require.NoError(t, c.Error(t.Context(), invocation("i-1"), failure))
	require.NoError(t, c.InitError(t.Context(), Failure{Type: "Runtime.NoSuchModule"}))
	got := api.got()
	require.Len(t, got, 2)

	assert.Equal(t, "POST /2018-06-01/runtime/invocation/r-1/error", got[0].method+" "+got[0].path)
	assert.Equal(t, "i-1", got[0].header.Get("Lambda-Runtime-Invocation-Id"))
	assert.Equal(t, "Function.ArgumentError", got[0].header.Get("Lambda-Runtime-Function-Error-Type"))
	assert.Equal(t, "application/json", got[0].header.Get("Content-Type"))
	assert.JSONEq(t, `{"errorMessage":"no \"x\" <é>\ufffd","errorType":"My.ArgumentError","stackTrace":["a.ex:1: A.b/2"]}`, got[0].body)

	assert.Equal(t, "POST /2018-06-01/runtime/init/error", got[1].method+" "+got[1].path)
	assert.Equal(t, "Runtime.NoSuchModule", got[1].header.Get("Lambda-Runtime-Function-Error-Type"))
	assert.JSONEq(t, `{"errorMessage":"","errorType":"Runtime.NoSuchModule","stackTrace":[]}`, got[1].body)
}

func TestFailureIsBounded(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	stack := make([]string, 1000)
	for i := range stack {
		stack[i] = long
	}
	var got struct {
		ErrorMessage, ErrorType string
		StackTrace              []string
	}
	require.NoError(t, json.Unmarshal(Failure{Type: "A" + long, Message: long, StackTrace: stack}.body(), &got))
	assert.Equal(t, long[:256<<10], got.ErrorMessage)
	assert.Equal(t, "A"+long[:254], got.ErrorType, "cut between two characters")
	require.Len(t, got.StackTrace, 100)
	assert.Equal(t, long[:4<<10], got.StackTrace[99])
}

func TestHeaderType(t *testing.T) {
	for given, want := range map[string]string{
		"Runtime.ExitError":                "Runtime.ExitError",
		"Function.Timeout":                 "Function.Timeout",
		"ArithmeticError":                  "Function.ArithmeticError",
		"My.App.NotFound":                  "Function.NotFound",
		"badarith":                         "Function.Error",
		"":                                 "Function.Error",
		".":                                "Function.Error",
		"Runtime.":                         "Function.Error",
		"Runtime.X":                        "Function.Error",
		"Runtime.lower":                    "Function.Error",
		"Runtime.A1":                       "Function.Error",
		"Runtime.Ok\r\nX: y":               "Function.Error",
		"Fünction":                         "Function.Error",
		"Error\n":                          "Function.Error",
		"A" + strings.Repeat("b", 1<<20):   "Function.Error",
		"Runtime.Sub.Name":                 "Function.Name",
		"arn:aws:lambda:us-east-1:1:Error": "Function.Error",
	} {
		assert.Equal(t, want, HeaderType(given), "%.40q", given)
	}
}

func TestPostStatus(t *testing.T) {
	for _, c := range []struct {
		answer                   http.HandlerFunc
		want                     StatusError
		answered, unread, broken bool
	}{
		{status(400, `{"errorMessage":"m","errorType":"InvalidRequestID"}`), StatusError{400, "InvalidRequestID"}, true, false, false},
		{status(403, `{"errorType":"InvalidStateTransition"}`), StatusError{403, "InvalidStateTransition"}, false, false, false},
		{status(404, ``), StatusError{404, ""}, false, true, false},
		{status(410, `{"errorType":"InvokeTimeout"}`), StatusError{410, "InvokeTimeout"}, true, false, false},
		{status(413, `{"errorType":"RequestEntityTooLarge"}`), StatusError{413, "RequestEntityTooLarge"}, true, false, false},
		{status(431, ``), StatusError{431, ""}, false, true, false},
		{status(500, ``), StatusError{500, ""}, false, false, true},
		{status(500, `{"errorType":7}`), StatusError{500, ""}, false, false, true},
		{status(502, `{"errorType":"`+strings.Repeat("x", 200)+`"}`), StatusError{502, ""}, false, false, true},
		{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/2018-06-01/elsewhere", http.StatusTemporaryRedirect)
		}, StatusError{307, ""}, false, false, false},
	} {
		t.Run(c.want.Error(), func(t *testing.T) {
			api, client := newFakeAPI(t, c.answer)
			err := client.Response(t.Context(), invocation(""), "", []byte("1"))
			var got *StatusError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.want, *got)
			assert.Equal(t, c.answered, got.Answered())
			assert.Equal(t, c.unread, got.Unread())
			assert.Equal(t, c.broken, got.Broken())
			assert.ErrorContains(t, err, "runtimeapi: posting the response of request r-1: the Runtime API answered with status")
			assert.Len(t, api.got(), 1, "a post is never repeated once it was sent")
		})
	}
}

// The answer to a post says all in its status.
func TestPostAnswerCutShort(t *testing.T) {
	_, c := newFakeAPI(t, cutShort("HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"))
	require.NoError(t, c.Response(t.Context(), invocation(""), "", []byte("1")))
}

// Whether a post that was cut off has arrived, nobody knows: it is not repeated.
func TestPostNotRepeated(t *testing.T) {
	api, c := newFakeAPI(t, cutShort(""))
	err := c.Response(t.Context(), invocation(""), "", []byte("1"))
	require.ErrorIs(t, err, io.EOF)
	assert.Len(t, api.got(), 1)

	// On a connection that was used before, too.
	api, c = newFakeAPI(t, event("{}", nil), cutShort(""))
	inv, err := c.Next(t.Context(), nil)
	require.NoError(t, err)
	require.Error(t, c.Response(t.Context(), inv, "", []byte("1")))
	assert.Len(t, api.got(), 2)
}

// A post for which there was no connection is tried once more.
func TestPostRefusedOnce(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	var dials atomic.Int32
	dial := c.dial
	c.dial = func(ctx context.Context) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return nil, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}
		}
		return dial(ctx)
	}
	require.NoError(t, c.Response(t.Context(), invocation(""), "", []byte("1")))
	assert.Equal(t, int32(2), dials.Load())
	assert.Len(t, api.got(), 1)
}

func TestPostRefused(t *testing.T) {
	c := newClient(t, refusing(t))
	err := c.Error(t.Context(), invocation(""), Failure{})
	require.ErrorContains(t, err, "runtimeapi: posting the error of request r-1: ")
	require.ErrorContains(t, err, "connection refused")
	require.ErrorContains(t, c.InitError(t.Context(), Failure{}), "runtimeapi: posting the init error: ")
	require.ErrorIs(t, c.InitError(canceled(t), Failure{}), context.Canceled)
}

// A connection that the API closed while it was idle is replaced.
func TestPostAfterIdleClose(t *testing.T) {
	api, c := newFakeAPI(t, event("{}", nil), status(202, ""))
	inv, err := c.Next(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, c.idle, 1)
	kept := c.idle[0]
	api.server.CloseClientConnections()
	require.Eventually(t, func() bool { return !kept.usable() }, 10*time.Second, time.Millisecond, "the end has come")
	require.NoError(t, c.Response(t.Context(), inv, "", []byte("1")))
	assert.Len(t, api.got(), 2)
	require.Len(t, c.idle, 1)
	assert.NotSame(t, kept, c.idle[0])
}

func TestUserAgent(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	require.NoError(t, c.SetUserAgent("beamport/test otp/99"))
	require.NoError(t, c.Response(t.Context(), invocation(""), "", nil))
	require.Error(t, c.SetUserAgent("a\nb"))
	require.NoError(t, c.Response(t.Context(), invocation(""), "", nil))
	for _, r := range api.got() {
		assert.Equal(t, "beamport/test otp/99", r.header.Get("User-Agent"))
	}
}
