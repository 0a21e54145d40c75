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

// Release is a release, as mix release and rebar3 release make them: applications
// with their dependencies, their configuration, and maybe an Erlang of their own.
// It is only read, never written to.
type Release struct {
	// Root holds releases, lib, and maybe erts-VERSION.
	Root string
	// Name and Version are those of the .rel file.
	Name, Version string
	// ERTS is the version of the emulator that it was made with, such as 13.1.5.
	ERTS string
	// Dir is releases/VERSION in Root: the .rel, the boot files, sys.config, vm.args.
	Dir string
	// Own says whether erts-VERSION is in Root.
	Own bool
}

// ErrBadRelease says that a folder holds a release that cannot be started.
var ErrBadRelease = errors.New("the release cannot be started")

func badRelease(format string, args ...any) error {
	return fmt.Errorf("beam: %w: %s", ErrBadRelease, fmt.Sprintf(format, args...))
}

// FindRelease returns the release that root holds; ok is false if there is none,
// that is, no releases/start_erl.data. RELEASE_VSN and RELEASE_NAME of environ
// choose among several, as they do for a release's own script. A release that is
// not complete is an error that wraps [ErrBadRelease].
func FindRelease(root string, environ []string) (r Release, ok bool, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return Release{}, false, fmt.Errorf("beam: %w", err)
	}
	file := filepath.Join(root, "releases", "start_erl.data")
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return Release{}, false, nil
	}
	if err != nil {
		return Release{}, false, fmt.Errorf("beam: %w", err)
	}
	fields := strings.Fields(string(data))
	if len(fields) != 2 {
		return Release{}, false, badRelease("%s does not hold a version of erts and one of the release", file)
	}
	r = Release{Root: root, ERTS: fields[0], Version: fields[1]}
	if version := lookup(environ, "RELEASE_VSN"); version != "" {
		r.Version = version
	}
	if r.Version != filepath.Base(r.Version) || r.ERTS != filepath.Base(r.ERTS) {
		return Release{}, false, badRelease("%s: %q is not a version", file, r.Version)
	}
	r.Dir = filepath.Join(root, "releases", r.Version)
	if r.Name, err = r.name(lookup(environ, "RELEASE_NAME")); err != nil {
		return Release{}, false, err
	}
	r.Own = isDir(filepath.Join(root, "erts-"+r.ERTS))
	return r, true, nil
}

// name is that of the .rel file.
func (r Release) name(wanted string) (string, error) {
	files, _ := filepath.Glob(filepath.Join(escape(r.Dir), "*.rel"))
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".rel")
		// rebar3 has .rel files for its boot files too.
		if name != "start_clean" && name != "no_dot_erlang" {
			names = append(names, name)
		}
	}
	switch {
	case slices.Contains(names, wanted):
		return wanted, nil
	case len(names) == 0:
		return "", badRelease("there is no .rel file in %s: put all that mix release or rebar3 release made into the function's archive", r.Dir)
	}
	return names[0], nil
}

// lookup is the last value of a variable in an environment, "" if there is none.
func lookup(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if n, value, _ := strings.Cut(entry, "="); n == name {
			return value
		}
	}
	return ""
}

// Installation is the Erlang in the release. It is an error if there is none, or
// one that cannot be started.
func (r Release) Installation() (Installation, error) {
	i := Installation{Root: r.Root, BinDir: filepath.Join(r.Root, "erts-"+r.ERTS, "bin")}
	for _, name := range []string{"erlexec", "beam.smp", "erl_child_setup"} {
		file := filepath.Join(i.BinDir, name)
		info, err := os.Stat(file)
		if err != nil {
			return Installation{}, badRelease("there is no %s", file)
		}
		if info.Mode()&0o111 == 0 {
			return Installation{}, badRelease("%s may not be executed: the archive has lost the permissions of its files", file)
		}
	}
	for _, dir := range []string{r.Dir, filepath.Join(r.Root, "bin")} {
		if boot := filepath.Join(dir, "start_clean"); isFile(boot + ".boot") {
			i.Boot = boot
			return i, nil
		}
	}
	return Installation{}, badRelease("there is no start_clean.boot in %s nor in %s", r.Dir, filepath.Join(r.Root, "bin"))
}

// Fits says whether a release without an Erlang of its own can run on an
// installation: one that is older than what the release was made with cannot load
// its code, and is an error; of one that is newer, note says so.
func (r Release) Fits(i Installation) (note string, err error) {
	installed := ertsVersion(filepath.Join(i.BinDir, "erlexec"))
	made, here := major(r.ERTS), major(installed)
	switch {
	case made == 0 || here == 0 || made == here:
		return "", nil
	case here < made:
		return "", badRelease("the release %s was made with OTP %d (erts %s), but OTP %d (erts %s) is what there is in %s: "+
			"make the release with OTP %d, or with include_erts: true, or install OTP %d",
			r.Name, otpOf(made), r.ERTS, otpOf(here), installed, i.Root, otpOf(here), otpOf(made))
	}
	return fmt.Sprintf("the release %s was made with OTP %d, and runs on OTP %d", r.Name, otpOf(made), otpOf(here)), nil
}

