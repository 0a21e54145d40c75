package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain lets the test binary be the program itself, for what only a process
// of its own can show.
func TestMain(m *testing.M) {
	if os.Getenv("BEAMPORT_TEST_MAIN") != "" {
		main()
		return
	}
	os.Unsetenv("_HANDLER")
	os.Unsetenv("MIX_ENV")
	goleak.VerifyTestMain(m)
}

// fixture is a folder of the test's own with testdata/fixture, compiled.
func fixture(t *testing.T) string {
	t.Helper()
	module, err := compileFixture()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "ebin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ebin", "fixture.beam"), module, 0o600))
	return dir
}

var compileFixture = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "beamport-fixture-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	erlc := exec.Command("erlc", "+warnings_as_errors", "-o", dir, "testdata/fixture/src/fixture.erl")
	if output, err := erlc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("erlc: %w: %s", err, output)
	}
	return os.ReadFile(filepath.Join(dir, "fixture.beam"))
})

// ran is a run of the program that has ended.
type ran struct {
	status      int
	stdout, err string
}

func runWith(t *testing.T, change func(*console), stdin string, args ...string) ran {
	t.Helper()
	var out, err bytes.Buffer
	c := newConsole(strings.NewReader(stdin), &out, &err)
	if change != nil {
		change(c)
	}
	status := run(t.Context(), args, c)
	return ran{status, out.String(), err.String()}
}

func runArgs(t *testing.T, args ...string) ran {
	t.Helper()
	return runWith(t, nil, "", args...)
}

// file writes a file of its own for a test.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// background runs the program until stop. Its two outputs come line by line.
type background struct {
	lines  <-chan string
	stop   context.CancelFunc
	status <-chan int
}

func start(t *testing.T, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	lines, status := make(chan string, 1000), make(chan int, 1)
	go func() {
		status <- run(ctx, args, newConsole(strings.NewReader(""), w, w))
		w.Close()
	}()
	go sendLines(r, lines)
	t.Cleanup(func() {
		cancel()
		for range lines {
		}
	})
	return &background{lines, cancel, status}
}

func sendLines(r io.Reader, lines chan<- string) {
	defer close(lines)
	for s := bufio.NewScanner(r); s.Scan(); {
		lines <- s.Text()
	}
}

// await reads lines up to one that matches, and gives its submatches.
func await(t *testing.T, lines <-chan string, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var seen []string
	for line := range lines {
		seen = append(seen, line)
		if m := re.FindStringSubmatch(line); m != nil {
			return m
		}
	}
	require.Failf(t, "the output ended", "without %s:\n%s", pattern, strings.Join(seen, "\n"))
	return nil
}
