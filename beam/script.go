package beam

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/beamport/beamport/etf"
)

// Kinds of boot scripts.
const (
	// BootFull starts the kernel without distribution, the logger, inet, and Elixir's
	// applications where the handler is one of Elixir's.
	BootFull = "full"
	// BootLean starts the kernel and the logger, without inet: no sockets, no names of
	// hosts. Applications are started where they have something to start.
	BootLean = "lean"
	// BootFunction starts nothing but the link, for one handler.
	BootFunction = "function"
)

// Script is a boot script that was made for functions: it takes the place of the
// installation's own, and starts the application beamport itself.
//
// It is a file as systools:script2boot/1 makes them, whose name in the script is
// "beamport KIND" and whose version is that of the emulator.
type Script struct {
	// File is its path, without the ending .boot.
	File string
	// Kind is one of [BootFull], [BootLean] and [BootFunction].
	Kind string
	// Handler is that of [BootFunction], "" otherwise.
	Handler string

	erts  string
	paths []string
}

// scriptName comes before the kind in the name of a script.
const scriptName = "beamport "

// ScriptTerm is what the file of a script holds, encoded by [etf.Encode]: a boot script
// for the emulator of version erts. Of the paths in its instructions, $ROOT stands for
// the installation, $ELIXIR for that of Elixir, $BEAMPORT for the ebin folder of the
// application and $TASK for the task root.
func ScriptTerm(kind, erts string, instructions []etf.Term) etf.Term {
	return etf.Tuple(etf.Atom("script"), etf.Tuple(etf.Charlist(scriptName+kind), etf.Charlist(erts)), etf.List(instructions...))
}

// ReadScript reads the script in FILE.boot. The error wraps [fs.ErrNotExist] if there is
// none.
func ReadScript(file string) (Script, error) {
	b, err := os.ReadFile(file + ".boot")
	if err != nil {
		return Script{}, fmt.Errorf("beam: %w", err)
	}
	t, err := etf.Decode(b)
	if err != nil {
		return Script{}, fmt.Errorf("beam: %s.boot: %w", file, err)
	}
	s := Script{File: file}
	if t.Len() != 3 || t.At(1).Len() != 2 {
		return Script{}, fmt.Errorf("beam: %s.boot is not a boot script", file)
	}
	name, _ := t.At(1).At(0).Chars()
	kind, ok := strings.CutPrefix(name, scriptName)
	if !ok || !slices.Contains([]string{BootFull, BootLean, BootFunction}, kind) {
		return Script{}, fmt.Errorf("beam: %s.boot is the boot script %q, which is none of beamport's", file, name)
	}
	s.Kind = kind
	s.erts, _ = t.At(1).At(1).Chars()
	for instruction := range t.At(2).All() {
		switch {
		case instruction.Len() != 2:
		case instruction.At(0).IsAtom("path"):
			for path := range instruction.At(1).All() {
				if text, ok := path.Chars(); ok {
					s.paths = append(s.paths, text)
				}
			}
		case instruction.At(0).IsAtom("apply") && instruction.At(1).At(0).IsAtom("beamport_function") && instruction.At(1).At(1).IsAtom("boot"):
			if handler, ok := instruction.At(1).At(2).At(0).GetAtom("handler"); ok {
				s.Handler, _ = handler.Text()
			}
		}
	}
	return s, nil
}

// variables are what the paths of a script begin with.
func (b Boot) variables(i Installation) [][2]string {
	variables := [][2]string{{"ROOT", i.Root}, {"BEAMPORT", b.Ebin}, {"TASK", b.TaskRoot}}
	for _, ebin := range b.Elixir {
		if root, ok := strings.CutSuffix(filepath.ToSlash(ebin), "/lib/elixir/ebin"); ok {
			variables = append(variables, [2]string{"ELIXIR", root})
		}
	}
	return variables
}

