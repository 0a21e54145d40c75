package layer

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write makes a file, and the folders that it is in.
func write(t *testing.T, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	return file
}

// compiled is a folder of modules, each of which is given as it is after -module(NAME).
func compiled(t *testing.T, modules map[string]string) string {
	t.Helper()
	dir, sources := t.TempDir(), t.TempDir()
	args := []string{"+deterministic", "-o", dir}
	for name, text := range modules {
		args = append(args, write(t, "-module("+name+").\n"+text, sources, name+".erl"))
	}
	said, err := exec.CommandContext(t.Context(), "erlc", args...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	return dir
}

// erl runs an expression in an emulator and returns what it prints.
func erl(t *testing.T, expression string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "erl", append(args, "-noinput", "-boot", "start_clean", "+pc", "unicode",
		"-eval", expression+", halt().")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}
