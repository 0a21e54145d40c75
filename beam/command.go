package beam

import (
	"path/filepath"
	"strconv"
	"strings"
)

// Boot says how to start a VM that runs the application.
type Boot struct {
	// Ebin is the folder of the application, see [Ebin].
	Ebin string
	// Elixir are the folders of Elixir's applications, see [FindElixir].
	Elixir []string
	// MaxPacket is the longest frame either side sends; 0 leaves it to the
	// application, whose default is 64 MiB.
	MaxPacket int
	// Args are further flags, put after the others: emulator flags start with +. With a
	// Script they are for init alone.
	Args []string

	// Script, if its File is set, is booted instead of the installation's own start_clean,
	// by an emulator with no more threads than a function needs.
	Script Script
	// TaskRoot is where code of the function's is that Script loads.
	TaskRoot string
	// Schedulers is how many the emulator has: 0 for as many as there are processors.
	Schedulers int
	// Concurrency is how many calls are made at a time: it bounds what the emulator of a
	// Script can do at once with files.
	Concurrency int
}

// Command returns the program, its arguments and its environment that start a
// VM which speaks the protocol on file descriptors 3 and 4. environ is the
// environment to start from, as of [os.Environ].
//
// The program is the emulator itself or erlexec, which makes itself that: no shell
// script is run, and the process started is the VM. There is no distribution, no
// epmd and no shell, stdin is not read and crash dumps are off. As with erl, the
// variables ERL_AFLAGS, ERL_FLAGS and ERL_ZFLAGS add flags, and ERL_LIBS adds
// folders of applications.
func (i Installation) Command(b Boot, environ []string) (path string, args, env []string) {
	env = i.environment(environ, b.TaskRoot)
	if b.Script.File != "" {
		if path, args, err := i.scriptCommand(b, env); err == nil {
			return path, args, env
		}
		return filepath.Join(i.BinDir, "erlexec"), append(b.emulatorFlags(), b.scriptFlags(i)...), env
	}
	args = []string{
		// No busy waiting: the scheduler would burn the CPU time of the function, and
		// the wake-up that it saves is in no measurement.
		"+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
		// File names and what io prints are UTF-8 whatever the locale is.
		"+fnu", "+pc", "unicode",
		// Control-C belongs to the program that started the VM.
		"+Bi",
		"-boot", i.Boot,
		"-noinput",
		"-noshell",
		"-mode", "interactive",
	}
	if b.Schedulers > 0 {
		args = append(args, "+S", strconv.Itoa(b.Schedulers)+":"+strconv.Itoa(b.Schedulers))
	}
	// Each -pa goes in front of those before it.
	for _, ebin := range b.Elixir {
		args = append(args, "-pz", ebin)
	}
	args = append(args, "-pa", b.Ebin)
	if b.MaxPacket > 0 {
		args = append(args, "-beamport_max_packet", strconv.Itoa(b.MaxPacket))
	}
	args = append(args, b.Args...)
	args = append(args, "-s", "beamport", "boot")
	return filepath.Join(i.BinDir, "erlexec"), args, env
}

// environment is environ with what erlexec needs, and the folders of shared libraries: that
// of the function first, and then that of the installation.
func (i Installation) environment(environ []string, taskRoot string) []string {
	set := map[string]string{
		"ROOTDIR":  i.Root,
		"BINDIR":   i.BinDir,
		"EMU":      "beam",
		"PROGNAME": "erl",
		// A locale that is not installed would make the VM fall back to latin1.
		"LC_ALL": "C.UTF-8",
		// A dump holds what the function knows, and may be large. A VM that has run out
		// of memory would format all of its heap even for /dev/null, for minutes; 0
		// seconds stop it from that, but not halt/1 with a text from writing a dump.
		"ERL_CRASH_DUMP":         "/dev/null",
		"ERL_CRASH_DUMP_SECONDS": "0",
	}
	env := make([]string, 0, len(environ)+len(set)+2)
	home := false
	var libraries []string
	if dir := filepath.Join(taskRoot, "lib"); taskRoot != "" && holdsLibraries(dir) {
		libraries = append(libraries, dir)
	}
	if i.Libraries != "" {
		libraries = append(libraries, i.Libraries)
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if _, ours := set[name]; ours {
			continue
		}
		if name == "LD_LIBRARY_PATH" && len(libraries) > 0 {
			if value != "" {
				libraries = append(libraries, value)
			}
			continue
		}
		home = home || name == "HOME" && value != ""
		env = append(env, entry)
	}
	for _, name := range []string{"ROOTDIR", "BINDIR", "EMU", "PROGNAME", "LC_ALL", "ERL_CRASH_DUMP", "ERL_CRASH_DUMP_SECONDS"} {
		env = append(env, name+"="+set[name])
	}
	if len(libraries) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	}
	if !home {
		env = append(env, "HOME=/tmp") // init refuses to start without one
	}
	return env
}

// holdsLibraries says whether a folder has shared libraries itself.
func holdsLibraries(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(escape(dir), "*.so*"))
	return len(files) > 0
}
