package etf_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

func option(name string, value int) etf.Term {
	return etf.Tuple(etf.Atom(name), etf.Int(int64(value)))
}

// encodings returns terms, their encodings with our options, and those of an
// emulator with its own.
func encodings(t *testing.T, o *oracle, first, n int, ours etf.EncodeOptions, theirs ...etf.Term) (terms []etf.Term, us, them [][]byte) {
	t.Helper()
	for i := range n {
		term := example(first + i)
		if i%2 == 0 {
			var pairs []etf.Pair
			for j := range i % 9 {
				pairs = append(pairs, etf.Pair{Key: example(first + 7*i + j), Value: term})
			}
			term = etf.Map(pairs...)
		}
		if !o.reads(term) {
			continue
		}
		b, err := ours.Encode(term)
		require.NoError(t, err)
		terms, us = append(terms, term), append(us, b)
	}
	for _, answer := range o.ask(etf.Atom("encode"), binaries(us), etf.List(theirs...)) {
		b, ok := answer.Bytes()
		require.True(t, ok)
		them = append(them, b)
	}
	require.Len(t, them, len(us))
	return terms, us, them
}

// writesOtherwise reports whether an emulator of this release may write the
// term in another way than OTP 25: from 26 on it forgets the creators of funs,
// and may order keys that have maps in them by the numbers of their atoms.
func writesOtherwise(release int64, term etf.Term) bool {
	return release >= 26 && contains(term, func(t etf.Term) bool {
		if t.Kind() == etf.KindFun {
			return true
		}
		for key := range t.Pairs() {
			if contains(key, func(t etf.Term) bool { return t.Kind() == etf.KindMap }) {
				return true
			}
		}
		return false
	})
}

func hasPort(term etf.Term) bool {
	return contains(term, func(t etf.Term) bool { return t.Kind() == etf.KindPort })
}

// TestErlangHasTheSameDeterministicOrder compares bytes, in both versions of
// the format. Ports are in an older form in those of OTP 25.
func TestErlangHasTheSameDeterministicOrder(t *testing.T) {
	o := startOracle(t)
	compared, withMaps := 0, 0
	for version := 1; version <= 2; version++ {
		for batch := range 4 {
			terms, us, them := encodings(t, o, 30_000+batch*500, 500,
				etf.EncodeOptions{Deterministic: true, MinorVersion: version},
				etf.Atom("deterministic"), option("minor_version", version))
			for i, term := range terms {
				if hasPort(term) || writesOtherwise(o.release, term) {
					continue
				}
				require.Equal(t, them[i], us[i], "%s", term)
				compared++
				if contains(term, func(t etf.Term) bool { return t.Kind() == etf.KindMap && t.Len() > 1 }) {
					withMaps++
				}
			}
		}
	}
	t.Logf("%d terms compared, %d of them with maps of several pairs", compared, withMaps)
	require.Greater(t, compared, 2000)
	require.Greater(t, withMaps, 150)

	// A map of more than 32 pairs, which an emulator keeps in another way.
	var pairs []etf.Pair
	for i := range 200 {
		var key etf.Term
		switch i % 5 {
		case 0:
			key = etf.Int(int64(i - 100))
		case 1:
			key = etf.Float(float64(i) / 7)
		case 2:
			key = etf.String(string(rune('a' + i)))
		case 3:
			key = etf.Tuple(etf.Int(int64(-i)), etf.Float(float64(i)))
		case 4:
			key = etf.Charlist(string(rune('a' + i%50)))
		}
		pairs = append(pairs, etf.Pair{Key: key, Value: etf.Int(1)})
	}
	b, err := etf.EncodeOptions{Deterministic: true}.Encode(etf.Map(pairs...))
	require.NoError(t, err)
	theirs, _ := o.ask(etf.Atom("encode"), binaries([][]byte{b}), etf.List(etf.Atom("deterministic"), option("minor_version", 2)))[0].Bytes()
	require.Equal(t, theirs, b)
}

// TestErlangCompresses has each side read what the other has compressed.
func TestErlangCompresses(t *testing.T) {
	o := startOracle(t)
	both := 0
	for level := range 10 {
		terms, us, them := encodings(t, o, 40_000, 100, etf.EncodeOptions{Compression: level},
			option("compressed", level), option("minor_version", 2))
		// And what is worth it.
		big := etf.Tuple(etf.List(terms[:50]...), etf.Binary(bytes.Repeat([]byte("beam"), 5000)))
		b, err := etf.EncodeOptions{Compression: level}.Encode(big)
		require.NoError(t, err)
		theirs, _ := o.ask(etf.Atom("encode"), binaries([][]byte{b}), etf.List(option("compressed", level)))[0].Bytes()
		require.Equal(t, level > 0, b[1] == 80)
		require.Equal(t, level > 0, theirs[1] == 80)
		terms, us, them = append(terms, big), append(us, b), append(them, theirs)

		var pairs []etf.Term
		for i, term := range terms {
			again, err := etf.Decode(them[i])
			require.NoError(t, err)
			require.True(t, etf.Equal(term, again), "%s and %s", term, again)
			plain, err := etf.Encode(term)
			require.NoError(t, err)
			require.LessOrEqual(t, len(us[i]), len(plain))
			pairs = append(pairs, etf.Tuple(etf.Binary(plain), etf.Binary(us[i])))
			if us[i][1] == 80 && them[i][1] == 80 {
				both++
			}
		}
		for i, same := range o.ask(etf.Atom("same"), etf.List(pairs...)) {
			require.True(t, same.IsAtom("true"), "%s", terms[i])
		}
	}
	require.Greater(t, both, 50)
}
