package main

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gone reports whether there is no process of that id.
func gone(pid string) bool {
	n, err := strconv.Atoi(pid)
	return err == nil && syscall.Kill(n, 0) == syscall.ESRCH
}

// post invokes over HTTP, on a connection of its own.
func post(t *testing.T, url, event string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/2015-03-31/functions/function/invocations", strings.NewReader(event))
	require.NoError(t, err)
	req.Close = true
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

const listening = `^Listening on (http://127\.0\.0\.1:\d+), VM in process (\d+)\.`

func TestServe(t *testing.T) {
	b := start(t, "serve", "--addr", "127.0.0.1:0", "--handler", "fixture:raise", fixture(t))
	await(t, b.lines, strings.TrimSuffix(readyLine, "\n"))
	m := await(t, b.lines, listening)
	url, pid := m[1], m[2]
	await(t, b.lines, `^  curl -d '\{\}' `+url+`/2015-03-31/functions/function/invocations$`)
	await(t, b.lines, `^  aws lambda invoke --endpoint-url `+url+` `)
	require.False(t, gone(pid))

	resp, body := post(t, url, `{}`, "X-Amz-Log-Type", "Tail")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, `{"raised":false}`, body)
	assert.Equal(t, "$LATEST", resp.Header.Get("X-Amz-Executed-Version"))
	log, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Amz-Log-Result"))
	require.NoError(t, err)
	assert.Contains(t, string(log), "START RequestId: "+resp.Header.Get("X-Amzn-Requestid"))
	await(t, b.lines, "^"+resp.Header.Get("X-Amzn-Requestid")+" ok "+facts+"16 bytes$")

	resp, body = post(t, url, `{"raise": "no"}`)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "Unhandled", resp.Header.Get("X-Amz-Function-Error"))
	assert.Contains(t, body, "errorMessage")
	await(t, b.lines, "^"+resp.Header.Get("X-Amzn-Requestid")+" failed: ")

	resp, body = post(t, url, `{oops`) // that one fails, the next one works
	assert.Equal(t, "Unhandled", resp.Header.Get("X-Amz-Function-Error"))
	assert.Contains(t, body, "not JSON")
	_, body = post(t, url, `{}`)
	assert.Equal(t, `{"raised":false}`, body)

	// The Runtime API is not for callers.
	next, err := http.Get(url + "/2018-06-01/runtime/invocation/next")
	require.NoError(t, err)
	next.Body.Close()
	assert.Equal(t, 404, next.StatusCode)
	http.DefaultClient.CloseIdleConnections()

	b.stop()
	require.Equal(t, statusOK, <-b.status)
	require.True(t, gone(pid))
}

func TestServeLogsOfAnInvocation(t *testing.T) {
	b := start(t, "serve", "--addr", "127.0.0.1:0", "--handler", "fixture:print", fixture(t))
	url := await(t, b.lines, listening)[1]
	resp, _ := post(t, url, `{}`, "X-Amz-Log-Type", "Tail")
	log, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Amz-Log-Result"))
	require.NoError(t, err)
	require.Regexp(t, `^START .*\n\[INFO\]\t\S+\t`+resp.Header.Get("X-Amzn-Requestid")+`\tone\ntwo\n\[WARN\]`, string(log))
	await(t, b.lines, "^  warn  careful$")
	b.stop()
	require.Equal(t, statusOK, <-b.status)
}

func TestServeConcurrently(t *testing.T) {
	b := start(t, "serve", "--addr", "127.0.0.1:0", "--concurrency", "3", "--handler", "fixture:echo", fixture(t))
	url := await(t, b.lines, listening)[1]
	var calls sync.WaitGroup
	for i := range 12 {
		calls.Go(func() {
			_, body := post(t, url, strconv.Itoa(i))
			assert.Equal(t, `{"event":`+strconv.Itoa(i)+`}`, body)
		})
	}
	calls.Wait()
	b.stop()
	require.Equal(t, statusOK, <-b.status)
}

func TestServeStoppedDuringAnInvocation(t *testing.T) {
	b := start(t, "serve", "--addr", "127.0.0.1:0", "--handler", "fixture:wait", fixture(t))
	m := await(t, b.lines, listening)
	answered := make(chan int, 1)
	go func() {
		resp, _ := post(t, m[1], `{}`)
		answered <- resp.StatusCode
	}()
	await(t, b.lines, "waiting")
	b.stop()
	require.Equal(t, statusOK, <-b.status)
	// Whoever waited is told, one way or the other.
	require.Contains(t, []int{200, 500}, <-answered)
	require.True(t, gone(m[2]))
}

func TestServeOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	addr := taken.Addr().String()
	got := runArgs(t, "serve", "--addr", addr, "--handler", "fixture:echo", fixture(t))
	require.Equal(t, statusUsage, got.status)
	require.Equal(t, "beamport: nothing can listen on "+addr+": bind: address already in use\n", got.err)
}

// TestSignals ends the program as a terminal or a supervisor does.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.Command(self, "serve", "--addr", "127.0.0.1:0", "--handler", "fixture:echo", fixture(t))
			cmd.Env = append(os.Environ(), "BEAMPORT_TEST_MAIN=1")
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := make(chan string, 100)
			go sendLines(out, lines)
			m := await(t, lines, listening)
			_, body := post(t, m[1], `1`)
			assert.Equal(t, `{"event":1}`, body)
			require.NoError(t, cmd.Process.Signal(sig))
			for range lines {
			}
			require.NoError(t, cmd.Wait())
			require.True(t, gone(m[2]))
		})
	}
}
