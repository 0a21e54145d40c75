package etf_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// TestParseSegments has what erl_parse:parse_term/1 of OTP 25 makes of binaries
// within binaries and of floats in them.
func TestParseSegments(t *testing.T) {
	for text, want := range map[string]string{
		"<< <<1,2>>/binary, 3>>":       "<<1,2,3>>",
		"<<(<<1,2>>)/binary>>":         "<<1,2>>",
		"<< <<1,2,3>>:2/binary>>":      "<<1,2>>",
		"<< <<5:3>>/bits>>":            "<<5:3>>",
		"<< <<5:3>>/bitstring, 1:5>>":  "<<161>>",
		"<< <<1,2>>:9/bits>>":          "<<1,0:1>>",
		"<< <<>>/bytes>>":              "<<>>",
		"<<1.5:32/float>>":             "<<63,192,0,0>>",
		"<<1.5:32/little-float>>":      "<<0,0,192,63>>",
		"<<1/float>>":                  "<<63,240,0,0,0,0,0,0>>",
		"<<\"ab\":16/little>>":         "<<97,0,98,0>>",
		"<<1/big-unsigned-integer>>":   "<<1>>",
		"<<16#10000/utf16>>":           "<<216,0,220,0>>",
		"<<$a/utf32-little>>":          "<<97,0,0,0>>",
		"<<1:1/unit:8, 2:2/unit:4>>":   "<<1,2>>",
		"<<256:8, -1:16/signed-big>>":  "<<0,255,255>>",
		"<<1:12/little, 0:4>>":         "<<1,0>>",
		"<< <<1,2>>:1/binary-unit:9>>": "<<1,0:1>>",
	} {
		term, err := etf.Parse(text)
		if assert.NoError(t, err, text) {
			wanted, err := etf.Parse(want)
			require.NoError(t, err)
			assert.True(t, etf.Equal(wanted, term), "%s is %v", text, term)
		}
	}
	for text, want := range map[string]string{
		"<< <<1>>:2/binary>>":       "shorter than its size",
		"<< <<5:3>>/binary>>":       "no whole number of units",
		"<< 1/binary>>":             "type binary that is none",
		"<< a/float>>":              "found an atom",
		"<< <<1>>/float>>":          "that is no number",
		"<<1:8/float>>":             "neither 32 nor 64 bits",
		"<<1.0e300:32/float>>":      "out of range",
		"<<1/strange>>":             "a type that no segment has",
		"<<1/integer-float>>":       "a second type",
		"<<1/7>>":                   "the type of a segment",
		"<< <<1>>/integer>>":        "no integer",
		"<<16#D800/utf8>>":          "no character",
		"<<1:8/utf8>>":              "has a size",
		"<< <<1>>:99999999/binary>": "",
	} {
		_, err := etf.Parse(text)
		assert.ErrorContains(t, err, want, text)
	}
}
