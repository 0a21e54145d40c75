package port_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// The window lets in so many calls, and then one for each that is answered, in the
// order in which they came.
func TestWindowOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{MaxInFlight: 2})
		require.NoError(t, p.ready())
		answered := make(chan int, 5)
		for i := range 5 {
			go func() {
				_, err := c.Call(t.Context(), etf.Int(int64(i)))
				assert.NoError(t, err)
				answered <- i
			}()
			synctest.Wait()
		}
		for i := range 2 {
			frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(int64(i)+1), etf.Int(int64(i))))
		}
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 2, InFlight: 2, Waiting: 3}, counts(c))
		for i := range 5 {
			require.NoError(t, p.write("reply", etf.Int(int64(i)+1), etf.Int(0)))
			require.Equal(t, i, <-answered)
			if i < 3 {
				frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(int64(i)+3), etf.Int(int64(i)+2)))
			}
		}
		require.Equal(t, port.Stats{Calls: 5}, c.Stats())
	})
}

// A call that is given up keeps its place until the other side has done with it; one
// that waits for a place does not hold up those behind it.
func TestWindowOfAbandonedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{MaxInFlight: 1})
		require.NoError(t, p.ready())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go c.Call(ctx, etf.Int(1))
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Int(1)))
		_, err := c.Call(ctx, etf.Int(2))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, c.Cast(ctx, etf.Int(2)), context.DeadlineExceeded)
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))

		go c.Call(t.Context(), etf.Int(3))
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 1, Abandoned: 1, Waiting: 1}, counts(c))
		require.NoError(t, p.fail(etf.Int(1), "exit", "cancelled", ""))
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(2), etf.Int(3)))
	})
}

// Casts have a place until they are acknowledged.
func TestWindowOfCasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{MaxInFlight: 3})
		require.NoError(t, p.ready())
		sent := make(chan int64, 10)
		go func() {
			for i := range int64(5) {
				assert.NoError(t, c.Cast(t.Context(), etf.Int(i)))
				sent <- i
			}
		}()
		for i := range int64(5) {
			frameIs(t, p, etf.Tuple(etf.Atom("cast"), etf.Int(i+1), etf.Int(i)))
			synctest.Wait()
			require.LessOrEqual(t, c.Stats().InFlight, 3)
			if i >= 2 {
				require.NoError(t, p.write("ack", etf.Int(i-1)))
			}
		}
		for i := range int64(5) {
			require.Equal(t, i, <-sent)
		}
		synctest.Wait()
		require.Equal(t, port.Stats{Casts: 5, InFlight: 2}, counts(c))
	})
}

// The window counts bytes too; what is larger than it goes alone.
func TestWindowOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{MaxInFlightBytes: 1000})
		require.NoError(t, p.ready())
		for _, size := range []int{400, 500, 2000, 10} {
			go c.Call(t.Context(), etf.Binary(make([]byte, size)))
			synctest.Wait()
		}
		for id := range int64(2) {
			_, err := p.read()
			require.NoError(t, err)
			_ = id
		}
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 2, InFlight: 2, Bytes: 910, Waiting: 2}, c.Stats(), "the short one does not overtake")
		require.NoError(t, p.write("reply", etf.Int(1), etf.Int(0)))
		synctest.Wait()
		require.Equal(t, 2, c.Stats().Waiting)
		require.NoError(t, p.write("reply", etf.Int(2), etf.Int(0)))
		_, err := p.read()
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 3, InFlight: 1, Bytes: 2005, Waiting: 1}, c.Stats(), "the long one is alone")
		require.NoError(t, p.write("reply", etf.Int(3), etf.Int(0)))
		_, err = p.read()
		require.NoError(t, err)
	})
}

// Those who wait for a place hear of the connection's end.
func TestWindowOfAConnectionThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{MaxInFlight: 1})
		require.NoError(t, p.ready())
		ended := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := c.Call(t.Context(), etf.Int(1))
				ended <- err
			}()
		}
		synctest.Wait()
		c.Close()
		for range 2 {
			require.ErrorIs(t, <-ended, port.ErrClosed)
		}
		require.ErrorIs(t, c.Cast(t.Context(), etf.Int(1)), port.ErrClosed)
		require.Equal(t, port.Stats{Calls: 1}, c.Stats(), "nobody waits any more")
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		answered := make(chan error, 1)
		go func() {
			_, err := c.Call(t.Context(), etf.Int(1))
			answered <- err
		}()
		_, err := p.read()
		require.NoError(t, err)
		down := make(chan error, 1)
		go func() { down <- c.Shutdown(t.Context()) }()
		synctest.Wait()
		_, err = c.Call(t.Context(), etf.Int(2))
		require.ErrorIs(t, err, port.ErrClosed)
		require.Empty(t, down, "a call is in flight")
		require.NoError(t, p.write("reply", etf.Int(1), etf.Int(1)))
		require.NoError(t, <-answered)
		require.NoError(t, <-down)
		<-c.Done()
		require.NoError(t, c.Shutdown(t.Context()))
	})
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		answered := make(chan error, 1)
		go func() {
			_, err := c.Call(t.Context(), etf.Int(1))
			answered <- err
		}()
		_, err := p.read()
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
		require.ErrorIs(t, <-answered, port.ErrClosed)
	})
}