// Check says why the boot script cannot be used with this installation: it was made
// for an emulator of another version, or code that it loads is not where it was.
func (i Installation) Check(b Boot) error {
	if erts := ertsVersion(filepath.Join(i.BinDir, "erlexec")); b.Script.erts != erts {
		return fmt.Errorf("beam: %s.boot is for erts %s, this is %s", b.Script.File, b.Script.erts, erts)
	}
	variables := b.variables(i)
	for _, path := range b.Script.paths {
		name, rest, _ := strings.Cut(strings.TrimPrefix(path, "$"), "/")
		at := slices.IndexFunc(variables, func(v [2]string) bool { return v[0] == name && v[1] != "" })
		if at < 0 && name == "ELIXIR" {
			return fmt.Errorf("beam: %s.boot needs Elixir, and there is none beside the runtime: take a layer that has it (beamport layer --preset elixir)", b.Script.File)
		}
		if at < 0 {
			return fmt.Errorf("beam: %s.boot needs %s, and nothing says where $%s is", b.Script.File, path, name)
		}
		if dir := filepath.Join(variables[at][1], filepath.FromSlash(rest)); !isDir(dir) {
			hint := ""
			if app, ok := strings.CutPrefix(rest, "lib/"); ok && (name == "ROOT" || name == "ELIXIR") {
				app, _, _ = strings.Cut(app, "/")
				app, _, _ = strings.Cut(app, "-")
				hint = fmt.Sprintf("; a layer has it if it is made with beamport layer --with %s, of the Erlang that the function was packaged for", app)
			}
			return fmt.Errorf("beam: %s.boot needs the folder %s: %w%s", b.Script.File, dir, fs.ErrNotExist, hint)
		}
	}
	return nil
}

// errFlags says that the environment has flags for erl, which only erlexec reads.
var errFlags = errors.New("flags in the environment")

// scriptCommand is the command that starts the emulator itself with a script of
// beamport's: without erlexec in between, which takes 2 ms to read the flags of its
// environment.
func (i Installation) scriptCommand(b Boot, env []string) (path string, args []string, err error) {
	home := ""
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && strings.HasPrefix(name, "ERL_") && strings.HasSuffix(name, "FLAGS") {
			return "", nil, errFlags // ERL_AFLAGS, ERL_FLAGS, ERL_ZFLAGS, ERL_OTP25_FLAGS
		}
		if name == "HOME" {
			home = value
		}
	}
	for _, flag := range b.emulatorFlags() {
		args = append(args, strings.Replace(flag, "+", "-", 1))
	}
	args = append(args, "--", "-root", i.Root, "-bindir", i.BinDir, "-progname", "erl", "--", "-home", home, "--")
	return filepath.Join(i.BinDir, "beam.smp"), append(args, b.scriptFlags(i)...), nil
}

// emulatorFlags are for the emulator of a script, each in one string with its value
// where it begins with a +, else the value of the one before.
func (b Boot) emulatorFlags() []string {
	// Threads that nothing needs take time to start.
	schedulers := strconv.Itoa(b.schedulers())
	io := "1"
	if b.Concurrency > 1 {
		io = strconv.Itoa(min(b.Concurrency, 10))
	}
	// The tables of processes and ports take memory, all of it at the start.
	processes, ports := "65536", "8192"
	if b.Script.Kind == BootFunction {
		processes, ports = "16384", "4096"
	}
	return []string{
		"+S", schedulers + ":" + schedulers, "+SDcpu", "1:1", "+SDio", io,
		"+P", processes, "+Q", ports,
		"+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
		"+fnu", "+pc", "unicode", "+Bi",
	}
}

func (b Boot) schedulers() int {
	if b.Schedulers > 0 {
		return b.Schedulers
	}
	return runtime.NumCPU()
}

// scriptFlags are those that init reads.
func (b Boot) scriptFlags(i Installation) []string {
	mode := "interactive"
	if b.Script.Kind == BootLean {
		mode = "minimal" // to kernel, and interactive to the code server
	}
	flags := []string{"-noshell", "-noinput", "-boot", b.Script.File, "-mode", mode, "-beamport_boot", b.Script.Kind}
	for _, v := range b.variables(i)[1:] { // init knows ROOT
		flags = append(flags, "-boot_var", v[0], v[1])
	}
	if b.MaxPacket > 0 {
		flags = append(flags, "-beamport_max_packet", strconv.Itoa(b.MaxPacket))
	}
	return append(flags, b.Args...)
}
