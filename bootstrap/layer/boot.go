package layer

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
)

// booter makes boot scripts.
type booter struct {
	otp     *otp
	library *library
	// variables are folders, with what stands for them in a script.
	variables [][2]string
	// path is the code path that an emulator has once it has booted.
	path []string
	// known are applications that a function may start, besides its own.
	known []*app
	// kernelEnv is what the function's configuration says of kernel.
	kernelEnv []setting
	// counts has calls counted from the start: see the module beamport_probe.
	counts bool
	// function is set for a script of a function's own.
	function *functionSpec
}

// functionSpec is what a script of a function's own says of it.
type functionSpec struct {
	handler string
	module  string
	name    string // of the function, "" for a module with the behaviour
	start   []*app // in the order in which they depend on one another
	root    string // the application to start, "" for none
	level   string // of events to be logged, as the logger has it
	logs    bool   // whether the handler leads to the logger
	config  bool   // whether it leads to what Elixir's application keeps
	logger  bool   // whether it asks the application of Elixir's Logger
	// needed are the modules it leads to that run code when they are loaded.
	needed []string
}

// portable is a folder as a script has it.
func (b *booter) portable(dir string) (string, error) {
	for _, v := range b.variables {
		rest, err := filepath.Rel(v[1], dir)
		if err == nil && rest != ".." && !strings.HasPrefix(rest, ".."+string(filepath.Separator)) {
			return "$" + v[0] + "/" + filepath.ToSlash(rest), nil
		}
	}
	return "", fmt.Errorf("layer: %s is in none of the folders that are packed", dir)
}

func (b *booter) paths(dirs []string) (etf.Term, error) {
	terms := make([]etf.Term, 0, len(dirs))
	for _, dir := range dirs {
		p, err := b.portable(dir)
		if err != nil {
			return etf.Term{}, err
		}
		terms = append(terms, etf.Charlist(path.Clean(p)))
		if strings.HasSuffix(p, "/.") {
			terms[len(terms)-1] = etf.Charlist(p) // init expects a slash behind the variable
		}
	}
	return instruction("path", etf.List(terms...)), nil
}

func instruction(name string, arguments ...etf.Term) etf.Term {
	return etf.Tuple(append([]etf.Term{etf.Atom(name)}, arguments...)...)
}

func apply(module, function string, arguments ...etf.Term) etf.Term {
	return instruction("apply", etf.Tuple(etf.Atom(module), etf.Atom(function), etf.List(arguments...)))
}

// load makes the instructions that load modules: the folders that they are in, and all of
// them in one list, which the emulator's schedulers load side by side. Modules that run
// code when they are loaded are left to be loaded when they are called; so are, in a
// layer, protocols of Elixir's, which come consolidated with a function.
func (b *booter) load(modules []string) ([]etf.Term, error) {
	preloaded := b.preloaded()
	from := map[string][]string{}
	var names []etf.Term
	for _, name := range slices.Compact(slices.Sorted(slices.Values(modules))) {
		if f := b.library.lookup(name); f != nil && !preloaded[name] && !b.late(name) && (b.function != nil || !isProtocol(f.module)) {
			from[f.dir] = append(from[f.dir], name)
			names = append(names, etf.Atom(name))
		}
	}
	first, err := b.paths(searchOrder(from))
	if err != nil {
		return nil, err
	}
	to, err := b.paths(b.path)
	if err != nil {
		return nil, err
	}
	return []etf.Term{
		first,
		instruction("primLoad", etf.List(names...)),
		instruction("kernel_load_completed"),
		instruction("progress", etf.Atom("kernel_load_completed")),
		to,
	}, nil
}

