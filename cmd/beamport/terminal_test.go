package main

import (
	"os"
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
