package layer

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
)

// rebarFiles are a project of rebar3's.
var rebarFiles = map[string]string{
	"rebar.config":      "%% Made. By hand.\n{erl_opts, [debug_info]}.\n{deps, []}.\n",
	"src/rb.app.src":    `{application, rb, [{vsn, git}, {applications, [kernel, stdlib]}]}.`,
	"src/rb.erl":        "-module(rb).\n-export([handle/2]).\nhandle(E, _) -> {ok, E}.\n",
	"config/sys.config": "[{rb, [{word, <<\"configured\">>}]}, \"other.config\"].\n",
}

func withFiles(files map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for name, text := range files {
		all[name] = text
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// onlyErlang is a PATH without rebar3; with has it first.
func onlyErlang(t *testing.T, rebar string) {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range []string{"erl", "erlc", "sh", "mkdir", "cp", "sed", "basename", "dirname"} {
		for _, dir := range []string{"/usr/bin", "/bin", "/usr/local/bin"} {
			if exists(filepath.Join(dir, tool)) {
				require.NoError(t, os.Symlink(filepath.Join(dir, tool), filepath.Join(bin, tool)))
				break
			}
		}
	}
	if rebar != "" {
		require.NoError(t, os.WriteFile(filepath.Join(bin, "rebar3"), []byte("#!/bin/sh\nset -e\n"+rebar), 0o755))
	}
	t.Setenv("PATH", bin)
}

const fakeRebar = `[ "$*" = "as prod compile" ]
mkdir -p _build/prod/lib/rb/ebin _build/prod/lib/jsx/ebin
erlc -o _build/prod/lib/rb/ebin src/rb.erl
erlc -o _build/prod/lib/jsx/ebin deps/jsx.erl
cp src/rb.app.src _build/prod/lib/rb/ebin/rb.app
`

const otherConfig = "config/sys.config names other.config, which is not read"

// rebar3 compiles, dependencies and all, and the project's sys.config counts.
func TestRebar(t *testing.T) {
	onlyErlang(t, fakeRebar)
	files, report, err := packedFunction(t, FunctionOptions{Handler: "rb:handle", Boot: beam.BootFunction, Dir: project(t, withFiles(rebarFiles,
		"rebar.config", `{deps, [{jsx, "3.1.0"}, other]}.`,
		"src/rb.erl", "-module(rb).\n-export([handle/2]).\nhandle(E, _) -> {ok, jsx:encode(E)}.\n",
		"deps/jsx.erl", "-module(jsx).\n-export([encode/1]).\nencode(E) -> E.\n"))})
	require.NoError(t, err)
	assert.Contains(t, files, "lib/jsx/ebin/jsx.beam")
	assert.Equal(t, []string{otherConfig}, report.Notes)
	config, err := etf.Decode(files["beamport.config"])
	require.NoError(t, err)
	assert.Equal(t, `[{rb,[{word,<<"configured">>}]}]`, config.String())

	_, _, err = packedFunction(t, FunctionOptions{Handler: "rb:handle", Boot: beam.BootFunction, Dir: project(t, withFiles(rebarFiles, "src/rb.erl", "module"))})
	require.ErrorIs(t, err, ErrSource)
	assert.ErrorContains(t, err, "rebar3 as prod compile")
}

// Without rebar3, what there is says how old it is, and what is missing.
func TestWithoutRebar(t *testing.T) {
	onlyErlang(t, "")
	const plain = "without anything that was compiled"
	for name, c := range map[string]struct {
		files map[string]string
		build string // where it was compiled earlier
		older bool   // than its source
		want  string // of the error, "" for none
		notes []string
	}{
		plain:                     {files: rebarFiles, notes: []string{otherConfig}},
		"compiled":                {files: rebarFiles, build: "default", notes: []string{"rebar3 is not installed: what it compiled earlier, in _build/default, is packed as it is", otherConfig}},
		"changed":                 {files: rebarFiles, build: "prod", older: true, notes: []string{otherConfig}},
		"dependencies":            {files: withFiles(rebarFiles, "rebar.config", "{deps, [jsx]}."), want: " depends on jsx, and rebar3, which fetches and compiles that, is not installed"},
		"dependencies, changed":   {files: withFiles(rebarFiles, "rebar.config", "{deps, [jsx]}."), build: "prod", older: true, want: " depends on jsx, and rebar3, which fetches and compiles that, is not installed: what it compiled earlier, in _build/prod, is older than src/rb."},
		"dependencies of prod":    {files: withFiles(rebarFiles, "rebar.config", "{profiles, [{test, [{deps, [meck]}]}, {prod, [{deps, [{lager, {git, \"x\", \"y\"}}]}]}]}."), want: " depends on lager, and"},
		"several applications":    {files: map[string]string{"rebar.config": "", "apps/a/src/a.erl": "-module(a)."}, want: "rebar3 is needed to compile "},
		"damaged":                 {files: map[string]string{"rebar.config": "{deps, [}."}, want: "rebar.config: etf: "},
		"configured by a profile": {files: withFiles(rebarFiles, "rebar.config", "{relx, [{sys_config, \"./none.config\"}]}.\n{profiles, [{prod, [{relx, [{sys_config_src, \"config/sys.config.src\"}]}]}]}."), notes: []string{"config/sys.config.src is not read, since it has variables in it: name a file without with sys_config, or pack a release"}},
		"no such configuration":   {files: withFiles(rebarFiles, "rebar.config", "{relx, [{sys_config, \"./none.config\"}]}."), want: "none.config: no such file or directory"},
		"no configuration":        {files: withFiles(rebarFiles, "config/sys.config", "{rb, []}."), want: "config/sys.config: rb configures no application"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, c.files)
			if c.build != "" {
				ebin := filepath.Join(dir, "_build", c.build, "lib", "rb", "ebin")
				require.NoError(t, os.MkdirAll(ebin, 0o755))
				earlier := compiled(t, map[string]string{"rb": "-export([handle/2, earlier/0]).\nhandle(E, _) -> {ok, E}.\nearlier() -> ok.\n"})
				require.NoError(t, os.CopyFS(ebin, os.DirFS(earlier)))
				write(t, c.files["src/rb.app.src"], ebin, "rb.app")
				past := time.Now().Add(-time.Hour)
				if c.older {
					require.NoError(t, os.Chtimes(filepath.Join(ebin, "rb.beam"), past, past))
				} else {
					require.NoError(t, os.Chtimes(filepath.Join(dir, "src", "rb.erl"), past, past))
					require.NoError(t, os.Chtimes(filepath.Join(dir, "src", "rb.app.src"), past, past))
				}
			}
			files, report, err := packedFunction(t, FunctionOptions{Handler: "rb:handle", Boot: beam.BootFunction, Dir: dir})
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, files, "lib/rb/ebin/rb.beam")
			assert.Equal(t, c.notes, report.Notes)
		})
	}
}
