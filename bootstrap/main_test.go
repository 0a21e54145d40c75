package bootstrap

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(fakeVMVariable); ok {
		fakeVM(mode)
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		removeFixtures()
		removeReleases()
		os.Exit(status)
	}))
}
