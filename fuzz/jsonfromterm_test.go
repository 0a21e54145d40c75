package fuzz_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

func FuzzJSONFromTerm(f *testing.F) {
	addTerms(f)
	for _, text := range jsonSeeds {
		if term, err := etfjson.AppendTerm(nil, []byte(text)); err == nil {
			f.Add(term)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		text, err := etfjson.AppendJSON([]byte("in front"), in)
		require.Equal(t, before, in, "the input was changed")
		if err != nil {
			require.Equal(t, "in front", string(text))
			if etf.Valid(in) == nil {
				require.True(t, withoutForm(err), "refused: %v", err)
			}
			return
		}
		text = text[len("in front"):]
		require.True(t, json.Valid(text), "%s", text)
		term, err := etf.Decode(in)
		require.NoError(t, err)
		requireMeans(t, term, meaning(t, text))

		// What was written once is written the same again.
		encoded, err := etfjson.AppendTerm(nil, text)
		require.NoError(t, err)
		again, err := etfjson.AppendJSON(nil, encoded)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}

// withoutForm says whether an error is one that a valid term may meet.
func withoutForm(err error) bool {
	var te *etfjson.TermError
	var le *etfjson.LimitError
	return errors.As(err, &te) || errors.As(err, &le) || errors.Is(err, etfjson.ErrInvalidUTF8)
}

// requireMeans compares a term with the JSON that was made of it.
func requireMeans(t *testing.T, term etf.Term, got any) {
	switch term.Kind() {
	case etf.KindInt, etf.KindBigInt:
		n, ok := term.BigInt()
		require.True(t, ok)
		require.Equal(t, n.String(), got)
	case etf.KindFloat:
		f, _ := term.Float64()
		number, ok := got.(float64)
		require.True(t, ok, "%v", got)
		require.Equal(t, math.Float64bits(f), math.Float64bits(number))
	case etf.KindAtom:
		name, _ := term.AtomName()
		switch name {
		case "true", "false":
			require.Equal(t, name == "true", got)
		case "nil", "null", "undefined":
			require.Nil(t, got)
		default:
			require.Equal(t, name, got)
		}
	case etf.KindBinary:
		s, _ := term.Text()
		require.Equal(t, s, got)
	case etf.KindList:
		array, ok := got.([]any)
		require.True(t, ok, "%v", got)
		require.Equal(t, term.Len(), len(array))
		i := 0
		for elem := range term.All() {
			requireMeans(t, elem, array[i])
			i++
		}
	case etf.KindMap:
		object, ok := got.(map[string]any)
		require.True(t, ok, "%v", got)
		require.Equal(t, term.Len(), len(object))
		for key, value := range term.Pairs() {
			member, ok := object[nameOf(t, key)]
			require.True(t, ok, "no %v", key)
			requireMeans(t, value, member)
		}
	default:
		require.Fail(t, "a term without a form in JSON was written", "%v", term)
	}
}

// nameOf is the name that a key becomes.
func nameOf(t *testing.T, key etf.Term) string {
	if name, ok := key.AtomName(); ok {
		require.NotEqual(t, "__struct__", name)
		return name
	}
	if text, ok := key.Text(); ok {
		return text
	}
	n, ok := key.BigInt()
	require.True(t, ok, "%v", key)
	return strings.Clone(n.String())
}
