package etf

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A structPlan is what plans of structs have besides.
type structPlan struct {
	// fields are those that are marshaled, of a tuple or a native record in their
	// order in the struct, of a map in the order of their keys.
	fields []field
	head   []byte // the beginning of the term if no field is left out
	tuple  bool
	tag    string // of a record
	record bool   // whether there is a tag
	native bool   // a native record, of the name tag
	module string // of a native record
	names  nameTable
}

// A field is one of a struct's, or of a struct that is embedded in it.
type field struct {
	name    string
	key     []byte // encoded
	offset  uintptr
	through []hop // to the struct that offset is within, if there is a pointer on the way
	plan    *plan

	// omit reports whether the field is left out. It is nil if it never is.
	omit func(p *plan, a address) bool

	// constant is the encoded value of a key that is no field: __struct__.
	constant []byte
	module   string // the atom in constant
}

// A hop is a pointer to an embedded struct.
type hop struct {
	offset uintptr
	to     reflect.Type
}

// A tagError is [ErrType] for a struct whose tags make no sense.
type tagError struct{ field, why string }

func (e *tagError) Error() string {
	return fmt.Sprintf("etf: the tag of field %s %s", e.field, e.why)
}

// Unwrap returns [ErrType].
func (e *tagError) Unwrap() error { return ErrType }

// fillStruct makes the plan of a struct.
func (n planner) fillStruct(p *plan) {
	s, err := n.structPlan(p.typ)
	if err != nil {
		p.refuse(err)
		return
	}
	p.fields = s
	p.append, p.read = appendStruct, readStruct
	switch {
	case s.tuple:
		p.append, p.read = appendTupleStruct, readTupleStruct
	case s.native:
		p.append, p.read = appendTupleStruct, readRecordStruct
	}
}

func (n planner) structPlan(t reflect.Type) (*structPlan, error) {
	s := &structPlan{}
	blank, err := blankTag(t)
	if err != nil {
		return nil, err
	}
	s.tuple = blank.has("tuple")
	c := collector{planner: n, blank: blank, seen: map[reflect.Type]bool{t: true}}
	c.level = []embedded{{typ: t}}
	for len(c.level) > 0 && c.err == nil {
		c.next()
	}
	if c.err != nil {
		return nil, c.err
	}
	s.fields = c.dominant()
	if blank.has("struct") {
		s.fields = slices.DeleteFunc(s.fields, func(f field) bool { return f.name == structKey })
		s.fields = append(s.fields, field{
			name: structKey, key: wire.AppendAtomUTF8(nil, structKey),
			constant: wire.AppendAtomUTF8(nil, blank.name), module: blank.name,
		})
	}
	if s.tuple {
		size := len(s.fields)
		if s.record = blank.name != ""; s.record {
			s.tag = blank.name
			s.head = wire.AppendAtomUTF8(wire.AppendTupleHeader(nil, size+1), s.tag)
		} else {
			s.head = wire.AppendTupleHeader(nil, size)
		}
		return s, nil
	}
	if s.native = blank.has("record"); s.native {
		return s, s.planRecord(blank)
	}
	// Atoms come before binaries in the order of terms, and either by their bytes.
	slices.SortFunc(s.fields, func(x, y field) int {
		if c := cmp.Compare(kindOfKey(&x), kindOfKey(&y)); c != 0 {
			return c
		}
		return cmp.Compare(x.name, y.name)
	})
	s.head = wire.AppendMapHeader(nil, len(s.fields))
	s.names = newNameTable(s.fields)
	return s, nil
}

func kindOfKey(f *field) Kind { return tagKinds[f.key[0]] }

// structKey is the key of the module in an Elixir struct.
const structKey = "__struct__"

// A fieldTag is what a field's tag says.
type fieldTag struct {
	name    string
	options []string
}

func (t fieldTag) has(option string) bool { return slices.Contains(t.options, option) }

