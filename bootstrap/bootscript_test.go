package bootstrap

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
)

func TestSchedulers(t *testing.T) {
	for _, c := range []struct {
		memory           string
		processors, want int
	}{
		{"", 2, 2}, {"nonsense", 4, 4}, {"-1", 4, 4},
		{"128", 1, 1}, {"128", 2, 1}, {"1769", 6, 1},
		{"1770", 6, 2}, {"3538", 6, 2}, {"3539", 6, 3}, {"10240", 6, 6}, {"10240", 2, 2},
	} {
		assert.Equal(t, c.want, schedulers(c.memory, c.processors), "%s MB, %d processors", c.memory, c.processors)
	}
}

func TestBootMustBeKnown(t *testing.T) {
	_, err := Config{RuntimeAPI: "127.0.0.1:1", Handler: "m:f", TaskRoot: t.TempDir(), Boot: "odd"}.complete()
	assert.ErrorContains(t, err, `bootstrap: BEAMPORT_BOOT is "odd", none of auto, full, lean, function and stock`)
}

// A boot script that is asked for has to be there, and to be for the function.
func TestBootScriptMustFit(t *testing.T) {
	for _, c := range []struct {
		name, handler string
		boot          func(t *testing.T, root string)
		want          string
	}{
		{"none", "fixture:handle", func(t *testing.T, root string) {
			require.NoError(t, os.Remove(filepath.Join(root, "beamport.boot")))
		}, "BEAMPORT_BOOT is function, but there is no boot script of that kind: beamport layer makes full and lean, beamport package --boot function one for a function"},
		{"damaged", "fixture:handle", func(t *testing.T, root string) {
			require.NoError(t, os.WriteFile(filepath.Join(root, "beamport.boot"), []byte("boot"), 0o600))
		}, "beamport.boot: etf: "},
		{"another handler's", "fixture:echo", func(*testing.T, string) {}, `beamport.boot was made for the handler "fixture:handle", and this one is "fixture:echo"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := packaged(t, "fixture:handle", beam.BootFunction)
			c.boot(t, root)
			r := newRig(t, emulator.Options{}, Config{Handler: c.handler, TaskRoot: root, Boot: beam.BootFunction})
			assert.ErrorContains(t, r.run(), c.want)
		})
	}
}

// One that does not fit is left, where none is asked for, and the log says so.
func TestBootScriptThatDoesNotFit(t *testing.T) {
	root := packaged(t, "fixture:handle", beam.BootFunction)
	require.NoError(t, os.WriteFile(filepath.Join(root, "beamport.boot"), []byte("boot"), 0o600))
	r := startRig(t, emulator.Options{}, Config{Handler: "fixture:handle", TaskRoot: root})
	r.answers(`{"x":1}`, `{"x":1}`)
	assert.Contains(t, r.logs.String(), "the function starts slower than it could: ")
}
