package bootstrap

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// sumEvent is an event and what fixture:handle answers to it.
type sumEvent struct {
	Do     string  `json:"do"`
	N      int     `json:"n"`
	Values []int64 `json:"values"`
	Text   string  `json:"text"`
}

type sumAnswer struct {
	N         int    `json:"n"`
	Sum       int64  `json:"sum"`
	Text      string `json:"text"`
	RequestID string `json:"request_id"`
	Pid       string `json:"pid"`
}

// randomSum makes the n-th of a series of events, of all sizes up to about 100 KB.
func randomSum(n int) (sumEvent, sumAnswer) {
	random := rand.New(rand.NewPCG(2026, uint64(n)))
	event := sumEvent{Do: "sum", N: n, Values: []int64{}}
	answer := sumAnswer{N: n, RequestID: fmt.Sprintf("request-%d", n)}
	size := 1 << random.IntN(14)
	for range random.IntN(size) {
		v := random.Int64N(1<<40) - 1<<39
		event.Values = append(event.Values, v)
		answer.Sum += v
	}
	event.Text = strings.Repeat("é\u0000\"🌀", random.IntN(size))
	answer.Text = event.Text
	return event, answer
}

// sum invokes the function with the n-th event and checks the answer.
func (r *rig) sum(n int) (pid string) {
	r.t.Helper()
	event, want := randomSum(n)
	payload, err := json.Marshal(event)
	require.NoError(r.t, err)
	result := r.do(emulator.Invocation{Payload: payload, RequestID: want.RequestID})
	require.Empty(r.t, result.FunctionError, "invocation %d: %s", n, tail(result.Payload))
	require.Equal(r.t, "application/json", result.ContentType)
	var got sumAnswer
	require.NoError(r.t, json.Unmarshal(result.Payload, &got))
	want.Pid = got.Pid
	require.Equal(r.t, want, got, "invocation %d", n)
	return got.Pid
}

func TestBEAMThousandInvocations(t *testing.T) {
	r := startBEAM(t)
	for n := range 1000 {
		r.sum(n)
	}
	assert.Len(t, r.vms(), 1)
	r.awaitServed(1000)
}

