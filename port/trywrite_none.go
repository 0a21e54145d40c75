//go:build !linux && !darwin

package port

import (
	"io"

	"github.com/beamport/beamport/internal/await"
)

// tryWriter returns nil: a goroutine does all writing.
func tryWriter(io.Writer) func([]byte) (int, error) { return nil }

// cuttablePipes returns nil: there are none of ours.
func cuttablePipes(io.ReadWriteCloser) readDeadliner { return nil }

// awaiter returns one that does not wait.
func awaiter(io.ReadWriteCloser) await.Waiter { return await.Waiter{} }
