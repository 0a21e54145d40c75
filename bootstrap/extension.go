package bootstrap

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

const (
	extensionName = "beamport"
	// registerTime is how long the registration may take. It is not worth more.
	registerTime = 2 * time.Second
	// waitPause and longestWaitPause are how long it takes until an event is asked for
	// again when the connection has broken.
	waitPause        = 50 * time.Millisecond
	longestWaitPause = 5 * time.Second
)

// extension is the registration that makes Lambda send SIGTERM before it ends a
// sandbox. The runtime does as well without.
type extension struct {
	asked   chan struct{} // closed when an event has been asked for, or none will be
	cancel  context.CancelFunc
	renewal atomic.Pointer[context.CancelFunc] // ends the wait that is under way
	waiting sync.WaitGroup
}

// register registers the extension, and waits for its events, until end.
func (s *settings) register(ctx context.Context, api *runtimeapi.Client) *extension {
	e := &extension{asked: make(chan struct{})}
	if s.NoExtension {
		close(e.asked)
		return e
	}
	ctx, e.cancel = context.WithCancel(ctx)
	e.waiting.Go(func() {
		asked := sync.OnceFunc(func() { close(e.asked) })
		defer asked()
		limited, cancel := context.WithTimeout(ctx, registerTime)
		one, err := api.Register(limited, extensionName)
		cancel()
		if err == nil {
			err = e.wait(ctx, one, asked)
		}
		var status *runtimeapi.StatusError
		if errors.As(err, &status) && status.NotFound() {
			return // an emulator that has no extensions
		}
		if err != nil && ctx.Err() == nil {
			s.logs.runtime("DEBUG", "", "the sandbox may end without notice: "+err.Error())
		}
	})
	return e
}

// wait asks for an event until there is one, or the API does not know the extension: a
// connection does not outlast every freeze, and no snapshot.
func (e *extension) wait(ctx context.Context, one *runtimeapi.Extension, asked func()) error {
	for pause := waitPause; ; pause = min(2*pause, longestWaitPause) {
		waiting, cancel := context.WithCancel(ctx)
		e.renewal.Store(&cancel)
		err := one.Wait(waiting, asked)
		renewed := waiting.Err() != nil
		cancel()
		asked() // whatever came of it: the runtime waits for no more than this
		var status *runtimeapi.StatusError
		if err == nil || ctx.Err() != nil || errors.As(err, &status) {
			return err
		}
		if renewed {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// renew asks anew, on another connection, after a restore.
func (e *extension) renew() {
	if cancel := e.renewal.Load(); cancel != nil {
		(*cancel)()
	}
}

// await returns when the first event may be asked for.
func (e *extension) await() { <-e.asked }

func (e *extension) end() {
	if e.cancel != nil {
		e.cancel()
	}
	e.waiting.Wait()
}
