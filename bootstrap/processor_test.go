package bootstrap

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/affinity"
)

func TestCompleteProcessors(t *testing.T) {
	several := runtime.NumCPU() > 1
	for _, c := range []struct {
		processors              string
		schedulers, concurrency int
		want                    bool
	}{
		{"all", 1, 1, false},
		{"one", 2, 8, true},
		{"auto", 1, 1, several},
		{"auto", 2, 1, false},
		{"auto", 1, 2, false},
	} {
		s := settings{Config: Config{Processors: c.processors, MaxConcurrency: c.concurrency}, schedulers: c.schedulers}
		assert.NoError(t, s.completeProcessors())
		assert.Equal(t, c.want, s.shareProcessor, "%+v", c)
	}
	_, err := Config{RuntimeAPI: "127.0.0.1:1", Handler: "m:f", TaskRoot: t.TempDir(), Processors: "some"}.complete()
	assert.ErrorContains(t, err, `bootstrap: BEAMPORT_PROCESSORS is "some", none of all, one and auto`)
}

// What sharing has taken away comes back, twice too.
func TestSharing(t *testing.T) {
	before, procs := runtime.GOMAXPROCS(0), runtime.NumCPU()
	var s sharing
	err := s.begin(os.Getpid())
	if errors.Is(err, affinity.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer s.end()
	now, err := affinity.Of(0)
	require.NoError(t, err)
	assert.Equal(t, 1, now.Len())
	assert.Equal(t, 1, runtime.GOMAXPROCS(0))
	for range 2 {
		require.NoError(t, s.end())
		now, err = affinity.Of(0)
		require.NoError(t, err)
		assert.Equal(t, procs, now.Len())
		assert.Equal(t, before, runtime.GOMAXPROCS(0))
	}
}
