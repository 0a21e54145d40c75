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
	// Args are further flags, put after the others: emulator flags start with +.
	Args []string
}

// Command returns the program, its arguments and its environment that start a
// VM which speaks the protocol on file descriptors 3 and 4. environ is the
// environment to start from, as of [os.Environ].
//
// The program is erlexec, which makes itself the emulator: no shell script is
// run, and the process started is the VM itself. There is no distribution, no
// epmd and no shell, stdin is not read and crash dumps are off. As with erl, the
// variables ERL_AFLAGS, ERL_FLAGS and ERL_ZFLAGS add flags, and ERL_LIBS adds
// folders of applications.
func (i Installation) Command(b Boot, environ []string) (path string, args, env []string) {
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
	return filepath.Join(i.BinDir, "erlexec"), args, i.environment(environ)
}

// environment is environ with what erlexec needs.
func (i Installation) environment(environ []string) []string {
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
	env := make([]string, 0, len(environ)+len(set)+1)
	home := false
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if _, ours := set[name]; ours {
			continue
		}
		home = home || name == "HOME" && value != ""
		env = append(env, entry)
	}
	for _, name := range []string{"ROOTDIR", "BINDIR", "EMU", "PROGNAME", "LC_ALL", "ERL_CRASH_DUMP", "ERL_CRASH_DUMP_SECONDS"} {
		env = append(env, name+"="+set[name])
	}
	if !home {
		env = append(env, "HOME=/tmp") // init refuses to start without one
	}
	return env
}
