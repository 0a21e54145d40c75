package runtimeapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestXRayCause(t *testing.T) {
	api, c := newFakeAPI(t, status(202, ""))
	failure := Failure{Type: "MatchError", Message: "é🌀\x7f", Dir: "/var/task", StackTrace: []string{
		"lib/a.ex:12: A.b/2", "lib/a.ex:3: A.c/0", "erlang:apply/2", "x: y: z", "a:b: c",
	}}
	require.NoError(t, c.Error(t.Context(), invocation(""), failure))
	header := api.got()[0].header.Get("Lambda-Runtime-Function-XRay-Error-Cause")
	assert.Contains(t, header, `"message":"\u00e9\ud83c\udf00\u007f"`)
	assert.JSONEq(t, `{"working_directory":"/var/task","paths":["lib/a.ex"],"exceptions":[{"type":"MatchError","message":"é🌀\u007f","stack":[
		{"path":"lib/a.ex","line":12,"label":"A.b/2"},{"path":"lib/a.ex","line":3,"label":"A.c/0"},
		{"path":"","line":0,"label":"erlang:apply/2"},{"path":"","line":0,"label":"x: y: z"},{"path":"","line":0,"label":"a:b: c"}]}]}`, header)

	failure.Dir = ""
	require.NoError(t, c.Error(t.Context(), invocation(""), failure))
	assert.NotContains(t, api.got()[1].header, "Lambda-Runtime-Function-Xray-Error-Cause")
	require.NoError(t, c.InitError(t.Context(), Failure{Dir: "/var/task"}))
	assert.NotContains(t, api.got()[2].header, "Lambda-Runtime-Function-Xray-Error-Cause", "there is no trace before the first invocation")
}

// However long a failure is, its cause is no longer than X-Ray takes, and holds the
// innermost calls.
func TestXRayCauseIsBounded(t *testing.T) {
	for _, text := range []string{"x", "é", "\x01", "🌀"} {
		stack := slices.Repeat([]string{"a.ex:1: " + strings.Repeat(text, 1<<20)}, 1000)
		cause := Failure{Type: text, Message: strings.Repeat(text, 1<<20), Dir: "/", StackTrace: stack}.cause()
		assert.LessOrEqual(t, len(cause), maxCause)
		var document xrayCause
		require.NoError(t, json.Unmarshal(cause, &document))
		assert.Equal(t, text, document.Exceptions[0].Type)
	}
}
