//go:build linux

package soak

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	Play()
	goleak.VerifyTestMain(m)
}
