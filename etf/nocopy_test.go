package etf_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// TestNoCopy decodes every case in place: the terms are the same, and the input
// is never written to.
func TestNoCopy(t *testing.T) {
	o := etf.DecodeOptions{NoCopy: true}
	for _, c := range cases.All() {
		input := bytes.Clone(c.Bytes)
		want, err := etf.Decode(c.Bytes)
		got, gotErr := o.Decode(input)
		assert.Equal(t, err, gotErr, c.Name)
		assert.Equal(t, c.Bytes, input, c.Name)
		if err == nil {
			assert.True(t, etf.Equal(want, got), c.Name)
		}
	}
}

// TestNoCopyRefers shows what the option is for, and what it asks of the caller.
func TestNoCopyRefers(t *testing.T) {
	o := etf.DecodeOptions{NoCopy: true}
	input := append([]byte{131, 109, 0, 1, 0, 0}, make([]byte, 1<<16)...)
	assert.Zero(t, testing.AllocsPerRun(10, func() { _, _ = o.Decode(input) }))
	term, err := o.Decode(input)
	require.NoError(t, err)
	input[6] = 'x'
	b, _ := term.Bytes()
	require.Equal(t, byte('x'), b[0])

	// A list in pieces and a bit string with bits that do not count are copied.
	for _, input := range [][]byte{
		{131, 108, 0, 0, 0, 1, 109, 0, 0, 0, 1, 'a', 108, 0, 0, 0, 1, 97, 1, 106},
		{131, 104, 2, 109, 0, 0, 0, 1, 'a', 77, 0, 0, 0, 1, 3, 0xFF},
	} {
		term, err := o.Decode(input)
		require.NoError(t, err)
		text := term.String()
		clear(input)
		require.Equal(t, text, term.String())
	}
}
