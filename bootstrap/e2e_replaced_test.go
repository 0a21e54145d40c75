package bootstrap

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// Functions that were written for amolenaar/elixir_lambda run as they are, in all the
// forms that its documentation and its tests have. What differs is said.
func TestHandlersOfElixirLambda(t *testing.T) {
	r := startRig(t, emulator.Options{}, beamConfig(t, "Replaced.handle"))
	for _, c := range []struct{ form, contentType, payload string }{
		{"map", "application/json", `{"message":"Hello Elixir"}`},
		{"list", "application/json", "[1,2,3]"},
		{"charlist", "application/json", "[97,98,99]"},
		{"binary", "text/plain", "Hello Elixir"},
		{"type", "text/html", "<p>"},
		{"charlist type", "text/numeral", "42"},
		{"string type", "text/numeral", "42"},
		// There as application/octet-stream; the bytes are the same.
		{"number", "application/json", "42"},
	} {
		result := r.invoke(`{"form":"` + c.form + `"}`)
		assert.Empty(t, result.FunctionError, c.form)
		assert.Equal(t, c.contentType, result.ContentType, c.form)
		assert.Equal(t, c.payload, string(result.Payload), c.form)
	}
	for _, c := range []struct{ form, errorType, message string }{
		{"error", "RuntimeException", "Error message"},
		// There the message was the whole tuple, inspected.
		{"error of another kind", "RuntimeException", "Error message"},
		// There the type was RuntimeException.
		{"something else", "Function.BadResult", "{:meaning, 42}"},
		// There it was inspected, and sent as application/octet-stream.
		{"tuple", "Function.BadResult", "{1, 2, 3}"},
	} {
		r.fails(`{"form":"`+c.form+`"}`, c.errorType, c.message)
	}
	// The context's values were charlists, and the last two not decoded.
	result := r.do(emulator.Invocation{RequestID: "r-1", TraceID: "Root=1", Payload: []byte(`{"form":"context"}`),
		ClientContext: `{"custom":{}}`, CognitoIdentity: `{"cognitoIdentityId":"i"}`})
	var context map[string]any
	require.NoError(t, json.Unmarshal(result.Payload, &context), "%s", result.Payload)
	assert.Equal(t, map[string]any{
		"content_type": "application/json", "request_id": "r-1", "trace_id": "Root=1",
		"function_arn":   "arn:aws:lambda:us-east-1:012345678901:function:function",
		"client_context": map[string]any{"custom": map[string]any{}}, "cognito_identity": map[string]any{"cognitoIdentityId": "i"},
	}, context)

	// A name that is none is told before anything runs.
	wrong := newRig(t, emulator.Options{}, beamConfig(t, "wrong handler"))
	var e *InitError
	require.ErrorAs(t, wrong.run(), &e)
	assert.Equal(t, "Runtime.BadHandler", e.Type)
	assert.Contains(t, e.Message, "wrong handler")
}
