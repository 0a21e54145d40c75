package bootstrap

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
)

func TestRunServes(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	for _, event := range []string{`{}`, `{"a":[1,2.5,null,true,"é"]}`, `1`, `""`} {
		r.answers(event, event)
	}
	require.Len(t, r.vms(), 1)
	ready := r.vms()[0]
	assert.Equal(t, "Fake.handle/2", ready.Handler)
	assert.Equal(t, "99", ready.Release)
	assert.Positive(t, ready.Start)
	assert.Positive(t, ready.Init)
}

// Everything that a function's start can fail of is posted once, names the handler
// and ends the runtime.
func TestRunInitFailures(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		set        func(t *testing.T, c *Config)
		want       failure
	}{
		{"the VM does not start", "dead on arrival", nil,
			failure{"Runtime.ExitError", `handler "Fake.handle": the VM did not start: the VM ended with exit status 3; it last wrote: no such boot file`, []string{}}},
		// It may have seen the end of the stream before it is killed, and have ended by itself.
		{"the VM speaks another version", "other version", nil,
			failure{"Runtime.ExitError", `: port: the other side speaks version 2 of the protocol, not 1`, []string{}}},
		{"the VM does not get ready", "silent", func(_ *testing.T, c *Config) { c.StartTimeout = 50 * time.Millisecond },
			failure{"Runtime.ExitError", `handler "Fake.handle": the VM did not start: the VM was ended by signal 9 (killed): port: `, []string{}}},
		{"the handler's init fails", "init error", nil,
			failure{"Runtime.HandlerInitFailed", `handler "Fake.handle": init/1 failed`, []string{"a.erl:1: a:init/1"}}},
		{"the handler's init ends the VM", "init exit", nil,
			failure{"Runtime.ExitError", `handler "Fake.handle": the VM died while the handler was made ready: the VM ended with exit status 4; it last wrote: killed by its own init`, []string{}}},
		{"no Erlang", "good", func(t *testing.T, c *Config) { c.Search = beam.Search{Path: t.TempDir()} },
			failure{"Runtime.NoErlang", `handler "Fake.handle": Erlang/OTP is not installed: install it (`, []string{}}},
		{"no handler", "good", func(_ *testing.T, c *Config) { c.Handler = "" },
			failure{"Runtime.BadConfiguration", "_HANDLER is not set: it names the function, such as Example.hello or example:hello", []string{}}},
		{"no code", "good", func(_ *testing.T, c *Config) { c.TaskRoot = "/nonexistent" },
			failure{"Runtime.BadConfiguration", "the folder of the function's code: stat /nonexistent: no such file or directory", []string{}}},
		{"a file for code", "good", func(t *testing.T, c *Config) {
			c.TaskRoot = filepath.Join(c.TaskRoot, "f")
			require.NoError(t, os.WriteFile(c.TaskRoot, nil, 0o644))
		}, failure{"Runtime.BadConfiguration", "the folder of the function's code, ", []string{}}},
		{"bad concurrency", "good", func(_ *testing.T, c *Config) { c.Environ = append(c.Environ, "AWS_LAMBDA_MAX_CONCURRENCY=0") },
			failure{"Runtime.BadConfiguration", `AWS_LAMBDA_MAX_CONCURRENCY is "0", not a number from 1 to 1000`, []string{}}},
		{"bad response mode", "good", func(_ *testing.T, c *Config) { c.Environ = append(c.Environ, "BEAMPORT_RESPONSE_MODE=dripping") },
			failure{"Runtime.BadConfiguration", `the response mode is "dripping", neither streaming nor buffered`, []string{}}},
		{"bad deadline margin", "good", func(_ *testing.T, c *Config) { c.Environ = append(c.Environ, "BEAMPORT_DEADLINE_MARGIN=soon") },
			failure{"Runtime.BadConfiguration", `BEAMPORT_DEADLINE_MARGIN is "soon", not a duration such as 100ms`, []string{}}},
		{"negative deadline margin", "good", func(_ *testing.T, c *Config) { c.Environ = append(c.Environ, "BEAMPORT_DEADLINE_MARGIN=-1s") },
			failure{"Runtime.BadConfiguration", `BEAMPORT_DEADLINE_MARGIN is "-1s", not a duration such as 100ms`, []string{}}},
		{"bad log format", "good", func(_ *testing.T, c *Config) { c.LogFormat = "XML" },
			failure{"Runtime.BadConfiguration", `the log format is "XML", neither Text nor JSON`, []string{}}},
		{"bad log level", "good", func(_ *testing.T, c *Config) { c.LogLevel = "LOUD" },
			failure{"Runtime.BadConfiguration", `the log level is "LOUD", none of TRACE, DEBUG, INFO, WARN, ERROR, FATAL`, []string{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := fakeConfig(t, c.mode)
			if c.set != nil {
				c.set(t, &config)
			}
			r := newRig(t, emulator.Options{}, config)
			var e *InitError
			require.ErrorAs(t, r.run(), &e)
			assert.Equal(t, c.want.ErrorType, e.Type)
			assert.Contains(t, e.Message, c.want.ErrorMessage)

			// The emulator has been told the same.
			var posted *emulator.InitError
			require.ErrorAs(t, r.api.Ready(t.Context()), &posted)
			assert.Equal(t, c.want.ErrorType, posted.Type)
			var got failure
			require.NoError(t, json.Unmarshal(posted.Payload, &got))
			assert.Equal(t, e.Type, got.ErrorType)
			assert.Equal(t, e.Message, got.ErrorMessage)
			assert.Equal(t, c.want.StackTrace, got.StackTrace)
			assert.Empty(t, r.vms())
		})
	}
}