func TestBEAMThousandConcurrentInvocations(t *testing.T) {
	const loops = 8
	config := beamConfig(t, "fixture:handle", "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(loops))
	r := startRig(t, emulator.Options{Concurrency: loops}, config)
	var callers sync.WaitGroup
	for caller := range loops {
		callers.Go(func() {
			for n := caller; n < 1000; n += loops {
				r.sum(n)
			}
		})
	}
	callers.Wait()
	// All of them under way at once: none is answered before the last has come.
	for range loops {
		callers.Go(func() { r.answers(fmt.Sprintf(`{"do":"meet","count":%d}`, loops), fmt.Sprintf(`{"met":%d}`, loops)) })
	}
	callers.Wait()
	assert.Len(t, r.vms(), 1)
	r.awaitServed(1000 + loops)
}

func TestBEAMResults(t *testing.T) {
	r := startBEAM(t)
	for _, c := range []struct{ event, contentType, payload string }{
		{`{"do":"echo","value":{"a":[1,-2.5,1e300,null,true,"é🌀",{}],"":[]}}`, "application/json", ``},
		{`{"do":"echo","value":123456789012345678901234567890}`, "application/json", `123456789012345678901234567890`},
		{`{"do":"echo","value":"text"}`, "text/plain", "text"},
		{`{"do":"text","value":"<p>"}`, "text/html", "<p>"},
		{`{"do":"problem"}`, "application/problem+json", `{"title":"x"}`},
		{`{"do":"binary","size":3}`, "application/octet-stream", "\x01\x01\x01"},
		{`{"do":"binary","size":6291556}`, "application/octet-stream", strings.Repeat("\x01", 6291556)},
		{`[]`, "application/json", `[]`},
		{`0`, "application/json", `0`},
	} {
		result := r.invoke(c.event)
		if !assert.Empty(t, result.FunctionError, "%.80s: %s", c.event, tail(result.Payload)) {
			continue
		}
		assert.Equal(t, c.contentType, result.ContentType, c.event)
		if c.payload == "" {
			assert.JSONEq(t, `{"a":[1,-2.5,1e300,null,true,"é🌀",{}],"":[]}`, string(result.Payload))
		} else {
			assert.True(t, c.payload == string(result.Payload), "%.80s: %s", c.event, tail(result.Payload))
		}
	}
	assert.JSONEq(t, `{"atom":1,"binary":2,"3":null,"true":null,"list":[null,false,"a"]}`, string(r.invoke(`{"do":"keys"}`).Payload))
	assert.Len(t, r.vms(), 1)
}

// Nothing that a handler does within its process harms the VM: each failure is
// answered with its type, message and stack trace, and the next invocation works.
func TestBEAMFailures(t *testing.T) {
	r := startBEAM(t)
	for _, c := range []struct {
		event, errorType, message, stack string
	}{
		{`{"do":"badarith","by":0}`, "badarith", "arithmetic", "fixture.erl:"},
		{`{"do":"badmatch"}`, "badmatch", "badmatch", "fixture:do/3"},
		{`{"do":"undef"}`, "undef", "no_such_module", "no_such_module"},
		{`{"do":"raise"}`, "my_reason", "my_reason", "fixture:do/3"},
		{`{"do":"no such clause"}`, "function_clause", "fixture", "fixture:do/3"},
		{`{"do":"exit"}`, "exit", "kaput", ""},
		{`{"do":"exit normal"}`, "exit", "normal", ""},
		{`{"do":"throw"}`, "throw", "ball", ""},
		{`{"do":"killed"}`, "killed", "", ""},
		{`{"do":"linked"}`, "exit", "boom", ""},
		{`{"do":"heap"}`, "killed", "", ""},
		{`{"do":"error"}`, "Teapot", "short and stout", ""},
		{`{"do":"error text"}`, "RuntimeException", "no tea", ""},
		{`{"do":"nonsense"}`, "Function.BadResult", "the handler returned <0.", ""},
		{`{"do":"tuple"}`, "Function.BadResult", "JSON has no form for a tuple at byte ", ""},
		{`{"do":"pid"}`, "Function.BadResult", "JSON has no form for a pid at byte ", ""},
		{`{"do":"fun"}`, "Function.BadResult", "JSON has no form for a fun at byte ", ""},
		{`{"do":"latin1"}`, "Function.BadResult", "invalid UTF-8 at byte ", ""},
		{`{"do":"float key"}`, "Function.BadResult", "JSON has no form for ", ""},
		{`{"do":"same keys"}`, "Function.BadResult", `two keys with the name "a"`, ""},
		{`{"do":"improper"}`, "Function.BadResult", "JSON has no form for an improper list", ""},
		{`{"do":"bits"}`, "Function.BadResult", "JSON has no form for a bit string", ""},
		{`{"do":"digits"}`, "Function.BadResult", "more than 1024 digits", ""},
		{`{"do":"binary","size":6291557}`, "Function.ResponseSizeTooLarge", "the response has 6291557 bytes, and Lambda takes at most 6291556", ""},
		{`{"do":"many","count":4000000}`, "Function.ResponseSizeTooLarge", "the response has 8000001 bytes, and Lambda takes at most 6291556", ""},
		{`{"do":"binary","size":70000000}`, "Function.ResponseSizeTooLarge", "bytes", ""},
		{`{"do":`, "Runtime.BadEvent", "the event is not JSON: unexpected EOF at byte 6", ""},
	} {
		t.Run(c.event, func(t *testing.T) {
			r.t = t
			f := r.fails(c.event, c.errorType, c.message)
			if c.stack != "" {
				assert.Contains(t, strings.Join(f.StackTrace, "\n"), c.stack)
			}
			r.answers(`{"do":"echo","value":[1]}`, `[1]`)
			assert.Len(t, r.vms(), 1, "the VM lives on")
		})
	}
}

// A result beyond what any JSON could need is the handler's fault, as any other is.
func TestBEAMResultsOverLimits(t *testing.T) {
	r := startBEAM(t)
	for _, c := range []struct{ event, errorType, message string }{
		{`{"do":"deep","depth":513}`, "Function.BadResult", "more than 512 containers inside one another"},
		{`{"do":"deep","depth":100000}`, "Function.BadResult", "the handler's result cannot be written as JSON: more than 512 containers inside one another"},
		{`{"do":"many","count":20000000}`, "Function.ResponseSizeTooLarge", "the response has 40000001 bytes"},
	} {
		r.fails(c.event, c.errorType, c.message)
		r.answers(`{"do":"echo","value":[1]}`, `[1]`)
	}
	assert.Len(t, r.vms(), 1, "the VM lives on")
}

// Whatever ends the VM in the middle of an invocation: that one is answered with
// how it ended, and the next one by another VM.
func TestBEAMDies(t *testing.T) {
	for _, c := range []struct{ event, message, logged string }{
		{`{"do":"halt","status":7}`, "the VM ended with exit status 7", ""},
		{`{"do":"halt","status":0}`, "the VM ended with exit status 0", ""},
		{`{"do":"slogan"}`, "the VM ended with exit status 1", "out of tea"},
		{`{"do":"signal","name":"KILL"}`, "the VM was ended by signal 9 (killed), likely because it was out of memory", ""},
		{`{"do":"signal","name":"SEGV"}`, "the VM was ended by signal 11 (segmentation fault)", ""},
		{`{"do":"allocate"}`, "likely because it was out of memory", "binary_alloc: Cannot allocate 70368744177664 bytes"},
		{`{"do":"kill link"}`, "the VM ended with exit status 1", ""},
	} {
		t.Run(c.event, func(t *testing.T) {
			r := startBEAM(t)
			first := r.sum(1)
			r.invoke(`{"do":"to stderr"}`)
			f := r.fails(c.event, "Runtime.ExitError", c.message)
			assert.NotContains(t, f.ErrorMessage, "of another invocation")
			if c.logged != "" {
				r.logs.await(t, c.logged)
			}
			assert.NotEqual(t, first, r.sum(2))
			r.sum(3)
			assert.Len(t, r.vms(), 2)
		})
	}
}

// Killed from outside, with several invocations in flight.
func TestBEAMKilledMidInvocation(t *testing.T) {
	const n = 4
	config := beamConfig(t, "fixture:handle")
	config.MaxConcurrency = n
	r := startRig(t, emulator.Options{Concurrency: n}, config)
	r.sum(1)
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() { r.fails(`{"do":"hang"}`, "Runtime.ExitError", "the VM was ended by signal 9 (killed)") })
	}
	r.logs.awaitCount(t, "hanging", n)
	kill(t, r.vms()[0].Pid)
	callers.Wait()
	for i := range n {
		r.sum(i)
	}
	assert.Len(t, r.vms(), 2)
	r.awaitServed(1 + 2*n)
}

