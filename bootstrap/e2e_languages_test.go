package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// gleamModule is of the form that Gleam compiles a module api/orders to, written by hand,
// since no compiler of Gleam's is at hand where the tests run: a function of an event
// alone, one with a context, and results, of which Nil is nil and a custom type a
// tuple.
const gleamModule = `-module(api@orders).
-export([handle/1, detailed/2]).
handle(#{<<"id">> := 0}) -> {error, <<"no such order">>};
handle(#{<<"id">> := 1}) -> {ok, nil};
handle(#{<<"id">> := 2}) -> {ok, {order, 2}};
handle(#{<<"id">> := Id}) -> {ok, #{<<"order">> => Id, <<"open">> => true}};
handle(_) -> {error, nil}.
detailed(Event, #{request_id := Id}) -> {ok, <<"application/json">>, gleam_text:quote(Event, Id)}.
`

const gleamLibrary = `-module(gleam_text).
-export([quote/2]).
quote(#{<<"id">> := N}, Id) -> iolist_to_binary([$", integer_to_list(N), " ", Id, $"]).
`

// erlc compiles a module into a folder.
func erlc(t *testing.T, ebin, name, text string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), name+".erl")
	require.NoError(t, os.WriteFile(source, []byte(text), 0o644))
	require.NoError(t, os.MkdirAll(ebin, 0o755))
	out, err := exec.Command("erlc", "-o", ebin, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Modules named and placed as Gleam's are.
func TestGleam(t *testing.T) {
	for _, c := range []struct{ name, build, also string }{
		{"shipment", "build/erlang-shipment/%/ebin", "build/prod/erlang/%/ebin"},
		{"shipment alone", "%/ebin", ""},
		{"prod", "build/prod/erlang/%/ebin", "build/dev/erlang/%/ebin"},
		{"dev", "build/dev/erlang/%/ebin", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			dir := func(build, app string) string {
				return filepath.Join(root, filepath.FromSlash(strings.ReplaceAll(build, "%", app)))
			}
			erlc(t, dir(c.build, "orders"), "api@orders", gleamModule)
			erlc(t, dir(c.build, "gleam_text"), "gleam_text", gleamLibrary)
			app := `{application, orders, [{vsn, "1"}, {applications, [gleam_text]}, {modules, ['api@orders']}]}.`
			require.NoError(t, os.WriteFile(filepath.Join(dir(c.build, "orders"), "orders.app"), []byte(app), 0o644))
			app = `{application, gleam_text, [{vsn, "1"}, {applications, []}, {modules, [gleam_text]}]}.`
			require.NoError(t, os.WriteFile(filepath.Join(dir(c.build, "gleam_text"), "gleam_text.app"), []byte(app), 0o644))
			if c.also != "" {
				erlc(t, dir(c.also, "orders"), "api@orders", "-module(api@orders).\n")
			}
			if c.name == "shipment alone" {
				require.NoError(t, os.WriteFile(filepath.Join(root, "entrypoint.sh"), []byte("#!/bin/sh\n"), 0o755))
			}
			unchanged(t, root)

			r := startRig(t, emulator.Options{}, Config{Handler: "api/orders.handle", TaskRoot: root, Environ: os.Environ()})
			assert.Equal(t, "api@orders:handle/1", r.vms()[0].Handler)
			r.answers(`{"id":7}`, `{"open":true,"order":7}`)
			r.answers(`{"id":1}`, `null`)
			r.fails(`{"id":0}`, "RuntimeException", "no such order")
			r.fails(`{}`, "nil", "nil")
			r.fails(`{"id":2}`, "Function.BadResult", "{order,2}")
		})
	}

	root := t.TempDir()
	erlc(t, filepath.Join(root, "ebin"), "api@orders", gleamModule)
	erlc(t, filepath.Join(root, "ebin"), "gleam_text", gleamLibrary)
	r := startRig(t, emulator.Options{}, Config{Handler: "api/orders.detailed", TaskRoot: root, Environ: os.Environ()})
	result := r.do(emulator.Invocation{Payload: []byte(`{"id":3}`), RequestID: "r-9"})
	assert.Equal(t, "application/json", result.ContentType)
	assert.Equal(t, `"3 r-9"`, string(result.Payload))
	assertInitFails(t, Config{Handler: "api/order.handle", TaskRoot: root, Environ: os.Environ()}, "Runtime.NoSuchModule",
		"no module api@order", "such as api@orders or gleam_text")
}

// Modules and functions of LFE's have dashes in their names.
func TestLFE(t *testing.T) {
	root := t.TempDir()
	erlc(t, filepath.Join(root, "ebin"), "my-mod", `-module('my-mod').
-export(['handle-event'/2, handle/2]).
handle(Event, Context) -> 'handle-event'(Event, Context).
'handle-event'(Event, #{request_id := _}) -> {ok, [Event]}.
`)
	for handler, found := range map[string]string{
		"my-mod:handle":       "my-mod:handle/2",
		"my-mod.handle":       "my-mod:handle/2",
		"my-mod:handle-event": "my-mod:'handle-event'/2",
		"my-mod.handle-event": "my-mod:'handle-event'/2",
		"my-mod":              "my-mod:handle/2",
	} {
		t.Run(handler, func(t *testing.T) {
			r := startRig(t, emulator.Options{}, Config{Handler: handler, TaskRoot: root, Environ: os.Environ()})
			assert.Equal(t, found, r.vms()[0].Handler)
			r.answers(`1`, `[1]`)
		})
	}
	assertInitFails(t, Config{Handler: "my-mod:handel", TaskRoot: root, Environ: os.Environ()}, "Runtime.NoSuchFunction",
		"my-mod:handel/2", "the module has my-mod:handle/2")
}
