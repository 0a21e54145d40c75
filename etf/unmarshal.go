package etf

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/beamport/beamport/etf/internal/wire"
)

// An Unmarshaler is a type that reads itself from a term.
type Unmarshaler interface {
	// UnmarshalETF reads the one term in b, which has no version byte and is
	// valid. It must copy what it wants to keep.
	UnmarshalETF(b []byte) error
}

// Unmarshal reads the term in b, a version byte and exactly one term, into the
// Go value that v points at.
//
// It accepts what [Decode] accepts. Nothing is changed if b does not hold one
// valid term; if it does but does not fit, v may have been filled in part. The
// error is a [*SyntaxError] in the one case and an [*UnmarshalError] in the
// other.
//
// The terms that fit a Go type are those that [Marshal] makes of it, and
//
//   - the atoms nil and undefined for every type: its zero value;
//   - integers for floats;
//   - lists of bytes for []byte and [n]byte;
//   - keys that are atoms or binaries, whatever the tag says, for the fields of
//     structs, and for the keys of maps that are strings;
//   - binaries for strings whose tag says atom or charlist.
//
// An integer that a type cannot hold is an error, and so is a list of another
// length than an array's, a tuple of another size than a struct's, or another
// record or Elixir struct than the tag names. Of a native record, neither the order
// of the fields counts nor whether it is exported. Fields that the term lacks keep
// their values; keys, or fields of a native record, that the struct has not are
// ignored, unless [DecodeOptions.DisallowUnknownFields] is set. Slices and maps are
// made anew. A pointer that is not nil is followed.
//
// An interface without methods is given the following, and any other an error:
//
//	integer                       int64, or [*big.Int] if it does not fit
//	float                         float64
//	true, false                   bool
//	nil, undefined                nil
//	binary                        string
//	list                          []any
//	map, all keys are binaries or atoms
//	                              map[string]any
//	map, all keys are integers    map[int64]any
//	everything else: other atoms, tuples, bit strings, improper lists, other
//	maps, pids, ports, references, funs, native records
//	                              [Term]
//
// What Unmarshal fills in does not refer to b. The strings may share one
// allocation of the size of b if that is up to 16 KiB long, and short ones of
// more than that share allocations of 1 KiB; [strings.Clone] gives one its own.
func Unmarshal(b []byte, v any) error { return DecodeOptions{}.Unmarshal(b, v) }

// Unmarshal is [Unmarshal] with these options.
func (o DecodeOptions) Unmarshal(b []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &UnmarshalError{Type: reflect.TypeOf(v), Err: errTarget}
	}
	if !o.NoVersion && len(b) > 1 && b[1] == wire.Compressed {
		// Compressed terms are large or rare: their content is read by way of a Term.
		t, err := o.Decode(b)
		if err != nil {
			return err
		}
		if b, err = (EncodeOptions{MaxDepth: LargestMaxDepth}).Encode(t); err != nil {
			return err
		}
	} else if err := o.Valid(b); err != nil {
		return err
	}
	u := unmarshalers.Get().(*unmarshaler)
	defer u.release()
	u.c, u.strict = Cursor{b: b}, o.DisallowUnknownFields
	if !o.NoVersion {
		u.c.pos = 1
	}
	p := planOf(target.Type().Elem())
	if !p.read(p, u, addressOf(target)) {
		return u.error()
	}
	return nil
}

// errTarget is the error for a target that is not a pointer.
var errTarget = errors.New("etf: not a pointer, or a nil one")

// An UnmarshalError says why and where a term does not fit a Go type.
type UnmarshalError struct {
	Type   reflect.Type // that the term does not fit
	Kind   Kind         // of the term
	Path   string       // as in [SyntaxError]
	Offset int          // of the term; of a compressed one as if it were not
	Err    error        // [ErrKind], another reason, or a method's error
}

func (e *UnmarshalError) Error() string {
	if e.Err == errTarget {
		return fmt.Sprintf("etf: cannot unmarshal into a Go %v: %s", e.Type, bare(e.Err))
	}
	text := fmt.Sprintf("etf: cannot unmarshal %v at byte %d into a Go %v", e.Kind, e.Offset, e.Type)
	if e.Path != "" {
		text += ", in " + e.Path
	}
	if e.Err != ErrKind {
		text += ": " + bare(e.Err)
	}
	return text
}

// Unwrap returns e.Err.
func (e *UnmarshalError) Unwrap() error { return e.Err }

// An unmarshaler is the state of one call of [Unmarshal]. Its cursor reads
// input that is valid, so whatever fails is a matter of kinds.
type unmarshaler struct {
	c      Cursor
	strict bool   // refuses unknown fields
	whole  string // a copy of the input, for the strings in it, if that is short
	arena  []byte // room for short strings

	followed int // pointers in interfaces that are being followed

	err    error
	typ    reflect.Type
	kind   Kind
	offset int
	path   []byte
}

// unmarshalers has unmarshalers that are not in use, as marshalers has.
var unmarshalers = sync.Pool{New: func() any { return new(unmarshaler) }}

func (u *unmarshaler) release() {
	*u = unmarshaler{}
	unmarshalers.Put(u)
}

// fail notes that the next term does not fit a type.
func (u *unmarshaler) fail(t reflect.Type, err error) bool {
	u.err, u.typ, u.kind, u.offset = err, t, u.c.Kind(), u.c.Offset()
	return false
}

func (u *unmarshaler) error() error {
	return &UnmarshalError{Type: u.typ, Kind: u.kind, Path: string(u.path), Offset: u.offset, Err: u.err}
}

// nilOr reads the atom nil or undefined where reading failed, and sets the value
// to zero; else it notes the error.
func (u *unmarshaler) nilOr(p *plan, a address, err error) bool {
	if u.skipNil() {
		p.value(a).SetZero()
		return true
	}
	if errors.Is(err, ErrRange) || u.c.Kind() == KindBigInt && p.typ.Kind() != reflect.String {
		return u.fail(p.typ, ErrRange)
	}
	return u.fail(p.typ, ErrKind)
}

// The length of the input up to which its text is copied at once, and else the
// size of what short strings share, and the length of the longest of those.
const (
	mostWhole    = 16 << 10
	arenaSize    = 1 << 10
	longestShort = 128
)

// text returns a copy of b, which was just read, as a string.
func (u *unmarshaler) text(b []byte) string {
	if start := u.c.pos - len(b); len(b) > 0 && len(u.c.b) <= mostWhole && start >= 0 && &u.c.b[start] == &b[0] {
		if u.whole == "" {
			u.whole = string(u.c.b)
		}
		return u.whole[start:u.c.pos]
	}
	return u.copied(b)
}

// here is text for what plainBinary or plainAtom has just returned.
func (u *unmarshaler) here(b []byte) string {
	if u.whole != "" {
		return u.whole[u.c.pos-len(b) : u.c.pos]
	}
	return u.text(b)
}

// copied is text for what is not, or not in, a short input.
func (u *unmarshaler) copied(b []byte) string {
	if len(b) > longestShort {
		return string(b)
	}
	if len(b) > len(u.arena) {
		u.arena = make([]byte, max(len(b), min(arenaSize, len(u.c.b)-u.c.pos+len(b))))
	}
	n := copy(u.arena, b)
	s := bytesString(u.arena[:n:n])
	u.arena = u.arena[n:]
	return s
}

// step puts a step in front of the path.
func (u *unmarshaler) step(open, i, end string) { u.path = putStep(u.path, open+i+end) }

// stepKey is step for the value of the key at a position.
func (u *unmarshaler) stepKey(key int) { u.path = putStep(u.path, stepOf(u.c.b[key:], 0)) }
