package bootstrap

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// What Lambda says of the sandbox reaches init/1, and nothing that is of an invocation.
func TestBEAMInitOptions(t *testing.T) {
	for environ, want := range map[string]string{
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand":                `"on-demand"`,
		"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency":  `"provisioned-concurrency"`,
		"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances": `"lambda-managed-instances"`,
		"AWS_LAMBDA_INITIALIZATION_TYPE=":                         "null",
	} {
		config := beamConfig(t, "stateful", "STATEFUL=options", "_X_AMZN_TRACE_ID=Root=stale", "AWS_LAMBDA_MAX_CONCURRENCY=3", environ)
		r := startRig(t, emulator.Options{Concurrency: 3}, config)
		assert.JSONEq(t, `{"state":{"initialization_type":`+want+`,"concurrency":3,"trace_id":"none"}}`,
			string(r.invoke(`{"do":"state"}`).Payload), environ)
	}
}

// The trace is in the environment of the VM, where the SDKs look, while its invocation is
// under way; and never where there may be several.
func TestBEAMTraceID(t *testing.T) {
	for concurrency, seen := range map[int]string{1: "Root=%d", 2: "none"} {
		config := beamConfig(t, "fixture:handle", "_X_AMZN_TRACE_ID=Root=stale", fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", concurrency))
		r := startRig(t, emulator.Options{Concurrency: concurrency}, config)
		for i := range 3 {
			want := seen
			if concurrency == 1 {
				want = fmt.Sprintf(seen, i)
			}
			id := fmt.Sprintf("Root=%d", i)
			result := r.do(emulator.Invocation{TraceID: id, Payload: []byte(`{"do":"trace"}`)})
			assert.JSONEq(t, fmt.Sprintf(`{"context":%q,"environment":%q}`, id, want), string(result.Payload))
		}
		assert.JSONEq(t, `{"context":null,"environment":"none"}`, string(r.invoke(`{"do":"trace"}`).Payload))
	}
}
