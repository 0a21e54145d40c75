package etf

import (
	"encoding"
	"math/big"
	"reflect"
	"sync"
	"time"
)

// A plan says how the values of one Go type are marshaled and unmarshaled. It
// is made once for a type, from its reflection, and kept for ever.
type plan struct {
	typ reflect.Type

	// append appends the value at a, which is of type typ.
	append func(p *plan, m *marshaler, b []byte, a address) []byte

	// read reads the next term into the value at a, which is of type typ. It
	// reports false after a call of a method of u that noted an error.
	read func(p *plan, u *unmarshaler, a address) bool

	held    holding // by an interface
	pointer any     // a nil one to the type

	elem   *plan // of a pointer, slice, array or map
	key    *plan // of a map
	fields *structPlan
	err    error // for types that are refused

	// checkKeys says that different keys of the map may be the same term.
	checkKeys bool
}

// newPlan returns a plan that is still to be filled.
func newPlan(t reflect.Type) *plan {
	return &plan{typ: t, held: heldBy(t), pointer: reflect.Zero(reflect.PointerTo(t)).Interface()}
}

// value returns the value at a, which is of type p.typ, as package reflect sees
// it, addressable.
func (p *plan) value(a address) reflect.Value { return reflect.ValueOf(a.pointer(p.pointer)).Elem() }

// plans has the plans of all types that were asked for, complete ones only.
var plans sync.Map // reflect.Type: *plan

// planMutex is held while plans are made.
var planMutex sync.Mutex

// planOf returns the plan of a type.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	planMutex.Lock()
	defer planMutex.Unlock()
	n := planner{}
	p := n.plan(t)
	// Only now is every plan that another refers to complete.
	for t, p := range n {
		plans.Store(t, p)
	}
	return p
}

// A planner has the plans that are being made together. Types may refer to
// themselves, so it has those that are not complete too.
type planner map[reflect.Type]*plan

func (n planner) plan(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	if p, ok := n[t]; ok {
		return p
	}
	p := newPlan(t)
	n[t] = p
	n.fill(p)
	return p
}

