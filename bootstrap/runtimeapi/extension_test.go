package runtimeapi

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func registered(id string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", id)
		status(200, `{"functionName":"f"}`)(w, r)
	}
}

func TestExtension(t *testing.T) {
	api, c := newFakeAPI(t, registered("e-1"), status(200, `{"eventType":"SHUTDOWN","shutdownReason":"spindown"}`))
	e, err := c.Register(t.Context(), "beamport")
	require.NoError(t, err)
	asked := 0
	require.NoError(t, e.Wait(t.Context(), func() { asked++ }))
	assert.Equal(t, 1, asked)
	got := api.got()
	require.Len(t, got, 2)
	assert.Equal(t, "POST /2020-01-01/extension/register", got[0].method+" "+got[0].path)
	assert.Equal(t, "beamport", got[0].header.Get("Lambda-Extension-Name"))
	assert.JSONEq(t, `{"events":[]}`, got[0].body)
	assert.Equal(t, "GET /2020-01-01/extension/event/next", got[1].method+" "+got[1].path)
	assert.Equal(t, "e-1", got[1].header.Get("Lambda-Extension-Identifier"))
}

func TestExtensionRefused(t *testing.T) {
	for _, c := range []struct {
		answer  http.HandlerFunc
		message string
	}{
		{status(403, `{"errorType":"Extension.RegisterError"}`), "registering the extension beamport: the Runtime API answered with status 403, Extension.RegisterError"},
		{status(200, "{}"), "the answer has no identifier"},
		{cutShort(""), "EOF"},
	} {
		_, client := newFakeAPI(t, c.answer)
		_, err := client.Register(t.Context(), "beamport")
		assert.ErrorContains(t, err, c.message)
	}
	_, client := newFakeAPI(t, status(200, "{}"))
	_, err := client.Register(t.Context(), "a\nb")
	require.ErrorContains(t, err, "a control character")
	_, err = newClient(t, refusing(t)).Register(t.Context(), "beamport")
	require.ErrorContains(t, err, "connection refused")
}

func TestExtensionWait(t *testing.T) {
	for _, c := range []struct {
		answer  http.HandlerFunc
		message string
	}{
		{status(403, `{"errorType":"Extension.UnknownExtensionIdentifier"}`), "waiting for an event of the extension: the Runtime API answered with status 403"},
		{status(200, `{"eventType":"INVOKE"}`), `an event of type "INVOKE" came`},
		{status(200, `x`), "not JSON"},
		{cutShort("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "unexpected EOF"},
		{cutShort(""), "EOF"},
	} {
		_, client := newFakeAPI(t, registered("e-1"), c.answer)
		e, err := client.Register(t.Context(), "beamport")
		require.NoError(t, err)
		for range 2 {
			assert.ErrorContains(t, e.Wait(t.Context(), nil), c.message)
		}
	}
	waiting := make(chan struct{})
	_, client := newFakeAPI(t, registered("e-1"), func(_ http.ResponseWriter, r *http.Request) {
		close(waiting)
		<-r.Context().Done()
	})
	e, err := client.Register(t.Context(), "beamport")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-waiting
		cancel()
	}()
	asked := make(chan struct{})
	require.ErrorIs(t, e.Wait(ctx, func() { close(asked) }), context.Canceled)
	<-asked
	require.ErrorIs(t, e.Wait(ctx, func() { assert.Fail(t, "nothing is sent any more") }), context.Canceled)
}

func TestRestore(t *testing.T) {
	api, c := newFakeAPI(t, status(200, ""))
	require.NoError(t, c.RestoreNext(t.Context()))
	assert.Empty(t, c.idle, "a connection of before the snapshot is not used after it")
	require.NoError(t, c.RestoreError(t.Context(), Failure{Type: "Runtime.AfterRestoreError", Message: "m"}))
	got := api.got()
	assert.Equal(t, "GET /2018-06-01/runtime/restore/next", got[0].method+" "+got[0].path)
	assert.Equal(t, "POST /2018-06-01/runtime/restore/error", got[1].method+" "+got[1].path)
	assert.Equal(t, "Runtime.AfterRestoreError", got[1].header.Get("Lambda-Runtime-Function-Error-Type"))

	_, c = newFakeAPI(t, status(403, `{"errorType":"InvalidStateTransition"}`))
	require.ErrorContains(t, c.RestoreNext(t.Context()), "runtimeapi: waiting for the restore: the Runtime API answered with status 403, InvalidStateTransition")
	require.ErrorContains(t, newClient(t, refusing(t)).RestoreNext(t.Context()), "connection refused")
	_, c = newFakeAPI(t, cutShort(""))
	require.ErrorContains(t, c.RestoreNext(t.Context()), "EOF")
}
