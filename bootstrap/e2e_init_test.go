package bootstrap

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// A handler that cannot be called is reported, by its name, before anything runs.
func TestBEAMInitFailures(t *testing.T) {
	root := fixtureRoot(t)
	damaged := t.TempDir()
	module, err := os.ReadFile(filepath.Join(root, "ebin", "fixture.beam"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "fixture.beam"), module[:len(module)/2], 0o644))
	app := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(app, "fixture.beam"), module, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(app, "fixture.app"), []byte(`{application, fixture,
		[{vsn, "1"}, {modules, [fixture]}, {applications, [kernel, stdlib, no_such_app]}]}.`), 0o644))

	for _, c := range []struct {
		name, handler, root string
		environ             []string
		errorType, message  string
	}{
		{"no such module", "nowhere:handle", root, nil, "Runtime.NoSuchModule", "nowhere"},
		{"no such Elixir module", "My.Nowhere.handle", root, nil, "Runtime.NoSuchModule", "My.Nowhere"},
		{"no code at all", "fixture:handle", t.TempDir(), nil, "Runtime.NoSuchModule", "fixture"},
		{"no such function", "fixture:nothing", root, nil, "Runtime.NoSuchFunction", "fixture:nothing/2"},
		{"no such function, called none", "fixture:none", root, nil, "Runtime.NoSuchFunction", "fixture:none/2"},
		{"wrong arity", "fixture:three", root, nil, "Runtime.NoSuchFunction", "fixture:three/3"},
		{"no name of a handler", "a b c", root, nil, "Runtime.BadHandler", "a b c"},
		{"hostile name", "../../etc/passwd:x\n\"", root, nil, "Runtime.BadHandler", "passwd"},
		{"crashes at load", "crashing:handle", root, nil, "Runtime.HandlerLoadFailed", "on_load"},
		{"damaged file", "fixture:handle", damaged, nil, "Runtime.HandlerLoadFailed", "damaged"},
		{"application that does not start", "fixture:handle", app, nil, "Runtime.ApplicationStartFailed", "no_such_app"},
		{"init raises", "stateful", root, []string{"STATEFUL=raise"}, "Runtime.HandlerInitFailed", "no_database"},
		{"init returns nonsense", "stateful", root, []string{"STATEFUL=nonsense"}, "Runtime.HandlerInitFailed", "nonsense"},
		{"init ends the VM", "stateful", root, []string{"STATEFUL=halt"}, "Runtime.ExitError", "exit status 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := beamConfig(t, c.handler, c.environ...)
			config.TaskRoot = c.root
			r := newRig(t, emulator.Options{}, config)
			var e *InitError
			require.ErrorAs(t, r.run(), &e)
			assert.Equal(t, c.errorType, e.Type, e.Message)
			assert.Contains(t, e.Message, c.message)
			assert.Contains(t, e.Message, c.handler)

			var posted *emulator.InitError
			require.ErrorAs(t, r.api.Ready(t.Context()), &posted)
			assert.Equal(t, c.errorType, posted.Type)
			var got failure
			require.NoError(t, json.Unmarshal(posted.Payload, &got))
			assert.Equal(t, e.Message, got.ErrorMessage)
			assert.NotNil(t, got.StackTrace)
			if c.name == "init raises" {
				require.NotEmpty(t, got.StackTrace)
				assert.Contains(t, got.StackTrace[0], "stateful:init/1")
			}
		})
	}
}

func TestBEAMHandlerNames(t *testing.T) {
	for handler, want := range map[string]string{
		"fixture:handle":        "fixture:handle/2",
		"fixture.handle":        "fixture:handle/2",
		"fixture:only_event":    "fixture:only_event/1",
		"stateful":              "stateful:handle/3",
		"Fixture.handle":        "Fixture.handle/2",
		"Elixir.Fixture.handle": "Fixture.handle/2",
	} {
		t.Run(handler, func(t *testing.T) {
			r := startRig(t, emulator.Options{}, beamConfig(t, handler))
			require.Len(t, r.vms(), 1)
			assert.Equal(t, want, r.vms()[0].Handler)
			switch handler {
			case "stateful":
				r.answers(`{"do":"state"}`, `{"state":"started"}`)
			case "fixture:only_event":
				r.answers(`{"a":1}`, `{"event":{"a":1}}`)
			default:
				r.answers(`{"a":1}`, `{"a":1}`)
			}
		})
	}
}

// A handler's module gets the chance to end.
func TestBEAMTerminate(t *testing.T) {
	config := beamConfig(t, "stateful")
	config.StopTimeout = roomy
	r := startRig(t, emulator.Options{}, config)
	r.cancel()
	<-r.ended
	assert.Contains(t, r.logs.String(), "terminated")
}
