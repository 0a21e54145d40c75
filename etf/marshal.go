package etf

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A Marshaler is a type that writes itself as a term.
type Marshaler interface {
	// AppendETF appends exactly one term, without a version byte, to dst, which it
	// does not keep. The functions named Append… and Begin… help to write it.
	AppendETF(dst []byte) ([]byte, error)
}

// Marshal returns the term that represents v, version byte included.
//
// Go's values become these terms:
//
//	bool                      the atoms true and false
//	integers, big.Int         integer
//	float32, float64          float; NaN and the infinities are errors
//	string                    binary, never an atom
//	[]byte, [n]byte           binary
//	slice, array              list; a nil slice is empty
//	map                       map; a nil map is empty; keys like any other value
//	struct                    map with atoms as keys, or what its tags say
//	pointer, interface        what they point at or hold; nil is the atom nil
//	[time.Time]               binary in the form of RFC 3339, or what a tag says
//	[Term], [Raw]             the term itself; the zero values are the atom nil
//	[PidValue], [PortValue], [RefValue], [ExportValue], [FunValue], [RecordValue]
//	                          pid, port, reference, fun, native record
//	[Marshaler]               the term that it appends
//	[encoding.TextMarshaler]  binary
//
// Methods of a type count before its kind, those on its pointer as well.
// Channels, functions and complex numbers are errors.
//
// The exported fields of a struct have their own names as keys. The tag
//
//	etf:"name,option,…"
//
// gives a field another name (if there is one), and "-" leaves a field out.
// These are the options:
//
//	binary     the key is a binary rather than an atom
//	omitempty  no pair if the value is false, 0, nil or of length 0
//	omitzero   no pair if the value is zero, or its method IsZero says so
//	atom       a string is an atom
//	charlist   a string is a list of code points
//	unix, unixmilli, unixmicro, unixnano
//	           a time.Time is an integer, counted from 1970 in that unit
//
// A field of the blank name, as in
//
//	_ struct{} `etf:"point,tuple"`
//
// has options for the struct as a whole, with these meanings:
//
//	binary     all keys are binaries
//	tuple      the struct is a tuple of its fields, in their order, behind the
//	           name as an atom if there is one: a record
//	record     the struct is a native record, of OTP 29, whose module and name the
//	           tag names, such as geometry:vec, with its fields in their order
//	exported   that record is exported
//	struct     the map is an Elixir struct of the module name, such as
//	           Elixir.My.User: the atom __struct__ is a key of it
//
// A string field with the name __struct__ is an atom too. The fields of embedded
// structs count as the outer struct's, and where names collide the rules of
// package encoding/json hold, with this tag in place of json. The pairs of a
// struct's map are in the order of their keys, those of a Go map in none;
// [EncodeOptions] has one.
//
// Marshal may be called by several goroutines at once, also on one value that
// nobody changes meanwhile. The error is a [*MarshalError].
func Marshal(v any) ([]byte, error) { return EncodeOptions{}.Marshal(v) }

// AppendMarshal appends what [Marshal] returns to dst. In case of an error it
// returns dst as it was.
func AppendMarshal(dst []byte, v any) ([]byte, error) { return EncodeOptions{}.AppendMarshal(dst, v) }

// Marshal is [Marshal] with these options.
func (o EncodeOptions) Marshal(v any) ([]byte, error) {
	scratch := marshalScratch.Get().(*[]byte)
	b, err := o.AppendMarshal((*scratch)[:0], v)
	if err != nil {
		marshalScratch.Put(scratch)
		return nil, err
	}
	result := make([]byte, len(b)) // not cleared, thanks to the copy right after
	copy(result, b)
	if cap(b) <= mostScratch {
		*scratch = b
	}
	marshalScratch.Put(scratch)
	return result, nil
}

// marshalScratch has room to marshal into before it is known how much it takes.
var marshalScratch = sync.Pool{New: func() any { return new([]byte) }}

// mostScratch is how much room is kept.
const mostScratch = 64 << 10

// AppendMarshal is [AppendMarshal] with these options.
func (o EncodeOptions) AppendMarshal(dst []byte, v any) ([]byte, error) {
	depth, err := checkLimit("MaxDepth", o.MaxDepth, DefaultMaxDepth, LargestMaxDepth)
	if err != nil {
		return dst, err
	}
	m := marshalers.Get().(*marshaler)
	defer m.release()
	m.maxDepth = depth
	if plain := (EncodeOptions{MaxDepth: o.MaxDepth, NoVersion: o.NoVersion}); o != plain {
		// What else there is to choose is a matter of terms.
		b := m.appendAny(nil, v)
		if m.err != nil {
			return dst, m.error()
		}
		t, err := largestLimits.Decode(b)
		if err != nil {
			return dst, err
		}
		return o.Append(dst, t)
	}
	b := dst
	if !o.NoVersion {
		b = append(b, wire.Version)
	}
	if b = m.appendAny(b, v); m.err != nil {
		return dst, m.error()
	}
	return b, nil
}

// A MarshalError says why and where a Go value has no term.
type MarshalError struct {
	Type reflect.Type // of the value that has none
	Path string       // as in [SyntaxError], within the term that was to be made
	Err  error        // [ErrType], another reason, a [LimitError], or a method's error
}

func (e *MarshalError) Error() string {
	in := ""
	if e.Path != "" {
		in = ", in " + e.Path
	}
	if e.Err == ErrType {
		return fmt.Sprintf("etf: cannot marshal a Go %v%s", e.Type, in)
	}
	return fmt.Sprintf("etf: cannot marshal a Go %v%s: %s", e.Type, in, bare(e.Err))
}

// Unwrap returns e.Err.
func (e *MarshalError) Unwrap() error { return e.Err }

// A marshaler is the state of one call of [Marshal].
type marshaler struct {
	held any // see appendHeld

	maxDepth, depth int
	err             error // once it is set all that is appended counts for nothing
	typ             reflect.Type
	path            []byte // to what err is about; put together on the way back
}

// marshalers has marshalers that are not in use, since what plans call cannot
// be seen to let go of them.
var marshalers = sync.Pool{New: func() any { return new(marshaler) }}

func (m *marshaler) release() {
	*m = marshaler{}
	marshalers.Put(m)
}

// fail notes the error of a value of a type.
func (m *marshaler) fail(b []byte, t reflect.Type, err error) []byte {
	var encoding *EncodeError
	if errors.As(err, &encoding) {
		m.path = append(m.path, encoding.Path...)
		err = encoding.Err
	}
	m.err, m.typ = err, t
	return b
}

func (m *marshaler) error() error {
	return &MarshalError{Type: m.typ, Path: string(m.path), Err: m.err}
}

// enter goes into a container or pointer, which m.depth-- leaves if there is no
// error. Pointers count as well, since they may form a ring.
func (m *marshaler) enter(t reflect.Type) bool {
	if m.depth >= m.maxDepth {
		m.fail(nil, t, &LimitError{"MaxDepth", m.maxDepth})
		return false
	}
	m.depth++
	return true
}

// step puts a step in front of the path.
func (m *marshaler) step(open, i, end string) { m.path = putStep(m.path, open+i+end) }

// stepKey is step for the value of key i of a map.
func (m *marshaler) stepKey(key Term, i int) { m.step("#{", shownKey(key, i), "}") }

// stepEncoded is stepKey for key i, which is encoded.
func (m *marshaler) stepEncoded(key []byte, i int) { m.path = putStep(m.path, stepOf(key, i)) }
