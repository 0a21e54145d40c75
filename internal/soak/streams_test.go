//go:build linux

package soak

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReadRepeated(t *testing.T) {
	payload := []byte("abcde")
	broken := errors.New("broken")
	tests := map[string]struct {
		from io.Reader
		want error
	}{
		"as it was asked for": {from: strings.NewReader("abcdeabcdeabcde")},
		"byte by byte":        {from: iotest.OneByteReader(strings.NewReader("abcdeabcdeabcde"))},
		"too little":          {from: strings.NewReader("abcdeabcde"), want: errOtherBytes},
		"too much":            {from: strings.NewReader("abcdeabcdeabcdea"), want: errOtherBytes},
		"other bytes":         {from: strings.NewReader("abcdeabcdxabcde"), want: errOtherBytes},
		"out of order":        {from: iotest.HalfReader(bytes.NewReader([]byte("abcdeacbdeabcde"))), want: errOtherBytes},
		"an error":            {from: io.MultiReader(strings.NewReader("abcde"), iotest.ErrReader(broken)), want: broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, readRepeated(tt.from, payload, 3, func(int) error { return nil }), tt.want)
		})
	}
	require.ErrorIs(t, readRepeated(strings.NewReader("abcde"), payload, 3, func(read int) error { return errGivenUp }), errGivenUp)
}
