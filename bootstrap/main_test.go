package bootstrap

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

// parallel is how many of the tests that are parallel run at a time: they wait, most of
// the time.
const parallel = 4

// cleanups remove what several tests share, when they are over.
var cleanups = []func(){removeFixtures, removeReleases}

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(fakeVMVariable); ok {
		fakeVM(mode)
		return
	}
	flag.Parse()
	if runtime.GOMAXPROCS(0) < parallel {
		_ = flag.Set("test.parallel", strconv.Itoa(parallel)) // testing has it
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		for _, remove := range cleanups {
			remove()
		}
		os.Exit(status)
	}))
}
