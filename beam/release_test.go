package beam

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// releaseFiles makes a folder of files; those in bin can be executed.
func releaseFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file, mode := filepath.Join(root, name), os.FileMode(0o644)
		if filepath.Base(filepath.Dir(file)) == "bin" {
			mode = 0o755
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), mode))
	}
	return root
}

func TestFindRelease(t *testing.T) {
	_, ok, err := FindRelease(t.TempDir(), nil)
	require.NoError(t, err)
	assert.False(t, ok)

	root := releaseFiles(t, map[string]string{
		"releases/start_erl.data": "13.1 1.0\n", "releases/1.0/a.rel": "", "releases/1.0/b.rel": "", "releases/1.0/start_clean.rel": "",
		"releases/2.0/c.rel": "", "erts-13.1/bin/erlexec": "", "erts-13.1/bin/beam.smp": "", "erts-13.1/bin/erl_child_setup": "",
		"releases/1.0/start_clean.boot": "",
	})
	r, ok, err := FindRelease(root, nil)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, Release{Root: root, Name: "a", Version: "1.0", ERTS: "13.1", Dir: filepath.Join(root, "releases", "1.0"), Own: true}, r)
	i, err := r.Installation()
	require.NoError(t, err)
	assert.Equal(t, Installation{Root: root, BinDir: filepath.Join(root, "erts-13.1", "bin"), Boot: filepath.Join(r.Dir, "start_clean")}, i)

	r, _, err = FindRelease(root, []string{"RELEASE_NAME=b"})
	require.NoError(t, err)
	assert.Equal(t, "b", r.Name)
	r, _, err = FindRelease(root, []string{"RELEASE_VSN=2.0"})
	require.NoError(t, err)
	assert.Equal(t, "c", r.Name)
	_, err = r.Installation()
	require.ErrorIs(t, err, ErrBadRelease)
	assert.ErrorContains(t, err, "there is no start_clean.boot")
	_, _, err = FindRelease(root, []string{"RELEASE_VSN=../1.0"})
	assert.ErrorIs(t, err, ErrBadRelease)
	_, _, err = FindRelease(root, []string{"RELEASE_VSN=3.0"})
	assert.ErrorContains(t, err, "there is no .rel file in "+filepath.Join(root, "releases", "3.0"))
}

func TestReleaseFits(t *testing.T) {
	on := func(erts string) Installation {
		return Installation{Root: "/r", BinDir: "/r/erts-" + erts + "/bin"}
	}
	r := Release{Name: "a", ERTS: "14.2.1"}
	note, err := r.Fits(on("14.0"))
	require.NoError(t, err)
	assert.Empty(t, note)
	note, err = r.Fits(on("15.1"))
	require.NoError(t, err)
	assert.Equal(t, "the release a was made with OTP 26, and runs on OTP 27", note)
	_, err = r.Fits(on("13.1.5"))
	require.ErrorIs(t, err, ErrBadRelease)
	assert.ErrorContains(t, err, "the release a was made with OTP 26 (erts 14.2.1), but OTP 25 (erts 13.1.5) is what there is in /r")
}

