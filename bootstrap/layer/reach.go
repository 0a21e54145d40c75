package layer

import (
	"slices"
	"strings"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/beamfile"
)

// reach finds the modules that code needs when it runs: it follows calls from function
// to function, not from module to module, since of a large module most callers need a
// few functions, and those few need few others.
//
// What is called by a name that is known only at run time is found in part: functions
// in constants, child specifications, and the implementations of Elixir's protocols for
// terms that have no struct, or one whose module is needed. What only makes an error is
// not followed. A module that is missed is loaded when it is called.
type reach struct {
	// find returns a module of the libraries; nil where there is none.
	find func(name string) *beamfile.Module
	// cut are functions, or modules where only that is given, that are not followed.
	cut map[beamfile.MFA]bool

	parsed  map[string]*code // nil where there is no such module
	modules map[string]bool
	queue   []beamfile.MFA
	at      beamfile.MFA // whose calls are followed
	// why is the function that each was found in.
	why map[beamfile.MFA]beamfile.MFA
	// implementations wait for the module of their struct to be needed.
	implementations map[string][]beamfile.MFA
}

// code is a module taken apart.
type code struct {
	module    *beamfile.Module
	functions map[beamfile.FA]*beamfile.Function
	exported  map[beamfile.FA]bool
	literals  []etf.Term
}

func newReach(find func(string) *beamfile.Module) *reach {
	return &reach{
		find:            find,
		cut:             map[beamfile.MFA]bool{},
		parsed:          map[string]*code{},
		modules:         map[string]bool{},
		why:             map[beamfile.MFA]beamfile.MFA{},
		implementations: map[string][]beamfile.MFA{},
	}
}

func (r *reach) push(all ...beamfile.MFA) {
	for _, m := range all {
		if _, known := r.why[m]; !known {
			r.why[m] = r.at
			r.queue = append(r.queue, m)
		}
	}
}

// from follows the calls of functions.
func (r *reach) from(roots ...beamfile.MFA) {
	r.at = beamfile.MFA{}
	r.push(roots...)
	for len(r.queue) > 0 {
		next := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		if !r.isCut(next) && !onlyFails(next) {
			r.at = next
			r.follow(next)
		}
	}
}

// wholly follows the calls of all that a module exports.
func (r *reach) wholly(module string) {
	if c := r.code(module); c != nil {
		for _, fa := range c.module.Exports {
			r.from(beamfile.MFA{Module: module, Function: fa.Function, Arity: fa.Arity})
		}
	}
}

// names are those of the modules found, in order.
func (r *reach) names() []string {
	names := make([]string, 0, len(r.modules))
	for name := range r.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r *reach) isCut(m beamfile.MFA) bool {
	return r.cut[m] || r.cut[beamfile.MFA{Module: m.Module}]
}

// onlyFails: Elixir makes an exception by Module.exception/1, right before it raises it.
func onlyFails(m beamfile.MFA) bool {
	return m.Arity == 1 && m.Function == "exception" && strings.HasPrefix(m.Module, "Elixir.") ||
		m.Module == "Elixir.IO" && m.Function == "warn"
}

func (r *reach) code(name string) *code {
	if c, ok := r.parsed[name]; ok {
		return c
	}
	r.parsed[name] = nil
	m := r.find(name)
	if m == nil {
		return nil
	}
	c := &code{module: m, functions: map[beamfile.FA]*beamfile.Function{}, exported: map[beamfile.FA]bool{}}
	for _, fa := range m.Exports {
		c.exported[fa] = true
	}
	// Code of a later release than those known is followed by its imports, below.
	functions, err := m.Functions()
	if err == nil {
		for i := range functions {
			c.functions[functions[i].Name] = &functions[i]
		}
	} else {
		c.functions = nil
	}
	c.literals, _ = m.Literals()
	r.parsed[name] = c
	return c
}

func (r *reach) follow(m beamfile.MFA) {
	c := r.code(m.Module)
	if c == nil {
		return // it comes with the emulator, or is nowhere
	}
	f := c.functions[beamfile.FA{Function: m.Function, Arity: m.Arity}]
	if f != nil && builtIn(f) {
		return
	}
	if !r.modules[m.Module] {
		r.modules[m.Module] = true
		r.push(r.implementations[m.Module]...)
		delete(r.implementations, m.Module)
	}
	if c.functions == nil {
		r.push(c.module.Imports...)
		return
	}
	if f == nil {
		return
	}
	r.push(f.Calls...)
	for _, fa := range f.Local {
		r.push(beamfile.MFA{Module: m.Module, Function: fa.Function, Arity: fa.Arity})
	}
	for _, n := range f.Literals {
		if n >= 0 && n < len(c.literals) {
			r.literal(c.literals[n])
		}
	}
	r.started(m, f)
	if f.Applies && c.exported[beamfile.FA{Function: "__protocol__", Arity: 1}] {
		r.protocol(m, c)
	}
}

