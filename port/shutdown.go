package port

import (
	"context"
	"fmt"
)

// Shutdown ends the connection in an orderly way: calls that come now fail with
// [ErrClosed], those in flight go on. When none is left, or ctx has ended, it closes
// the connection as [Conn.Close] does. It returns ctx's error if calls were cut off.
func (c *Conn) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if c.drained == nil {
		c.drained = make(chan struct{})
		if len(c.calls) == 0 {
			close(c.drained)
		}
	}
	drained := c.drained
	c.mu.Unlock()
	select {
	case <-drained:
		return c.Close()
	case <-ctx.Done():
		c.Close()
		return fmt.Errorf("port: shutting down: %w", ctx.Err())
	}
}

// drainedLocked tells Shutdown that no call is left.
func (c *Conn) drainedLocked() {
	select {
	case <-c.drained:
	default:
		close(c.drained)
	}
}