// searchOrder is the order in which folders are searched for the modules to be taken from
// each: those with the most first, so that few files are asked for in vain. But a folder
// that has, of the same name, another module than the one to be taken comes behind that
// one's: Elixir's consolidated protocols are in a folder of their own, and in the folders
// of applications as they were before.
func searchOrder(from map[string][]string) []string {
	left := slices.SortedFunc(maps.Keys(from), func(x, y string) int {
		return cmp.Or(len(from[y])-len(from[x]), strings.Compare(x, y))
	})
	hides := func(x, y string) bool {
		return slices.ContainsFunc(from[y], func(name string) bool { return exists(filepath.Join(x, name+".beam")) })
	}
	var order []string
	for len(left) > 0 {
		// Of those that are left, the one that the code path has first hides none.
		next := slices.IndexFunc(left, func(x string) bool {
			return !slices.ContainsFunc(left, func(y string) bool { return x != y && hides(x, y) })
		})
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}

const features = "erl_features"

// late says whether a module has to wait for the code server. Those that run code when
// they are loaded have to, and erl_features, which is asked before each module is loaded
// once it is there itself: by init, which cannot load what that calls.
func (b *booter) late(module string) bool {
	return module == features || b.library.runsOnLoad(module)
}

// preloaded are the modules that are part of the emulator.
func (b *booter) preloaded() map[string]bool {
	names := map[string]bool{}
	for i := range b.otp.start.At(2).All() {
		if i.At(0).IsAtom("preLoaded") {
			for _, name := range atoms(i.At(1)) {
				names[name] = true
			}
		}
	}
	return names
}

// preLoaded is the instruction that names them.
func (b *booter) preLoaded() etf.Term {
	for i := range b.otp.start.At(2).All() {
		if i.At(0).IsAtom("preLoaded") {
			return i
		}
	}
	return instruction("preLoaded", etf.List())
}

// kernel makes the script of kind full or lean: what the installation's own script does,
// but that the link comes first, that all modules are loaded at once, and that kernel
// has its environment from here: on the command line it would have to be parsed, with
// modules that nothing else needs.
func (b *booter) kernel(kind string, modules []string) (etf.Term, error) {
	load, err := b.load(modules)
	if err != nil {
		return etf.Term{}, err
	}
	out := append([]etf.Term{b.preLoaded(), instruction("progress", etf.Atom("preloaded"))}, load...)
	if b.counts {
		out = append(out, apply("beamport_probe", "count"))
	}
	out = append(out, apply("beamport", "boot"))
	for i := range b.otp.start.At(2).All() {
		switch kind, _ := i.At(0).AtomName(); {
		case kind == "kernelProcess" && i.At(1).IsAtom("application_controller"):
			process, err := quietKernel(i, b.kernelEnv)
			if err != nil {
				return etf.Term{}, fmt.Errorf("layer: %s.boot: %w", b.otp.Boot, err)
			}
			out = append(out, process)
		case kind == "kernelProcess" && !i.At(1).IsAtom("heart"),
			kind == "progress" && !i.At(1).IsAtom("started") && !i.At(1).IsAtom("preloaded") && !i.At(1).IsAtom("kernel_load_completed"),
			// c:erlangrc/0 is for the shell.
			kind == "apply" && !i.At(1).At(0).IsAtom("c"):
			out = append(out, i)
		}
	}
	out = append(out, apply("beamport", "logs"))
	// Applications that are loaded by now need not be read from files, by a parser that has
	// to be loaded first.
	for _, a := range b.known {
		out = append(out, apply("application", "load", a.spec))
	}
	if f := b.function; f != nil {
		for _, a := range f.start {
			out = append(out, apply("application", "load", a.spec))
		}
		out = append(out, apply("beamport_function", "packaged", f.settings(nil)))
	}
	out = append(out, instruction("progress", etf.Atom("started")))
	return beam.ScriptTerm(kind, b.otp.erts, out), nil
}

// quietKernel is the instruction that starts the controller of applications, with a
// kernel that has no distribution, and a logger that prints nothing.
func quietKernel(process etf.Term, settings []setting) (etf.Term, error) {
	start := process.At(2)
	if start.Len() != 3 || start.At(2).Len() != 1 || start.At(2).At(0).Len() != 3 {
		return etf.Term{}, fmt.Errorf("the controller of applications is started in a way that is not known: %v", process)
	}
	spec := start.At(2).At(0)
	ours := []etf.Term{
		etf.Tuple(etf.Atom("start_distribution"), etf.Atom("false")),
		etf.Tuple(etf.Atom("logger"), etf.List(etf.Tuple(etf.Atom("handler"), etf.Atom("default"), etf.Atom("undefined")))),
	}
	set := map[string]bool{"start_distribution": true, "logger": true}
	for _, s := range settings {
		if key, _ := s.key.AtomName(); !set[key] {
			set[key] = true
			ours = append(ours, etf.Tuple(s.key, s.value))
		}
	}
	var properties []etf.Term
	for property := range spec.At(2).All() {
		if property.At(0).IsAtom("env") {
			for value := range property.At(1).All() {
				if key, _ := value.At(0).AtomName(); !set[key] {
					ours = append(ours, value)
				}
			}
			property = etf.Tuple(etf.Atom("env"), etf.List(ours...))
		}
		properties = append(properties, property)
	}
	kernel := etf.Tuple(spec.At(0), spec.At(1), etf.List(properties...))
	return instruction("kernelProcess", process.At(1), etf.Tuple(start.At(0), start.At(1), etf.List(kernel))), nil
}

// bare makes the script of kind function, in which nothing of kernel is started.
func (b *booter) bare(modules []string) (etf.Term, error) {
	// The code server is started when its modules are called.
	load, err := b.load(slices.DeleteFunc(modules, func(name string) bool { return name == "code" || name == "code_server" }))
	if err != nil {
		return etf.Term{}, err
	}
	late := append(b.library.allOnLoad(), features)
	b.function.config, b.function.logger = false, false // no application can be started
	out := append([]etf.Term{b.preLoaded(), instruction("progress", etf.Atom("preloaded"))}, load...)
	out = append(out,
		apply("beamport_function", "boot", b.function.settings(late)),
		instruction("progress", etf.Atom("started")),
		apply("beamport_function", "hold"))
	return beam.ScriptTerm(beam.BootFunction, b.otp.erts, out), nil
}

// settings is beamport_function:settings(), with the modules that only the code server
// may load.
func (f *functionSpec) settings(late []string) etf.Term {
	parsed := etf.Tuple(etf.Atom(f.module))
	if f.name != "" {
		parsed = etf.Tuple(etf.Atom(f.module), etf.Atom(f.name))
	}
	var environment, start []etf.Term
	for _, a := range f.start {
		if len(a.env) > 0 {
			environment = append(environment, etf.Tuple(etf.Atom(a.name), etf.List(a.env...)))
		}
	}
	if f.root != "" {
		start = append(start, etf.Atom(f.root))
	}
	return etf.Map(
		etf.Pair{Key: etf.Atom("handler"), Value: etf.String(f.handler)},
		etf.Pair{Key: etf.Atom("parsed"), Value: parsed},
		etf.Pair{Key: etf.Atom("applications"), Value: etf.List(start...)},
		etf.Pair{Key: etf.Atom("elixir"), Value: etf.Bool(f.config)},
		etf.Pair{Key: etf.Atom("logger"), Value: etf.Bool(f.logger)},
		etf.Pair{Key: etf.Atom("environment"), Value: etf.List(environment...)},
		etf.Pair{Key: etf.Atom("late"), Value: atomList(late)},
		etf.Pair{Key: etf.Atom("needed"), Value: atomList(f.needed)},
		etf.Pair{Key: etf.Atom("log_level"), Value: etf.Atom(cmp.Or(f.level, "notice"))},
		etf.Pair{Key: etf.Atom("logs"), Value: etf.Bool(f.logs)},
	)
}
