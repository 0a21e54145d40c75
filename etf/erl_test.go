package etf_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/internal/cases"
	"github.com/beamport/beamport/etf/internal/termgen"
)

// An oracle is an Erlang emulator of the test's own that answers questions
// about terms, see testdata/etf_oracle.erl. Some inputs kill it.
type oracle struct {
	t     testing.TB
	dir   string // of the compiled module
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func startOracle(t testing.TB) *oracle {
	t.Helper()
	o := &oracle{t: t, dir: t.TempDir()}
	source, err := filepath.Abs("testdata/etf_oracle.erl")
	require.NoError(t, err)
	erlc := exec.Command("erlc", "+warnings_as_errors", "-o", o.dir, source)
	output, err := erlc.CombinedOutput()
	require.NoError(t, err, "this test needs Erlang/OTP (erlc and erl on the PATH): %s", output)
	o.start()
	t.Cleanup(o.stop)
	return o
}

func (o *oracle) start() {
	o.cmd = exec.Command("erl", "-noinput", "-boot", "start_clean", "-pa", o.dir, "-run", "etf_oracle", "main")
	o.cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_SECONDS=0")
	var err error
	o.stdin, err = o.cmd.StdinPipe()
	require.NoError(o.t, err)
	stdout, err := o.cmd.StdoutPipe()
	require.NoError(o.t, err)
	o.out = bufio.NewReader(stdout)
	require.NoError(o.t, o.cmd.Start())
}

func (o *oracle) stop() {
	o.stdin.Close()
	o.cmd.Process.Kill()
	o.cmd.Wait()
}

// try asks, and reports whether the emulator has lived to answer. If not there
// is a new one for the next question.
func (o *oracle) try(question etf.Term) (answer etf.Term, lived bool) {
	o.t.Helper()
	frame := make([]byte, 4)
	frame, err := etf.Append(frame, question)
	require.NoError(o.t, err)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	if _, err = o.stdin.Write(frame); err == nil {
		if _, err = io.ReadFull(o.out, frame[:4]); err == nil {
			b := make([]byte, binary.BigEndian.Uint32(frame))
			_, err = io.ReadFull(o.out, b)
			require.NoError(o.t, err)
			answer, err = etf.Decode(b)
			require.NoError(o.t, err)
			return answer, true
		}
	}
	o.stop()
	o.start()
	return etf.Term{}, false
}

func (o *oracle) ask(question ...etf.Term) []etf.Term {
	o.t.Helper()
	answer, lived := o.try(etf.Tuple(question...))
	require.True(o.t, lived, "the emulator has died")
	if answer.Kind() != etf.KindList {
		return []etf.Term{answer}
	}
	return slices.Collect(answer.All())
}

// accepted asks which of the inputs the emulator accepts; it halves a batch
// that kills the emulator until it knows which inputs do.
func (o *oracle) accepted(inputs [][]byte) []verdict {
	o.t.Helper()
	answer, lived := o.try(etf.Tuple(etf.Atom("accepted"), binaries(inputs)))
	verdicts := make([]verdict, len(inputs))
	switch {
	case lived:
		require.Equal(o.t, len(inputs), answer.Len())
		for i := range inputs {
			if answer.At(i).IsAtom("true") {
				verdicts[i] = accepts
			}
		}
	case len(inputs) == 1:
		verdicts[0] = dies
	default:
		half := len(inputs) / 2
		verdicts = append(o.accepted(inputs[:half]), o.accepted(inputs[half:])...)
	}
	return verdicts
}

type verdict int

const (
	refuses verdict = iota
	accepts
	dies
)

func binaries(inputs [][]byte) etf.Term {
	terms := make([]etf.Term, len(inputs))
	for i, b := range inputs {
		terms[i] = etf.Binary(b)
	}
	return etf.List(terms...)
}

// contains reports whether is holds for the term or anything in it.
func contains(term etf.Term, is func(etf.Term) bool) bool {
	if is(term) {
		return true
	}
	for elem := range term.All() {
		if contains(elem, is) {
			return true
		}
	}
	if tail, ok := term.Tail(); ok && term.Kind() == etf.KindImproperList && contains(tail, is) {
		return true
	}
	for key, value := range term.Pairs() {
		if contains(key, is) || contains(value, is) {
			return true
		}
	}
	if fun, ok := term.Fun(); ok {
		return contains(etf.Tuple(fun.Free...), is)
	}
	return false
}

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

// zeroInAMap reports whether there is a -0.0 somewhere in a map, where OTP 25
// takes it for the same as 0.0.
func zeroInAMap(term etf.Term) bool {
	return contains(term, func(t etf.Term) bool {
		return t.Kind() == etf.KindMap && contains(t, func(t etf.Term) bool {
			f, ok := t.Float64()
			return ok && f == 0 && math.Signbit(f)
		})
	})
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
			if zeroInAMap(term) {
				continue // the emulator may find a key in it twice
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
		if term := example(10_000 + i); !zeroInAMap(term) {
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
		if term := example(20_000 + i); term.Kind() == etf.KindFun && !zeroInAMap(term) {
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
	for i, verdict := range o.accepted(inputs) {
		if c := table[i]; c.Differs == "" {
			assert.Equal(t, c.Err == "", verdict == accepts, "%s", c.Name)
		}
	}

	mutated := Mutated()
	differ, both := 0, map[bool]int{} // both: accepted or refused by both sides
	for batch := range 20 {
		inputs := inputs[:0]
		for i := range 250 {
			b := mutated.Example(batch*250 + i)
			if len(b) > 1 && b[1] == 80 {
				continue // the emulator allocates whatever a compressed term claims
			}
			inputs = append(inputs, b)
		}
		for i, verdict := range o.accepted(inputs) {
			b := inputs[i]
			term, _, err := etf.DecodePrefix(b)
			if (err == nil) == (verdict == accepts) {
				both[err == nil]++
				continue
			}
			differ++
			if err == nil {
				// 0.0 and -0.0 are the same key before OTP 27.
				require.True(t, zeroInAMap(term), "we accept %x: %s", b, term)
				continue
			}
			require.True(t, deliberate(b, err), "verdict %d, but %v: %x", verdict, err, b)
		}
	}
	require.Less(t, differ, 200, "too many deliberate differences")
	require.Greater(t, both[true], 500, "too few inputs accepted")
	require.Greater(t, both[false], 500, "too few inputs refused")
	t.Logf("%d inputs accepted and %d refused by both, %d deliberate differences", both[true], both[false], differ)
}

// deliberate reports whether an error is one of those for which we refuse what
// OTP 25 accepts, or dies of.
func deliberate(b []byte, err error) bool {
	var syntax *etf.SyntaxError
	var tag *etf.TagError
	switch errors.As(err, &syntax); {
	case errors.Is(err, etf.ErrInteger): // a sign byte other than 0 and 1
		return true
	case errors.Is(err, etf.ErrFun): // size, creator, arity above 2^32
		return true
	case errors.As(err, &tag): // indexes of the atom table, or such a tag within a fun
		return tag.Tag == 73 || tag.Tag == 75
	case errors.Is(err, etf.ErrBits): // no bytes and no bits
		return bytes.HasPrefix(b[syntax.Offset+1:], []byte{0, 0, 0, 0, 0})
	case errors.Is(err, etf.ErrIdentifier): // references without words
		return bytes.HasPrefix(b[syntax.Offset+1:], []byte{0, 0})
	case errors.Is(err, etf.ErrFloat): // text without a NUL
		return b[syntax.Offset] == 99 && bytes.IndexByte(b[syntax.Offset:syntax.Offset+32], 0) < 0
	case errors.Is(err, io.ErrUnexpectedEOF): // a fun's size that reaches beyond the input
		return bytes.IndexByte(b, 112) > 0
	}
	return false
}
