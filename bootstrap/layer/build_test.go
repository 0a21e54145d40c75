package layer

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// What a layer holds of others comes with their licenses.
func TestLayerNotices(t *testing.T) {
	target, err := ParseTarget("image", runtime.GOARCH)
	require.NoError(t, err)
	otp, err := readOTP("")
	require.NoError(t, err)
	b := &builder{Options: Options{Target: target}, contents: newContents(), otp: otp}
	require.NoError(t, b.addNotices())
	texts := map[string]string{}
	for _, e := range b.entries {
		texts[e.name] = string(e.data)
	}
	assert.Contains(t, texts["NOTICE"], "Parts of the emulator come from others:\n  LICENSES/Erlang.txt.\n")
	assert.Contains(t, texts["LICENSES/Erlang.txt"], "University of Cambridge", "of PCRE")
	assert.Contains(t, texts["LICENSES/Apache-2.0.txt"], "Apache License")

	otp.Root, otp.BinDir = t.TempDir(), t.TempDir()
	b = &builder{Options: Options{Target: target}, contents: newContents(), otp: otp}
	require.NoError(t, b.addNotices())
	require.Len(t, b.notes, 1)
	assert.Contains(t, b.notes[0], "there is no COPYRIGHT in "+otp.Root)
	write(t, "of others", otp.Root, "COPYRIGHT")
	b = &builder{Options: Options{Target: target}, contents: newContents(), otp: otp}
	require.NoError(t, b.addNotices())
	assert.Empty(t, b.notes)
}

// Where the Erlang to be packed cannot be started, the modules to load are those of its
// own script: with those, it boots and answers.
func TestBootScriptOfAnErlangThatCannotBeStarted(t *testing.T) {
	ebin, remove, err := beam.Ebin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = remove() })
	for _, preset := range []string{"erlang", "elixir"} {
		b := &builder{Options: Options{Preset: preset}, contents: newContents()}
		require.NoError(t, b.choose())
		m := b.booter(ebin)
		for _, kind := range []string{beam.BootFull, beam.BootLean} {
			term, err := m.kernel(kind, m.stock())
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "stock")
			require.NoError(t, writeTerm(file+".boot", term))
			script, err := beam.ReadScript(file)
			require.NoError(t, err)
			path, args, env := m.command(ebin, t.TempDir(), script)
			p, err := port.Start(t.Context(), port.Command{Path: path, Args: args, Env: env, StartTimeout: probeTime, StopTimeout: time.Second})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), probeTime)
			defer cancel()
			_, err = p.Conn().Call(ctx, etf.Tuple(etf.Atom("init"), etf.Map(
				etf.Pair{Key: etf.Atom("handler"), Value: etf.String(probeHandler(b.elixir != nil))},
				etf.Pair{Key: etf.Atom("task_root"), Value: etf.String(t.TempDir())})))
			require.NoError(t, err, "%s %s", preset, kind)
			require.NoError(t, p.Stop(ctx))
		}
	}
}

// What only a compiler uses is left out where the layer has none.
func TestUnpacked(t *testing.T) {
	for _, c := range []struct {
		preset, module string
		with           []string
		packed         bool
	}{
		{"elixir", "Elixir.Module.Types.Expr", nil, false},
		{"elixir", "Elixir.Module.Types.Expr", []string{"compiler"}, true},
		{"elixir", "Elixir.IO.ANSI.Docs", nil, false},
		{"elixir", "Elixir.Enum", nil, true},
		{"full", "Elixir.Module.Types.Expr", nil, true},
		{"full", "Elixir.IO.ANSI.Docs", nil, true},
	} {
		b := &builder{Options: Options{Preset: c.preset, With: c.with}, contents: newContents()}
		require.NoError(t, b.choose())
		i := slices.IndexFunc(b.apps, func(a *app) bool { return a.name == "elixir" })
		assert.Equal(t, c.packed, !slices.Contains(b.unpacked(b.apps[i]), c.module+".beam"), "%v", c)
	}
}
