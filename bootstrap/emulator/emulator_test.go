package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const runtimePath = "/2018-06-01/runtime/"

// api is a server on 127.0.0.1 and a client of both its sides.
type api struct {
	*Server
	url    string
	client *http.Client
}

func start(t *testing.T, o Options) *api {
	s := New(o)
	h := httptest.NewServer(s)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		s.Close()
		h.CloseClientConnections()
		h.Close()
		transport.CloseIdleConnections()
	})
	return &api{Server: s, url: h.URL, client: &http.Client{Transport: transport}}
}

// reply is an HTTP response, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// errorType is the errorType of a JSON error.
func (r reply) errorType(t *testing.T) string {
	t.Helper()
	var e errorBody
	require.Equal(t, "application/json", r.header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(r.body), &e), r.body)
	require.NotEmpty(t, e.Message)
	return e.Type
}

func (a *api) do(t *testing.T, method, path string, header map[string]string, body io.Reader) reply {
	t.Helper()
	r, err := a.try(t.Context(), method, path, header, body)
	require.NoError(t, err)
	return r
}

func (a *api) try(ctx context.Context, method, path string, header map[string]string, body io.Reader) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		return reply{}, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(b)}, err
}

// next fetches an invocation and gives its id.
func (a *api) next(t *testing.T) (string, reply) {
	t.Helper()
	r := a.do(t, "GET", runtimePath+"invocation/next", nil, nil)
	require.Equal(t, 200, r.status, r.body)
	return r.header.Get("Lambda-Runtime-Aws-Request-Id"), r
}

func (a *api) post(t *testing.T, id, verb, body string, header ...string) reply {
	t.Helper()
	h := map[string]string{}
	for i := 0; i < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	return a.do(t, "POST", runtimePath+"invocation/"+id+"/"+verb, h, strings.NewReader(body))
}

// cutShort posts what is there of a request whose body should be longer.
func (a *api) cutShort(t *testing.T, path, head string) (*http.Response, string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s", path, head)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// outcome is what an invocation came to.
type outcome struct {
	Result
	err error
}

// call invokes in the background.
func (a *api) call(t *testing.T, inv Invocation) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		r, err := a.Invoke(t.Context(), inv)
		c <- outcome{r, err}
	}()
	return c
}

func (o outcome) message(t *testing.T) errorBody {
	t.Helper()
	require.NoError(t, o.err)
	require.Equal(t, FunctionErrorUnhandled, o.FunctionError)
	var e errorBody
	require.NoError(t, json.Unmarshal(o.Payload, &e), string(o.Payload))
	return e
}
