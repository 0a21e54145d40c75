package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tty is a file that counts as a terminal.
func tty(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestIsTerminal(t *testing.T) {
	require.True(t, isTerminal(tty(t)))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	require.False(t, isTerminal(w))
	plain, err := os.Create(t.TempDir() + "/f")
	require.NoError(t, err)
	defer plain.Close()
	require.False(t, isTerminal(plain))
	require.False(t, isTerminal(&lockedWriter{}))
}

func TestReadable(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"", ""},
		{`{"a":[1,2.50,{}],"b":"<é>"}`, "{\n  \"a\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"b\": \"<é>\"\n}\n"},
		{"null", "null\n"},
		{"text", "text\n"},
		{"text\n", "text\n"},
		{"\x1b[2J", "(4 bytes of x/y)\n"},
		{"\xff", "(1 byte of x/y)\n"},
	} {
		require.Equal(t, c.want, string(readable([]byte(c.body), "x/y")), c.body)
	}
}

// The bar is drawn where a person looks, no more often than it changes, and is gone when
// it is done.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	show, clear := (&console{err: &out}).progress("packing")
	require.Nil(t, show, "nobody looks")
	clear()
	require.Empty(t, out.String())

	show, clear = (&console{err: &out, errTTY: true}).progress("packing")
	for done := range int64(5001) {
		show(done, 10_000)
	}
	show(10_000, 10_000)
	clear()
	drawn := strings.Split(out.String(), "\r")
	require.Len(t, drawn, 1+501+1+1, "once for a thousandth")
	require.Equal(t, "packing ["+strings.Repeat("░", 32)+"]   0 %", drawn[1])
	require.Equal(t, "packing ["+strings.Repeat("█", 16)+strings.Repeat("░", 16)+"]  50 %", drawn[501])
	require.Equal(t, "packing ["+strings.Repeat("█", 32)+"] 100 %", drawn[502])
	require.Equal(t, "\x1b[K", drawn[503])
	show(0, 0)
}
