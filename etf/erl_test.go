package etf_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/otporacle"
	"github.com/beamport/beamport/internal/termgen"
)

// An oracle is an [otporacle.Oracle] of a test.
type oracle struct {
	t testing.TB
	*otporacle.Oracle
	release int64 // of OTP
}

func startOracle(t testing.TB) *oracle {
	t.Helper()
	o, err := otporacle.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Stop()) })
	answer, err := o.Ask(etf.Atom("release"))
	require.NoError(t, err)
	release, ok := answer.Int64()
	require.True(t, ok)
	return &oracle{t: t, Oracle: o, release: release}
}

// ask returns the elements of the answer, or the answer if it is no list.
func (o *oracle) ask(question ...etf.Term) []etf.Term {
	o.t.Helper()
	answer, err := o.Ask(question...)
	require.NoError(o.t, err)
	if answer.Kind() != etf.KindList {
		return []etf.Term{answer}
	}
	return slices.Collect(answer.All())
}

func binaries(inputs [][]byte) etf.Term { return otporacle.Binaries(inputs) }

func contains(term etf.Term, is func(etf.Term) bool) bool { return otporacle.Contains(term, is) }

func zeroInAMap(term etf.Term) bool { return otporacle.ZeroInAMap(term) }

// reads reports whether the emulator reads the term as another one does: before
// OTP 27 it may find a key in it twice, and before 29 it knows no native records.
func (o *oracle) reads(term etf.Term) bool {
	return !zeroInAMap(term) && (o.release >= 29 || !contains(term, isRecord))
}

func isRecord(t etf.Term) bool { return t.Kind() == etf.KindRecord }

