package bootstrap

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const httpStream = "application/vnd.awslambda.http-integration-response"

func TestBEAMStreams(t *testing.T) {
	r := startBEAM(t)
	many := make([]string, 300)
	for i := range many {
		many[i] = strings.Repeat(fmt.Sprint(i%10), i*97)
	}
	parts, err := json.Marshal(many)
	require.NoError(t, err)
	for _, c := range []struct{ event, contentType, payload string }{
		{`{"do":"stream","parts":[]}`, "text/csv", ""},
		{`{"do":"stream","parts":["a","","b,c\n"]}`, "text/csv", "ab,c\n"},
		{`{"do":"stream","parts":` + string(parts) + `}`, "text/csv", strings.Join(many, "")},
		{`{"do":"stream http"}`, httpStream,
			`{"cookies":["c=1"],"headers":{"content-type":"application/octet-stream","x-a":"7"},"statusCode":201}` + strings.Repeat("\x00", 8) + "ab"},
	} {
		result := r.invoke(c.event)
		assert.Empty(t, result.FunctionError, "%s", tail(result.Payload))
		assert.True(t, result.Streamed)
		assert.Equal(t, c.contentType, result.ContentType)
		assert.True(t, c.payload == string(result.Payload), "%.60s: %s", c.event, tail(result.Payload))
	}
	r.awaitServed(4)
	assert.True(t, r.served()[2].Streamed)
	assert.EqualValues(t, len(strings.Join(many, "")), r.served()[2].ResponseSize)
	assert.Len(t, r.vms(), 1)
}

// Where no streams are taken, a result is the same in one piece.
func TestBEAMStreamsBuffered(t *testing.T) {
	r := startBEAM(t, "BEAMPORT_RESPONSE_MODE=buffered")
	for _, c := range []struct{ event, contentType, payload string }{
		{`{"do":"stream","parts":["a","","b,c\n"]}`, "text/csv", "ab,c\n"},
		{`{"do":"stream http"}`, "application/json",
			`{"cookies":["c=1"],"headers":{"content-type":"application/octet-stream","x-a":"7"},"statusCode":201,"body":"ab","isBase64Encoded":false}`},
	} {
		result := r.invoke(c.event)
		assert.Empty(t, result.FunctionError, "%s", tail(result.Payload))
		assert.False(t, result.Streamed)
		assert.Equal(t, c.contentType, result.ContentType)
		assert.Equal(t, c.payload, string(result.Payload))
	}
	r.fails(`{"do":"stream fails","by":0}`, "badarith", "an operand of an arithmetic expression is no number")
	r.fails(`{"do":"stream endless"}`, "Function.ResponseSizeTooLarge", "a frame holds at most 67108864")
	r.answers(`{"do":"echo","value":[1]}`, "[1]")
	assert.Len(t, r.vms(), 1)
}

func TestBEAMHTTP(t *testing.T) {
	r := startBEAM(t)
	const headers = `"headers":{"content-type":"%s","X-A":"b"},`
	const cookies = `"cookies":["c=1; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax"],`
	for _, c := range []struct{ body, contentType, payload string }{
		{`{"a":"é\n"}`, "application/json", `"{\"a\":\"é\\n\"}"`},
		{`["a",1]`, "application/json", `"[\"a\",1]"`},
		{`"text"`, "text/plain; charset=utf-8", `"text"`},
	} {
		result := r.invoke(`{"do":"http","status":201,"body":` + c.body + `}`)
		assert.Empty(t, result.FunctionError, "%s", tail(result.Payload))
		assert.Equal(t, "application/json", result.ContentType)
		assert.JSONEq(t, `{`+cookies+fmt.Sprintf(headers, c.contentType)+`"statusCode":201,"isBase64Encoded":false,"body":`+c.payload+`}`, string(result.Payload))
	}
	result := r.invoke(`{"do":"http bytes"}`)
	assert.JSONEq(t, `{"statusCode":200,"headers":{"content-type":"application/octet-stream"},"body":"/wA=","isBase64Encoded":true}`, string(result.Payload))
	r.fails(`{"do":"http","status":1,"body":""}`, "bad_response", "a status that is not a number of three digits")
}

// slowAPI hands out one event and reads its answer when it is told to.
type slowAPI struct {
	event    string
	deadline time.Time
	once     sync.Once
	read     chan int // how many bytes to read, -1 to hang up
	got      chan int
}

func (a *slowAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		for n := range a.read {
			if n < 0 {
				panic(http.ErrAbortHandler)
			}
			copied, err := io.CopyN(io.Discard, r.Body, int64(n))
			a.got <- int(copied)
			if err != nil {
				return
			}
		}
		return
	}
	first := false
	a.once.Do(func() { first = true })
	if !first {
		w.WriteHeader(http.StatusForbidden) // the script's end
		return
	}
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", "slow")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(a.deadline.UnixMilli()))
	_, _ = io.WriteString(w, a.event) // the runtime is there
}

// A response that is not taken is not made either, and a caller that does not take it
// by the deadline holds up nothing else.
func TestBEAMStreamBackPressure(t *testing.T) {
	api := &slowAPI{event: `{"do":"stream endless"}`, deadline: time.Now().Add(3 * time.Second), read: make(chan int), got: make(chan int)}
	server := httptest.NewServer(api)
	config := beamConfig(t, "fixture:handle")
	config.NoExtension = true
	config.RuntimeAPI = strings.TrimPrefix(server.URL, "http://")
	logs := &logBuffer{}
	config.Logs = logs
	var done Done
	config.OnInvocation = func(d Done) { done = d }
	ended := make(chan error)
	go func() { ended <- Run(t.Context(), config) }()
	const taken = 10 << 20
	api.read <- taken
	require.Equal(t, taken, <-api.got)
	err := <-ended
	close(api.read)
	server.Close()
	require.ErrorContains(t, err, "status 403", "the next event was asked for")
	var f *FunctionError
	require.ErrorAs(t, done.Err, &f)
	assert.Equal(t, "Function.Timeout", f.Type)
	// Sockets hold some megabytes.
	assert.Less(t, strings.Count(logs.String(), "sent "), (taken+16<<20)>>16)
}

// A caller that goes away ends the stream. What that means for the runtime, the API
// did not say.
func TestBEAMStreamCutOff(t *testing.T) {
	api := &slowAPI{event: `{"do":"stream endless"}`, deadline: time.Now().Add(time.Minute), read: make(chan int), got: make(chan int)}
	server := httptest.NewServer(api)
	defer server.Close()
	config := beamConfig(t, "fixture:handle")
	config.NoExtension = true
	config.RuntimeAPI = strings.TrimPrefix(server.URL, "http://")
	config.Logs = io.Discard
	ended := make(chan error)
	go func() { ended <- Run(t.Context(), config) }()
	api.read <- 1000
	require.Equal(t, 1000, <-api.got)
	api.read <- -1
	require.ErrorContains(t, <-ended, "runtimeapi: posting the response of request slow: ")
}
