package etf

import (
	"cmp"
	"slices"
	"strings"
)

// RecordValue is a native record, which OTP 29 has as an experimental feature.
// (The records of older releases are tuples.) It carries its definition along:
// two records are of one type if all of it but the values is the same, the order
// of the fields included.
type RecordValue struct {
	Module, Name string // atoms
	Exported     bool   // whether other modules may look at the fields
	Fields       []RecordField
}

// RecordField is a field of a [RecordValue].
type RecordField struct {
	Name  string // an atom
	Value Term
}

// The Terms that a record points at: these, then the names of its fields, then
// their values.
const (
	recordModule = iota // atom
	recordName          // atom
	recordHead          // how many they are
)

// Record returns a native record, which copies v.Fields. With two fields of one
// name it returns the zero Term.
func Record(v RecordValue) Term {
	n := len(v.Fields)
	slots := make([]Term, recordHead, recordHead+2*n)
	slots[recordModule], slots[recordName] = Atom(v.Module), Atom(v.Name)
	for i := range v.Fields {
		slots = append(slots, Atom(v.Fields[i].Name))
	}
	if hasTwice(slots[recordHead:]) {
		return Term{}
	}
	for i := range v.Fields {
		slots = append(slots, v.Fields[i].Value)
	}
	t := termsTerm(KindRecord, slots, n)
	if v.Exported {
		t.aux = 1
	}
	return t
}

// hasTwice reports whether an atom is there twice.
func hasTwice(names []Term) bool {
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, func(a, b Term) int { return strings.Compare(a.text(), b.text()) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i-1].text() == sorted[i].text() {
			return true
		}
	}
	return false
}

// Record returns the native record, if the term is one. The result's Fields are
// the caller's.
func (t Term) Record() (RecordValue, bool) {
	if t.kind != KindRecord {
		return RecordValue{}, false
	}
	head := t.terms(recordHead)
	v := RecordValue{Module: head[recordModule].text(), Name: head[recordName].text(), Exported: t.aux != 0}
	if t.num > 0 {
		v.Fields = make([]RecordField, t.num)
	}
	names, values := t.fields()
	for i := range v.Fields {
		v.Fields[i] = RecordField{names[i].text(), values[i]}
	}
	return v, true
}

// Field returns the value of the field of a native record that has the given
// name. ok is false if there is none or the term is no native record.
func (t Term) Field(name string) (value Term, ok bool) {
	if t.kind != KindRecord {
		return Term{}, false
	}
	names, values := t.fields()
	for i := range names {
		if names[i].text() == name {
			return values[i], true
		}
	}
	return Term{}, false
}

// fields returns the names and the values of a record's fields.
func (t *Term) fields() (names, values []Term) {
	n := int(t.num)
	all := t.terms(recordHead + 2*n)[recordHead:]
	return all[:n], all[n:]
}

// compareRecordHeads compares what two records are of, in the order of OTP: all
// but their values.
func compareRecordHeads(a, b *Term) int {
	ha, hb := a.terms(recordHead), b.terms(recordHead)
	order := cmp.Or(
		strings.Compare(ha[recordModule].text(), hb[recordModule].text()),
		strings.Compare(ha[recordName].text(), hb[recordName].text()),
		cmp.Compare(a.aux, b.aux),
		cmp.Compare(a.num, b.num),
	)
	if order != 0 {
		return order
	}
	na, _ := a.fields()
	nb, _ := b.fields()
	for i := range na {
		if order := strings.Compare(na[i].text(), nb[i].text()); order != 0 {
			return order
		}
	}
	return 0
}

// compareRecords compares two records.
func compareRecords(a, b *Term, mode compareMode) int {
	if order := compareRecordHeads(a, b); order != 0 {
		return order
	}
	_, va := a.fields()
	_, vb := b.fields()
	return compareTerms(va, vb, mode)
}

// equalRecords reports whether two records are the same, place by place.
func equalRecords(a, b *Term) answer {
	if a.num != b.num || compareRecordHeads(a, b) != 0 {
		return no
	}
	_, va := a.fields()
	_, vb := b.fields()
	return equalTerms(va, vb)
}

// appendRecordHead appends the text of a record up to the first field:
// #module:name{.
func appendRecordHead(b []byte, t *Term) []byte {
	head := t.terms(recordHead)
	b = appendAtomText(append(b, '#'), head[recordModule].text())
	b = appendAtomText(append(b, ':'), head[recordName].text())
	return append(b, '{')
}

func appendRecordText(b []byte, t *Term, inOrder bool) []byte {
	b = appendRecordHead(b, t)
	names, values := t.fields()
	for i := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendAtomText(b, names[i].text()), " = "...)
		b = appendText(b, &values[i], inOrder)
	}
	return append(b, '}')
}
