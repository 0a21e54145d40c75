package layer

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/beamfile"
)

// FunctionOptions say what [Package] packs.
type FunctionOptions struct {
	// Dir is a project of mix or rebar3, a folder of Erlang's or Elixir's source, a
	// shipment of Gleam's, or a folder of compiled code.
	Dir string
	// Handler names the function. Without one there is no boot script in the archive, and
	// that of the layer is taken.
	Handler string
	// Boot is the kind of boot script: [beam.BootFull], [beam.BootLean] or
	// [beam.BootFunction].
	Boot string
	// OTP and Elixir are the folders of the installations that the layer is made of. Empty,
	// they are those of the machine.
	OTP, Elixir string
	// Target says where the function is to run.
	Target Target
	// Layers are the archives of layers that it runs on: what they hold counts too.
	Layers []string
	// Force has code packed that could not be loaded there, or is too large.
	Force bool
	// Progress, if set, is called with how many of all bytes have been packed.
	Progress func(done, total int64)
}

// packer is an archive of a function under way.
type packer struct {
	FunctionOptions
	*contents
	otp    *otp
	elixir *elixir // nil if there is none
	code   *taskCode
}

// Package packs a function into w: a zip archive of what is to be in its task root. A
// project is compiled first, in its own folder as its tool does it. The error wraps
// [ErrSource] where that fails, [ErrIncompatible] where native code could not be loaded on
// the target, and [ErrTooLarge] where it would hold more than Lambda takes.
func Package(ctx context.Context, o FunctionOptions, w io.Writer) (*Report, error) {
	if !slices.Contains([]string{beam.BootFull, beam.BootLean, beam.BootFunction}, o.Boot) {
		return nil, fmt.Errorf("layer: there is no kind of boot script %q (there are %s, %s and %s)", o.Boot, beam.BootFull, beam.BootLean, beam.BootFunction)
	}
	if o.Boot != beam.BootFull && o.Handler == "" {
		return nil, fmt.Errorf("layer: a boot script of kind %s is made for a handler: name it with --handler", o.Boot)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	o.Dir = dir
	beside, err := unzipped(o.Layers)
	if err != nil {
		return nil, err
	}
	p := &packer{FunctionOptions: o, contents: newContents()}
	if p.otp, err = readOTP(o.OTP); err != nil {
		return nil, err
	}
	if p.elixir, err = readElixir(o.Elixir); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "beamport-package-")
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	c := &compiler{dir: o.Dir, otp: p.otp, elixir: p.elixir, temp: temp}
	if p.code, err = c.code(ctx); err != nil {
		return nil, err
	}
	p.notes = p.code.notes
	if err := p.addCode(p.code); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.addScript(ctx); err != nil {
		return nil, err
	}
	if err := p.addConfig(); err != nil {
		return nil, err
	}
	report, err := p.write(ctx, w, o.Target.allowance(beside, o.Force), o.Progress)
	if err != nil {
		return nil, err
	}
	report.Notes = append(report.Notes, p.notes...)
	return report, nil
}

// unzipped is how much archives hold.
func unzipped(archives []string) (size int64, err error) {
	for _, file := range archives {
		z, err := zip.OpenReader(file)
		if err != nil {
			return 0, fmt.Errorf("layer: %s: %w", file, err)
		}
		for _, f := range z.File {
			size += int64(f.UncompressedSize64)
		}
		if err := z.Close(); err != nil {
			return 0, fmt.Errorf("layer: %s: %w", file, err)
		}
	}
	return size, nil
}

// check packs shared libraries that native code needs, and says what would not load.
func (p *packer) check() error {
	problems, err := p.addLibraries(p.Target, FindLibrary("/", p.Target.Arch))
	if err != nil {
		return err
	}
	text, err := p.addNoticesOfLibraries()
	if err != nil {
		return err
	}
	if text != "" {
		if err := p.addText("NOTICE", text); err != nil {
			return err
		}
	}
	if !p.Force {
		return incompatible(problems)
	}
	for _, problem := range problems {
		p.notes = append(p.notes, "packed although it would not load: "+problem.String())
	}
	return nil
}

// addConfig packs the project's configuration, which the boot script has too: in a file of
// its own, for a start without that script.
func (p *packer) addConfig() error {
	if len(p.code.config) == 0 {
		return nil
	}
	data, err := etf.Encode(settingsTerm(p.code.config))
	if err != nil {
		return fmt.Errorf("layer: the project's configuration: %w", err)
	}
	return p.add(entry{name: "beamport.config", part: "configuration", data: data})
}

// addScript packs the boot script.
func (p *packer) addScript(ctx context.Context) error {
	if p.Handler == "" {
		return nil
	}
	name, err := parseHandler(p.Handler)
	if err != nil {
		return err
	}
	ebin, remove, err := beam.Ebin("")
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	defer func() { _ = remove() }()
	maker, err := p.booter(name, ebin)
	if err != nil {
		return err
	}
	term, err := p.script(ctx, maker, ebin)
	if err != nil {
		return err
	}
	data, err := etf.Encode(term)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	return p.add(entry{name: "beamport.boot", part: "boot script", data: data})
}

