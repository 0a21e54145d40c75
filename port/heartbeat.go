package port

import (
	"errors"
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
	var heard, wrote, pings uint64
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
			pings++
			c.sender.sendLatest(&ping, appendPing(nil, pings))
		}
		silent++
	}
}
