package beamfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Function is what the code of a function refers to.
type Function struct {
	Name FA
	// Calls are the functions of other modules that it calls, or makes funs of.
	Calls []MFA
	// Local are the functions of its own module that it calls, or makes funs of.
	Local []FA
	// Atoms are those that its instructions mention.
	Atoms []string
	// Literals are the numbers of the constants that its instructions mention.
	Literals []int
	// Applies says that it calls a function whose name is known at run time only.
	Applies bool
	// OnLoad says that it is called when the module is loaded.
	OnLoad bool
}

// arities are the numbers of operands of the generic instructions, by their number,
// which never change: https://github.com/erlang/otp/blob/master/lib/compiler/src/genop.tab
var arities = [...]int8{
	0: -1,
	1: 1, 3, 0, 2, 3, 2, 2, 3, 2, 4, 5, 2, 3, 2, 3, 2, 1, 1, 0, 0,
	21: 0, 0, 2, 1, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3,
	41: 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3,
	61: 1, 2, 1, 2, 3, 3, 3, 3, 3, 2, 1, 1, 0, 1, 1, 3, 2, 2, 2, 5,
	81: 5, 5, 4, 2, 1, 1, 2, 2, 5, 5, 5, 2, 1, 0, 1, 2, 2, 4, 4, 4,
	101: 4, 3, 1, 2, 1, 1, 1, 2, 6, 3, 5, 1, 2, 2, 3, 5, 7, 7, 7, 5,
	121: 3, 2, 2, 5, 6, 2, 2, 2, 2, 1, 3, 4, 0, 8, 6, 2, 6, 5, 4, 5,
	141: 4, 5, 4, 3, 3, 3, 3, 3, 0, 1, 1, 7, 1, 5, 5, 2, 3, 3, 4, 0,
	161: 0, 2, 2, 2, 3, 4, 3, 2, 2, 4, 3, 1, 2, 1, 1, 1, 6, 3, 0, 1,
	181: 5, 3, 2, 4,
}

// Instructions that say what calls what.
const (
	opLabel       = 1
	opFuncInfo    = 2
	opCodeEnd     = 3
	opCall        = 4
	opCallLast    = 5
	opCallOnly    = 6
	opCallExt     = 7
	opCallExtLast = 8
	opCallExtOnly = 78
	opMakeFun2    = 103
	opApply       = 112
	opApplyLast   = 113
	opOnLoad      = 149
	opMakeFun3    = 171
)

// Functions reads the code. An instruction of a later release than those known is an
// error.
func (m *Module) Functions() ([]Function, error) {
	data, ok := m.Chunk("Code")
	if !ok || len(data) < 20 {
		return nil, fmt.Errorf("beamfile: module %s: %w: it has no code", m.Name, ErrNotBEAM)
	}
	// The head's own size comes first, and does not count itself.
	head := uint64(binary.BigEndian.Uint32(data)) + 4
	if head > uint64(len(data)) {
		return nil, fmt.Errorf("beamfile: module %s: the code's head: %w", m.Name, io.ErrUnexpectedEOF)
	}
	d := disassembly{module: m, reader: reader{b: data[head:]}, labels: map[int]int{}}
	if err := d.run(); err != nil {
		return nil, fmt.Errorf("beamfile: module %s, %d bytes before the end of its code: %w", m.Name, len(d.b), err)
	}
	return d.functions, nil
}

// OnLoad says whether a function of the module is called when it is loaded: that of one
// with native code mostly. Of code that cannot be read it is true.
func (m *Module) OnLoad() bool {
	functions, err := m.Functions()
	return err != nil || slices.ContainsFunc(functions, func(f Function) bool { return f.OnLoad })
}

// disassembly is the state of reading the code of a module.
type disassembly struct {
	reader
	module    *Module
	functions []Function
	calls     [][]int     // of each function, the labels called
	labels    map[int]int // of each label, the function it is in
	pending   []int       // labels since the last function's end, which the next one has
}

func (d *disassembly) run() error {
	for d.err == nil && len(d.b) > 0 {
		op := int(d.b[0])
		d.b = d.b[1:]
		if op == 0 || op >= len(arities) {
			return fmt.Errorf("instruction %d is not known", op)
		}
		var args [8]arg
		for i := range arities[op] {
			args[i] = d.arg()
		}
		if d.err != nil || op == opCodeEnd {
			break
		}
		if err := d.instruction(op, args[:arities[op]]); err != nil {
			return err
		}
	}
	if d.err != nil {
		return d.err
	}
	return d.link()
}

func (d *disassembly) instruction(op int, args []arg) error {
	switch op {
	case opLabel:
		d.pending = append(d.pending, args[0].n)
		if len(d.functions) > 0 {
			d.labels[args[0].n] = len(d.functions) - 1
		}
		return nil
	case opFuncInfo:
		name, err := d.module.atom(args[1].n)
		if err != nil {
			return err
		}
		d.functions = append(d.functions, Function{Name: FA{name, args[2].n}})
		d.calls = append(d.calls, nil)
		// The label before this instruction is the function's too.
		if n := len(d.pending); n > 0 {
			d.labels[d.pending[n-1]] = len(d.functions) - 1
		}
		return nil
	}
	if len(d.functions) == 0 {
		return nil
	}
	current := len(d.functions) - 1
	f := &d.functions[current]
	for _, a := range args {
		a.visit(func(a arg) {
			switch {
			case a.kind == argAtom && a.n > 0 && a.n <= len(d.module.atoms):
				f.Atoms = append(f.Atoms, d.module.atoms[a.n-1])
			case a.kind == argLiteral:
				f.Literals = append(f.Literals, a.n)
			}
		})
	}
	switch op {
	case opCall, opCallLast, opCallOnly:
		d.calls[current] = append(d.calls[current], args[1].n)
	case opCallExt, opCallExtLast, opCallExtOnly:
		if args[1].n < 0 || args[1].n >= len(d.module.Imports) {
			return fmt.Errorf("there is no import %d", args[1].n)
		}
		f.Calls = append(f.Calls, d.module.Imports[args[1].n])
	case opMakeFun2, opMakeFun3:
		if args[0].n < 0 || args[0].n >= len(d.module.lambdas) {
			return fmt.Errorf("there is no fun %d", args[0].n)
		}
		d.calls[current] = append(d.calls[current], d.module.lambdas[args[0].n].label)
	case opApply, opApplyLast:
		f.Applies = true
	case opOnLoad:
		f.OnLoad = true
	}
	return nil
}

// link makes names of the labels that are called.
func (d *disassembly) link() error {
	for i, labels := range d.calls {
		for _, label := range labels {
			callee, ok := d.labels[label]
			if !ok {
				return fmt.Errorf("label %d is nowhere", label)
			}
			d.functions[i].Local = append(d.functions[i].Local, d.functions[callee].Name)
		}
	}
	return nil
}
