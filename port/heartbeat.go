package port

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrUnresponsive says that the other side has answered no heartbeat, nor given another
// sign of life; see [Options.Heartbeat].
var ErrUnresponsive = errors.New("port: the other side does not answer")

// patience is how many ticks the other side has to answer.
const patience = 3

// watch asks the other side whether it is alive when it has given no sign of that for a
// tick, and ends the connection when it gives none for some more. Bytes that come are
// one, and so are bytes that it takes of those that wait: the ping is behind these.
// Bytes that go without waiting have only gone as far as the system's buffers.
func (c *Conn) watch(tick time.Duration) {
	select {
	case <-c.readied:
	case <-c.done:
		return
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var heard, wrote uint64
	var ping outgoing
	silent := 0 // ticks
	for {
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
		reads, writes := c.r.reads.Load(), c.sender.writes.Load()
		lives := reads != heard || writes != wrote && c.sender.busy()
		heard, wrote = reads, writes
		switch {
		case lives, c.reading.handing.Load(): // it is we who are slow
			silent = 0
			continue
		case silent == patience:
			c.fail(ErrUnresponsive)
			c.shutdown()
			return
		case silent == 0:
			c.sender.sendLatest(&ping, appendPing(nil, c.pings.Add(1)))
		}
		silent++
	}
}

func (c *Conn) ping() { c.sender.send(&outgoing{head: appendPing(nil, c.pings.Add(1))}) }

// Ping asks the other side whether it is alive, and returns nil when it has answered, or
// sent anything else. The error is that of the connection ([Conn.Err]) or ctx's.
func (c *Conn) Ping(ctx context.Context) error {
	c.mu.Lock()
	if c.heard == nil {
		c.heard = make(chan struct{})
		c.reading.asked.Store(true)
	}
	heard := c.heard
	c.needLocked(1)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.needLocked(-1)
	}()
	c.ping()
	select {
	case <-heard:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return fmt.Errorf("port: asking whether the other side is alive: %w", ctx.Err())
	}
}

// heardLocked tells those who wait for a frame that one has come.
func (c *Conn) heardLocked() {
	if c.heard != nil {
		close(c.heard)
		c.heard = nil
	}
	c.reading.asked.Store(false)
}
