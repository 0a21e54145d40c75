package bootstrap

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// cleanups remove what several tests share, when they are over.
var cleanups = []func(){removeFixtures, removeReleases}

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(fakeVMVariable); ok {
		fakeVM(mode)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		for _, remove := range cleanups {
			remove()
		}
		os.Exit(status)
	}))
}
