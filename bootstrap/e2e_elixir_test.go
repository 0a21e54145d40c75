package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

func TestElixir(t *testing.T) {
	r := startRig(t, emulator.Options{}, beamConfig(t, "Fixture.handle"))
	r.answers(`{"do":"hello","name":"ada é"}`, `{"message":"Hello, ADA É"}`)
	assert.JSONEq(t, `{"date":"2026-02-28","time":"2026-02-28T12:00:00Z","set":[1],"range":[1,2,3],"uri":"https://example.com/a","nothing":null}`,
		string(r.invoke(`{"do":"values"}`).Payload))

	for _, c := range []struct {
		event, errorType, message, stack string
	}{
		{`{"do":"raise"}`, "ArgumentError", "not like this", "fixture.ex"},
		{`{"do":"own"}`, "Fixture.NotFound", "no item 7", "Fixture.run/3"},
		{`{"do":"arithmetic","by":0}`, "ArithmeticError", "bad argument in arithmetic expression", "Fixture.run/3"},
		{`{"do":"none"}`, "FunctionClauseError", "no function clause matching in Fixture.run/3", "Fixture.run/3"},
		{`{"do":"struct"}`, "Function.BadResult", "Fixture.Item", ""},
		{`{"do":"nonsense"}`, "Function.BadResult", "{:maybe, 1}", ""},
		{`{"do":"throw"}`, "throw", "ball", ""},
		{`{"do":"exit"}`, "exit", "kaput", ""},
		{`{"do":"returned"}`, "Fixture.NotFound", "no item 8", ""},
	} {
		f := r.fails(c.event, c.errorType, c.message)
		if c.stack != "" {
			require.NotEmpty(t, f.StackTrace, c.event)
			assert.Contains(t, f.StackTrace[0], c.stack)
		}
	}
	r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`), RequestID: "r-1"})
	assert.Contains(t, r.logs.String(), "\tr-1\tfrom Logger\n")
	assert.Contains(t, r.logs.String(), "\tr-1\tfrom IO\n")
	assert.Len(t, r.vms(), 1)
}
