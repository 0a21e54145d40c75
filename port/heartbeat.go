package port

import (
	"errors"
	"time"
)

// ErrUnresponsive says that the other side has answered no heartbeat, nor sent
// anything else; see [Options.Heartbeat].
var ErrUnresponsive = errors.New("port: the other side does not answer")

// patience is how many ticks the other side has to answer.
const patience = 3

// watch asks the other side whether it is alive when it has said nothing for a tick,
// and ends the connection when it says nothing for some more.
func (c *Conn) watch(tick time.Duration) {
	select {
	case <-c.readied:
	case <-c.done:
		return
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var heard, pings uint64
	silent := 0 // ticks
	for {
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
		now := c.reading.frames.Load()
		switch {
		case now != heard, c.reading.handing.Load(): // it is we who are slow
			heard, silent = now, 0
			continue
		case silent == patience:
			c.fail(ErrUnresponsive)
			c.shutdown()
			return
		case silent == 0:
			pings++
			c.sender.send(&outgoing{head: appendPing(nil, pings)})
		}
		silent++
	}
}
