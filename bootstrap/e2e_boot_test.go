package bootstrap

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/bootstrap/layer"
)

// packaged packs the handlers of testdata with a boot script for one of them, and returns
// the folder that the archive is unpacked in.
func packaged(t *testing.T, handler, kind string) string {
	t.Helper()
	return packagedFrom(t, fixtureRoot(t), handler, kind)
}

func packagedFrom(t *testing.T, dir, handler, kind string) string {
	t.Helper()
	target, err := layer.ParseTarget("image", runtime.GOARCH)
	require.NoError(t, err)
	var archive bytes.Buffer
	_, err = layer.Package(t.Context(), layer.FunctionOptions{
		Dir: dir, Handler: handler, Boot: kind, Target: target,
	}, &archive)
	require.NoError(t, err)
	root := t.TempDir()
	unzip(t, archive.Bytes(), root)
	return root
}

func unzip(t *testing.T, archive []byte, to string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		name := filepath.Join(to, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, b, fs.FileMode(f.Mode().Perm())))
	}
}

// What a function does, it does with every boot script.
func TestBootScripts(t *testing.T) {
	for _, kind := range []string{beam.BootFull, beam.BootLean, beam.BootFunction} {
		t.Run(kind, func(t *testing.T) {
			t.Run("Erlang", func(t *testing.T) {
				r := startRig(t, emulator.Options{}, Config{Handler: "fixture:handle", TaskRoot: packaged(t, "fixture:handle", kind), Boot: kind})
				r.answers(`{"x":[1,"é"]}`, `{"x":[1,"é"]}`)
				assert.Len(t, r.vms(), 1)
			})
			t.Run("Elixir", func(t *testing.T) {
				r := startRig(t, emulator.Options{}, Config{Handler: "Fixture.handle", TaskRoot: packaged(t, "Fixture.handle", kind), Boot: kind})
				r.answers(`{"do":"hello","name":"ada é"}`, `{"message":"Hello, ADA É"}`)
				assert.JSONEq(t, `{"date":"2026-02-28","time":"2026-02-28T12:00:00Z","set":[1],"range":[1,2,3],"uri":"https://example.com/a","nothing":null}`,
					string(r.invoke(`{"do":"values"}`).Payload))
				f := r.fails(`{"do":"raise"}`, "ArgumentError", "not like this")
				require.NotEmpty(t, f.StackTrace)
				assert.Contains(t, f.StackTrace[0], "fixture.ex")
				r.fails(`{"do":"none"}`, "FunctionClauseError", "no function clause matching in Fixture.run/3")
				r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`), RequestID: "r-1"})
				assert.Contains(t, r.logs.String(), "\tr-1\tfrom Logger\n")
				assert.Contains(t, r.logs.String(), "\tr-1\tfrom IO\n")
				assert.Len(t, r.vms(), 1)
			})
		})
	}
}

// lazy is a handler that calls what no boot script of kind function has started, or knows
// of.
const lazy = `-module(lazy).
-export([handle/2]).
handle(#{<<"do">> := Do} = Event, _) -> {ok, do(Do, Event)}.
do(<<"file">>, #{<<"file">> := File}) -> {ok, Text} = file:read_file(File), byte_size(Text);
do(<<"hash">>, _) -> apply(list_to_atom("crypto"), hash, [sha256, <<"a">>]), <<"hashed">>;
do(<<"log">>, _) -> apply(list_to_atom("logger"), error, ["logged ~p", [1]]), <<"logged">>;
do(<<"stderr">>, _) -> io:format(standard_error, "to stderr~n", []), <<"written">>;
do(<<"code">>, _) -> true = is_list(code:which(list_to_atom("orddict"))), apply(list_to_atom("orddict"), new, []);
do(<<"none">>, _) -> try apply(list_to_atom("no_such_module"), f, []) catch error:undef -> <<"undef">> end;
do(<<"parallel">>, _) -> parallel([fun() -> apply(list_to_atom("sets"), size, [apply(list_to_atom("sets"), new, [])]) end]);
do(<<"storm">>, _) ->
    parallel([fun() -> apply(list_to_atom("crypto"), hash, [sha256, <<"a">>]), 1 end,
              fun() -> apply(list_to_atom("logger"), warning, ["storm"]), 1 end,
              fun() -> apply(list_to_atom("ordsets"), size, [[a]]) end,
              fun() -> apply(list_to_atom("queue"), len, [apply(list_to_atom("queue"), from_list, [[a]])]) end]).
parallel(Funs) ->
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), Fun()} end) || _ <- lists:seq(1, 50), Fun <- Funs],
    lists:sum([receive {Pid, N} -> N end || Pid <- Pids]).
`

// What a function calls that nothing has loaded or started is loaded or started then.
func TestFunctionBootOnDemand(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lazy.erl"), []byte(lazy), 0o644))
	root := packagedFrom(t, dir, "lazy:handle", beam.BootFunction)
	for _, events := range [][][2]string{
		{{`{"do":"file","file":"` + filepath.Join(root, "beamport.boot") + `"}`, ""}, {`{"do":"log"}`, `logged`}},
		{{`{"do":"hash"}`, `hashed`}, {`{"do":"hash"}`, `hashed`}, {`{"do":"log"}`, `logged`}, {`{"do":"parallel"}`, `0`}},
		{{`{"do":"log"}`, `logged`}, {`{"do":"stderr"}`, `written`}, {`{"do":"none"}`, `undef`}, {`{"do":"code"}`, `[]`}, {`{"do":"hash"}`, `hashed`}, {`{"do":"log"}`, `logged`}},
		{{`{"do":"storm"}`, `200`}, {`{"do":"log"}`, `logged`}, {`{"do":"file","file":"` + filepath.Join(root, "beamport.boot") + `"}`, ""}},
		{{`{"do":"parallel"}`, `0`}, {`{"do":"code"}`, `[]`}, {`{"do":"none"}`, `undef`}},
	} {
		r := startRig(t, emulator.Options{}, Config{Handler: "lazy:handle", TaskRoot: root, Boot: beam.BootFunction})
		for _, e := range events {
			result := r.invoke(e[0])
			assert.Empty(t, result.FunctionError, "%s: %s", e[0], result.Payload)
			if e[1] != "" {
				assert.Equal(t, e[1], string(result.Payload), e[0])
			}
		}
		assert.Len(t, r.vms(), 1)
		if events[0][0] == `{"do":"log"}` {
			assert.Contains(t, r.logs.String(), "logged 1")
			r.logs.await(t, "to stderr")
		}
	}
}

// Modules that run code when they are loaded are loaded before the first event, when the
// handler is known to call them.
func TestFunctionBootLoadsWhatIsNeeded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hashes")
	ebin := filepath.Join(dir, "ebin")
	require.NoError(t, os.MkdirAll(ebin, 0o755))
	erlc(t, ebin, "hashes", `-module(hashes).
-export([handle/2]).
handle(_, _) ->
    Loaded = erlang:module_loaded(crypto),
    {ok, #{loaded => Loaded, size => byte_size(crypto:hash(sha256, <<"a">>))}}.
`)
	require.NoError(t, os.WriteFile(filepath.Join(ebin, "hashes.app"),
		[]byte(`{application, hashes, [{vsn, "1"}, {modules, [hashes]}, {applications, [kernel, stdlib, crypto]}]}.`), 0o644))
	root := packagedFrom(t, dir, "hashes:handle", beam.BootFunction)
	r := startRig(t, emulator.Options{}, Config{Handler: "hashes:handle", TaskRoot: root, Boot: beam.BootFunction})
	r.answers(`{}`, `{"loaded":true,"size":32}`)
}
