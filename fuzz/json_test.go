package fuzz_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

var jsonSeeds = []string{
	`null`, `true`, ` [false , 1] `, `""`, `0`, `-0`, `-0.0`, `1e3`, `1E-400`, `1e999`, `123456789012345678901234567890`,
	`{}`, `[]`, `[[],{}]`, `{"a":1,"b":[1,2,255],"a":2}`, `{"a":{"a":1,"a":2},"\u0061":3}`, `[1,256]`, `[1.0,-1.5e-7,1e21]`,
	`"\"\\\/\b\f\n\r\t\u0000é€😀\ud83d\ude00"`, `"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"\u2028\"",
	`{"a":`, `[1,]`, `01`, `1.`, `nul`, `{"a" 1}`, `1 2`, `"\x"`, "\xef\xbb\xbf1", `{"":{"":{"":""}}}`,
	`[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809,18446744073709551616]`,
	`{"version":"2.0","headers":{"x":"y","x":"z"},"requestContext":{"timeEpoch":1773119783636,"authorizer":null},"body":"{\"a\":1}","isBase64Encoded":false}`,
}

func FuzzJSON(f *testing.F) {
	for _, text := range jsonSeeds {
		f.Add([]byte(text))
	}
	for _, n := range []int{15, 16, 17, 40} { // names, each of which comes twice
		var b strings.Builder
		for i := range 2 * n {
			b.WriteString(`,"` + string(rune('A'+i%n)) + `":[` + string(rune('0'+i%10)) + `]`)
		}
		f.Add([]byte("{" + b.String()[1:] + "}"))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		encoded, err := etfjson.AppendTerm([]byte("in front"), in)
		require.Equal(t, before, in, "the input was changed")
		if err != nil {
			require.Equal(t, "in front", string(encoded))
			if json.Valid(in) {
				require.True(t, documentedDifference(in, err), "refused: %v", err)
			}
			return
		}
		require.True(t, json.Valid(in), "accepted what is no JSON")
		encoded = encoded[len("in front"):]
		require.NoError(t, etf.Valid(encoded))

		text, err := etfjson.AppendJSON(nil, encoded)
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s", text)
		requireSameJSON(t, in, text)

		// The JSON that we write is a fixed point.
		again, err := etfjson.AppendTerm(nil, text)
		require.NoError(t, err)
		require.Equal(t, encoded, again)

		term, err := etf.Decode(encoded)
		require.NoError(t, err)
		canonical, err := etf.Encode(term)
		require.NoError(t, err)
		fromCanonical, err := etfjson.AppendJSON(nil, canonical)
		require.NoError(t, err)
		requireSameJSON(t, in, fromCanonical)
	})
}

// documentedDifference says whether a text that encoding/json accepts is one of
// those that AppendTerm is documented to refuse, for the reason it gave.
func documentedDifference(in []byte, err error) bool {
	var le *etfjson.LimitError
	switch {
	case errors.As(err, &le):
		return le.Limit == "depth" && bytes.Count(in, []byte("["))+bytes.Count(in, []byte("{")) > etfjson.DefaultMaxDepth ||
			le.Limit == "digits" && len(in) > etfjson.DefaultMaxDigits
	case errors.Is(err, etfjson.ErrInvalidUTF8):
		return !bytes.Equal(in, bytes.ToValidUTF8(in, nil))
	case errors.Is(err, etfjson.ErrNumberRange):
		return bytes.ContainsAny(in, "eE") || len(in) > 300
	}
	// What is left are surrogates that are no pairs.
	return bytes.Contains(in, []byte(`\ud`)) || bytes.Contains(in, []byte(`\uD`))
}

// requireSameJSON compares what encoding/json reads from two texts: strings and
// integers exactly, other numbers as the floats they stand for.
func requireSameJSON(t *testing.T, a, b []byte) {
	require.Equal(t, meaning(t, a), meaning(t, b), "%s is not %s", a, b)
}

func meaning(t *testing.T, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), "%s", text)
	return numbers(t, v)
}

func numbers(t *testing.T, v any) any {
	switch v := v.(type) {
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			f, err := v.Float64()
			require.NoError(t, err)
			return f
		}
		n, ok := new(big.Int).SetString(string(v), 10)
		require.True(t, ok)
		return n.String()
	case []any:
		for i := range v {
			v[i] = numbers(t, v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(t, v[k])
		}
	}
	return v
}
