package port_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable names, in the environment of the test binary, the child that it
// is to play instead of running tests.
const childVariable = "PORT_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		playChild(name)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
