package layer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/elffile"
)

// Options say what [Build] packs.
type Options struct {
	// Preset is erlang, elixir, elixir-tls or full: see [Presets].
	Preset string
	// With are further applications, of Erlang or Elixir.
	With []string
	// OTP and Elixir are the folders of the installations to take from: ERLANG_HOME and
	// ELIXIR_HOME, as it were. Empty, they are those of the machine.
	OTP, Elixir string
	// Bootstrap is the program that Lambda is to start, built for linux and Arch.
	Bootstrap string
	// Target says where the layer is to run.
	Target Target
	// Force has a layer packed that could not be loaded there, or is too large.
	Force bool
	// Progress, if set, is called with how many of all bytes have been packed.
	Progress func(done, total int64)
}

// Preset is a set of applications.
type Preset struct {
	Name, About string
	apps        []string
	// compiles has what it takes to compile code packed too, and what people at a terminal
	// use.
	compiles bool
	// hollow are applications that others need to be there when they are started, though
	// a function has no use for them: their modules are left out.
	hollow []string
}

// Presets are those of [Options]. Each has kernel and stdlib, and what the others
// depend on.
var Presets = []Preset{
	{"erlang", "functions in Erlang or Gleam that call no other service over TLS", nil, false, nil},
	{"elixir", "functions in Elixir that call no other service over TLS", []string{"elixir", "logger"}, false, []string{"compiler"}},
	{"elixir-tls", "functions in Elixir, with TLS and HTTP clients", []string{"elixir", "logger", "eex", "ssl", "inets"}, false, []string{"compiler"}},
	{"full", "functions in source form too: with the compiler and mix",
		[]string{"elixir", "logger", "eex", "mix", "ssl", "inets", "compiler", "syntax_tools", "parsetools", "sasl", "runtime_tools"}, true, nil},
}

