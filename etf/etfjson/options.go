package etfjson

import (
	"errors"
	"fmt"
	"sync"
)

// The limits that the zero [Options] stand for.
const (
	// DefaultMaxDepth is how many containers (objects and arrays, maps and
	// lists) may lie inside one another.
	DefaultMaxDepth = 512
	// DefaultMaxDigits is how many decimal digits an integer may have.
	DefaultMaxDigits = 1024
)

// The range of the limits that [Options] can set.
const (
	LargestMaxDepth   = 10_000 // MaxDepth is from 1 to this
	SmallestMaxDigits = 20     // every 64-bit integer passes
	LargestMaxDigits  = 1_000_000
)

// Options adjust a conversion. The zero value is the default, and what
// [AppendTerm] and [AppendJSON] use. Options may be used by many goroutines at
// once.
type Options struct {
	// MaxDepth is how many containers may lie inside one another: 1 allows
	// [1] but neither [[1]] nor [[]]. It is from 1 to [LargestMaxDepth]; 0 means
	// [DefaultMaxDepth].
	MaxDepth int

	// MaxDigits is how many decimal digits an integer may have, its sign not
	// counted. It is from [SmallestMaxDigits] to [LargestMaxDigits]; 0 means
	// [DefaultMaxDigits]. The time that an integer takes grows faster than its
	// digits do.
	MaxDigits int

	// NoVersion leaves the version byte 131 out of the term written, and says
	// that the term read has none: it is a term out of the middle of another.
	NoVersion bool
}

// ErrOptions is what the error wraps if a limit is out of its range.
var ErrOptions = errors.New("limit out of its range")

// resolved returns the options with their defaults in place.
func (o Options) resolved() (Options, error) {
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxDigits == 0 {
		o.MaxDigits = DefaultMaxDigits
	}
	if o.MaxDepth < 1 || o.MaxDepth > LargestMaxDepth {
		return o, fmt.Errorf("etfjson: MaxDepth %d: %w", o.MaxDepth, ErrOptions)
	}
	if o.MaxDigits < SmallestMaxDigits || o.MaxDigits > LargestMaxDigits {
		return o, fmt.Errorf("etfjson: MaxDigits %d: %w", o.MaxDigits, ErrOptions)
	}
	return o, nil
}

// AppendTerm is [Options.AppendTerm] with the default options.
func AppendTerm(dst, json []byte) ([]byte, error) { return Options{}.AppendTerm(dst, json) }

// AppendJSON is [Options.AppendJSON] with the default options.
func AppendJSON(dst, term []byte) ([]byte, error) { return Options{}.AppendJSON(dst, term) }

var (
	termWriters = sync.Pool{New: func() any { return new(termWriter) }}
	jsonWriters = sync.Pool{New: func() any { return new(jsonWriter) }}
)

// AppendTerm appends to dst the term that the JSON text stands for, as the
// package's documentation says, and returns the extended slice. The text must
// be exactly one JSON value, white space around it aside.
//
// On an error it returns dst as it was given, same length and same contents;
// the bytes between its length and its capacity may have changed. The error is
// a [*SyntaxError] or a [*LimitError], or wraps [ErrOptions]. json is only read, is not kept, and must
// not overlap the free capacity of dst.
func (o Options) AppendTerm(dst, json []byte) ([]byte, error) {
	o, err := o.resolved()
	if err != nil {
		return dst, err
	}
	w := termWriters.Get().(*termWriter)
	out, err := w.append(dst, json, o)
	w.release()
	termWriters.Put(w)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// AppendJSON appends to dst the JSON text that an encoded term stands for, as
// the package's documentation says, and returns the extended slice. The text
// has no white space; of what it contains only what JSON demands is escaped
// (quotes, backslashes and control characters, not < > or &). term must hold
// exactly one term.
//
// On an error it returns dst as it was given, same length and same contents;
// the bytes between its length and its capacity may have changed. The error is
// a [*SyntaxError], a [*LimitError] or a [*TermError], or wraps [ErrOptions].
// term is only read, is
// not kept, and must not overlap the free capacity of dst.
func (o Options) AppendJSON(dst, term []byte) ([]byte, error) {
	o, err := o.resolved()
	if err != nil {
		return dst, err
	}
	w := jsonWriters.Get().(*jsonWriter)
	out, err := w.append(dst, term, o)
	w.release()
	jsonWriters.Put(w)
	if err != nil {
		return dst, err
	}
	return out, nil
}
