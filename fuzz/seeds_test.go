package fuzz_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// otpTerms are terms as the BEAM encoded them; see gen_seeds.escript.
func otpTerms(tb testing.TB) [][]byte {
	tb.Helper()
	text, err := os.ReadFile("testdata/otp.txt")
	require.NoError(tb, err)
	var terms [][]byte
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		encoded, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		term, err := base64.StdEncoding.DecodeString(encoded)
		require.NoError(tb, err, line)
		terms = append(terms, term)
	}
	require.NotEmpty(tb, terms)
	return terms
}

// The seeds have to be good ones: a fuzz target would pass over bad ones in
// silence.
func TestSeedsAreTerms(t *testing.T) {
	for _, term := range otpTerms(t) {
		require.NoError(t, etf.Valid(term), "%s", base64.StdEncoding.EncodeToString(term))
	}
}
