package bootstrap

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

const (
	extensionName = "beamport"
	// registerTime is how long the registration may take. It is not worth more.
	registerTime = 2 * time.Second
)

// extension is the registration that makes Lambda send SIGTERM before it ends a
// sandbox. The runtime does as well without.
type extension struct {
	registered chan struct{} // closed when there is a registration, or will be none
	cancel     context.CancelFunc
	waiting    sync.WaitGroup
}

// register registers the extension, and waits for its events, until end.
func (s *settings) register(ctx context.Context, api *runtimeapi.Client) *extension {
	e := &extension{registered: make(chan struct{})}
	if s.NoExtension {
		close(e.registered)
		return e
	}
	ctx, e.cancel = context.WithCancel(ctx)
	e.waiting.Go(func() {
		limited, cancel := context.WithTimeout(ctx, registerTime)
		one, err := api.Register(limited, extensionName)
		cancel()
		close(e.registered)
		if err == nil {
			err = one.Wait(ctx)
		}
		var status *runtimeapi.StatusError
		if errors.As(err, &status) && status.NotFound() {
			return // an emulator that has no extensions
		}
		if err != nil && ctx.Err() == nil {
			s.logs.runtime("DEBUG", "", "the sandbox will end without notice: "+err.Error())
		}
	})
	return e
}

// await returns when the first event may be asked for.
func (e *extension) await() { <-e.registered }

func (e *extension) end() {
	if e.cancel != nil {
		e.cancel()
	}
	e.waiting.Wait()
}