func major(version string) int {
	text, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}

// otpOf is the release of OTP that an emulator belongs to: 25 has erts 13, and
// both have gone up by one since.
func otpOf(erts int) int { return erts + 12 }

// Args are the flags that start a VM for the release: its vm.args without what
// [ReadVMArgs] leaves out, and its sys.config. environ is that of [Release.Environ].
func (r Release) Args(environ []string) (args, left []string, err error) {
	args = []string{"-boot_var", "RELEASE_LIB", filepath.Join(r.Root, "lib")}
	if config := lookup(environ, "RELEASE_SYS_CONFIG"); isFile(config + ".config") {
		// The application runs the configuration's providers itself, so that a failure
		// can be told; boot files made by Mix would too.
		args = append(args, "-config", config, "-elixir", "config_provider_init", "undefined")
	}
	file := lookup(environ, "RELEASE_VM_ARGS")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return args, nil, nil
	}
	if err != nil {
		return nil, nil, badRelease("its vm.args cannot be read: %v", err)
	}
	flags, left, err := ReadVMArgs(string(text))
	if err != nil {
		return nil, nil, badRelease("%s: %s", file, strings.TrimPrefix(err.Error(), "beam: vm.args: "))
	}
	return append(args, flags...), left, nil
}

// envTime is how long a release's env.sh may take.
const envTime = 10 * time.Second

// Environ is environ with the variables that the release's own script sets, as its
// command start does, and with what its env.sh exports. Distribution is always off
// (RELEASE_DISTRIBUTION is none), code is loaded as it is needed (RELEASE_MODE is
// interactive), and RELEASE_TMP is the folder for temporary files unless it is
// given: the release may be on a file system that cannot be written to.
func (r Release) Environ(ctx context.Context, environ []string) ([]string, error) {
	environ = slices.Clone(environ)
	set := func(name, value string) { environ = append(environ, name+"="+value) }
	ifUnset := func(name, value string) {
		if lookup(environ, name) == "" {
			set(name, value)
		}
	}
	set("RELEASE_ROOT", r.Root)
	set("RELEASE_NAME", r.Name)
	set("RELEASE_VSN", r.Version)
	set("RELEASE_COMMAND", "start")
	ifUnset("RELEASE_PROG", r.Name)
	environ, err := r.source(ctx, environ)
	if err != nil {
		return nil, err
	}
	if cookie, err := os.ReadFile(filepath.Join(r.Root, "releases", "COOKIE")); err == nil {
		ifUnset("RELEASE_COOKIE", strings.TrimSpace(string(cookie)))
	}
	set("RELEASE_MODE", "interactive")
	set("RELEASE_DISTRIBUTION", "none")
	ifUnset("RELEASE_NODE", r.Name)
	ifUnset("RELEASE_TMP", os.TempDir())
	ifUnset("RELEASE_VM_ARGS", filepath.Join(r.Dir, "vm.args"))
	ifUnset("RELEASE_REMOTE_VM_ARGS", filepath.Join(r.Dir, "remote.vm.args"))
	ifUnset("RELEASE_BOOT_SCRIPT", "start")
	ifUnset("RELEASE_BOOT_SCRIPT_CLEAN", "start_clean")
	ifUnset("RELEASE_SYS_CONFIG", filepath.Join(r.Dir, "sys"))
	return environ, nil
}

// releaseVariables are those that a release's script exports behind its env.sh,
// which may have set them without.
const releaseVariables = "RELEASE_COOKIE RELEASE_NODE RELEASE_TMP RELEASE_VM_ARGS " +
	"RELEASE_REMOTE_VM_ARGS RELEASE_BOOT_SCRIPT RELEASE_BOOT_SCRIPT_CLEAN RELEASE_SYS_CONFIG"

// source runs the release's env.sh, if that does anything, and returns the
// environment that it leaves.
func (r Release) source(ctx context.Context, environ []string) ([]string, error) {
	file := filepath.Join(r.Dir, "env.sh")
	text, err := os.ReadFile(file)
	if err != nil || !doesAnything(string(text)) {
		return environ, nil
	}
	ctx, cancel := context.WithTimeout(ctx, envTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c",
		`set -e; exec 3>&1 >&2; . "$0"; for name in `+releaseVariables+`; do `+
			`eval "[ -z \"\${$name:-}\" ] || export $name"; done; exec env -0 >&3`, file)
	cmd.Env, cmd.Dir = environ, r.Root
	cmd.WaitDelay = time.Second
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it took longer than %v", envTime)
		}
		return nil, badRelease("%s failed: %v: %.500s", file, err, strings.TrimSpace(said.String()))
	}
	return slices.DeleteFunc(strings.Split(string(out), "\x00"), func(entry string) bool {
		// Those of the shell itself.
		return entry == "" || strings.HasPrefix(entry, "_=")
	}), nil
}

// doesAnything says whether a shell script has lines that are not comments.
func doesAnything(script string) bool {
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return true
		}
	}
	return false
}
