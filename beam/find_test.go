package beam

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write makes a file, and the folders that it is in.
func write(t *testing.T, mode os.FileMode, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), mode))
	return file
}

// tempDir is one by its real path, as programs of a PATH are resolved to it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

// installation makes what [Find] takes for one.
func installation(t *testing.T, root string, versions ...string) {
	t.Helper()
	for _, version := range versions {
		write(t, 0o755, "", root, "erts-"+version, "bin", "erlexec")
	}
	write(t, 0o644, "", root, "bin", "start_clean.boot")
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name string
		// set fills dir and says where to search, and what is to be found.
		set func(t *testing.T, dir string) (s Search, root, version string)
	}{
		{"beside the executable", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "erlang"), "13.1.5")
			installation(t, filepath.Join(dir, "home"), "14.0")
			return Search{Dir: dir, ErlangHome: filepath.Join(dir, "home")}, filepath.Join(dir, "erlang"), "13.1.5"
		}},
		{"ERLANG_HOME", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "home"), "14.0")
			installation(t, filepath.Join(dir, "path"), "15.0")
			write(t, 0o755, "", dir, "path", "bin", "erl")
			return Search{Dir: dir, ErlangHome: filepath.Join(dir, "home"), Path: filepath.Join(dir, "path", "bin")}, filepath.Join(dir, "home"), "14.0"
		}},
		{"PATH", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "root"), "15.0")
			write(t, 0o755, "", dir, "root", "bin", "erl")
			return Search{Path: "/nonexistent:" + filepath.Join(dir, "root", "bin")}, filepath.Join(dir, "root"), "15.0"
		}},
		{"a link, as in Debian", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "lib", "erlang"), "13.1.5")
			write(t, 0o755, "", dir, "lib", "erlang", "bin", "erl")
			require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
			require.NoError(t, os.Symlink("../lib/erlang/bin/erl", filepath.Join(dir, "bin", "erl")))
			return Search{Path: filepath.Join(dir, "bin")}, filepath.Join(dir, "lib", "erlang"), "13.1.5"
		}},
		{"a copy, as by make install", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "lib", "erlang"), "13.1.5")
			write(t, 0o755, "", dir, "bin", "erl")
			return Search{Path: filepath.Join(dir, "bin")}, filepath.Join(dir, "lib", "erlang"), "13.1.5"
		}},
		{"erts-VERSION/bin in the PATH", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, dir, "13.1.5")
			write(t, 0o755, "", dir, "erts-13.1.5", "bin", "erl")
			return Search{Path: filepath.Join(dir, "erts-13.1.5", "bin")}, dir, "13.1.5"
		}},
		{"a script that knows", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, filepath.Join(dir, "versions", "26"), "14.2")
			write(t, 0o755, "#!/bin/sh\nprintf %s '"+filepath.Join(dir, "versions", "26")+"'\n", dir, "shims", "erl")
			return Search{Path: filepath.Join(dir, "shims")}, filepath.Join(dir, "versions", "26"), "14.2"
		}},
		{"the newest of several", func(t *testing.T, dir string) (Search, string, string) {
			installation(t, dir, "9.3", "13.1.5", "13.1.10", "13.1")
			return Search{ErlangHome: dir}, dir, "13.1.10"
		}},
		{"a folder with a pattern's characters", func(t *testing.T, dir string) (Search, string, string) {
			root := filepath.Join(dir, "a[b]*?")
			installation(t, root, "1.0")
			return Search{ErlangHome: root}, root, "1.0"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, root, version := c.set(t, tempDir(t))
			i, err := Find(s)
			require.NoError(t, err)
			assert.Equal(t, Installation{
				Root:   root,
				BinDir: filepath.Join(root, "erts-"+version, "bin"),
				Boot:   filepath.Join(root, "bin", "start_clean"),
			}, i)
		})
	}
}

// The boot file of a release may be in releases/VERSION alone.
func TestFindBootOfRelease(t *testing.T) {
	root := tempDir(t)
	write(t, 0o755, "", root, "erts-15.0", "bin", "erlexec")
	write(t, 0o644, "", root, "releases", "27", "start_clean.boot")
	i, err := Find(Search{ErlangHome: root})
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(root, "releases", "27", "start_clean"), i.Boot)
}

