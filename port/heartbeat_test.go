package port_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// pong answers pings for as long as it is let.
func pong(p *peer, answer func() bool) (pings int, err error) {
	for {
		frame, err := p.read()
		if err != nil {
			return pings, err
		}
		if frame.At(0).IsAtom("ping") {
			pings++
			if answer() {
				p.write("pong", frame.At(1))
			}
		}
	}
}

// A question is answered by whatever comes, and not by silence.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		var silent atomic.Bool
		go pong(p, func() bool { return !silent.Load() })
		synctest.Wait() // what is ready counts too
		require.NoError(t, c.Ping(t.Context()))
		synctest.Wait()

		silent.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.Ping(ctx), context.DeadlineExceeded)

		asked := make(chan error)
		for range 2 {
			go func() { asked <- c.Ping(t.Context()) }()
		}
		synctest.Wait()
		require.NoError(t, p.log(etf.Atom("nil"), "alive"))
		require.NoError(t, <-asked)
		require.NoError(t, <-asked)

		go func() { asked <- c.Ping(t.Context()) }()
		synctest.Wait()
		c.Close()
		require.ErrorIs(t, <-asked, port.ErrClosed)
		require.ErrorIs(t, c.Ping(t.Context()), port.ErrClosed)
	})
}

func TestHeartbeat(t *testing.T) {
	t.Run("answered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
			require.NoError(t, p.ready())
			var pings int
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				pings, _ = pong(p, func() bool { return true })
			}()
			time.Sleep(time.Hour)
			require.NoError(t, c.Err())
			c.Close()
			<-ended
			require.InDelta(t, 1800, pings, 10, "every other tick nothing has been heard")
		})
	})
	t.Run("not answered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
			require.NoError(t, p.ready())
			go pong(p, func() bool { return false })
			started := time.Now()
			_, err := c.Call(t.Context(), etf.Int(1))
			require.ErrorIs(t, err, port.ErrUnresponsive)
			require.ErrorIs(t, c.Err(), port.ErrUnresponsive)
			require.LessOrEqual(t, time.Since(started), 6*time.Second)
			require.GreaterOrEqual(t, time.Since(started), 4*time.Second)
		})
	})
	t.Run("other frames are signs of life", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
			require.NoError(t, p.ready())
			go pong(p, func() bool { return false })
			for range 100 {
				time.Sleep(3 * time.Second)
				require.NoError(t, p.log(etf.Atom("nil"), "alive"))
			}
			synctest.Wait()
			require.NoError(t, c.Err())
		})
	})
	t.Run("a log handler that takes its time is no silence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second, OnLog: func(port.Log) { time.Sleep(time.Minute) }})
			require.NoError(t, p.ready())
			go pong(p, func() bool { return true })
			require.NoError(t, p.log(etf.Atom("nil"), "slow"))
			time.Sleep(2 * time.Minute)
			require.NoError(t, c.Err())
		})
	})
	t.Run("not before ready", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := connectPipe(t, port.Options{Heartbeat: time.Second})
			time.Sleep(time.Minute)
			require.NoError(t, c.Err())
		})
	})
	t.Run("a pong with something behind it", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		go p.writeBytes([]byte("\x83h\x02w\x04ponga\x01a\x02"))
		<-c.Done()
		_, ok := errors.AsType[*port.ProtocolError](c.Err())
		require.True(t, ok, "%v", c.Err())
	})
}

// What takes long is no silence, as long as it moves.
func TestHeartbeatOfLongFrames(t *testing.T) {
	t.Run("that come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
			require.NoError(t, p.ready())
			go pong(p, func() bool { return false })
			_, err := p.rwc.Write([]byte{0, 0, 1, 0})
			require.NoError(t, err)
			for range 100 {
				time.Sleep(3 * time.Second)
				_, err := p.rwc.Write([]byte{131})
				require.NoError(t, err)
			}
			require.NoError(t, c.Err())
			time.Sleep(time.Minute)
			require.ErrorIs(t, c.Err(), port.ErrUnresponsive)
		})
	})
	t.Run("that go", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
			require.NoError(t, p.ready())
			ended := make(chan error)
			go func() {
				_, err := c.Call(t.Context(), etf.Binary(make([]byte, 8<<20)))
				ended <- err
			}()
			for range 100 {
				time.Sleep(3 * time.Second)
				_, err := io.CopyN(io.Discard, p.rwc, 64<<10)
				require.NoError(t, err)
			}
			require.NoError(t, c.Err())
			require.ErrorIs(t, <-ended, port.ErrUnresponsive)
		})
	})
}

// Pings that wait behind a long frame are one.
func TestHeartbeatQueuesOnePing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{Heartbeat: time.Second})
		require.NoError(t, p.ready())
		go c.Call(t.Context(), etf.Binary(make([]byte, 1<<20)))
		var header [4]byte
		_, err := io.ReadFull(p.rwc, header[:])
		require.NoError(t, err)
		for left := int64(binary.BigEndian.Uint32(header[:])); left > 0; left -= 64 << 10 {
			time.Sleep(2500 * time.Millisecond)
			_, err := io.CopyN(io.Discard, p.rwc, min(left, 64<<10))
			require.NoError(t, err)
		}
		pings := 0
		go func() { pings, _ = pong(p, func() bool { return true }) }()
		synctest.Wait()
		c.Close()
		synctest.Wait()
		require.Equal(t, 1, pings)
	})
}