func (p *packer) script(ctx context.Context, maker *booter, ebin string) (etf.Term, error) {
	reach := maker.reachable()
	// What the layer may be without must not be asked for by the script: it is loaded when
	// it is called, if it is there.
	reached := slices.DeleteFunc(reach.names(), isExtra)
	calls := maker.ownCalls(reach, p.code.dirs)
	maker.function.logger = slices.ContainsFunc(calls, func(c [2]beamfile.MFA) bool {
		return c[1].Module == "Elixir.Logger" && slices.Contains(loggerServer, c[1].Function)
	})
	p.noteLimits(maker, calls)
	p.noteMissing(maker, calls)
	if p.Boot == beam.BootFunction {
		if err := maker.function.startsNothing(); err != nil {
			return etf.Term{}, err
		}
		maker.function.root = "" // nothing to start
		return maker.bare(reached)
	}
	modules, err := maker.modules(ctx, p.Boot, ebin, maker.isElixir())
	if err != nil {
		if p.Target.Arch == hostArch {
			return etf.Term{}, err
		}
		modules = maker.stock()
	}
	return maker.kernel(p.Boot, append(modules, reached...))
}

// startsNothing says which application makes a script of kind function impossible.
func (f *functionSpec) startsNothing() error {
	for _, a := range f.start {
		if a.mod == "" || slices.Contains(quiet, a.name) {
			continue
		}
		instead := beam.BootLean
		if slices.ContainsFunc(f.start, func(a *app) bool { return slices.Contains(networked, a.name) }) {
			instead = beam.BootFull // where there are sockets
		}
		return fmt.Errorf("layer: the application %s, which the function needs, starts processes, and with --boot function nothing is started: take --boot %s", a.name, instead)
	}
	return nil
}

// quiet are applications with processes that a function can do without.
var quiet = []string{"kernel", "stdlib", "compiler", "elixir", "eex", "logger"}

// booter makes the boot script of a handler. What it needs of Erlang and Elixir has to be
// in the layer.
func (p *packer) booter(name handlerName, ebin string) (*booter, error) {
	all := apps{}
	if p.elixir != nil {
		for n, a := range p.elixir.apps {
			all[n] = a
		}
	}
	for n, a := range p.otp.apps {
		all[n] = a
	}
	for n, a := range p.code.apps {
		if p.otp.apps[n] == nil {
			all[n] = a
		}
	}
	own := newLibrary(p.code.dirs...)
	found := own.lookup(name.module)
	if found == nil {
		return nil, p.noModule(name)
	}
	if err := name.exported(found.module); err != nil {
		return nil, err
	}
	m := &booter{otp: p.otp, variables: [][2]string{{"TASK", p.code.root}, {"ROOT", p.otp.Root}, {"BEAMPORT", ebin}}}
	m.function = &functionSpec{handler: p.Handler, module: name.module, name: name.function, level: p.level(name)}
	names := []string{"kernel", "stdlib"}
	if strings.HasPrefix(name.module, "Elixir.") {
		names = append(names, "elixir", "logger")
	}
	if owner := p.code.owner(found.dir); owner != nil {
		names = append(names, owner.name)
		m.function.root = owner.name
	}
	closure, err := all.closure(names...)
	if err != nil {
		if p.elixir == nil {
			err = errors.Join(err, errors.New("layer: there is no Elixir on this machine: name its folder with --elixir"))
		}
		return nil, err
	}
	dirs := append(slices.Clone(p.code.dirs), ebin)
	for _, a := range closure {
		if p.code.apps[a.name] == a {
			m.function.start = append(m.function.start, a.configured(p.code.config[a.name]))
			continue
		}
		if a.name == "compiler" { // whose modules layers leave out
			m.known = append(m.known, a)
			continue
		}
		dirs = append(dirs, filepath.Join(a.dir, "ebin"))
		if p.elixir != nil && p.elixir.apps[a.name] == a && !slices.ContainsFunc(m.variables, func(v [2]string) bool { return v[0] == "ELIXIR" }) {
			m.variables = append(m.variables, [2]string{"ELIXIR", p.elixir.root})
		}
		settings := p.code.config[a.name]
		switch {
		case a.name == "kernel":
			m.kernelEnv = settings
		case a.name == "stdlib":
		default:
			m.function.start = append(m.function.start, a.configured(settings))
		}
	}
	m.path = dirs
	m.library = newLibrary(dirs...)
	return m, nil
}

// level is what the function's logger would be set to, by the configuration or by itself.
func (p *packer) level(name handlerName) string {
	application, key, level := "kernel", "logger_level", "notice"
	if strings.HasPrefix(name.module, "Elixir.") {
		application, key, level = "logger", "level", "debug"
	}
	for _, s := range p.code.config[application] {
		if s.key.IsAtom(key) {
			level, _ = s.value.AtomName()
		}
	}
	if level == "warn" { // Elixir's older name
		level = "warning"
	}
	return level
}

// isElixir says whether Elixir is among what an emulator loads from.
func (b *booter) isElixir() bool {
	return slices.ContainsFunc(b.variables, func(v [2]string) bool { return v[0] == "ELIXIR" })
}

// noModule says that the handler's module is missing, and what there is.
func (p *packer) noModule(name handlerName) error {
	var modules []string
	for _, dir := range p.code.dirs {
		files, _ := filepath.Glob(filepath.Join(escape(dir), "*.beam"))
		for _, file := range files {
			modules = append(modules, strings.TrimPrefix(strings.TrimSuffix(filepath.Base(file), ".beam"), "Elixir."))
		}
	}
	slices.Sort(modules)
	return fmt.Errorf("layer: there is no module %s for the handler %q: the code has %s",
		strings.TrimPrefix(name.module, "Elixir."), p.Handler, strings.Join(modules[:min(5, len(modules))], ", "))
}