func TestReleaseEnvironAndArgs(t *testing.T) {
	root := releaseFiles(t, map[string]string{
		"releases/start_erl.data": "13.1 1.0", "releases/COOKIE": "secret", "releases/1.0/a.rel": "",
		"releases/1.0/env.sh":  "#!/bin/sh\n# nothing\n",
		"releases/1.0/vm.args": "+P 5000\n-name x",
	})
	r, _, err := FindRelease(root, nil)
	require.NoError(t, err)
	env, err := r.Environ(t.Context(), []string{"RELEASE_TMP=/t", "RELEASE_DISTRIBUTION=name", "X=1"})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"X": "1", "RELEASE_TMP": "/t", "RELEASE_DISTRIBUTION": "none", "RELEASE_COOKIE": "secret", "RELEASE_NODE": "a",
		"RELEASE_SYS_CONFIG": filepath.Join(r.Dir, "sys"), "RELEASE_ROOT": root, "RELEASE_VSN": "1.0",
	} {
		assert.Equal(t, want, lookup(env, name), name)
	}
	args, left, err := r.Args(env)
	require.NoError(t, err)
	assert.Equal(t, []string{"-boot_var", "RELEASE_LIB", filepath.Join(root, "lib"), "+P", "5000"}, args, "there is no sys.config")
	assert.Equal(t, []string{"-name", "x"}, left)

	other := releaseFiles(t, map[string]string{"my.config": "[].", "vm": "-a b"})
	args, _, err = r.Args(append(slices.Clone(env), "RELEASE_SYS_CONFIG="+filepath.Join(other, "my"), "RELEASE_VM_ARGS="+filepath.Join(other, "vm")))
	require.NoError(t, err)
	assert.Equal(t, "-config "+filepath.Join(other, "my")+" -elixir config_provider_init undefined -a b", strings.Join(args[3:], " "))
	args, left, err = r.Args(append(slices.Clone(env), "RELEASE_VM_ARGS="+filepath.Join(other, "none")))
	require.NoError(t, err)
	assert.Len(t, args, 3)
	assert.Empty(t, left)
}

func TestReleaseEnvSh(t *testing.T) {
	root := releaseFiles(t, map[string]string{"releases/start_erl.data": "13.1 1.0", "releases/1.0/a.rel": "", "releases/1.0/env.sh": `
		echo said
		export TWO="two
lines of $RELEASE_NAME"
		RELEASE_TMP=/elsewhere
		HIDDEN=x
		unset GONE
	`})
	r, _, err := FindRelease(root, nil)
	require.NoError(t, err)
	env, err := r.Environ(t.Context(), []string{"PATH=/usr/bin:/bin", "GONE=1", "KEPT=é"})
	require.NoError(t, err)
	assert.Equal(t, "two\nlines of a", lookup(env, "TWO"))
	assert.Equal(t, "/elsewhere", lookup(env, "RELEASE_TMP"))
	assert.Equal(t, "é", lookup(env, "KEPT"))
	assert.Empty(t, lookup(env, "HIDDEN"))
	assert.Empty(t, lookup(env, "GONE"))

	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, "env.sh"), []byte("exit 4"), 0o644))
	_, err = r.Environ(t.Context(), []string{"PATH=/usr/bin:/bin"})
	require.ErrorIs(t, err, ErrBadRelease)
	assert.ErrorContains(t, err, "env.sh failed: exit status 4")
}

func TestReleaseExpand(t *testing.T) {
	root := releaseFiles(t, map[string]string{
		"releases/start_erl.data": "13.1 1.0", "releases/1.0/a.rel": "",
		"releases/1.0/sys.config.src": `[{a, [{b, "${B}"}, {c, "${C:-c 1}"}, {d, "${D}"}, {e, "$E ${}"}]}].`,
		"releases/1.0/vm.args.src":    "-b ${B}\n",
	})
	r, _, err := FindRelease(root, nil)
	require.NoError(t, err)
	env, err := r.Environ(t.Context(), []string{"B=1"})
	require.NoError(t, err)
	env, remove, err := r.Expand(env)
	require.NoError(t, err)
	config := lookup(env, "RELEASE_SYS_CONFIG")
	text, err := os.ReadFile(config + ".config")
	require.NoError(t, err)
	assert.Equal(t, `[{a, [{b, "1"}, {c, "c 1"}, {d, ""}, {e, "$E ${}"}]}].`, string(text))
	args, _, err := r.Args(env)
	require.NoError(t, err)
	assert.Equal(t, []string{"-config", config, "-elixir", "config_provider_init", "undefined", "-b", "1"}, args[3:])
	require.NoError(t, remove())
	assert.NoFileExists(t, config+".config")

	// What is complete is left alone.
	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, "sys.config"), nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(r.Dir, "vm.args"), nil, 0o644))
	env, err = r.Environ(t.Context(), nil)
	require.NoError(t, err)
	same, remove, err := r.Expand(env)
	require.NoError(t, err)
	assert.Equal(t, env, same)
	assert.NoError(t, remove())
}
