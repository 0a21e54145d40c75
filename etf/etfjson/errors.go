package etfjson

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/beamport/beamport/etf"
)

// Reasons that [SyntaxError.Err] may hold. Input that ends too early is
// [io.ErrUnexpectedEOF]; other faults of JSON's grammar are a [GrammarError].
var (
	ErrTrailingData  = errors.New("data after the end of the value")
	ErrInvalidUTF8   = errors.New("invalid UTF-8")
	ErrEscape        = errors.New("escape that stands for no character")
	ErrNumberRange   = errors.New("number beyond the range of a float")
	ErrNoVersion     = errors.New("no version byte 131 at the start of the term")
	ErrUnknownTag    = errors.New("unknown tag")
	ErrInvalidFloat  = errors.New("not a finite float")
	ErrInvalidAtom   = errors.New("atom that is not UTF-8 of at most 255 characters")
	ErrInvalidBignum = errors.New("bignum with a sign byte other than 0 and 1, or too long")
	ErrInvalidBits   = errors.New("bit string whose last byte has an impossible number of bits")
)

// SyntaxError says that the input is not well-formed: no JSON text, or no term.
type SyntaxError struct {
	// Offset is the byte of the input at which the fault was seen; where the
	// input ends too early, its length.
	Offset int
	// Path is the JSON pointer (RFC 6901) of the value that holds the fault,
	// as far as it was read: "" is the whole, "/a/0" the first element under a.
	Path string
	// Err is the reason, such as [io.ErrUnexpectedEOF] or [ErrInvalidUTF8].
	Err error
}

func (e *SyntaxError) Error() string { return message(e.Err.Error(), e.Offset, e.Path) }

// Unwrap returns Err.
func (e *SyntaxError) Unwrap() error { return e.Err }

// unreadable is what the error of a cursor that started at pos is here: the term is
// not one.
func unreadable(err error, pos int) located {
	e := &SyntaxError{Offset: pos, Err: err}
	var syntax *etf.SyntaxError
	if errors.As(err, &syntax) {
		e.Offset, e.Err = pos+syntax.Offset, syntax.Err
	}
	for _, reason := range reasons {
		if errors.Is(e.Err, reason.etf) {
			e.Err = reason.here
		}
	}
	return e
}

// reasons are those of package etf and what they are here.
var reasons = []struct{ etf, here error }{
	{etf.ErrVersion, ErrNoVersion}, {etf.ErrTag, ErrUnknownTag}, {etf.ErrFloat, ErrInvalidFloat},
	{etf.ErrAtom, ErrInvalidAtom}, {etf.ErrInteger, ErrInvalidBignum}, {etf.ErrBits, ErrInvalidBits},
}

// A GrammarError says what stands in the text where JSON wants something else.
type GrammarError struct {
	Byte   byte   // the first one that does not fit
	Wanted string // such as "a value" or "a colon"
}

func (e *GrammarError) Error() string {
	if e.Byte < utf8.RuneSelf {
		return fmt.Sprintf("%q where %s should be", rune(e.Byte), e.Wanted)
	}
	return fmt.Sprintf("byte 0x%02X where %s should be", e.Byte, e.Wanted)
}

// ErrLimit is what every [LimitError] wraps.
var ErrLimit = errors.New("limit exceeded")

// LimitError says that the input is more than the limits allow.
type LimitError struct {
	Offset int    // as in [SyntaxError]
	Path   string // as in [SyntaxError]
	Limit  string // which one: "depth", "digits" or "bytes"
	Max    int64  // its value
}

func (e *LimitError) Error() string {
	what := "input of more than " + strconv.FormatInt(e.Max, 10) + " bytes"
	switch e.Limit {
	case limitDepth:
		what = "more than " + strconv.FormatInt(e.Max, 10) + " containers inside one another"
	case limitDigits:
		what = "integer of more than " + strconv.FormatInt(e.Max, 10) + " digits"
	}
	return message(what, e.Offset, e.Path)
}

// Unwrap returns [ErrLimit].
func (e *LimitError) Unwrap() error { return ErrLimit }

const (
	limitDepth  = "depth"
	limitDigits = "digits"
	limitBytes  = "bytes"
)

// TermError says that a term holds something that JSON has no form for. The
// term is well-formed as far as it was read.
type TermError struct {
	// Offset is the byte of the term at which the part without a form starts.
	Offset int
	// Path is the JSON pointer of that part; for a key, of its map.
	Path string
	// What was found, such as "a tuple" or "two keys named \"a\" in one map".
	What string
	// Struct is the module of an Elixir struct, without its "Elixir." in front,
	// where that is what was found.
	Struct string
}

func (e *TermError) Error() string {
	what := "JSON has no form for " + e.What
	if e.Struct != "" {
		what += ": turn it into a map or a string first, with Map.from_struct/1 for instance"
	}
	return message(what, e.Offset, e.Path)
}

func message(what string, offset int, path string) string {
	var b strings.Builder
	b.WriteString("etfjson: ")
	b.WriteString(what)
	b.WriteString(" at byte ")
	b.WriteString(strconv.Itoa(offset))
	if path != "" {
		b.WriteString(", in ")
		b.WriteString(shorten(path))
	}
	return b.String()
}

// shorten keeps what comes from the input from filling a log; the fields of
// the error hold it whole.
func shorten(s string) string {
	const longest = 200
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// located is an error whose path is found out while it unwinds.
type located interface {
	error
	locate(path string)
}

func (e *SyntaxError) locate(path string) { e.Path = path }
func (e *LimitError) locate(path string)  { e.Path = path }
func (e *TermError) locate(path string)   { e.Path = path }