func TestRunMissingAPI(t *testing.T) {
	err := Run(t.Context(), Config{Environ: []string{}, Handler: "a:b"})
	require.ErrorIs(t, err, errNoAPI)
	err = Run(t.Context(), Config{Environ: []string{"AWS_LAMBDA_RUNTIME_API=http://x/"}, Handler: "a:b"})
	require.EqualError(t, err, `bootstrap: AWS_LAMBDA_RUNTIME_API: runtimeapi: "http://x/" is no address of the form host:port`)
}

// Run ends without an error when its context does, whatever is under way.
func TestRunEnds(t *testing.T) {
	t.Run("waiting for an event", func(t *testing.T) {
		startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	})
	t.Run("waiting for the handler", func(t *testing.T) {
		r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
		ctx, cancel := context.WithCancel(t.Context())
		invoked := make(chan struct{})
		go func() {
			defer close(invoked)
			_, err := r.api.Invoke(ctx, emulator.Invocation{Payload: []byte(`{"do":"hang"}`), RequestID: "r-1"})
			assert.ErrorIs(t, err, context.Canceled)
		}()
		r.logs.await(t, "hanging")
		r.cancel()
		<-r.ended
		require.Len(t, r.served(), 1)
		assert.ErrorIs(t, r.served()[0].Err, context.Canceled)
		cancel()
		<-invoked
	})
	t.Run("waiting for the VM", func(t *testing.T) {
		r := newRig(t, emulator.Options{}, fakeConfig(t, "silent"))
		r.start()
		r.cancel()
		<-r.ended
		require.NoError(t, r.err)
	})
	t.Run("before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		config := fakeConfig(t, "good")
		config.RuntimeAPI = "127.0.0.1:1"
		require.NoError(t, Run(ctx, config))
	})
	t.Run("with a VM that does not stop", func(t *testing.T) {
		config := fakeConfig(t, "stubborn")
		config.StopTimeout = time.Millisecond
		startRig(t, emulator.Options{}, config)
	})
}

// The temporary folder is as it was.
func TestRunLeavesNoFiles(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	r.answers("1", "1")
	written, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.NotEmpty(t, written)
	r.cancel()
	<-r.ended
	for _, entry := range written {
		if strings.HasPrefix(entry.Name(), "beamport-") {
			assert.NoDirExists(t, filepath.Join(tmp, entry.Name()))
		}
	}
}

