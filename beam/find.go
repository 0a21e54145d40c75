package beam

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Search says where to look for Erlang and Elixir. A field that is empty is not
// looked at; [DefaultSearch] fills in all.
type Search struct {
	// Dir is the executable's folder: erlang/ and elixir/ in it come first, as a
	// layer has them.
	Dir string
	// ErlangHome is the root of an Erlang installation, the folder that holds
	// erts-VERSION and lib.
	ErlangHome string
	// ElixirHome is the root of an Elixir installation, the folder that holds
	// lib/elixir/ebin.
	ElixirHome string
	// Path is a list of folders in which to look for erl and elixir.
	Path string
}

// DefaultSearch is the folder of the running executable, then ERLANG_HOME and
// ELIXIR_HOME of an environment in the form of [os.Environ], then its PATH.
func DefaultSearch(environ []string) Search {
	var s Search
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case "ERLANG_HOME":
			s.ErlangHome = value
		case "ELIXIR_HOME":
			s.ElixirHome = value
		case "PATH":
			s.Path = value
		}
	}
	if executable, err := os.Executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(executable); err == nil {
			executable = resolved
		}
		s.Dir = filepath.Dir(executable)
	}
	return s
}

// Installation is an Erlang/OTP that can be started.
type Installation struct {
	// Root is what Erlang calls ROOTDIR: it holds erts-VERSION, lib and bin or
	// releases.
	Root string
	// BinDir holds erlexec, beam.smp and the helpers that they start.
	BinDir string
	// Boot is the boot file start_clean, without its ending .boot.
	Boot string
	// Libraries is a folder of shared libraries that came with it, "" if there is none.
	Libraries string
}

// ErrNotInstalled says that there is no Erlang where [Find] looked.
var ErrNotInstalled = errors.New("beam: Erlang/OTP is not installed: install it (Debian, Ubuntu: apt-get install erlang-nox elixir; macOS: brew install elixir) or set ERLANG_HOME to the folder that holds its erts-* and lib")

// Find looks for an Erlang installation: erlang/ in the executable's folder,
// else ERLANG_HOME, else where the erl of the PATH belongs to. What is named,
// but is no installation, is an error; if there is nothing, the error wraps
// [ErrNotInstalled].
func Find(s Search) (Installation, error) {
	if s.Dir != "" {
		if root := filepath.Join(s.Dir, "erlang"); isDir(root) {
			i, err := inspect(root)
			if libraries := filepath.Join(s.Dir, "lib"); err == nil && isDir(libraries) {
				i.Libraries = libraries
			}
			return i, err
		}
	}
	if s.ErlangHome != "" {
		i, err := inspect(s.ErlangHome)
		if err != nil {
			return Installation{}, fmt.Errorf("%w (ERLANG_HOME)", err)
		}
		return i, nil
	}
	for _, erl := range programs("erl", s.Path) {
		// The program is ROOT/bin/erl or ROOT/erts-VERSION/bin/erl.
		for dir, n := filepath.Dir(erl), 0; n < 3; dir, n = filepath.Dir(dir), n+1 {
			if i, err := inspect(dir); err == nil {
				return i, nil
			}
			// Installed by "make install": PREFIX/bin/erl is a copy of the script and
			// the installation is in PREFIX/lib/erlang.
			if i, err := inspect(filepath.Join(dir, "lib", "erlang")); err == nil {
				return i, nil
			}
		}
		// A version manager's script, which knows where the real one is.
		if root, err := askRoot(erl); err == nil {
			if i, err := inspect(root); err == nil {
				return i, nil
			}
		}
	}
	return Installation{}, ErrNotInstalled
}

// askTime is how long a VM may take to say where it is installed.
const askTime = 10 * time.Second

// askRoot starts a VM to ask it where it is installed.
func askRoot(erl string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, erl, "-noinput", "-boot", "start_clean",
		"-eval", "io:put_chars(code:root_dir()), halt().").Output()
	return string(out), err
}

// inspect checks that root holds an installation, and picks the newest emulator
// in it.
func inspect(root string) (Installation, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Installation{}, fmt.Errorf("beam: %w", err)
	}
	emulators, _ := filepath.Glob(filepath.Join(escape(root), "erts-*", "bin", "erlexec"))
	if len(emulators) == 0 {
		return Installation{}, fmt.Errorf("beam: %s holds no Erlang installation (no erts-*/bin/erlexec)", root)
	}
	slices.SortFunc(emulators, func(a, b string) int { return compareVersions(ertsVersion(b), ertsVersion(a)) })
	i := Installation{Root: root, BinDir: filepath.Dir(emulators[0])}
	boots, _ := filepath.Glob(filepath.Join(escape(root), "releases", "*", "start_clean.boot"))
	boots = append([]string{filepath.Join(root, "bin", "start_clean.boot")}, boots...)
	for _, boot := range boots {
		if isFile(boot) {
			i.Boot = strings.TrimSuffix(boot, ".boot")
			return i, nil
		}
	}
	return Installation{}, fmt.Errorf("beam: %s holds no boot file (bin/start_clean.boot)", root)
}

// ertsVersion is VERSION of …/erts-VERSION/bin/erlexec.
func ertsVersion(erlexec string) string {
	return strings.TrimPrefix(filepath.Base(filepath.Dir(filepath.Dir(erlexec))), "erts-")
}

func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		m, errA := strconv.Atoi(a)
		n, errB := strconv.Atoi(b)
		if errA != nil || errB != nil {
			return strings.Compare(a, b)
		}
		return m - n
	})
}

// FindElixir returns the ebin folders of Elixir's own applications: those of
// elixir/ in the executable's folder, else of ELIXIR_HOME, else of the elixir of
// the PATH. ok is false if there is no Elixir; a function written in Erlang needs
// none.
func FindElixir(s Search) (ebins []string, ok bool) {
	var roots []string
	if s.Dir != "" {
		roots = append(roots, filepath.Join(s.Dir, "elixir"))
	}
	if s.ElixirHome != "" {
		roots = append(roots, s.ElixirHome)
	}
	for _, elixir := range programs("elixir", s.Path) {
		bin := filepath.Dir(elixir)
		// ROOT/bin/elixir, and PREFIX/bin/elixir with PREFIX/lib/elixir.
		roots = append(roots, filepath.Dir(bin), filepath.Join(filepath.Dir(bin), "lib", "elixir"))
	}
	for _, root := range roots {
		if !isFile(filepath.Join(root, "lib", "elixir", "ebin", "elixir.app")) {
			continue
		}
		ebins, _ = filepath.Glob(filepath.Join(escape(root), "lib", "*", "ebin"))
		return ebins, len(ebins) > 0
	}
	return nil, false
}

// programs returns the files of that name in a PATH, symbolic links resolved.
func programs(name, path string) []string {
	var found []string
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			continue // the working directory: nothing is started from there
		}
		file, err := filepath.EvalSymlinks(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			found = append(found, file)
		}
	}
	return found
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// escape makes a path a [filepath.Glob] pattern of itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