// A handler that takes too long loses its process, not the VM.
func TestBEAMTimeout(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := beamConfig(t, "fixture:handle")
	config.DeadlineMargin = roomy - 2*time.Second
	r := startRig(t, emulator.Options{}, config)
	for _, do := range []string{"hang", "spin", "trap"} {
		r.fails(`{"do":"`+do+`"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	}
	r.answers("[1]", "[1]")
	assert.Len(t, r.vms(), 1)
}

// A VM that stands still is replaced.
func TestBEAMStopped(t *testing.T) {
	t.Parallel() // it waits, most of the time
	config := beamConfig(t, "fixture:handle")
	config.DeadlineMargin = roomy - 2*time.Second
	r := startRig(t, emulator.Options{}, config)
	r.fails(`{"do":"signal","name":"STOP"}`, "Function.Timeout", "the function did not answer by its deadline, ")
	r.answers("[1]", "[1]")
	assert.Len(t, r.vms(), 2)
	assert.Contains(t, r.logs.String(), "the VM died: child ended by signal: killed: the runtime killed it, since an invocation that was given up did not end\n")
}

// What is printed, and be it bytes of the protocol, disturbs nothing.
func TestBEAMNoise(t *testing.T) {
	r := startBEAM(t)
	for range 5 {
		r.answers(`{"do":"noise"}`, `{"quiet":true}`)
	}
	r.sum(1)
	assert.Len(t, r.vms(), 1)
	r.logs.awaitCount(t, "noise of the call 🌀", 5)
	r.logs.awaitCount(t, "display", 5)
}

func TestBEAMLogs(t *testing.T) {
	r := startBEAM(t)
	r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`), RequestID: "r-1"})
	// All that the handler logged is there when the caller has the answer.
	var got []string
	for _, entry := range r.logs.all() {
		level, rest, _ := strings.Cut(entry, "\t")
		_, rest, _ = strings.Cut(rest, "\t")
		got = append(got, level+" "+rest)
	}
	assert.Contains(t, got, "[INFO] r-1\tprinted\n")
	assert.Contains(t, got, "[INFO] r-1\tin two lines\n")
	assert.Contains(t, got, "[WARN] r-1\twarned of tea\n")
	require.Len(t, got, 4, "%q", got)
}

// The VM's surroundings: a home, a locale that has Unicode, the function's folder,
// and no distribution.
func TestBEAMEnvironment(t *testing.T) {
	config := beamConfig(t, "fixture:handle")
	config.Environ = []string{"PATH=" + environment(config.Environ)["PATH"], "LANG=en_US.UTF-8", "_LAMBDA_TELEMETRY_LOG_FD=62"}
	config.Search.Path = environment(config.Environ)["PATH"]
	r := startRig(t, emulator.Options{}, config)
	assert.JSONEq(t, fmt.Sprintf(`{"home":"/tmp","node":"nonode@nohost","cwd":%q,"epmd":0,"fd":"","latin1":false}`, config.TaskRoot),
		string(r.invoke(`{"do":"environment"}`).Payload))
}