var (
	termType      = reflect.TypeFor[Term]()
	rawType       = reflect.TypeFor[Raw]()
	bigIntType    = reflect.TypeFor[big.Int]()
	timeType      = reflect.TypeFor[time.Time]()
	pidType       = reflect.TypeFor[PidValue]()
	portType      = reflect.TypeFor[PortValue]()
	refType       = reflect.TypeFor[RefValue]()
	exportType    = reflect.TypeFor[ExportValue]()
	funType       = reflect.TypeFor[FunValue]()
	recordType    = reflect.TypeFor[RecordValue]()
	marshalType   = reflect.TypeFor[Marshaler]()
	unmarshalType = reflect.TypeFor[Unmarshaler]()
	toTextType    = reflect.TypeFor[encoding.TextMarshaler]()
	fromTextType  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// fill makes p complete but for the plans that it refers to.
func (n planner) fill(p *plan) {
	switch p.typ {
	case termType:
		p.append, p.read = appendTerm, readTerm
	case rawType:
		p.append, p.read = appendRaw, readRaw
	case bigIntType:
		p.append, p.read = appendBigInt, readBigInt
	case timeType:
		p.append, p.read = appendTime, readTime
	case pidType:
		p.append, p.read = appendIdentifier(Pid), readIdentifier(KindPid, Term.Pid)
	case portType:
		p.append, p.read = appendIdentifier(Port), readIdentifier(KindPort, Term.Port)
	case refType:
		p.append, p.read = appendIdentifier(Ref), readIdentifier(KindRef, Term.Ref)
	case exportType:
		p.append, p.read = appendIdentifier(Export), readIdentifier(KindExport, Term.Export)
	case funType:
		p.append, p.read = appendIdentifier(Fun), readIdentifier(KindFun, Term.Fun)
	case recordType:
		p.append, p.read = appendIdentifier(Record), readIdentifier(KindRecord, Term.Record)
	default:
		n.fillKind(p)
		n.fillMethods(p)
	}
}

// fillMethods prefers the methods that a type has of its own to what its kind
// says.
func (n planner) fillMethods(p *plan) {
	if p.typ.Kind() == reflect.Pointer || p.typ.Kind() == reflect.Interface {
		return // nil is checked for first, and what they point at has the methods too
	}
	pointer := reflect.PointerTo(p.typ)
	switch {
	case pointer.Implements(marshalType):
		p.append = appendMarshaler
	case pointer.Implements(toTextType):
		p.append = appendToText
	}
	switch {
	case pointer.Implements(unmarshalType):
		p.read = readUnmarshaler
	case pointer.Implements(fromTextType):
		p.read = readFromText
	}
}

func (n planner) fillKind(p *plan) {
	switch p.typ.Kind() {
	case reflect.Bool:
		p.append, p.read = appendBool, readBool
	case reflect.Int:
		p.append, p.read = appendSigned[int], readSigned[int]
	case reflect.Int8:
		p.append, p.read = appendSigned[int8], readSigned[int8]
	case reflect.Int16:
		p.append, p.read = appendSigned[int16], readSigned[int16]
	case reflect.Int32:
		p.append, p.read = appendSigned[int32], readSigned[int32]
	case reflect.Int64:
		p.append, p.read = appendSigned[int64], readSigned[int64]
	case reflect.Uint:
		p.append, p.read = appendUnsigned[uint], readUnsigned[uint]
	case reflect.Uint8:
		p.append, p.read = appendUnsigned[uint8], readUnsigned[uint8]
	case reflect.Uint16:
		p.append, p.read = appendUnsigned[uint16], readUnsigned[uint16]
	case reflect.Uint32:
		p.append, p.read = appendUnsigned[uint32], readUnsigned[uint32]
	case reflect.Uint64:
		p.append, p.read = appendUnsigned[uint64], readUnsigned[uint64]
	case reflect.Uintptr:
		p.append, p.read = appendUnsigned[uintptr], readUnsigned[uintptr]
	case reflect.Float32:
		p.append, p.read = appendFloat32, readFloat32
	case reflect.Float64:
		p.append, p.read = appendFloat64, readFloat64
	case reflect.String:
		p.append, p.read = appendString, readString
	case reflect.Slice:
		p.elem = n.plan(p.typ.Elem())
		if p.typ.Elem().Kind() == reflect.Uint8 {
			p.append, p.read = appendBytes, readBytes
		} else {
			p.append, p.read = appendSlice, readSlice
		}
		if p.typ.Elem() == reflect.TypeFor[string]() {
			p.append, p.read = appendStrings, readStrings
		}
	case reflect.Array:
		p.elem = n.plan(p.typ.Elem())
		if p.typ.Elem().Kind() == reflect.Uint8 {
			p.append, p.read = appendByteArray, readByteArray
		} else {
			p.append, p.read = appendArray, readArray
		}
	case reflect.Map:
		n.fillMap(p)
	case reflect.Pointer:
		p.elem = n.plan(p.typ.Elem())
		if isPointerRing(p.typ) {
			p.refuse(ErrType)
			return
		}
		p.append, p.read = appendPointer, readPointer
	case reflect.Interface:
		p.append, p.read = appendInterface, readInterface
		if p.typ.NumMethod() == 0 {
			p.append, p.read = appendAny, readAny
		}
	case reflect.Struct:
		n.fillStruct(p)
	default:
		p.refuse(ErrType)
	}
}

// isPointerRing reports whether values of a type are pointers to pointers to
// pointers without end, as those of type P *P are.
func isPointerRing(t reflect.Type) bool {
	seen := map[reflect.Type]bool{}
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if seen[t] {
			return true
		}
		seen[t] = true
	}
	return false
}

// refuse makes p the plan of a type that is not marshaled.
func (p *plan) refuse(err error) {
	p.err = err
	p.append = func(p *plan, m *marshaler, b []byte, _ address) []byte { return m.fail(b, p.typ, p.err) }
	p.read = func(p *plan, u *unmarshaler, _ address) bool { return u.fail(p.typ, p.err) }
}
