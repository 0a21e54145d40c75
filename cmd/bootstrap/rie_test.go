package main

import (
	"bytes"
	"encoding/base64"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rie is AWS's own emulator, to hold the runtime against:
// https://github.com/aws/aws-lambda-runtime-interface-emulator
var rie = flag.String("rie", "", "path of AWS's aws-lambda-rie; empty leaves its tests out")

const rieHandler = `-module(rie).
-export([handle/2]).
handle(#{<<"do">> := <<"sum">>, <<"of">> := Numbers}, #{request_id := Id, trace_id := Trace}) ->
    Id =/= nil orelse error(no_id),
    io:format("adding ~p~n", [Numbers]),
    {ok, #{sum => lists:sum(Numbers), traced => list_to_atom(os:getenv("_X_AMZN_TRACE_ID", "nil")) =:= Trace
        orelse list_to_binary(os:getenv("_X_AMZN_TRACE_ID", "")) =:= Trace}};
handle(#{<<"do">> := <<"raise">>}, _) -> error(on_purpose);
handle(#{<<"do">> := <<"text">>}, _) -> {ok, <<"plain">>};
handle(#{<<"do">> := <<"stream">>}, _) ->
    {stream, #{content_type => <<"text/csv">>}, fun(Send) -> [Send(integer_to_list(N)) || N <- lists:seq(1, 9)] end};
handle(#{<<"do">> := <<"http">>}, _) -> beamport_http:response(201, #{}, #{made => true});
handle(#{<<"do">> := <<"large">>, <<"bytes">> := N}, _) -> {ok, <<"text/plain">>, binary:copy(<<"x">>, N)};
handle(#{<<"do">> := <<"sleep">>}, _) -> timer:sleep(60000);
handle(#{<<"do">> := <<"halt">>}, _) -> halt(3);
handle(Event, _) -> {ok, Event}.
`

// lines is a buffer for concurrent use.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freeAddress is one that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// What AWS's emulator does with the runtime, and the runtime with it. Where the two
// emulators differ in what they take, see the documentation of package emulator.
func TestRIE(t *testing.T) {
	if *rie == "" {
		t.Skip("needs -rie, the path of aws-lambda-rie")
	}
	root := t.TempDir()
	source := filepath.Join(root, "rie.erl")
	require.NoError(t, os.WriteFile(source, []byte(rieHandler), 0o644))
	out, err := exec.Command("erlc", "-o", root, source).CombinedOutput()
	require.NoError(t, err, "%s", out)

	address := freeAddress(t)
	var logs lines
	cmd := exec.Command(*rie, "--runtime-interface-emulator-address", address, "--runtime-api-address", freeAddress(t),
		build(t), "rie:handle")
	cmd.Env = append(os.Environ(), "LAMBDA_TASK_ROOT="+root, "AWS_LAMBDA_FUNCTION_TIMEOUT=3")
	cmd.Stdout, cmd.Stderr = &logs, &logs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait()                                      // by a signal
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // nothing may be left
	}()
	post := func(event string) (int, string) {
		var resp *http.Response
		require.Eventually(t, func() bool {
			r, err := http.NewRequest("POST", "http://"+address+"/2015-03-31/functions/function/invocations", strings.NewReader(event))
			require.NoError(t, err)
			r.Header.Set("X-Amz-Client-Context", base64.StdEncoding.EncodeToString([]byte(`{"custom":{}}`)))
			resp, err = http.DefaultClient.Do(r)
			return err == nil
		}, patience, 10*time.Millisecond, "%s", &logs)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	answers := func(event, want string) {
		t.Helper()
		status, body := post(event)
		assert.Equal(t, 200, status, body)
		assert.Equal(t, want, body, "%s", &logs)
	}
	fails := func(event string, parts ...string) {
		t.Helper()
		_, body := post(event)
		for _, part := range parts {
			assert.Contains(t, body, part, "%s", &logs)
		}
	}
	answers(`{"a":[1,"é",null]}`, `{"a":[1,"é",null]}`)
	answers(`{"do":"sum","of":[1,2]}`, `{"sum":3,"traced":true}`)
	assert.Contains(t, logs.String(), "adding [1,2]")
	fails(`{"do":"raise"}`, `"errorType":"on_purpose"`, `rie.erl:`)
	answers(`{"do":"text"}`, "plain")
	answers(`{"do":"stream"}`, "123456789")
	fails(`{"do":"http"}`, `"statusCode":201`, `{\"made\":true}`)
	status, body := post(`{"do":"large","bytes":6291556}`)
	assert.Equal(t, 200, status)
	assert.Len(t, body, 6291556)
	fails(`{"do":"large","bytes":6291557}`, "Function.ResponseSizeTooLarge", "6291556")
	fails(`{"do":"sleep"}`, "Function.Timeout")
	fails(`{"do":"halt"}`, "Runtime.ExitError", "exit status 3")
	answers(`{"again":true}`, `{"again":true}`)
}