func TestFindNothing(t *testing.T) {
	dir := tempDir(t)
	write(t, 0o644, "", dir, "plain", "erl")        // not executable
	write(t, 0o755, "", dir, "folder", "erl", "x")  // a folder
	write(t, 0o755, "exit 1", dir, "broken", "erl") // no program
	for _, s := range []Search{
		{},
		{Dir: dir},
		{Path: filepath.Join(dir, "plain") + "::" + filepath.Join(dir, "folder") + ":" + filepath.Join(dir, "broken")},
	} {
		_, err := Find(s)
		require.ErrorIs(t, err, ErrNotInstalled)
		assert.ErrorContains(t, err, "apt-get install")
	}
}

// What is named has to be there: nothing else is taken in its place.
func TestFindNamed(t *testing.T) {
	dir := tempDir(t)
	installation(t, filepath.Join(dir, "good"), "13.1.5")
	write(t, 0o755, "", dir, "good", "bin", "erl")
	path := filepath.Join(dir, "good", "bin")

	_, err := Find(Search{ErlangHome: filepath.Join(dir, "none"), Path: path})
	require.EqualError(t, err, "beam: "+dir+"/none holds no Erlang installation (no erts-*/bin/erlexec) (ERLANG_HOME)")

	write(t, 0o755, "", dir, "bootless", "erts-13.1.5", "bin", "erlexec")
	_, err = Find(Search{ErlangHome: filepath.Join(dir, "bootless"), Path: path})
	require.ErrorContains(t, err, "holds no boot file")

	require.NoError(t, os.Mkdir(filepath.Join(dir, "erlang"), 0o755))
	_, err = Find(Search{Dir: dir, Path: path})
	require.ErrorContains(t, err, dir+"/erlang holds no Erlang installation")
}

func TestFindElixir(t *testing.T) {
	elixir := func(t *testing.T, root ...string) string {
		dir := filepath.Join(root...)
		write(t, 0o644, "", dir, "lib", "elixir", "ebin", "elixir.app")
		write(t, 0o644, "", dir, "lib", "logger", "ebin", "logger.app")
		return dir
	}
	for _, c := range []struct {
		name string
		set  func(t *testing.T, dir string) (s Search, root string)
	}{
		{"beside the executable", func(t *testing.T, dir string) (Search, string) {
			elixir(t, dir, "home")
			return Search{Dir: dir, ElixirHome: filepath.Join(dir, "home")}, elixir(t, dir, "elixir")
		}},
		{"ELIXIR_HOME", func(t *testing.T, dir string) (Search, string) {
			root := elixir(t, dir, "home")
			return Search{Dir: dir, ElixirHome: root}, root
		}},
		{"PATH, as in Debian", func(t *testing.T, dir string) (Search, string) {
			root := elixir(t, dir, "lib", "elixir")
			write(t, 0o755, "", root, "bin", "elixir")
			require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
			require.NoError(t, os.Symlink("../lib/elixir/bin/elixir", filepath.Join(dir, "bin", "elixir")))
			return Search{Path: filepath.Join(dir, "bin")}, root
		}},
		{"PATH, a copy", func(t *testing.T, dir string) (Search, string) {
			write(t, 0o755, "", dir, "bin", "elixir")
			return Search{Path: filepath.Join(dir, "bin")}, elixir(t, dir, "lib", "elixir")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, root := c.set(t, tempDir(t))
			ebins, ok := FindElixir(s)
			assert.True(t, ok)
			assert.Equal(t, []string{filepath.Join(root, "lib", "elixir", "ebin"), filepath.Join(root, "lib", "logger", "ebin")}, ebins)
		})
	}
	_, ok := FindElixir(Search{Dir: tempDir(t), ElixirHome: tempDir(t)})
	assert.False(t, ok)
}

func TestDefaultSearch(t *testing.T) {
	s := DefaultSearch([]string{"PATH=/a", "ERLANG_HOME=/b", "ELIXIR_HOME=/c", "PATH=/d", "HOME=/e"})
	executable, err := os.Executable()
	require.NoError(t, err)
	executable, err = filepath.EvalSymlinks(executable)
	require.NoError(t, err)
	assert.Equal(t, Search{Dir: filepath.Dir(executable), ErlangHome: "/b", ElixirHome: "/c", Path: "/d"}, s)
}
