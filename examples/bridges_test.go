package examples

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
)

// goProgram builds a program of the examples.
func goProgram(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(dir))
	command(t, ".", "go", "build", "-o", program, "./"+dir)
	return program
}

// otpApplication returns a folder of libraries that has beamport's OTP application.
func otpApplication(t *testing.T) (libs, ebin string) {
	t.Helper()
	from, remove, err := beam.Ebin("")
	require.NoError(t, err)
	defer remove()
	libs = t.TempDir()
	ebin = filepath.Join(libs, "beamport", "ebin")
	require.NoError(t, os.CopyFS(ebin, os.DirFS(from)))
	return libs, ebin
}

// An Elixir application starts, calls, and loses a worker in Go: its own tests.
func TestGoPort(t *testing.T) {
	worker := goProgram(t, "go_port/worker")
	libs, _ := otpApplication(t)
	dir := copyOf(t, "go_port")
	t.Setenv("ERL_LIBS", libs)
	t.Setenv("GO_PORT_WORKER", worker)
	out := command(t, dir, "mix", "test")
	require.Contains(t, out, "5 tests, 0 failures")
	require.NotContains(t, out, "warning")
}

// A program in Go calls a BEAM over a unix socket.
func TestUnixBridge(t *testing.T) {
	client := goProgram(t, "unix_bridge/client")
	_, ebin := otpApplication(t)
	dir := t.TempDir()
	command(t, ".", "erlc", "+warnings_as_errors", "-pa", ebin, "-o", dir, "unix_bridge/src/bridge.erl")
	socket := filepath.Join(dir, "s")
	erl := exec.CommandContext(t.Context(), "erl", "-noshell", "-boot", "start_clean", "-pa", ebin, dir, "-run", "bridge", "main", socket)
	hold, err := erl.StdinPipe()
	require.NoError(t, err)
	erl.Stderr = os.Stderr
	out, err := erl.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, erl.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "listening\n", line)

	var files []string
	for _, text := range []string{"One, two. Two three!", "three\nthree", "TWO"} {
		file := filepath.Join(dir, "text"+text[:2])
		require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(text+" ", 100)), 0o600))
		files = append(files, file)
	}
	for range 2 {
		require.Equal(t, "one 100\nthree 300\ntwo 300\n3 words\n", command(t, dir, client, append([]string{socket}, files...)...))
	}
	hold.Close()
	require.NoError(t, erl.Wait())
}