func parseTag(text string) fieldTag {
	name, options, _ := strings.Cut(text, ",")
	tag := fieldTag{name: name}
	if options != "" {
		tag.options = strings.Split(options, ",")
	}
	return tag
}

// check returns an error if an option is not one of those that are known.
func (t fieldTag) check(field string, known ...string) error {
	for _, option := range t.options {
		if !slices.Contains(known, option) {
			return &tagError{field, fmt.Sprintf("has the option %q, which is none there", option)}
		}
	}
	return nil
}

// blankTag returns the options of a struct as a whole.
func blankTag(t reflect.Type) (fieldTag, error) {
	for i := range t.NumField() {
		f := t.Field(i)
		text, ok := f.Tag.Lookup("etf")
		if f.Name != "_" || !ok {
			continue
		}
		tag := parseTag(text)
		if err := tag.check("_", "binary", "tuple", "struct", "record", "exported"); err != nil {
			return tag, err
		}
		switch {
		case tag.has("record") || tag.has("exported"):
			return tag, tag.checkRecord()
		case !validAtom(stringBytes(tag.name)):
			return tag, &tagError{"_", "has a name that is no atom"}
		case tag.has("tuple") && len(tag.options) > 1:
			return tag, &tagError{"_", "has tuple and another option"}
		case tag.has("struct") && (len(tag.options) > 1 || tag.name == ""):
			return tag, &tagError{"_", "has struct and another option, or no name"}
		case !tag.has("tuple") && !tag.has("struct") && tag.name != "":
			return tag, &tagError{"_", "has a name, but neither tuple nor struct"}
		}
		return tag, nil
	}
	return fieldTag{}, nil
}

// An embedded is a struct whose fields count as the outermost one's.
type embedded struct {
	typ     reflect.Type
	index   []int // the way to it
	offset  uintptr
	through []hop
	twice   bool // it is embedded more than once at its depth
}

// A collector finds the fields of a struct, one depth of embedding after the
// other.
type collector struct {
	planner
	blank fieldTag
	level []embedded
	seen  map[reflect.Type]bool
	found []candidate
	err   error
}

// A candidate is a field, or loses against another of its name.
type candidate struct {
	field
	index  []int
	tagged bool
}

// next goes through the structs of one depth.
func (c *collector) next() {
	var deeper []embedded
	for _, in := range c.level {
		for i := range in.typ.NumField() {
			if f := in.typ.Field(i); f.Name != "_" && c.err == nil {
				deeper = c.add(deeper, in, f)
			}
		}
	}
	c.level = c.level[:0]
	for _, in := range deeper {
		if i := slices.IndexFunc(c.level, func(e embedded) bool { return e.typ == in.typ }); i >= 0 {
			c.level[i].twice = true
		} else if !c.seen[in.typ] {
			c.level = append(c.level, in)
		}
	}
	for _, in := range c.level {
		c.seen[in.typ] = true
	}
}

