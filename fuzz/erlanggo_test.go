package fuzz_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/okeuday/erlang_go/v2/erlang"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/erlanggo"
	"github.com/beamport/beamport/internal/otporacle"
)

// erlangGoDiffers are the reasons for which erlang_go refuses a term, or reads
// another one. Of inputs that are no terms it is not asked: it allocates what
// they claim, and dies.
var erlangGoDiffers = []struct {
	reason string
	holds  func(term etf.Term, err error) bool
}{
	{"it has no key that is, or holds, a slice", func(term etf.Term, err error) bool {
		return holdsKind(term, etf.KindMap) && says(err, "map key not comparable")
	}},
	{"it panics at the key undefined, which it takes for nil", func(term etf.Term, err error) bool {
		return otporacle.Contains(term, func(t etf.Term) bool { _, ok := t.GetAtom("undefined"); return ok }) && says(err, "panic")
	}},
	{"0.0 and -0.0 are one key of its maps", func(term etf.Term, err error) bool {
		return err == nil && otporacle.ZeroInAMap(term)
	}},
	{"it reads no fun with an environment", func(term etf.Term, _ error) bool {
		return holdsKind(term, etf.KindFun)
	}},
	{"it reads no native record", func(term etf.Term, _ error) bool {
		return holdsKind(term, etf.KindRecord)
	}},
	{"it reads no export whose arity is not in a SMALL_INTEGER_EXT", func(term etf.Term, err error) bool {
		return holdsKind(term, etf.KindExport) && says(err, "invalid small integer tag")
	}},
	{"it reads no FLOAT_EXT with a comma, or with something behind its NUL", func(term etf.Term, err error) bool {
		return holdsKind(term, etf.KindFloat) && says(err, "strconv.ParseFloat")
	}},
}

func says(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

func holdsKind(term etf.Term, kind etf.Kind) bool {
	return otporacle.Contains(term, func(t etf.Term) bool { return t.Kind() == kind })
}

// erlangGo reads a term with erlang_go, which panics for some.
func erlangGo(b []byte) (term etf.Term, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	v, err := erlang.BinaryToTerm(b)
	if err != nil {
		return etf.Term{}, err
	}
	return erlanggo.ToTerm(v)
}

// FuzzErlangGo has erlang_go read what package etf accepts: the terms are equal,
// but for the differences in erlangGoDiffers. And whatever the adapter gives it,
// it writes as that term.
func FuzzErlangGo(f *testing.F) {
	addTerms(f)
	f.Add([]byte("\x83t\x00\x00\x00\x01w\x09undefinedj"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// No large counts, no depth and nothing compressed, whose size it believes.
		term, err := etf.DecodeOptions{MaxDepth: 60, MaxBytes: 1 << 12, NoCompression: true}.Decode(b)
		if err != nil {
			return
		}
		theirs, err := erlangGo(b)
		if err != nil || !etf.Equal(term, theirs) {
			known := false
			for _, d := range erlangGoDiffers {
				known = known || d.holds(term, err)
			}
			require.True(t, known, "%q: ours %v, theirs %v, %v", b, term, theirs, err)
		}

		value, err := erlanggo.FromTerm(term)
		if err != nil {
			require.True(t, errors.Is(err, erlanggo.ErrKey) || errors.Is(err, erlanggo.ErrType), "%v", err)
			return
		}
		if holdsKind(term, etf.KindFun) || holdsKind(term, etf.KindMap) {
			return // it keeps their bytes; it writes maps in any order
		}
		written, err := erlang.TermToBinary(value, -1)
		require.NoError(t, err, "%v", term)
		again, err := etf.Decode(written)
		require.NoError(t, err, "%v written as %q", term, written)
		require.True(t, etf.Equal(term, again), "%v written as %v", term, again)
	})
}
