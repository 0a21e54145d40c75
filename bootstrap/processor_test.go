package bootstrap

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
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
