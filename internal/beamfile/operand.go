package beamfile

import (
	"fmt"
	"io"
)

// Kinds of operands, the lower three bits of their first byte.
const (
	argLiteral = iota // a number of the table of constants; on its own also a plain number
	argInteger
	argAtom
	argX
	argY
	argLabel
	argCharacter
	argExtended
)

// Kinds of extended operands, told by the upper four bits.
const (
	extList     = 1
	extFloatReg = 2
	extAlloc    = 3
	extLiteral  = 4
	extTyped    = 5
)

// arg is an operand of an instruction.
type arg struct {
	kind int
	n    int
	list []arg
}

// visit calls f with an operand, and all within it.
func (a arg) visit(f func(arg)) {
	f(a)
	for _, e := range a.list {
		e.visit(f)
	}
}

// maxDepth is how deep operands may lie in one another. A list of typed registers is three
// deep, and a number of many bytes has its own length as one.
const maxDepth = 8

// reader reads operands, in the encoding that is called compact terms.
type reader struct {
	b     []byte
	err   error
	depth int
}

func (r *reader) byte() int {
	if len(r.b) == 0 {
		r.err = io.ErrUnexpectedEOF
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return int(c)
}

// arg reads one operand. A plain number has the kind of a literal that the table of
// constants has no place for: its kind is argInteger here.
func (r *reader) arg() arg {
	if r.depth++; r.depth > maxDepth {
		r.err = fmt.Errorf("operands are more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	if r.err != nil {
		return arg{}
	}
	first := r.byte()
	kind := first & 7
	if kind != argExtended {
		n := r.number(first)
		if kind == argLiteral {
			kind = argInteger
		}
		return arg{kind: kind, n: n}
	}
	switch first >> 4 {
	case extList:
		n := r.arg().n
		if n < 0 || n > len(r.b) {
			r.err = io.ErrUnexpectedEOF
			return arg{}
		}
		list := make([]arg, 0, min(n, 1024)) // it may say more than there are
		for range n {
			if r.err != nil {
				break
			}
			list = append(list, r.arg())
		}
		return arg{kind: argExtended, list: list}
	case extFloatReg:
		return arg{kind: argX, n: r.arg().n}
	case extAlloc:
		for n := r.arg().n; n > 0 && r.err == nil; n-- {
			r.arg()
			r.arg()
		}
		return arg{kind: argInteger}
	case extLiteral:
		return arg{kind: argLiteral, n: r.arg().n}
	case extTyped:
		register := r.arg()
		r.arg()
		return register
	}
	r.err = fmt.Errorf("an operand begins with %#x", first)
	return arg{}
}

// number reads the value that begins with the byte given: of 4 bits, of 11, or of as
// many bytes as it says. Only what is small is of interest here.
func (r *reader) number(first int) int {
	switch {
	case first&0x08 == 0:
		return first >> 4
	case first&0x10 == 0:
		return first>>5<<8 | r.byte()
	}
	size := first>>5 + 2
	if size == 9 {
		size = r.arg().n + 9
	}
	if size < 0 || size > len(r.b) {
		r.err = io.ErrUnexpectedEOF
		return 0
	}
	n := 0
	for _, c := range r.b[:size] {
		n = n<<8 | int(c)
	}
	r.b = r.b[size:]
	return n
}
