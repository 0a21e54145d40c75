package emulator

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func extend(s *Server, ctx context.Context, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, "/2020-01-01/extension/"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestExtension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{FunctionName: "f"})
		defer s.Close()
		require.False(t, s.ExtensionRegistered())
		w := extend(s, t.Context(), "POST", "register", `{"events":[]}`, headerExtensionName, "runtime")
		require.Equal(t, 200, w.Code, w.Body)
		assert.JSONEq(t, `{"functionName":"f","functionVersion":"$LATEST","handler":""}`, w.Body.String())
		id := w.Header().Get(headerExtensionID)
		require.NotEmpty(t, id)
		require.True(t, s.ExtensionRegistered())

		// An event is waited for until the caller, or the runtime, or the server ends.
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan int)
		for _, c := range []context.Context{ctx, t.Context()} {
			go func() { waiting <- extend(s, c, "GET", "event/next", "", headerExtensionID, id).Code }()
		}
		synctest.Wait()
		cancel()
		<-waiting
		s.RuntimeExited(nil)
		require.Equal(t, 500, <-waiting)
		require.False(t, s.ExtensionRegistered())
		require.Equal(t, 403, extend(s, t.Context(), "GET", "event/next", "", headerExtensionID, id).Code)
	})
}

// No event is handed out before each extension has asked for one of its own.
func TestExtensionHoldsBackInvocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		id := extend(s, t.Context(), "POST", "register", `{}`, headerExtensionName, "a").Header().Get(headerExtensionID)
		got := background(t, s, Invocation{RequestID: "1"})
		handed := make(chan int, 1)
		go func() { handed <- direct(s, "GET", "invocation/next", "").Code }()
		synctest.Wait()
		require.Empty(t, handed)
		ctx, cancel := context.WithCancel(t.Context())
		go extend(s, ctx, "GET", "event/next", "", headerExtensionID, id)
		require.Equal(t, 200, <-handed)
		cancel() // which changes nothing: it has asked
		synctest.Wait()
		require.Equal(t, 202, direct(s, "POST", "invocation/1/response", "1").Code)
		require.Equal(t, "1", string((<-got).Payload))
		got = background(t, s, Invocation{RequestID: "2"})
		synctest.Wait()
		require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
		require.Equal(t, 202, direct(s, "POST", "invocation/2/response", "1").Code)
		require.NoError(t, (<-got).err)
	})
}

func TestExtensionRefusals(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	const name = headerExtensionName
	require.Equal(t, 200, extend(s, t.Context(), "POST", "register", `{}`, name, "taken").Code)
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		errorType          string
	}{
		{"POST", "register", `{"events":[]}`, nil, 400, "Extension.InvalidExtensionName"},
		{"POST", "register", `{"events":[]}`, []string{name, "a b"}, 400, "Extension.InvalidExtensionName"},
		{"POST", "register", `[`, []string{name, "a"}, 400, "InvalidRequestFormat"},
		{"POST", "register", `{"events":["SHUTDOWN"]}`, []string{name, "a"}, 400, "Extension.InvalidEventType"},
		{"POST", "register", strings.Repeat(" ", maxRegistration+1), []string{name, "a"}, 413, "RequestEntityTooLarge"},
		{"POST", "register", `{}`, []string{name, "taken"}, 403, "Extension.AlreadyRegistered"},
		{"GET", "register", ``, []string{name, "a"}, 405, "MethodNotAllowed"},
		{"GET", "event/next", ``, nil, 403, "Extension.MissingExtensionIdentifier"},
		{"GET", "event/next", ``, []string{headerExtensionID, "x"}, 403, "Extension.UnknownExtensionIdentifier"},
		{"POST", "event/next", ``, nil, 405, "MethodNotAllowed"},
		{"GET", "exit/error", ``, nil, 404, "NotFound"},
	} {
		w := extend(s, t.Context(), c.method, c.path, c.body, c.header...)
		assert.Equal(t, c.status, w.Code, "%v", c)
		assert.Contains(t, w.Body.String(), `"errorType":"`+c.errorType+`"`)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, runtimePath+"invocation/next", nil))
	w := extend(s, t.Context(), "POST", "register", `{}`, name, "late")
	assert.Equal(t, 403, w.Code)
	assert.Contains(t, w.Body.String(), "Extension.RegistrationClosed")
	s.Close()
	assert.Equal(t, 500, extend(s, t.Context(), "POST", "register", `{}`, name, "later").Code)
}
