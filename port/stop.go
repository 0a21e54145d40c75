//go:build linux || darwin

package port

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errNoStop = errors.New("port: child did not stop in time")

// Stop ends the child. In this order it
//  1. sends {stop, normal}, and waits for the child to end, up to StopTimeout,
//  2. closes the protocol's pipes, and waits again, up to StopTimeout,
//  3. kills the child and its process group,
//  4. waits until [Process.Done] is closed and the calls in flight have failed, for
//     these a second at most: they do not while an OnLog hangs.
//
// When ctx ends during 1 or 2, 3 is next. Stop returns nil if the child ended with
// exit status 0, even if that was before, and what [Process.Err] returns otherwise.
func (p *Process) Stop(ctx context.Context) error {
	if !p.stopByFrame(ctx) && !p.stopByEOF(ctx) {
		reason := errNoStop
		if ctx.Err() != nil {
			reason = fmt.Errorf("port: stopping a child: %w", ctx.Err())
		}
		p.end(reason)
	}
	<-p.done
	enough := time.NewTimer(lingerTime)
	defer enough.Stop()
	select {
	case <-p.conn.Done():
	case <-enough.C:
	}
	if exit, ok := errors.AsType[*ExitError](p.Err()); ok && exit.Code == 0 {
		return nil
	}
	return p.Err()
}

// stopByFrame is step 1. It reports whether the child has ended.
func (p *Process) stopByFrame(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, p.command.StopTimeout)
	defer cancel()
	// If it cannot be sent, there is the next step.
	p.conn.sender.send(&outgoing{head: appendStop(nil)})
	return p.waitFor(limited, p.command.StopTimeout)
}

// stopByEOF is step 2.
func (p *Process) stopByEOF(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	p.conn.shutdown()
	return p.waitFor(ctx, p.command.StopTimeout)
}
