package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The loop by hand answers what it is given, and the Runtime API notes how long it took.
func TestLambdaAPI(t *testing.T) {
	a, err := newLambdaAPI()
	require.NoError(t, err)
	a.setEvent([]byte(`{"a":1}`))
	ended := make(chan error, 1)
	go func() { ended <- bare(a.address()) }()
	took, err := a.invoke(50, 1)
	require.NoError(t, err)
	assert.Len(t, took, 50)
	for _, ns := range took {
		assert.Positive(t, ns)
	}
	a.close()
	assert.Error(t, <-ended)
}

// What is no echo of the event ends the measurement.
func TestLambdaAPIRefuses(t *testing.T) {
	for _, c := range []struct{ path, body, message string }{
		{"invocation/%s/response", "short", "an answer of 5 bytes to an event of 102"},
		{"invocation/%s/response", `"` + strings.Repeat("y", 100) + `"`, "an answer that is not the event"},
		{"invocation/%s/response", strings.Repeat("x", 102), "an answer that is not JSON"},
		{"invocation/%s/error", `{"errorType":"X"}`, "the function failed: {"},
		{"invocation/other/response", strings.Repeat("x", 100), "not under way, other"},
		{"init/error", "no", "the function did not start: no"},
	} {
		a, err := newLambdaAPI()
		require.NoError(t, err)
		a.setEvent([]byte(`"` + strings.Repeat("x", 100) + `"`))
		client := &http.Client{Transport: &http.Transport{}}
		base := "http://" + a.address() + "/2018-06-01/runtime/"
		posted := make(chan struct{})
		go func() {
			defer close(posted)
			id := ""
			if strings.HasPrefix(c.path, "invocation") {
				resp, err := client.Get(base + "invocation/next")
				if !assert.NoError(t, err) {
					return
				}
				id = resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
				_, err = io.Copy(io.Discard, resp.Body)
				assert.NoError(t, err)
				resp.Body.Close()
			}
			path := strings.Replace(c.path, "%s", id, 1)
			if resp, err := client.Post(base+path, "", struct{ io.Reader }{strings.NewReader(c.body)}); err == nil { // in chunks
				resp.Body.Close()
			}
		}()
		_, err = a.invoke(1, 1)
		assert.ErrorContains(t, err, c.message)
		<-posted
		client.CloseIdleConnections()
		a.close()
	}
}

func TestProcesses(t *testing.T) {
	pids := processes(1)
	assert.Contains(t, pids, 1)
	assert.Positive(t, cpuTime(processes(os.Getpid())))
	assert.Positive(t, resident([]int{os.Getpid()}))
}

func TestPercentile(t *testing.T) {
	assert.Equal(t, 3.0, percentile([]float64{3, 1, 2}, 0.99))
	assert.Equal(t, 2.0, percentile([]float64{3, 1, 2}, 0.5))
}

func TestInvocationTables(t *testing.T) {
	one := func(ns float64) *invocations {
		return &invocations{took: []float64{ns, ns}, rounds: []float64{ns}, cpu: time.Millisecond, memory: 1 << 20}
	}
	r := report{functions: []function{
		{name: goHello, sizes: map[string]*invocations{"{}": one(1000)}},
		{name: "beamport, Erlang", sizes: map[string]*invocations{"{}": one(800)}},
		{name: "beamport, Elixir", sizes: map[string]*invocations{"{}": one(900)}},
		{name: "many", load: &load{perSecond: []float64{10}, took: []float64{5}, served: 7}},
	}}
	text := fmt.Sprint(r.invocationTable(), r.loadTable())
	assert.Contains(t, text, "0.80×")
	assert.Contains(t, text, "0.90×")
	shown, held, known := invocationTarget("{}", 0.85)(r)
	assert.Equal(t, "Erlang 0.80×, Elixir 0.90×", shown)
	assert.False(t, held)
	assert.True(t, known)
	_, held, _ = invocationTarget("{}", 0.9)(r)
	assert.True(t, held)
	_, _, known = invocationTarget("1 MB", 1)(r)
	assert.False(t, known)
}
