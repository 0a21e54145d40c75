package bootstrap

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// entryOf parses an entry.
func entryOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var e map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &e), text)
	return e
}

// What a process writes that an invocation has left behind counts to that one, whatever
// is under way by then; or to none, when that one is too long ago.
func TestBEAMLogsOfProcessesLeftBehind(t *testing.T) {
	for _, c := range []struct {
		concurrency, between int
		want                 any
	}{{1, 0, "leaves"}, {2, 0, "leaves"}, {2, 30, "leaves"}, {1, 100, nil}} {
		config := beamConfig(t, "fixture:handle", "AWS_LAMBDA_LOG_FORMAT=JSON", fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", c.concurrency))
		r := startRig(t, emulator.Options{Concurrency: c.concurrency}, config)
		r.do(emulator.Invocation{RequestID: "leaves", Payload: []byte(`{"do":"left behind"}`)})
		for range c.between {
			r.answers("1", "1")
		}
		r.do(emulator.Invocation{RequestID: "another", Payload: []byte(`{"do":"tell the one left behind"}`)})
		for _, text := range r.logs.all() {
			assert.Equal(t, c.want, entryOf(t, text)["requestId"], text)
		}
		entryOf(t, r.logs.await(t, "printed "))
		logged := entryOf(t, r.logs.await(t, "logged late"))
		assert.Equal(t, map[string]any{"a": []any{1.0, "b"}}, logged["map"])
		assert.NotContains(t, logged, "odd")
	}
}

// Reports of crashes are the invocation's. Those that processes make themselves come before
// its answer; those that the emulator makes of processes that are nobody's, soon.
func TestBEAMCrashReports(t *testing.T) {
	r := startBEAM(t, "AWS_LAMBDA_LOG_FORMAT=JSON")
	r.do(emulator.Invocation{RequestID: "crashes", Payload: []byte(`{"do":"crash a server"}`)})
	assert.Contains(t, r.logs.String(), "crashed_beside")
	r.logs.await(t, "Error in process ")
	for _, text := range r.logs.all() {
		e := entryOf(t, text)
		assert.Equal(t, "crashes", e["requestId"], text)
		assert.Equal(t, "ERROR", e["level"], text)
	}
}

// The emulator's report of a process that has failed and taken the invocation's with it
// comes before the answer, although the emulator takes its time to make it.
func TestBEAMCrashReportsInTurn(t *testing.T) {
	r := startBEAM(t, "AWS_LAMBDA_LOG_FORMAT=JSON")
	for i := range 100 {
		id := fmt.Sprintf("crashes-%d", i)
		before := len(r.logs.all())
		r.do(emulator.Invocation{RequestID: id, Payload: []byte(`{"do":"linked crash"}`)})
		entries := r.logs.all()[before:]
		require.Len(t, entries, 2, "the emulator's report, and the invocation's own error")
		assert.Contains(t, entries[0], "Error in process ")
		for _, text := range entries {
			assert.Equal(t, id, entryOf(t, text)["requestId"], text)
		}
		r.answers("1", "1")
	}
}

// Nothing of events, results, headers and the environment is in the log, unless the function
// or the message of its error says it.
func TestBEAMCanaries(t *testing.T) {
	const canary = "tweet-5b1f"
	for _, format := range []string{"Text", "JSON"} {
		config := beamConfig(t, "fixture:handle", "CANARY="+canary, "AWS_LAMBDA_LOG_FORMAT="+format, "AWS_LAMBDA_LOG_LEVEL=TRACE")
		config.DeadlineMargin = roomy - 2*time.Second
		r := startRig(t, emulator.Options{}, config)
		invoke := func(do, more string) string {
			result := r.do(emulator.Invocation{
				Payload:       []byte(`{"do":"` + do + `","secret":"` + canary + `"` + more + `}`),
				ClientContext: `{"custom":{"a":"` + canary + `"}}`, CognitoIdentity: `{"b":"` + canary + `"}`, TenantID: canary,
			})
			return string(result.Payload)
		}
		assert.Contains(t, invoke("echo", `,"value":"`+canary+`"`), canary)
		assert.Contains(t, invoke("context", ""), canary)
		assert.Contains(t, invoke("stream", `,"parts":["`+canary+`"]`), canary)
		assert.Contains(t, invoke("http", `,"status":200,"body":"`+canary+`"`), canary)
		for do, more := range map[string]string{
			"badarith": `,"by":0`, "undef": "", "raise": "", "exit": "", "throw": "", "killed": "", "linked crash": "",
			"no such thing": "", "fun": "", "binary": `,"size":7000000`, "stream fails": `,"by":0`, "hang": "", "halt": `,"status":3`,
		} {
			assert.NotContains(t, invoke(do, more), canary, do)
		}
		r.invoke(`{"` + canary)
		assert.NotContains(t, r.logs.String(), canary)
		assert.Contains(t, r.logs.String(), "no clause of fixture:do/3 matches its arguments")

		assert.Contains(t, invoke("badmatch", ""), canary, "which SECURITY.md says")
		assert.Contains(t, r.logs.String(), canary)
	}
}

// The level is the logger's own: what is below is not even made.
func TestBEAMLogLevels(t *testing.T) {
	for level, want := range map[string]struct{ erlang, first string }{
		"TRACE": {"debug", "at debug"}, "DEBUG": {"debug", "at debug"}, "info": {"info", "at info"},
		"WARN": {"warning", "at warning"}, "ERROR": {"error", "at error"}, "FATAL": {"critical", ""}, "": {"notice", "at notice"},
	} {
		r := startBEAM(t, "AWS_LAMBDA_LOG_LEVEL="+level)
		r.answers(`{"do":"levels"}`, `"`+want.erlang+`"`)
		entries := r.logs.all()
		if want.first == "" {
			assert.Empty(t, entries)
		} else if assert.NotEmpty(t, entries, level) {
			assert.Contains(t, entries[0], want.first)
		}
	}
	r := startRig(t, emulator.Options{}, beamConfig(t, "Fixture.handle", "AWS_LAMBDA_LOG_LEVEL=ERROR"))
	r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`)})
	assert.NotContains(t, r.logs.String(), "from Logger")
}
