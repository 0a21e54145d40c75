package etf

import (
	"fmt"
	"strings"

	"github.com/beamport/beamport/etf/internal/wire"
)

// Reasons for which input is refused, to be found with [errors.Is] in the
// [SyntaxError] that wraps them. Input that ends too early is
// [io.ErrUnexpectedEOF] instead.
var (
	ErrVersion      error = reason("no version byte 131")
	ErrTag          error = reason("tag that starts no term")
	ErrTrailing     error = reason("bytes after the term")
	ErrLimit        error = reason("limit exceeded")
	ErrDuplicateKey error = reason("map key that is there already")
	ErrAtom         error = reason("atom that is not UTF-8 of at most 255 characters")
	ErrFloat        error = reason("float that is not a finite number")
	ErrInteger      error = reason("integer with a bad sign, or too long")
	ErrRange        error = reason("number that does not fit")
	ErrBits         error = reason("bit string with a bad count of bits")
	ErrIdentifier   error = reason("bad pid, port or reference")
	ErrFun          error = reason("bad fun")
	ErrRecord       error = reason("native record with a bad flag, or with a field that is there twice")
	ErrCompressed   error = reason("compressed term that is not what it claims")
	ErrNotCanonical error = reason("not the form that is written")
	ErrCacheRef     error = reason("reference to an atom that has not been cached")
	ErrFragment     error = reason("fragment out of its sequence")
)

// Reasons for which a term is not encoded, besides [ErrLimit], [ErrAtom] and
// [ErrFloat].
var (
	ErrInvalid error = reason("zero Term")
	ErrSize    error = reason("more than 2^32-1 elements or bytes")
)

// Reasons for which a Go value is not marshaled or a term not unmarshaled,
// besides the others. ErrType is also that of a type with tags that make no
// sense.
var (
	ErrType         error = reason("type that has no term")
	ErrKind         error = reason("term of a kind that does not fit")
	ErrLength       error = reason("wrong number of elements")
	ErrStruct       error = reason("another record or struct")
	ErrUnknownField error = reason("key that is no field")
)

// ErrOptions is in the error for an option that is out of its range.
var ErrOptions error = reason("option out of range")

type reason string

func (r reason) Error() string { return "etf: " + string(r) }

// A SyntaxError says why and where input is not a term that can be accepted.
type SyntaxError struct {
	// Offset is the index of the byte where the bad part starts, such as a tag
	// or an atom's first byte; for a premature end it is the length of the input.
	Offset int

	// Inflated says that Offset counts bytes of the inflated content of a
	// compressed term.
	Inflated bool

	// Path leads to the bad term from the outermost one, which has an empty
	// path: {1} is the second element of a tuple, [0] the first of a list, [|] a
	// list's tail, #{name} the value of the key name of a map (a key that is long
	// shows as its number, as in #{key 3}), #key(0) the first key of a map, fun(0)
	// the first variable in the environment of a fun, and #_{name} the field name of
	// a native record (a long one as #_{field 3}).
	Path string

	// Err is [io.ErrUnexpectedEOF], one of the reasons above, or a [TagError] or
	// [LimitError] that wraps one.
	Err error
}

func (e *SyntaxError) Error() string {
	where := "byte"
	if e.Inflated {
		where = "inflated byte"
	}
	if e.Path != "" {
		return fmt.Sprintf("etf: %s at %s %d, in %s", bare(e.Err), where, e.Offset, e.Path)
	}
	return fmt.Sprintf("etf: %s at %s %d", bare(e.Err), where, e.Offset)
}

// Unwrap returns e.Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// An EncodeError says why and where a term cannot be encoded.
type EncodeError struct {
	Path string // as in [SyntaxError]
	Err  error  // one of the reasons above or a [LimitError]
}

func (e *EncodeError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("etf: cannot encode %s, in %s", bare(e.Err), e.Path)
	}
	return fmt.Sprintf("etf: cannot encode %s", bare(e.Err))
}

// Unwrap returns e.Err.
func (e *EncodeError) Unwrap() error { return e.Err }

// A TagError is [ErrTag] for a particular byte.
type TagError struct{ Tag byte }

func (e *TagError) Error() string {
	if name := wire.TagName(e.Tag); name != "" {
		return fmt.Sprintf("etf: tag %d (%s), which starts no term here", e.Tag, name)
	}
	return fmt.Sprintf("etf: unknown tag %d", e.Tag)
}

// Unwrap returns [ErrTag].
func (e *TagError) Unwrap() error { return ErrTag }

// A LimitError is [ErrLimit] for a particular limit.
type LimitError struct {
	Limit string // the option's name, such as "MaxDepth"
	Max   int    // its value
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("etf: more than the %d that %s allows", e.Max, e.Limit)
}

// Unwrap returns [ErrLimit].
func (e *LimitError) Unwrap() error { return ErrLimit }

// bare returns an error's text without the package's name in front.
func bare(err error) string { return strings.TrimPrefix(err.Error(), "etf: ") }

// checkLimit returns the value of a limit that is v in the options.
func checkLimit(name string, v, byDefault, largest int) (int, error) {
	switch {
	case v == 0:
		return byDefault, nil
	case v < 1 || v > largest:
		return 0, fmt.Errorf("%w: %s is %d, not from 1 to %d", ErrOptions, name, v, largest)
	}
	return v, nil
}
