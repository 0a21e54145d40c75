package bootstrap

import (
	"encoding/json"
	"testing"

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

// What a process writes that an invocation has left behind counts to that one, also
// when others are under way.
func TestBEAMLogsOfProcessesLeftBehind(t *testing.T) {
	config := beamConfig(t, "fixture:handle", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_MAX_CONCURRENCY=2")
	r := startRig(t, emulator.Options{Concurrency: 2}, config)
	r.do(emulator.Invocation{RequestID: "leaves", Payload: []byte(`{"do":"left behind"}`)})
	printed := entryOf(t, r.logs.await(t, "printed late"))
	assert.Equal(t, "leaves", printed["requestId"])
	logged := entryOf(t, r.logs.await(t, "logged late"))
	assert.Equal(t, "leaves", logged["requestId"])
	assert.Equal(t, map[string]any{"a": []any{1.0, "b"}}, logged["map"])
	assert.NotContains(t, logged, "odd")
}

// Reports of crashes are the invocation's, and come before its answer.
func TestBEAMCrashReports(t *testing.T) {
	r := startBEAM(t, "AWS_LAMBDA_LOG_FORMAT=JSON")
	r.do(emulator.Invocation{RequestID: "crashes", Payload: []byte(`{"do":"crash a server"}`)})
	var reports []string
	for _, text := range r.logs.all() {
		e := entryOf(t, text)
		assert.Equal(t, "crashes", e["requestId"], text)
		if e["level"] == "ERROR" {
			reports = append(reports, e["message"].(string))
		}
	}
	require.NotEmpty(t, reports)
	assert.Contains(t, r.logs.String(), "crashed_beside")
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