// What only the runtime may use, the VM does not get.
func TestChildEnviron(t *testing.T) {
	given := []string{"A=1", "_LAMBDA_TELEMETRY_LOG_FD=62", "B=2", "_X_AMZN_TRACE_ID=Root=1", "_X_AMZN_TRACE_IDS=3"}
	assert.Equal(t, []string{"A=1", "B=2", "_X_AMZN_TRACE_IDS=3"}, childEnviron(given))
	assert.Len(t, given, 5)
	assert.Equal(t, "_LAMBDA_TELEMETRY_LOG_FD=62", given[1])
}

func TestConfigFromEnvironment(t *testing.T) {
	root := t.TempDir()
	s, err := Config{Environ: []string{
		"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "_HANDLER=a:b", "_HANDLER=c:d", "LAMBDA_TASK_ROOT=" + root,
		"AWS_LAMBDA_MAX_CONCURRENCY=7", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=WARN",
		"ERLANG_HOME=/e", "ELIXIR_HOME=/x", "PATH=/p",
	}}.complete()
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:9001", s.RuntimeAPI)
	assert.Equal(t, "c:d", s.Handler)
	assert.Equal(t, root, s.TaskRoot)
	assert.Equal(t, 7, s.MaxConcurrency)
	assert.True(t, s.logs.json)
	assert.Equal(t, 3, s.logs.level)
	assert.Equal(t, "/e", s.Search.ErlangHome)
	assert.Equal(t, "/x", s.Search.ElixirHome)
	assert.Equal(t, "/p", s.Search.Path)
	assert.Equal(t, DefaultDeadlineMargin, s.DeadlineMargin)
	assert.Equal(t, DefaultStartTimeout, s.StartTimeout)
	assert.Equal(t, DefaultStopTimeout, s.StopTimeout)
	assert.Equal(t, io.Writer(os.Stderr), s.Logs)

	for _, c := range []struct {
		environ []string
		json    bool
	}{
		{nil, false},
		{[]string{"AWS_LAMBDA_MAX_CONCURRENCY=1"}, false},
		{[]string{"AWS_LAMBDA_MAX_CONCURRENCY=2"}, true},
		{[]string{"AWS_LAMBDA_MAX_CONCURRENCY=2", "AWS_LAMBDA_LOG_FORMAT=Text"}, false},
		{[]string{"AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances"}, true},
		{[]string{"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"}, false},
	} {
		s, err := Config{Handler: "a:b", TaskRoot: root, Environ: append(c.environ, "BEAMPORT_DEADLINE_MARGIN=120ms")}.complete()
		require.NoError(t, err)
		assert.Equal(t, c.json, s.logs.json, "%v", c.environ)
		assert.Equal(t, 120*time.Millisecond, s.DeadlineMargin)
		s, err = Config{Handler: "a:b", TaskRoot: root, Environ: append(c.environ, "BEAMPORT_DEADLINE_MARGIN=120ms"), DeadlineMargin: time.Second}.complete()
		require.NoError(t, err)
		assert.Equal(t, time.Second, s.DeadlineMargin)
	}

	// Fields come before variables.
	s, err = Config{
		Environ: []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "_HANDLER=a:b", "LAMBDA_TASK_ROOT=/nonexistent", "AWS_LAMBDA_MAX_CONCURRENCY=x"},
		Handler: "e:f", RuntimeAPI: "h:1", TaskRoot: root, MaxConcurrency: 2,
	}.complete()
	require.NoError(t, err)
	assert.Equal(t, "e:f", s.Handler)
	assert.Equal(t, "h:1", s.RuntimeAPI)
	assert.Equal(t, 2, s.MaxConcurrency)

	// Without either.
	t.Chdir(root)
	s, err = Config{Environ: []string{}, Handler: "a:b"}.complete()
	require.NoError(t, err)
	want, err := filepath.EvalSymlinks(root)
	require.NoError(t, err)
	got, err := filepath.EvalSymlinks(s.TaskRoot)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, 1, s.MaxConcurrency)
}
