package etf

import (
	"reflect"
	"time"
)

// optionPlan returns the plan of a field with the options that its tag has.
func (n planner) optionPlan(f reflect.StructField, name string, tag fieldTag) (*plan, error) {
	if err := tag.check(f.Name, "binary", "omitempty", "omitzero", "atom", "charlist",
		"unix", "unixmilli", "unixmicro", "unixnano"); err != nil {
		return nil, err
	}
	form := ""
	for _, option := range tag.options {
		switch option {
		case "binary", "omitempty", "omitzero":
			continue
		}
		if form != "" {
			return nil, &tagError{f.Name, "has the options " + form + " and " + option}
		}
		form = option
	}
	if form == "" && name == structKey && f.Type.Kind() == reflect.String && !hasMethods(f.Type) {
		form = "atom"
	}
	if form == "" {
		return n.plan(f.Type), nil
	}
	if p := n.formPlan(f.Type, form); p != nil {
		return p, nil
	}
	return nil, &tagError{f.Name, "has the option " + form + ", which is not for a Go " + f.Type.String()}
}

// formPlan returns the plan of a type whose values, or whose elements, have a
// form that is not their usual one, or nil if there is none.
func (n planner) formPlan(t reflect.Type, form string) *plan {
	if convert, ok := unixTimes[form]; ok && t == timeType {
		return unixTime(convert)
	}
	p := newPlan(t)
	if _, unix := unixTimes[form]; t.Kind() == reflect.String && !unix && !hasMethods(t) {
		if form == "atom" {
			p.append, p.read = appendAtomString, readAtomString
			return p
		}
		p.append, p.read = appendCharlist, readCharlist
		return p
	}
	if t.Name() != "" {
		return nil // a type that may be an element of itself
	}
	switch t.Kind() {
	case reflect.Pointer:
		p.append, p.read = appendPointer, readPointer
	case reflect.Slice:
		p.append, p.read = appendSlice, readSlice
	case reflect.Array:
		p.append, p.read = appendArray, readArray
	default:
		return nil
	}
	if p.elem = n.formPlan(t.Elem(), form); p.elem == nil {
		return nil
	}
	return p
}

// isEmpty returns what omitempty asks of a type's values.
func isEmpty(t reflect.Type) func(p *plan, a address) bool {
	switch t.Kind() {
	case reflect.String:
		return func(_ *plan, a address) bool { return *as[string](a) == "" }
	case reflect.Slice:
		return func(_ *plan, a address) bool { return a.sliceLen() == 0 }
	case reflect.Map:
		return func(p *plan, a address) bool { return p.value(a).Len() == 0 }
	case reflect.Array:
		return func(p *plan, _ address) bool { return p.typ.Len() == 0 }
	case reflect.Struct:
		return func(*plan, address) bool { return false }
	case reflect.Float32:
		return func(_ *plan, a address) bool { return *as[float32](a) == 0 }
	case reflect.Float64:
		return func(_ *plan, a address) bool { return *as[float64](a) == 0 }
	}
	return isZeroKind(t)
}

// isZeroKind returns what says that a value is its type's zero value.
func isZeroKind(t reflect.Type) func(p *plan, a address) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return func(_ *plan, a address) bool { return *as[uint8](a) == 0 }
	case reflect.Int16, reflect.Uint16:
		return func(_ *plan, a address) bool { return *as[uint16](a) == 0 }
	case reflect.Int32, reflect.Uint32:
		return func(_ *plan, a address) bool { return *as[uint32](a) == 0 }
	case reflect.Int64, reflect.Uint64:
		return func(_ *plan, a address) bool { return *as[uint64](a) == 0 }
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		return func(_ *plan, a address) bool { return *as[uintptr](a) == 0 }
	case reflect.String:
		return isEmpty(t)
	case reflect.Pointer:
		return func(_ *plan, a address) bool { _, ok := a.pointee(); return !ok }
	}
	return func(p *plan, a address) bool { return p.value(a).IsZero() }
}

// isZero returns what omitzero asks of a type's values: their method IsZero, if
// they have one.
func isZero(t reflect.Type) func(p *plan, a address) bool {
	type zeroer interface{ IsZero() bool }
	zero := isZeroKind(t)
	switch {
	case t == timeType:
		return func(_ *plan, a address) bool { return as[time.Time](a).IsZero() }
	case !reflect.PointerTo(t).Implements(reflect.TypeFor[zeroer]()):
		// A pointer or interface with that method is another case: it may be nil.
		if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface || !t.Implements(reflect.TypeFor[zeroer]()) {
			return zero
		}
		return func(p *plan, a address) bool {
			return zero(p, a) || p.value(a).Interface().(zeroer).IsZero()
		}
	}
	return func(p *plan, a address) bool {
		return a.pointer(p.pointer).(zeroer).IsZero()
	}
}
