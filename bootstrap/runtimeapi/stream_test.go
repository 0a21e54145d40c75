package runtimeapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStream(t *testing.T) {
	api, c := newFakeAPI(t, status(202, `{"status":"OK"}`))
	for i := range 2 {
		w, err := c.Stream(t.Context(), invocation("i-1"), ContentTypeHTTP)
		require.NoError(t, err)
		for _, part := range []string{"one", "", strings.Repeat("x", 100_000), "three"} {
			n, err := io.WriteString(w, part)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.NoError(t, w.Close())
		_, err = w.Write([]byte("x"))
		require.ErrorIs(t, err, errEnded)
		require.ErrorIs(t, w.Close(), errEnded)
		got := api.got()[i]
		assert.Equal(t, "POST /2018-06-01/runtime/invocation/r-1/response", got.method+" "+got.path)
		assert.Equal(t, "one"+strings.Repeat("x", 100_000)+"three", got.body)
		assert.Equal(t, "streaming", got.header.Get("Lambda-Runtime-Function-Response-Mode"))
		assert.Equal(t, "application/vnd.awslambda.http-integration-response", got.header.Get("Content-Type"))
		assert.Equal(t, "i-1", got.header.Get("Lambda-Runtime-Invocation-Id"))
		assert.Empty(t, got.trailer.Get("Lambda-Runtime-Function-Error-Type"))
	}
	assert.Len(t, c.idle, 1, "the connection is kept")
}

// A response without a byte has a head all the same.
func TestStreamEmpty(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	w, err := c.Stream(t.Context(), invocation(""), "")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assert.Empty(t, api.got()[0].body)
}

// The parts are sent as they are written.
func TestStreamAtOnce(t *testing.T) {
	seen := make(chan string)
	release := make(chan struct{})
	c := newRawAPI(t, func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 5)
		for {
			n, err := io.ReadFull(r.Body, part)
			if err != nil {
				break
			}
			seen <- string(part[:n])
			<-release
		}
		w.WriteHeader(202)
	})
	w, err := c.Stream(t.Context(), invocation(""), "")
	require.NoError(t, err)
	for i := range 3 {
		_, err := fmt.Fprintf(w, "part%d", i)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("part%d", i), <-seen)
		release <- struct{}{}
	}
	require.NoError(t, w.Close())
}

func TestStreamFails(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	w, err := c.Stream(t.Context(), invocation(""), "text/plain")
	require.NoError(t, err)
	_, err = io.WriteString(w, "half")
	require.NoError(t, err)
	require.NoError(t, w.Fail(Failure{Type: "MatchError", Message: strings.Repeat("é", 10_000), StackTrace: []string{"a.ex:1: A.b/2"}}))
	got := api.got()[0]
	assert.Equal(t, "half", got.body)
	assert.Equal(t, "Function.MatchError", got.trailer.Get("Lambda-Runtime-Function-Error-Type"))
	body, err := base64.StdEncoding.DecodeString(got.trailer.Get("Lambda-Runtime-Function-Error-Body"))
	require.NoError(t, err)
	var f struct {
		ErrorMessage, ErrorType string
		StackTrace              []string
	}
	require.NoError(t, json.Unmarshal(body, &f))
	assert.Equal(t, "MatchError", f.ErrorType)
	assert.Equal(t, strings.Repeat("é", 1024), f.ErrorMessage)
	assert.Equal(t, []string{"a.ex:1: A.b/2"}, f.StackTrace)
}

// Whatever a failure is, its trailer fits.
func TestTrailerIsBounded(t *testing.T) {
	stack := make([]string, 200)
	for i := range stack {
		stack[i] = strings.Repeat("\x01", 8<<10)
	}
	f := Failure{Type: strings.Repeat("\x01", 1000), Message: strings.Repeat("\x01", 8<<10), StackTrace: stack}
	assert.LessOrEqual(t, len(f.trailer()), maxTrailer)
}

// The API may answer before it has all: then there is no use in sending more.
func TestStreamRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		code   int
	}{
		{"gone", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			status(410, `{"errorType":"InvokeTimeout"}`)(w, r)
		}, 410},
		{"cut", cutShort("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}"), 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newRawAPI(t, c.answer)
			w, err := client.Stream(t.Context(), invocation(""), "")
			require.NoError(t, err)
			part := bytes.Repeat([]byte("x"), 64<<10)
			for {
				if _, err = w.Write(part); err != nil {
					break
				}
			}
			require.ErrorContains(t, err, "runtimeapi: posting the response of request r-1: ")
			_, again := w.Write(part)
			require.Equal(t, err, again)
			var status *StatusError
			require.ErrorAs(t, w.Close(), &status)
			assert.Equal(t, c.code, status.Code)
		})
	}
}

// What is too large is refused before all of it has been sent, by whatever means.
func TestPostRefusedEarly(t *testing.T) {
	for _, n := range []int{1, oneWrite, oneWrite + 1, 8 << 20} {
		c := newRawAPI(t, cutShort("HTTP/1.1 413 Too Large\r\nContent-Length: 40\r\n\r\n"+`{"errorType":"RequestEntityTooLarge"}   `))
		err := c.Response(t.Context(), invocation(""), "", make([]byte, n))
		var status *StatusError
		if assert.ErrorAs(t, err, &status, "%d bytes", n) {
			assert.Equal(t, StatusError{413, "RequestEntityTooLarge"}, *status)
		}
	}
}

func TestStreamCanceled(t *testing.T) {
	waiting := make(chan struct{})
	c := newRawAPI(t, func(_ http.ResponseWriter, r *http.Request) {
		close(waiting)
		_, _ = io.Copy(io.Discard, r.Body) // until the client goes
	})
	ctx, cancel := context.WithCancel(t.Context())
	w, err := c.Stream(ctx, invocation(""), "")
	require.NoError(t, err)
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	<-waiting
	cancel()
	for err == nil {
		_, err = w.Write(make([]byte, 1<<20))
	}
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, w.Close(), context.Canceled)
}

func TestStreamCannotBegin(t *testing.T) {
	_, c := newFakeAPI(t, status(202, ""))
	_, err := c.Stream(t.Context(), invocation(""), "a\r\nb")
	require.ErrorContains(t, err, `the content type "a\r\nb" has a control character in it`)
	require.ErrorContains(t, c.Response(t.Context(), invocation(""), "a\x00", nil), "a control character")
	_, err = newClient(t, refusing(t)).Stream(t.Context(), invocation(""), "")
	require.ErrorContains(t, err, "connection refused")
}

func TestPrelude(t *testing.T) {
	assert.Equal(t, "x{\"statusCode\":200}\x00\x00\x00\x00\x00\x00\x00\x00", string(AppendPrelude([]byte("x"), []byte(`{"statusCode":200}`))))
}