func preset(name string) (Preset, error) {
	var names []string
	for _, p := range Presets {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, fmt.Errorf("layer: there is no preset %q (there are %s)", name, strings.Join(names, ", "))
}

// builder is a layer under way.
type builder struct {
	Options
	*contents
	otp    *otp
	elixir *elixir // nil where the layer has none
	apps   []*app
	preset Preset
	hollow []string
	// scripts are the boot scripts, encoded, and loaded the modules that they load.
	scripts []entry
	loaded  map[string]bool
}

// hostArch is what can be started on this machine.
const hostArch = runtime.GOARCH

// Build packs a layer into w: a zip archive of what is to be in /opt. It starts the
// Erlang that is packed to see which modules it loads, unless that is made for another
// machine. The error wraps [ErrIncompatible] where the layer could not be loaded on its
// target, and [ErrTooLarge] where it would hold more than Lambda takes.
func Build(ctx context.Context, o Options, w io.Writer) (*Report, error) {
	b := &builder{Options: o, contents: newContents()}
	if err := b.suits(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return b.makeScripts(ctx) },
		b.addBootstrap, b.addEmulator, b.addApps, b.addRuntime, b.check, b.addNotices, b.addScripts,
	} {
		if err := step(); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	report, err := b.write(ctx, w, o.Target.allowance(0, o.Force), o.Progress)
	if err != nil {
		return nil, err
	}
	report.Notes = append(report.Notes, b.notes...)
	return report, nil
}

// Validate says what is wrong with the options, as far as it can be seen before anything
// is built or packed.
func (o Options) Validate() error {
	return (&builder{Options: o, contents: newContents()}).suits()
}

// suits finds the applications, and says if the emulator is for another machine: so is all
// else then.
func (b *builder) suits() error {
	if err := b.choose(); err != nil || b.Force {
		return err
	}
	program, err := os.ReadFile(filepath.Join(b.otp.BinDir, "beam.smp"))
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	f, err := elffile.Read(program)
	if err != nil {
		return fmt.Errorf("layer: %s: %w", filepath.Join(b.otp.BinDir, "beam.smp"), err)
	}
	if f.Arch() != b.Target.Arch {
		return fmt.Errorf("%w: the Erlang in %s is for %s, and the target is for %s: name one for that with --otp, or the architecture with --arch",
			ErrIncompatible, b.otp.Root, f.Arch(), b.Target.Arch)
	}
	return nil
}

// choose finds the applications.
func (b *builder) choose() error {
	p, err := preset(b.Options.Preset)
	if err != nil {
		return err
	}
	b.preset = p
	if b.otp, err = readOTP(b.OTP); err != nil {
		return err
	}
	found, err := readElixir(b.Elixir)
	if err != nil {
		return err
	}
	all := apps{}
	if found != nil {
		for name, a := range found.apps {
			all[name] = a
		}
	}
	for name, a := range b.otp.apps {
		all[name] = a
	}
	names := slices.Concat([]string{"kernel", "stdlib"}, p.apps, b.With)
	if slices.Contains(names, "elixir") && found == nil {
		return fmt.Errorf("layer: the preset %s needs Elixir, and there is none: install it, or name its folder with --elixir", p.Name)
	}
	if b.apps, err = all.closure(names...); err != nil {
		return err
	}
	if slices.ContainsFunc(b.apps, func(a *app) bool { return a.name == "elixir" }) {
		b.elixir = found
	}
	for _, name := range p.hollow {
		if !slices.Contains(b.With, name) {
			b.hollow = append(b.hollow, name)
		}
	}
	return nil
}

func (b *builder) addBootstrap() error {
	if err := b.addFile(b.Bootstrap, "bootstrap", "bootstrap", stripped); err != nil {
		return err
	}
	b.entries[len(b.entries)-1].executable = true
	return nil
}

// emulator are the programs of erts/bin that a VM without distribution starts.
var emulator = []string{"beam.smp", "erlexec", "erl_child_setup", "inet_gethost"}

func (b *builder) addEmulator() error {
	part := "erts " + b.otp.erts
	for _, program := range emulator {
		name := "erlang/erts-" + b.otp.erts + "/bin/" + program
		if err := b.addFile(filepath.Join(b.otp.BinDir, program), name, part, stripped); err != nil {
			return err
		}
	}
	return b.addFile(b.otp.Boot+".boot", "erlang/bin/start_clean.boot", part, asItIs)
}

// check packs shared libraries, and says what would not load.
func (b *builder) check() error {
	problems, err := b.addLibraries(b.Target, FindLibrary("/", b.Target.Arch))
	if err != nil {
		return err
	}
	if !b.Force {
		return incompatible(problems)
	}
	for _, p := range problems {
		b.notes = append(b.notes, "packed although it would not load: "+p.String())
	}
	return nil
}

// isElixir says whether an application came with Elixir.
func (b *builder) isElixir(a *app) bool {
	return b.elixir != nil && b.elixir.apps[a.name] == a
}

// interactive are modules of kernel, stdlib and elixir for people at a terminal, and for talk with
// other nodes, which a function cannot be reached by.
var interactive = []string{
	"shell", "shell_default", "shell_docs", "edlin", "edlin_context",
	"edlin_expand", "edlin_key", "edlin_type_suggestion",
	"dist_util", "erl_epmd", "inet_tcp_dist", "inet6_tcp_dist", "gen_tcp_dist",
	"peer", "pool", "slave", "escript",
	"Elixir.IO.ANSI.Docs",
}

// unpacked says which modules of an application are left out: those that nothing has
// loaded.
func (b *builder) unpacked(a *app) []string {
	if b.preset.compiles || !slices.Contains([]string{"kernel", "stdlib", "elixir"}, a.name) {
		return nil
	}
	var names []string
	files, _ := filepath.Glob(filepath.Join(escape(a.dir), "ebin", "*.beam"))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".beam")
		left := slices.Contains(interactive, name) || isTypes(name) && slices.Contains(b.hollow, "compiler")
		if left && !b.loaded[name] {
			names = append(names, filepath.Base(file))
		}
	}
	return names
}

// isTypes says whether a module is one of those that Elixir checks others with when it has
// compiled them, which takes Erlang's compiler.
func isTypes(module string) bool {
	return module == "Elixir.Module.Types" || strings.HasPrefix(module, "Elixir.Module.Types.")
}

// isExtra says whether a module is one that layers may be without.
func isExtra(module string) bool { return slices.Contains(interactive, module) || isTypes(module) }

// packedDir is the folder of an application in the layer.
func (b *builder) packedDir(a *app) string {
	if b.isElixir(a) {
		return "elixir/lib/" + filepath.Base(a.dir)
	}
	return "erlang/lib/" + filepath.Base(a.dir)
}

