package etf

import "strings"

// checkRecord checks the tag of a struct that is a native record.
func (t fieldTag) checkRecord() error {
	module, name, ok := strings.Cut(t.name, ":")
	switch {
	case t.has("tuple") || t.has("struct") || t.has("binary"):
		return &tagError{"_", "has record and another option"}
	case !t.has("record"):
		return &tagError{"_", "has exported, but not record"}
	case !ok || module == "" || name == "":
		return &tagError{"_", "has record, but no module:name"}
	case !validAtom(stringBytes(module)) || !validAtom(stringBytes(name)):
		return &tagError{"_", "has a name that is no atom"}
	}
	return nil
}

// planRecord fills in what a native record needs. The fields are there.
func (s *structPlan) planRecord(blank fieldTag) (err error) {
	s.module, s.tag, _ = strings.Cut(blank.name, ":")
	names := make([]string, len(s.fields))
	for i := range s.fields {
		names[i] = s.fields[i].name
	}
	s.names = newNameTable(s.fields)
	s.head, err = AppendRecordHeader(nil, s.module, s.tag, blank.has("exported"), names...)
	return err
}

// readRecordStruct reads a native record, whose fields are found by their names.
func readRecordStruct(p *plan, u *unmarshaler, a address) bool {
	before := u.c
	head, err := u.c.Record()
	if err != nil {
		return u.nilOr(p, a, err)
	}
	s := p.fields
	if string(head.Module) != s.module || string(head.Name) != s.tag {
		u.c = before
		return u.fail(p.typ, ErrStruct)
	}
	i := 0 // the field that is likely to come
	for name := range head.Names() {
		at := i
		if at >= len(s.fields) || s.fields[at].name != string(name) {
			at = s.names.find(s.fields, name)
		}
		i++
		if at < 0 {
			if u.strict {
				u.c = before
				return u.fail(p.typ, ErrUnknownField)
			}
			u.skip()
			continue
		}
		f := &s.fields[at]
		if !f.plan.read(f.plan, u, f.allocate(a)) {
			u.path = putStep(u.path, fieldStep(f.name, i-1))
			return false
		}
	}
	return true
}
