//go:build !linux && !darwin

package port

import (
	"io"
	"sync/atomic"

	"github.com/beamport/beamport/internal/await"
)

// rawWriter returns nil: a goroutine does all writing.
func rawWriter(io.Writer, *atomic.Uint64) (try, wait func([]byte) (int, error)) { return nil, nil }

// cuttablePipes returns nil: there are none of ours.
func cuttablePipes(io.ReadWriteCloser) readDeadliner { return nil }

// awaiter returns one that does not wait.
func awaiter(io.ReadWriteCloser) await.Waiter { return await.Waiter{} }
