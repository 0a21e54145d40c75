package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFindCode(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  []string // oldest first
		mixEnv string
		want   string // below the folder
		err    string // after its name
	}{
		{name: "modules in the folder", files: []string{"a.beam"}},
		{name: "ebin", files: []string{"ebin/a.beam"}},
		{name: "a release", files: []string{"lib/app-1.0/ebin/a.beam"}},
		{name: "mix, prod", files: []string{"mix.exs", "_build/prod/lib/a/ebin/A.beam"}, want: "_build/prod"},
		{name: "mix, dev", files: []string{"mix.exs", "_build/dev/lib/a/ebin/A.beam"}, want: "_build/dev"},
		{name: "mix, tests do not count", files: []string{"mix.exs", "_build/test/lib/a/ebin/A.beam"}, err: " is not compiled: run mix compile in it"},
		{name: "mix, dev is newer", files: []string{"mix.exs", "_build/prod/lib/a/ebin/A.beam", "_build/dev/lib/a/ebin/A.beam"}, want: "_build/dev"},
		{name: "mix, prod is newer", files: []string{"mix.exs", "_build/dev/lib/a/ebin/A.beam", "_build/prod/lib/a/ebin/A.beam"}, want: "_build/prod"},
		{name: "mix, environment", files: []string{"mix.exs", "_build/prod/lib/a/ebin/A.beam", "_build/dev/lib/a/ebin/A.beam"}, mixEnv: "prod", want: "_build/prod"},
		{name: "mix, another environment", files: []string{"mix.exs", "_build/staging/lib/a/ebin/A.beam"}, mixEnv: "staging", want: "_build/staging"},
		{name: "mix, environment not compiled", files: []string{"mix.exs", "_build/dev/lib/a/ebin/A.beam"}, mixEnv: "prod", err: " is not compiled for MIX_ENV=prod: run MIX_ENV=prod mix compile in it"},
		{name: "mix, nothing compiled", files: []string{"mix.exs", "_build/dev/lib/a/.mix/x"}, err: " is not compiled: run mix compile in it"},
		{name: "rebar3", files: []string{"rebar.config", "_build/default/lib/a/ebin/a.beam"}, want: "_build/default"},
		{name: "rebar3, compiled by hand", files: []string{"rebar.config", "_build/default/lib/a/ebin/a.beam", "ebin/a.beam"}},
		{name: "rebar3, by hand before", files: []string{"rebar.config", "ebin/a.beam", "_build/default/lib/a/ebin/a.beam"}, want: "_build/default"},
		{name: "rebar3, nothing compiled", files: []string{"rebar.config", "src/a.erl"}, err: " is not compiled: run rebar3 compile in it, or mkdir -p ebin && erlc -o ebin src/*.erl"},
		{name: "sources", files: []string{"src/a.erl"}, err: " is not compiled: run mkdir -p ebin && erlc -o ebin $(find . -name '*.erl') in it"},
		{name: "nothing", files: []string{"README.md"}, err: " holds no compiled code: neither lib/*/ebin, ebin nor *.beam, and no project of mix or rebar3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "odd [name]*")
			at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
			for _, name := range c.files {
				path := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, nil, 0o600))
				at = at.Add(time.Second)
				require.NoError(t, os.Chtimes(path, at, at))
			}
			root, err := findCode(dir, c.mixEnv)
			if c.err != "" {
				require.EqualError(t, err, dir+c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, c.want), root)
		})
	}
}

func TestFindCodeIsAbsolute(t *testing.T) {
	t.Chdir(fixture(t))
	root, err := findCode(".", "")
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(root))
}
