package bootstrap

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/port"
)

// An event that is not JSON fails, with the offset and the reason; the next one
// does not.
func TestEventNotJSON(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	for event, message := range map[string]string{
		`{"a":`:                             "the event is not JSON: unexpected EOF at byte 5",
		`{"a":1} x`:                         "the event is not JSON: data after the end of the value at byte 8",
		"\"\xff\"":                          "the event is not JSON: invalid UTF-8 at byte 1",
		`[1e999]`:                           "the event is not JSON: number beyond the range of a float at byte 1, in /0",
		strings.Repeat("[", 600):            "the event is not JSON: more than 512 containers inside one another at byte 512",
		" ":                                 "the event is not JSON: unexpected EOF at byte 1",
		`{"a":` + strings.Repeat("1", 2000): "the event is not JSON: integer of more than 1024 digits at byte 5, in /a",
	} {
		f := r.fails(event, "Runtime.BadEvent", message)
		assert.Equal(t, []string{}, f.StackTrace)
		r.answers(`{"a":1}`, `{"a":1}`)
	}
	assert.Len(t, r.vms(), 1)
}

func TestEventContentTypes(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	for contentType, isJSON := range map[string]bool{
		"application/json":                  true,
		"application/json; charset=utf-8":   true,
		"Application/JSON":                  true,
		"application/cloudevents+json":      true,
		"text/plain":                        false,
		"application/jsonlines":             false,
		"application/octet-stream":          false,
		"nonsense; ; ;":                     false,
		"multipart/form-data; boundary=abc": false,
	} {
		result := r.do(emulator.Invocation{Payload: []byte(`{"a": 1}`), ContentType: contentType})
		want := `{"a":1}`
		if !isJSON {
			want = `"{\"a\": 1}"` // the fake hands it back as it came: a binary
		}
		assert.Equal(t, want, string(result.Payload), contentType)
	}
	assert.True(t, isJSON(""), "Lambda sends JSON")
	// Of any bytes.
	result := r.do(emulator.Invocation{Payload: []byte("{"), ContentType: "text/plain"})
	assert.Equal(t, `"{"`, string(result.Payload))
}

// The longest event that is read is not too long for a frame, whatever is in it: as terms,
// its elements take less than four times as much.
func TestEveryEventFits(t *testing.T) {
	const part = runtimeapi.MaxEvent >> 10
	for _, element := range []string{"1e9,", "-1,", `"",`, "{},", "[],", "[0],", "256,", `{"":0},`, "null,"} {
		event := strings.Repeat(element, (part-2)/len(element))
		event = "[" + strings.TrimSuffix(event, ",") + "]"
		term, err := insideJSON.AppendTerm(nil, []byte(event))
		require.NoError(t, err, element)
		assert.Less(t, (len(term)+contextRoom)<<10, port.DefaultMaxPacket, element)
	}
}

func TestContext(t *testing.T) {
	r := startRig(t, emulator.Options{FunctionARN: "arn:x"}, fakeConfig(t, "good",
		"AWS_LAMBDA_FUNCTION_NAME=hello", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/hello", "AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]x"))
	before := time.Now()
	result := r.do(emulator.Invocation{
		Payload:         []byte(`{"do":"context"}`),
		RequestID:       "r-1",
		TraceID:         "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
		ClientContext:   `{"custom":{"k":[1,null]}}`,
		CognitoIdentity: `no JSON`,
		TenantID:        "blue",
	})
	after := time.Now()
	var got map[string]any
	require.NoError(t, json.Unmarshal(result.Payload, &got))
	deadline, _ := got["deadline"].(float64)
	remaining, _ := got["remaining_ms"].(float64)
	assert.GreaterOrEqual(t, int64(deadline), before.Add(roomy).UnixMilli())
	assert.LessOrEqual(t, int64(deadline), after.Add(roomy).UnixMilli())
	assert.Positive(t, remaining)
	assert.LessOrEqual(t, int64(remaining), roomy.Milliseconds())
	delete(got, "deadline")
	delete(got, "remaining_ms")
	assert.Equal(t, map[string]any{
		"request_id":       "r-1",
		"function_arn":     "arn:x",
		"trace_id":         "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
		"client_context":   map[string]any{"custom": map[string]any{"k": []any{1.0, nil}}},
		"cognito_identity": "no JSON",
		"tenant_id":        "blue",
		"content_type":     "application/json",
		"function_name":    "hello",
		"function_version": "$LATEST",
		"memory_limit":     512.0,
		"log_group":        "/aws/lambda/hello",
		"log_stream":       "2026/01/01/[$LATEST]x",
	}, got)
}

// All keys are there where nothing is known.
func TestContextOfNothing(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=lots"))
	var got map[string]any
	require.NoError(t, json.Unmarshal(r.invoke(`{"do":"context"}`).Payload, &got))
	assert.Len(t, got, contextKeys)
	for _, key := range []string{
		"trace_id", "client_context", "cognito_identity", "tenant_id", "function_name", "function_version",
		"memory_limit", "log_group", "log_stream",
	} {
		assert.Contains(t, got, key)
		assert.Nil(t, got[key], key)
	}
}