// add takes up a field of in, or puts the struct that it embeds with those of
// the next depth.
func (c *collector) add(deeper []embedded, in embedded, f reflect.StructField) []embedded {
	text := f.Tag.Get("etf")
	if text == "-" {
		return deeper
	}
	tag := parseTag(text)
	inner := f.Type
	if inner.Kind() == reflect.Pointer && inner.Name() == "" {
		inner = inner.Elem()
	}
	index := append(slices.Clone(in.index), f.Index...)
	offset := in.offset + f.Offset
	if f.Anonymous && tag.name == "" && inner.Kind() == reflect.Struct && !isLeaf(inner) {
		e := embedded{typ: inner, index: index, offset: offset, through: in.through, twice: in.twice}
		if f.Type != inner {
			e.through = append(slices.Clone(in.through), hop{offset, inner})
			e.offset = 0
		}
		return append(deeper, e)
	}
	if !f.IsExported() {
		return deeper
	}
	one := candidate{tagged: tag.name != "", index: index}
	one.name, one.offset, one.through = cmp.Or(tag.name, f.Name), offset, in.through
	if one.plan, c.err = c.optionPlan(f, one.name, tag); c.err != nil {
		return deeper
	}
	if tag.has("binary") || c.blank.has("binary") {
		one.key = append(wire.AppendBinaryHeader(nil, len(one.name)), one.name...)
	} else if one.key = wire.AppendAtomUTF8(nil, one.name); !validAtom(stringBytes(one.name)) {
		c.err = &tagError{f.Name, "has a name that is no atom"}
	}
	switch {
	case tag.has("omitempty") && tag.has("omitzero"):
		empty, zero := isEmpty(f.Type), isZero(f.Type)
		one.omit = func(p *plan, a address) bool { return empty(p, a) || zero(p, a) }
	case tag.has("omitempty"):
		one.omit = isEmpty(f.Type)
	case tag.has("omitzero"):
		one.omit = isZero(f.Type)
	}
	switch record := c.blank.has("record"); {
	case one.omit != nil && (record || c.blank.has("tuple")):
		c.err = &tagError{f.Name, "leaves out an element of a tuple or record"}
	case record && tag.has("binary"):
		c.err = &tagError{f.Name, "has a binary as the name of a record's field"}
	}
	c.found = append(c.found, one)
	if in.twice {
		// Another of the same name and depth, so that both lose.
		c.found = append(c.found, one)
	}
	return deeper
}

// isLeaf reports whether an embedded struct counts as one value.
func isLeaf(t reflect.Type) bool {
	switch t {
	case termType, bigIntType, timeType, pidType, portType, refType, exportType, funType, recordType:
		return true
	}
	return false
}

// dominant returns the fields that win against those of their name: the one
// that is least deep, of several the one with a tag, and none if there are
// several still. The result has the order of the struct.
func (c *collector) dominant() []field {
	slices.SortStableFunc(c.found, func(x, y candidate) int {
		tagged := 0
		if x.tagged != y.tagged {
			tagged = 1
			if x.tagged {
				tagged = -1
			}
		}
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(len(x.index), len(y.index)), tagged)
	})
	var winners []candidate
	for i := 0; i < len(c.found); {
		first, end := &c.found[i], i+1
		for end < len(c.found) && c.found[end].name == first.name {
			end++
		}
		if end == i+1 || len(c.found[i+1].index) > len(first.index) || c.found[i+1].tagged != first.tagged {
			winners = append(winners, *first)
		}
		i = end
	}
	slices.SortFunc(winners, func(x, y candidate) int { return slices.Compare(x.index, y.index) })
	fields := make([]field, len(winners))
	for i := range winners {
		fields[i] = winners[i].field
	}
	return fields
}

// A nameTable finds the field of a name. It is an open hash table.
type nameTable []int16

func newNameTable(fields []field) nameTable {
	size := 4
	for size < 2*len(fields) {
		size *= 2
	}
	table := make(nameTable, size)
	for i := range table {
		table[i] = -1
	}
	for i := range fields {
		slot := table.slot(stringBytes(fields[i].name))
		for table[slot] >= 0 {
			slot = (slot + 1) & (size - 1)
		}
		table[slot] = int16(i)
	}
	return table
}

// slot returns where to start looking for a name.
func (t nameTable) slot(name []byte) int {
	hash := uint32(len(name))
	if len(name) > 0 {
		hash += uint32(name[0])*31 + uint32(name[len(name)/2])*131 + uint32(name[len(name)-1])*977
	}
	return int(hash^hash>>7) & (len(t) - 1)
}

// find returns the index of the field of a name, or -1.
func (t nameTable) find(fields []field, name []byte) int {
	for slot := t.slot(name); ; slot = (slot + 1) & (len(t) - 1) {
		i := int(t[slot])
		if i < 0 || bytes.Equal(stringBytes(fields[i].name), name) {
			return i
		}
	}
}
