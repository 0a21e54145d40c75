package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
)

// fixtures is the folder of the compiled handlers of testdata, compiled when it is
// first asked for and removed by [TestMain].
var fixtures struct {
	once sync.Once
	dir  string
	err  error
}

// fixtureRoot is a task root with the handlers of testdata. A machine without
// Erlang and Elixir fails the test.
func fixtureRoot(t testing.TB) string {
	t.Helper()
	fixtures.once.Do(func() {
		if fixtures.dir, fixtures.err = os.MkdirTemp("", "beamport-fixtures-"); fixtures.err != nil {
			return
		}
		ebin := filepath.Join(fixtures.dir, "ebin")
		if fixtures.err = os.Mkdir(ebin, 0o755); fixtures.err != nil {
			return
		}
		for _, command := range [][]string{
			{"erlc", "+debug_info", "-pa", "../beam/ebin", "-o", ebin, "testdata/fixture.erl", "testdata/crashing.erl", "testdata/stateful.erl"},
			{"elixirc", "-o", ebin, "testdata/fixture.ex", "testdata/replaced.ex"},
		} {
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
			if out, err := cmd.CombinedOutput(); err != nil {
				fixtures.err = &exec.Error{Name: command[0] + ": " + string(out), Err: err}
				return
			}
		}
	})
	require.NoError(t, fixtures.err)
	return fixtures.dir
}

func removeFixtures() {
	if fixtures.dir != "" {
		_ = os.RemoveAll(fixtures.dir) // it is in the temporary folder
	}
}

// beamConfig runs a handler of testdata in a real VM.
func beamConfig(t testing.TB, handler string, environ ...string) Config {
	return Config{Handler: handler, TaskRoot: fixtureRoot(t), Environ: append(os.Environ(), environ...)}
}

// startBEAM starts fixture:handle in a real VM.
func startBEAM(t *testing.T, environ ...string) *rig {
	t.Helper()
	return startRig(t, emulator.Options{}, beamConfig(t, "fixture:handle", environ...))
}
