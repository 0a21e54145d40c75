package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUsageErrors has what is wrong before anything is started: one sentence and
// status 2.
func TestUsageErrors(t *testing.T) {
	fn := fixture(t)
	plain := t.TempDir()
	mix := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(mix, "mix.exs"), nil, 0o600))
	notJSON := file(t, "bad.json", "{\n  \"a\": oops\n}\n")
	short := file(t, "short.json", "{\"a\": ")
	empty := file(t, "empty.json", " \n")

	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"command", []string{"frobnicate"}, `unknown command "frobnicate" for "beamport"`},
		{"flag", []string{"invoke", "--frob"}, "unknown flag: --frob (beamport invoke --help tells more)"},
		{"flag's value", []string{"serve", "--timeout", "soon"}, `invalid argument "soon" for "--timeout" flag: time: invalid duration "soon" (beamport serve --help tells more)`},
		{"two folders", []string{"invoke", "a", "b"}, "invoke takes one folder, not 2 (beamport invoke --help tells more)"},
		{"no folder", []string{"invoke", "--handler", "fixture:echo", "/nowhere/at/all"}, "there is no folder /nowhere/at/all"},
		{"a file", []string{"invoke", notJSON}, notJSON + " is not a folder: name the one of the function's project or of its compiled code"},
		{"uncompiled project", []string{"invoke", "--handler", "A.b", mix}, mix + " is not compiled: run mix compile in it"},
		{"uncompiled project, served", []string{"serve", "--addr", "127.0.0.1:0", "--handler", "A.b", mix}, mix + " is not compiled: run mix compile in it"},
		{"no code", []string{"invoke", "--handler", "A.b", plain}, plain + " holds no compiled code: neither lib/*/ebin, ebin nor *.beam, and no project of mix or rebar3"},
		{"no handler", []string{"invoke", fn}, "which function? Name it with --handler, such as --handler Example.hello or --handler example:hello"},
		{"no time", []string{"invoke", "--handler", "fixture:echo", "--timeout", "0s", fn}, "--timeout 0s leaves no time for an invocation"},
		{"no concurrency", []string{"serve", "--concurrency", "0", fn}, "--concurrency 0 leaves no invocation to serve"},
		{"address", []string{"serve", "--addr", "nonsense", fn}, "nothing can listen on nonsense: address nonsense: missing port in address"},
		{"no event file", []string{"invoke", "--event", "/nowhere.json", fn}, "the event cannot be read: open /nowhere.json: no such file or directory"},
		{"event not JSON", []string{"invoke", "--event", notJSON, fn}, "the event " + notJSON + " is not JSON: line 2, column 8: invalid character 'o' looking for beginning of value"},
		{"event cut short", []string{"invoke", "--event", short, fn}, "the event " + short + " is not JSON: line 1, column 6: unexpected end of JSON input"},
		{"empty event", []string{"invoke", "--event", empty, fn}, "the event " + empty + " is empty: without an event, {} is sent"},
		{"standard input twice", []string{"invoke", "--event", "-", "--event", "-", fn}, "--event - may be given once: there is one standard input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runWith(t, nil, "{}", c.args...)
			assert.Equal(t, statusUsage, got.status)
			assert.Equal(t, "beamport: "+c.want+"\n", got.err)
			assert.Empty(t, got.stdout)
		})
	}
}

// TestStartErrors has what is wrong with the function.
func TestStartErrors(t *testing.T) {
	fn := fixture(t)
	for _, c := range []struct {
		name, handler string
		want          []string
	}{
		{"module", "nowhere:echo", []string{"the function could not start: ", "nowhere:echo", "(Runtime.NoSuchModule)"}},
		{"function", "fixture:nothing", []string{"the function could not start: ", "fixture:nothing", "(Runtime.NoSuchFunction)"}},
		{"name", "%%", []string{"the function could not start: ", "(Runtime.BadHandler)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runArgs(t, "invoke", "--handler", c.handler, fn)
			assert.Equal(t, statusUsage, got.status)
			assert.Empty(t, got.stdout)
			last := got.err[strings.LastIndex(strings.TrimSuffix(got.err, "\n"), "\n")+1:]
			assert.True(t, strings.HasPrefix(last, "beamport: "), got.err)
			for _, want := range c.want {
				assert.Contains(t, last, want)
			}
		})
	}
	t.Run("no Erlang", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		t.Setenv("ERLANG_HOME", "")
		got := runArgs(t, "invoke", "--handler", "fixture:echo", fn)
		assert.Equal(t, statusUsage, got.status)
		assert.Contains(t, got.err, "beamport: Erlang/OTP is not installed: install it")
		assert.Equal(t, 1, strings.Count(got.err, "\n"), got.err)
	})
}

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"Usage:", "invoke", "serve", "version"}},
		{[]string{"--help"}, []string{"Usage:", "invoke", "serve", "version"}},
		{[]string{"invoke", "--help"}, []string{"Examples:", "--handler", "--event", "--timeout", "--json", "exit status is 0"}},
		{[]string{"serve", "--help"}, []string{"Examples:", "--handler", "--addr", `"127.0.0.1:9000"`, "--concurrency"}},
		{[]string{"version"}, []string{"beamport 0."}},
	} {
		got := runArgs(t, c.args...)
		assert.Equal(t, statusOK, got.status)
		assert.Empty(t, got.err)
		for _, want := range c.want {
			assert.Contains(t, got.stdout, want, c.args)
		}
		assert.NotContains(t, got.stdout, "completion")
	}
}