// printsDifferently reports whether the emulator may print the term in another
// way: identifiers carry a number of its own for their node, maps of more than
// 32 keys are in the order of a hash, the names in a fun print as if their UTF-8
// were latin1, with some control characters as they are, and reserved words
// without quotes, maybe and else are not reserved before OTP 27, and before that 0.0
// and -0.0 are one key.
func printsDifferently(term etf.Term) bool {
	return contains(term, func(t etf.Term) bool {
		switch t.Kind() {
		case etf.KindPid, etf.KindPort, etf.KindRef:
			return true
		case etf.KindMap:
			return t.Len() > 32
		case etf.KindFun:
			fun, _ := t.Fun()
			return !isASCII(fun.Module)
		case etf.KindExport:
			export, _ := t.Export()
			names := export.Module + " " + export.Function
			return !isASCII(names) || strings.ContainsAny(names, "\x1B\x7F") || slices.Contains(strings.Fields(names), "end")
		}
		return t.IsAtom("maybe") || t.IsAtom("else")
	}) || zeroInAMap(term)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// requireText checks that want is how the term prints, and shows where not.
func requireText(t testing.TB, want string, term etf.Term) {
	t.Helper()
	got := term.String()
	if got == want {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	near := func(s string) string { return s[max(0, i-20):min(len(s), i+40)] }
	require.Fail(t, "another text", "ours: …%s…\ntheirs: …%s…", near(got), near(want))
}

func example(i int) etf.Term { return termgen.Term().Example(i) }

// TestErlangReadsWhatWeWrite has an emulator decode our terms, print them, and
// encode them again.
func TestErlangReadsWhatWeWrite(t *testing.T) {
	o := startOracle(t)
	const batches, size = 8, 500
	printed := 0
	for batch := range batches {
		var terms []etf.Term
		var encoded [][]byte
		for i := range size {
			term := example(batch*size + i)
			if !o.reads(term) {
				continue
			}
			b, err := etf.Encode(term)
			require.NoError(t, err)
			terms, encoded = append(terms, term), append(encoded, b)
		}
		descriptions := o.ask(etf.Atom("describe"), binaries(encoded))
		require.Len(t, descriptions, len(terms))
		var pairs []etf.Term
		for i, description := range descriptions {
			require.Equal(t, etf.KindTuple, description.Kind(), "refused: %x, %s", encoded[i], terms[i])
			b, _ := description.At(0).Bytes()
			again, err := etf.Decode(b)
			require.NoError(t, err)
			require.True(t, etf.Equal(terms[i], again), "ours: %s\ntheirs: %s", terms[i], again)
			// Byte for byte, unless there are maps, whose order is the emulator's, or
			// ports, which OTP 25 writes in an older form.
			if !contains(terms[i], func(t etf.Term) bool { return t.Kind() == etf.KindMap || t.Kind() == etf.KindPort }) {
				require.Equal(t, encoded[i], b, "%s", terms[i])
			}
			if !printsDifferently(terms[i]) {
				text, _ := description.At(1).Text()
				requireText(t, text, terms[i])
				printed++
			}
			other := termgen.Encoding(terms[i]).Example(i)
			pairs = append(pairs, etf.Tuple(etf.Binary(encoded[i]), etf.Binary(other)))
		}
		for i, same := range o.ask(etf.Atom("same"), etf.List(pairs...)) {
			require.True(t, same.IsAtom("true"), "%s", pairs[i])
		}
	}
	require.Greater(t, printed, batches*size/2, "too few texts compared")
}

// TestWeReadWhatErlangWrites decodes terms that an emulator has made, in all
// encodings that it knows.
func TestWeReadWhatErlangWrites(t *testing.T) {
	o := startOracle(t)
	for seed := range 6 {
		var pairs []etf.Term
		for _, answer := range o.ask(etf.Atom("random"), etf.Int(int64(seed)), etf.Int(400)) {
			text, _ := answer.At(1).Text()
			var first etf.Term
			for i := range answer.At(0).Len() {
				b, _ := answer.At(0).At(i).Bytes()
				term, err := etf.Decode(b)
				require.NoError(t, err, "%x", b)
				require.NoError(t, etf.Valid(b))
				if i == 0 {
					first = term
					again, err := etf.Encode(term)
					require.NoError(t, err)
					pairs = append(pairs, etf.Tuple(etf.Binary(b), etf.Binary(again)))
				}
				require.True(t, etf.Equal(first, term), "%s and %s", first, term)
			}
			// Here identifiers are the emulator's own and print as ours do.
			if !contains(first, func(t etf.Term) bool { return t.Kind() == etf.KindMap && t.Len() > 32 }) {
				requireText(t, text, first)
			}
		}
		for i, same := range o.ask(etf.Atom("same"), etf.List(pairs...)) {
			require.True(t, same.IsAtom("true"), "%s", pairs[i])
		}
	}
}

func TestErlangHasTheSameOrder(t *testing.T) {
	o := startOracle(t)
	const n = 400
	var terms []etf.Term
	for i := range n {
		if term := example(10_000 + i); o.reads(term) {
			terms = append(terms, term)
		}
	}
	// And what is close to each other.
	numbers := []etf.Term{}
	for i := range 120 {
		numbers = append(numbers, termgen.Int().Example(i), termgen.Float().Example(i), termgen.BigInt().Example(i%20))
	}
	var identifiers []etf.Term
	for i := range 60 {
		identifiers = append(identifiers, termgen.Pid().Example(i), termgen.Port().Example(i), termgen.Ref().Example(i),
			termgen.Export().Example(i))
	}
	for i := range 2000 {
		if term := example(20_000 + i); term.Kind() == etf.KindFun && o.reads(term) {
			identifiers = append(identifiers, term)
		}
	}
	var keys []etf.Term
	for i := range 100 {
		keys = append(keys, etf.Map(
			etf.Pair{Key: termgen.Int().Example(i % 7), Value: etf.Int(int64(i % 3))},
			etf.Pair{Key: etf.Float(float64(i % 5)), Value: etf.Float(float64(i % 2))},
			etf.Pair{Key: etf.Tuple(termgen.Chars().Example(i % 11)), Value: etf.Atom("x")},
		))
	}
	for _, group := range [][]etf.Term{terms, numbers, identifiers, keys} {
		var pairs []etf.Term
		var want, same []etf.Term
		for i, a := range group {
			for j := range 40 {
				b := group[(i*7+j*j)%len(group)]
				ea, err := etf.Encode(a)
				require.NoError(t, err)
				eb, err := etf.Encode(b)
				require.NoError(t, err)
				pairs = append(pairs, etf.Tuple(etf.Binary(ea), etf.Binary(eb)))
				want = append(want, etf.Int(int64(sign(etf.Compare(a, b)))))
				same = append(same, etf.Bool(etf.Equal(a, b)))
			}
		}
		for i, order := range o.ask(etf.Atom("compare"), etf.List(pairs...)) {
			if !etf.Equal(want[i], order) {
				a, _ := pairs[i].At(0).Bytes()
				b, _ := pairs[i].At(1).Bytes()
				ta, _ := etf.Decode(a)
				tb, _ := etf.Decode(b)
				require.Fail(t, "another order", "ours %s, theirs %s: %s and %s", want[i], order, ta, tb)
			}
		}
		for i, equal := range o.ask(etf.Atom("same"), etf.List(pairs...)) {
			if !etf.Equal(same[i], equal) {
				a, _ := pairs[i].At(0).Bytes()
				b, _ := pairs[i].At(1).Bytes()
				ta, _ := etf.Decode(a)
				tb, _ := etf.Decode(b)
				if etf.Compare(ta, tb) == 0 && bytes.Contains(slices.Concat(a, b), []byte{70, 0x80, 0, 0, 0, 0, 0, 0, 0}) {
					continue // 0.0 and -0.0, the same before OTP 27
				}
				require.Fail(t, "not the same", "%s and %s", ta, tb)
			}
		}
	}
}

// TestErlangHasTheSameVerdicts asks about the table of cases and about
// thousands of damaged encodings.
func TestErlangHasTheSameVerdicts(t *testing.T) {
	o := startOracle(t)
	table := cases.All()
	inputs := make([][]byte, len(table))
	for i, c := range table {
		inputs[i] = c.Bytes
	}
	answers, err := o.Verdicts(inputs)
	require.NoError(t, err)
	for i, answer := range answers {
		if c := table[i]; c.Differs == "" {
			assert.Equal(t, c.Err == "", answer.Verdict == otporacle.Accepts, "%s", c.Name)
		} else {
			_, ok := otporacle.Known(c.Bytes, answer)
			assert.True(t, ok, "%s: %v", c.Name, answer.Verdict)
		}
	}

	mutated := Mutated()
	differ, both := map[string]int{}, map[bool]int{} // both: accepted or refused by both sides
	for batch := range 20 {
		inputs := inputs[:0]
		for i := range 250 {
			b := mutated.Example(batch*250 + i)
			if len(b) > 1 && b[1] == 80 {
				continue // the emulator allocates whatever a compressed term claims
			}
			inputs = append(inputs, b)
		}
		answers, err := o.Reencode(inputs)
		require.NoError(t, err)
		for i, answer := range answers {
			reason, ok := otporacle.Known(inputs[i], answer)
			if !ok {
				term, _, err := etf.DecodePrefix(inputs[i])
				require.Fail(t, "an unknown difference", "%x: %s, %v; the emulator %s it: %x",
					inputs[i], term, err, answer.Verdict, answer.Encoded)
			}
			if reason == "" {
				both[answer.Verdict == otporacle.Accepts]++
			} else {
				differ[reason]++
			}
		}
	}
	require.Greater(t, both[true], 500, "too few inputs accepted")
	require.Greater(t, both[false], 500, "too few inputs refused")
	t.Logf("%d inputs accepted and %d refused by both; otherwise: %v", both[true], both[false], differ)
}