func (b *builder) addApps() error {
	for _, a := range b.apps {
		part := a.name + " " + a.version
		if slices.Contains(b.hollow, a.name) {
			if err := b.addHollow(a, b.packedDir(a), part+" (no modules)"); err != nil {
				return err
			}
			b.notes = append(b.notes, fmt.Sprintf("of the application %s, which others depend on, no modules are packed: --with %s packs them", a.name, a.name))
			continue
		}
		as := form(stripped)
		if b.preset.compiles && b.isElixir(a) {
			as = compilable
		}
		if err := b.addApp(a, b.packedDir(a), part, as, b.unpacked(a)...); err != nil {
			return err
		}
		if b.preset.compiles {
			if err := b.addHeaders(a, b.packedDir(a), part); err != nil {
				return err
			}
		}
	}
	return nil
}

// tools are modules of the application beamport that a function has no use for.
var tools = []string{"beamport_probe.beam"}

func (b *builder) addRuntime() error {
	files := beam.Application()
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(tools, name) {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		source := int64(len(data))
		if data, err = stripped(name, data); err != nil {
			return fmt.Errorf("layer: %s: %w", name, err)
		}
		return b.add(entry{name: "beam/ebin/" + name, part: "beamport", data: data, source: source})
	})
}

// makeScripts makes the boot scripts.
func (b *builder) makeScripts(ctx context.Context) error {
	b.loaded = map[string]bool{}
	ebin, remove, err := beam.Ebin("")
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	defer func() { _ = remove() }()
	maker := b.booter(ebin)
	for _, kind := range []string{beam.BootFull, beam.BootLean} {
		modules, err := maker.modules(ctx, kind, ebin, b.elixir != nil)
		if err != nil {
			if b.Target.Arch == hostArch {
				return err
			}
			note := "the Erlang packed cannot be started on this machine: its boot scripts load the modules that its own script would"
			if !slices.Contains(b.notes, note) {
				b.notes = append(b.notes, note)
			}
			modules = maker.stock()
		}
		term, err := maker.kernel(kind, modules)
		if err != nil {
			return err
		}
		data, err := etf.Encode(term)
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		b.scripts = append(b.scripts, entry{name: "boot/" + kind + ".boot", part: "boot scripts", data: data})
		for _, name := range modules {
			b.loaded[name] = true
		}
	}
	return nil
}

func (b *builder) addScripts() error {
	for _, e := range b.scripts {
		if err := b.add(e); err != nil {
			return err
		}
	}
	return nil
}

// booter makes boot scripts of what is packed.
func (b *builder) booter(ebin string) *booter {
	maker := &booter{otp: b.otp, variables: [][2]string{{"ROOT", b.otp.Root}, {"BEAMPORT", ebin}}}
	dirs := []string{ebin}
	for _, a := range b.apps {
		if slices.Contains(b.hollow, a.name) {
			continue
		}
		dirs = append(dirs, filepath.Join(a.dir, "ebin"))
	}
	if b.elixir != nil {
		for _, a := range b.apps {
			if slices.Contains([]string{"compiler", "elixir", "logger"}, a.name) {
				maker.known = append(maker.known, a)
			}
		}
		maker.variables = append(maker.variables, [2]string{"ELIXIR", b.elixir.root})
	}
	maker.path = dirs
	maker.library = newLibrary(dirs...)
	return maker
}

// modules are those that an emulator loads until it has served an invocation.
func (m *booter) modules(ctx context.Context, kind, ebin string, withElixir bool) ([]string, error) {
	boot := beam.Boot{Ebin: ebin, TaskRoot: os.TempDir()}
	for _, dir := range m.library.dirs {
		if strings.HasSuffix(filepath.ToSlash(dir), "/lib/elixir/ebin") {
			boot.Elixir = []string{dir}
		}
	}
	return m.probe(ctx, kind, probeHandler(withElixir), func(script beam.Script) (string, []string, []string) {
		boot.Script = script
		return m.otp.Command(boot, []string{"PATH=" + os.Getenv("PATH"), "HOME=/tmp"})
	})
}

// stock are the modules that the installation's own script loads.
func (m *booter) stock() []string {
	needed := newReach(m.library.module)
	for _, c := range linkCuts {
		needed.cut[c] = true
	}
	needed.from(linkRoots...)
	names := append(needed.names(), m.server()...)
	for i := range m.otp.start.At(2).All() {
		if i.At(0).IsAtom("primLoad") {
			names = append(names, atoms(i.At(1))...)
		}
		if i.At(0).IsAtom("kernel_load_completed") {
			break
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
