package otporacle

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/beamport/beamport/etf"
)

// A Difference is a reason for which package etf decides otherwise about an
// input than the emulator does, or encodes its term otherwise.
type Difference struct {
	Reason string
	holds  func(i *input) bool
}

// input is an input and what both sides say about it.
type input struct {
	bytes  []byte
	term   etf.Term // if err is nil
	err    error    // *etf.SyntaxError
	at     int      // where err is
	tag    byte     // that stands there
	theirs Answer
}

// behind returns what follows the tag where the error is, up to n bytes.
func (i *input) behind(n int) []byte {
	rest := i.bytes[min(i.at+1, len(i.bytes)):]
	return rest[:min(n, len(rest))]
}

// verdicts are the differences in what is accepted. All but the last three are
// inputs that package etf refuses; see "Decoding and encoding" in its documentation.
var verdicts = []Difference{
	{"OTP takes any sign byte but 0 for a minus", func(i *input) bool {
		return errors.Is(i.err, etf.ErrInteger) && i.theirs.Verdict == Accepts
	}},
	{"OTP does not look at a fun's size, takes arities modulo 2^32, and before 27 any creator, of which it dies", func(i *input) bool {
		return errors.Is(i.err, etf.ErrFun)
	}},
	{"OTP does not look at a fun's size, which here reaches beyond the input", func(i *input) bool {
		return errors.Is(i.err, io.ErrUnexpectedEOF) && bytes.IndexByte(i.bytes, 112) > 0
	}},
	{"OTP reads indexes of its atom table", func(i *input) bool {
		var tag *etf.TagError
		return errors.As(i.err, &tag) && (tag.Tag == 73 || tag.Tag == 75)
	}},
	{"OTP before 27 takes a bit string of no bytes and no bits for a binary", func(i *input) bool {
		return errors.Is(i.err, etf.ErrBits) && bytes.Equal(i.behind(5), make([]byte, 5))
	}},
	{"OTP before 27 reads past the input for a reference without words", func(i *input) bool {
		return errors.Is(i.err, etf.ErrIdentifier) && bytes.Equal(i.behind(2), make([]byte, 2))
	}},
	{"OTP before 27 needs no NUL behind a float's text", func(i *input) bool {
		return errors.Is(i.err, etf.ErrFloat) && i.tag == 99 && bytes.IndexByte(i.behind(31), 0) < 0
	}},
	{"OTP ignores what follows a term within compressed data", func(i *input) bool {
		var syntax *etf.SyntaxError
		return errors.As(i.err, &syntax) && syntax.Inflated && errors.Is(i.err, etf.ErrTrailing)
	}},
	{"OTP has no limit but the memory", func(i *input) bool {
		return errors.Is(i.err, etf.ErrLimit)
	}},
	{"OTP before 27 takes 0.0 and -0.0 for the same key", func(i *input) bool {
		return i.err == nil && i.theirs.Verdict == Refuses && ZeroInAMap(i.term)
	}},
	{"OTP before 29 knows no native records", func(i *input) bool {
		return i.err == nil && i.theirs.Verdict == Refuses && Contains(i.term, kind(etf.KindRecord))
	}},
	{"identifiers of the emulator's own node have to fit its tables", func(i *input) bool {
		return i.err == nil && i.theirs.Verdict == Refuses && Contains(i.term, own)
	}},
}

// own reports whether an identifier is, or has, one of the node that an emulator
// without a name is.
func own(term etf.Term) bool {
	pid, _ := term.Pid()
	port, _ := term.Port()
	ref, _ := term.Ref()
	fun, _ := term.Fun()
	const name = "nonode@nohost"
	return pid.Node == name || port.Node == name || ref.Node == name || fun.Creator.Node == name
}

// encodings are the differences in what is written, of terms that both accept.
var encodings = []Difference{
	{"maps have no order", func(i *input) bool {
		again, err := etf.Decode(i.theirs.Encoded)
		return err == nil && Contains(i.term, kind(etf.KindMap)) && etf.Equal(i.term, again)
	}},
	{"OTP 25 writes ports of 32 bits in an older form", func(i *input) bool {
		again, err := etf.Decode(i.theirs.Encoded)
		return err == nil && Contains(i.term, kind(etf.KindPort)) && etf.Equal(i.term, again)
	}},
	{"OTP before 27 takes 0.0 and -0.0 for the same key, and funs have theirs too", func(i *input) bool {
		return ZeroInAMap(i.term)
	}},
	{"OTP gives every reference of the emulator's own node three words", func(i *input) bool {
		return Contains(i.term, func(t etf.Term) bool {
			ref, ok := t.Ref()
			return ok && own(t) && len(ref.Words) < 3
		})
	}},
	{"OTP remembers the first fun of a module, index and old uniq, and writes all others like it", func(i *input) bool {
		return Contains(i.term, kind(etf.KindFun))
	}},
}

// Deadly reports whether the input may be one of those that OTP before 27 dies
// of, which cost a new emulator each: package etf refuses them all, and a few
// that are harmless.
func Deadly(b []byte) bool {
	_, _, err := etf.DecodePrefix(b)
	return errors.Is(err, etf.ErrFun) || errors.Is(err, etf.ErrIdentifier)
}

// Known returns the reason for which package etf's verdict and encoding differ
// from the emulator's. It returns "" where they do not, and false where they do
// for no reason that is listed.
func Known(b []byte, theirs Answer) (reason string, ok bool) {
	i := &input{bytes: b, theirs: theirs}
	i.term, _, i.err = etf.DecodePrefix(b) // OTP ignores what follows the term
	var syntax *etf.SyntaxError
	if errors.As(i.err, &syntax) {
		i.at = syntax.Offset
		if i.at < len(b) {
			i.tag = b[i.at]
		}
	}
	list := verdicts
	switch {
	case i.err != nil && theirs.Verdict == Refuses, i.err == nil && theirs.Verdict == Accepts && theirs.Encoded == nil:
		return "", true
	case i.err != nil || theirs.Verdict != Accepts:
	default:
		ours, err := etf.Encode(i.term)
		if err == nil && bytes.Equal(ours, theirs.Encoded) {
			return "", true
		}
		list = encodings
	}
	for _, d := range list {
		if d.holds(i) {
			return d.Reason, true
		}
	}
	return "", false
}

func kind(k etf.Kind) func(etf.Term) bool {
	return func(t etf.Term) bool { return t.Kind() == k }
}

// Contains reports whether is holds for the term or anything in it.
func Contains(term etf.Term, is func(etf.Term) bool) bool {
	if is(term) {
		return true
	}
	for elem := range term.All() {
		if Contains(elem, is) {
			return true
		}
	}
	if tail, ok := term.Tail(); ok && term.Kind() == etf.KindImproperList && Contains(tail, is) {
		return true
	}
	for key, value := range term.Pairs() {
		if Contains(key, is) || Contains(value, is) {
			return true
		}
	}
	if fun, ok := term.Fun(); ok {
		for _, free := range fun.Free {
			if Contains(free, is) {
				return true
			}
		}
	}
	if record, ok := term.Record(); ok {
		for _, field := range record.Fields {
			if Contains(field.Value, is) {
				return true
			}
		}
	}
	return false
}

// ZeroInAMap reports whether there is a -0.0 somewhere in a map, where OTP 25
// takes it for the same as 0.0.
func ZeroInAMap(term etf.Term) bool {
	return Contains(term, func(t etf.Term) bool {
		return t.Kind() == etf.KindMap && Contains(t, func(t etf.Term) bool {
			f, ok := t.Float64()
			return ok && f == 0 && math.Signbit(f)
		})
	})
}
