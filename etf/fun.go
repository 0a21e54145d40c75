package etf

// ExportValue is a fun that names an exported function: fun Module:Function/Arity.
type ExportValue struct {
	Module, Function string // atoms
	Arity            uint32
}

// FunValue is a fun with its environment, made by code that runs in a BEAM. It
// means something to nodes that have loaded the same version of Module.
type FunValue struct {
	Module            string // an atom
	Arity             uint8
	Index             uint32 // of the fun within Module
	Uniq              [16]byte
	OldIndex, OldUniq int64 // from -2^59 to 2^59-1
	Creator           PidValue
	Free              []Term // the values of its free variables
}

// Export returns a fun that names an exported function.
func Export(v ExportValue) Term {
	t := termsTerm(KindExport, []Term{Atom(v.Module), Atom(v.Function)}, 2)
	t.num = uint64(v.Arity)
	return t
}

// Export returns the exported function's name, if the term is a fun of that kind.
func (t Term) Export() (ExportValue, bool) {
	if t.kind != KindExport {
		return ExportValue{}, false
	}
	names := t.terms(2)
	return ExportValue{Module: names[0].text(), Function: names[1].text(), Arity: uint32(t.num)}, true
}

// The Terms that a fun points at: these, then its free variables.
const (
	funModule   = iota // atom
	funOldIndex        // integer
	funOldUniq         // integer
	funCreator         // pid
	funUniq            // binary of 16 bytes
	funHead            // how many they are
)

// Fun returns a fun with its environment, of which it makes a copy.
func Fun(v FunValue) Term {
	slots := make([]Term, funHead, funHead+len(v.Free))
	slots[funModule] = Atom(v.Module)
	slots[funOldIndex] = Int(v.OldIndex)
	slots[funOldUniq] = Int(v.OldUniq)
	slots[funCreator] = Pid(v.Creator)
	slots[funUniq] = Binary(append([]byte(nil), v.Uniq[:]...))
	slots = append(slots, v.Free...)
	t := termsTerm(KindFun, slots, len(v.Free))
	t.aux, t.flag = v.Index, v.Arity
	return t
}

// Fun returns the fun, if the term is one with an environment. The result's
// Free is the caller's.
func (t Term) Fun() (FunValue, bool) {
	if t.kind != KindFun {
		return FunValue{}, false
	}
	slots := t.terms(funHead + int(t.num))
	v := FunValue{
		Module:   slots[funModule].text(),
		Arity:    t.flag,
		Index:    t.aux,
		OldIndex: int64(slots[funOldIndex].num),
		OldUniq:  int64(slots[funOldUniq].num),
		Free:     append([]Term(nil), slots[funHead:]...),
	}
	copy(v.Uniq[:], slots[funUniq].bytes())
	v.Creator, _ = slots[funCreator].Pid()
	return v, true
}
