package etf

// PidValue is a process identifier. Erlang shows it as <N.ID.Serial>, where N
// is a number that each node gives to Node and Creation.
type PidValue struct {
	Node       string // an atom
	ID, Serial uint32
	Creation   uint32 // tells incarnations of Node apart
}

// PortValue is a port identifier.
type PortValue struct {
	Node     string // an atom
	ID       uint64
	Creation uint32
}

// RefValue is a reference.
type RefValue struct {
	Node     string // an atom
	Creation uint32
	Words    []uint32 // 1 to 5
}

// Pid returns a process identifier.
func Pid(v PidValue) Term {
	return Term{
		kind: KindPid, ptr: termsTerm(0, []Term{Atom(v.Node)}, 1).ptr,
		num: uint64(v.ID)<<32 | uint64(v.Serial), aux: v.Creation,
	}
}

// Pid returns the process identifier, if the term is one.
func (t Term) Pid() (PidValue, bool) {
	if t.kind != KindPid {
		return PidValue{}, false
	}
	return PidValue{Node: t.node(), ID: uint32(t.num >> 32), Serial: uint32(t.num), Creation: t.aux}, true
}

// Port returns a port identifier.
func Port(v PortValue) Term {
	return Term{kind: KindPort, ptr: termsTerm(0, []Term{Atom(v.Node)}, 1).ptr, num: v.ID, aux: v.Creation}
}

// Port returns the port identifier, if the term is one.
func (t Term) Port() (PortValue, bool) {
	if t.kind != KindPort {
		return PortValue{}, false
	}
	return PortValue{Node: t.node(), ID: t.num, Creation: t.aux}, true
}

// Ref returns a reference, which copies v.Words. With none or more than 5 words
// it returns the zero Term.
func Ref(v RefValue) Term {
	n := len(v.Words)
	if n == 0 || n > 5 {
		return Term{}
	}
	var w [5]uint32
	copy(w[:], v.Words)
	first, second := packWords(&w)
	slots := []Term{Atom(v.Node), {num: second, aux: w[4]}}
	return Term{kind: KindRef, ptr: termsTerm(0, slots, 2).ptr, num: first, aux: v.Creation, flag: uint8(n)}
}

// packWords returns a reference's words 0 and 1, and 2 and 3, as Terms hold them.
func packWords(w *[5]uint32) (first, second uint64) {
	return uint64(w[0]) | uint64(w[1])<<32, uint64(w[2]) | uint64(w[3])<<32
}

// Ref returns the reference, if the term is one.
func (t Term) Ref() (RefValue, bool) {
	if t.kind != KindRef {
		return RefValue{}, false
	}
	w, n := t.refWords()
	return RefValue{Node: t.node(), Creation: t.aux, Words: append([]uint32(nil), w[:n]...)}, true
}

// refWords returns the words of a reference, those it lacks as zero, and their
// number.
func (t *Term) refWords() (w [5]uint32, n int) {
	more := &t.terms(2)[1]
	return [5]uint32{
		uint32(t.num), uint32(t.num >> 32), uint32(more.num), uint32(more.num >> 32), more.aux,
	}, int(t.flag)
}

// node returns the node's name of a pid, port or reference.
func (t *Term) node() string { return t.terms(1)[0].text() }