// builtIn says whether the emulator has a function itself: what a module of Erlang's has in
// its place only fails, and the module need not be loaded for it.
func builtIn(f *beamfile.Function) bool {
	return len(f.Calls) == 1 && f.Calls[0].Module == "erlang" && f.Calls[0].Function == "nif_error" && len(f.Local) == 0
}

// literal finds functions in a constant: funs, and modules with the name and the
// arguments of a function, as child specifications have them.
func (r *reach) literal(t etf.Term) {
	switch t.Kind() {
	case etf.KindExport:
		e, _ := t.Export()
		r.push(beamfile.MFA{Module: e.Module, Function: e.Function, Arity: int(e.Arity)})
	case etf.KindTuple, etf.KindList:
		for e := range t.All() {
			r.literal(e)
		}
		r.start(t)
	case etf.KindMap:
		for key, value := range t.Pairs() {
			r.literal(key)
			r.literal(value)
		}
	}
}

func (r *reach) start(t etf.Term) {
	if t.Kind() != etf.KindTuple || t.Len() != 3 {
		return
	}
	module, okM := t.At(0).AtomName()
	function, okF := t.At(1).AtomName()
	if args := t.At(2); okM && okF && args.Kind() == etf.KindList {
		fa := beamfile.FA{Function: function, Arity: args.Len()}
		if c := r.code(module); c != nil && c.exported[fa] {
			r.push(beamfile.MFA{Module: module, Function: fa.Function, Arity: fa.Arity})
		}
	}
}

// started finds what a function has run by another process, or by a behaviour: the
// modules and the functions are among the atoms that it mentions.
func (r *reach) started(m beamfile.MFA, f *beamfile.Function) {
	var spawns, behaves bool
	for _, call := range f.Calls {
		spawns = spawns || (call.Module == "erlang" || call.Module == "proc_lib") &&
			(strings.HasPrefix(call.Function, "spawn") || call.Function == "apply" || call.Function == "hibernate" ||
				strings.HasPrefix(call.Function, "start"))
		behaves = behaves || behaviours[call.Module] && strings.HasPrefix(call.Function, "start")
	}
	if !spawns && !behaves && !f.Applies {
		return
	}
	for _, name := range append([]string{m.Module}, f.Atoms...) {
		c := r.code(name)
		if c == nil {
			continue
		}
		for _, fa := range c.module.Exports {
			if behaves && callbacks[fa.Function] || slices.Contains(f.Atoms, fa.Function) {
				r.push(beamfile.MFA{Module: name, Function: fa.Function, Arity: fa.Arity})
			}
		}
	}
}

// behaviours are the modules that call functions of the module that they are given, and
// callbacks those functions.
var (
	behaviours = map[string]bool{
		"gen_server": true, "gen_event": true, "gen_statem": true, "supervisor": true, "supervisor_bridge": true,
	}
	callbacks = map[string]bool{
		"init": true, "handle_call": true, "handle_cast": true, "handle_info": true, "handle_event": true,
		"handle_continue": true, "callback_mode": true,
	}
)

// plain are the kinds of terms that protocols of Elixir's know without a struct.
var plain = map[string]bool{
	"Any": true, "Atom": true, "BitString": true, "Float": true, "Function": true,
	"Integer": true, "List": true, "Map": true, "Tuple": true,
}

// protocol finds the implementations of a protocol's function.
func (r *reach) protocol(m beamfile.MFA, c *code) {
	prefix := m.Module + "."
	for _, fa := range []beamfile.FA{{Function: "impl_for", Arity: 1}, {Function: "struct_impl_for", Arity: 1}} {
		f := c.functions[fa]
		if f == nil {
			continue
		}
		for _, atom := range f.Atoms {
			kind, ok := strings.CutPrefix(atom, prefix)
			if !ok {
				continue
			}
			implementation := beamfile.MFA{Module: atom, Function: m.Function, Arity: m.Arity}
			switch owner := "Elixir." + kind; {
			case plain[kind] || r.modules[owner]:
				r.push(implementation)
			default:
				r.implementations[owner] = append(r.implementations[owner], implementation)
			}
		}
	}
}
