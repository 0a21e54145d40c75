package port_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func TestCall(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go func() {
			p.ready()
			p.echo()
		}()
		for _, request := range []etf.Term{
			etf.Int(1), etf.List(), etf.Tuple(etf.Atom("a"), etf.Float(1.5)), etf.Binary(pattern(3<<20, 1)),
		} {
			got, err := c.Call(t.Context(), request)
			require.NoError(t, err)
			require.True(t, etf.Equal(request, got))
		}
		require.Equal(t, port.Stats{Calls: 4}, counts(c))
		require.NoError(t, c.Err())
	})
}

func TestReady(t *testing.T) {
	t.Run("comes", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		go p.write("ready", etf.Int(1), etf.Map(etf.Pair{Key: etf.Atom("pid"), Value: etf.Int(7)}))
		for range 2 {
			ready, err := c.Ready(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, ready.Version)
			pid, _ := ready.Info.GetAtom("pid")
			require.True(t, etf.Equal(etf.Int(7), pid))
		}
	})
	t.Run("another version", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		go p.write("ready", etf.Int(2), etf.Map())
		_, err := c.Ready(t.Context())
		version, ok := errors.AsType[*port.VersionError](err)
		require.True(t, ok, "%v", err)
		require.EqualValues(t, 2, version.Version)
		<-c.Done()
		require.Equal(t, err, c.Err())
	})
	t.Run("the context ends", func(t *testing.T) {
		c, _ := connectPipe(t, port.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Ready(ctx)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("the stream ends", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		p.rwc.Close()
		_, err := c.Ready(t.Context())
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("a call is first", func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		go func() {
			frame, err := p.read()
			if err != nil {
				return
			}
			p.ready()
			p.write("reply", frame.At(1), frame.At(2))
		}()
		got, err := c.Call(t.Context(), etf.Atom("early"))
		require.NoError(t, err)
		require.True(t, got.IsAtom("early"))
	})
}

func TestConcurrentCallsAreNeverMixedUp(t *testing.T) {
	const calls = 3000
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go func() {
			p.ready()
			// Some answers are held back, to come in another order.
			var held [][2]etf.Term
			answered := 0
			p.serve(func(id, request etf.Term) {
				held = append(held, [2]etf.Term{id, request})
				for len(held) > 0 && (answered+len(held) == calls || rand.IntN(4) > 0) {
					i := rand.IntN(len(held))
					p.write("reply", held[i][0], held[i][1])
					held[i] = held[len(held)-1]
					held = held[:len(held)-1]
					answered++
				}
			})
		}()
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() {
				want := etf.Tuple(etf.Int(int64(i)), etf.Binary(pattern(i%3000, i)))
				got, err := c.Call(t.Context(), want)
				assert.NoError(t, err)
				assert.True(t, etf.Equal(want, got), "call %d", i)
			})
		}
		wg.Wait()
		require.Equal(t, port.Stats{Calls: calls}, counts(c))
	})
}

func TestDoWithRaw(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.echo()
	}()
	raw := []byte{104, 2, 97, 1, 106} // {1,[]}
	reply, err := c.Do(t.Context(), port.Request{Raw: raw})
	require.NoError(t, err)
	require.Equal(t, raw, reply.Raw)
	got, err := reply.Term()
	require.NoError(t, err)
	require.True(t, etf.Equal(etf.Tuple(etf.Int(1), etf.List()), got))
	// The reply's memory ends with it.
	require.Equal(t, len(reply.Raw), cap(reply.Raw))
}

func TestCallError(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.serve(func(id, _ etf.Term) { p.fail(id, "error", "badarg", "the secret word") })
	}()
	_, err := c.Call(t.Context(), etf.Int(1))
	failure, ok := errors.AsType[*port.CallError](err)
	require.True(t, ok, "%v", err)
	assert.EqualValues(t, 1, failure.ID)
	assert.Equal(t, "error", failure.Class)
	assert.Equal(t, "badarg", failure.Type())
	assert.Equal(t, "the secret word", failure.Message())
	assert.Equal(t, []string{"src/a.erl:1: a:f/0", "b:g/1"}, failure.Stack)
	assert.Equal(t, "port: call 1 failed with error badarg", err.Error())
	assert.NoError(t, c.Err())
}

func TestCast(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	got := make(chan etf.Term)
	go func() {
		frame, err := p.read()
		assert.NoError(t, err)
		got <- frame
	}()
	require.NoError(t, c.Cast(t.Context(), etf.Atom("tick")))
	require.True(t, etf.Equal(etf.Tuple(etf.Atom("cast"), etf.Int(1), etf.Atom("tick")), <-got))

	require.ErrorIs(t, c.Cast(t.Context(), etf.Term{}), etf.ErrInvalid)
	c.Close()
	require.ErrorIs(t, c.Cast(t.Context(), etf.Atom("tick")), port.ErrClosed)
}

func TestLogs(t *testing.T) {
	var others []port.Log
	c, p := connectPipe(t, port.Options{OnLog: func(l port.Log) { others = append(others, l) }})
	go func() {
		p.ready()
		p.serve(func(id, request etf.Term) {
			p.log(id, "one")
			p.log(etf.Atom("nil"), "nobody's")
			p.log(etf.Int(999), "unknown")
			p.log(id, "two")
			if request.IsAtom("fail") {
				p.fail(id, "throw", "t", "m")
			} else {
				p.write("reply", id, request)
			}
		})
	}()
	var own []port.Log
	for i, request := range []string{"succeed", "fail"} {
		own, others = nil, nil
		c.Do(t.Context(), port.Request{Term: etf.Atom(request), OnLog: func(l port.Log) { own = append(own, l) }})
		require.Len(t, own, 2)
		assert.Equal(t, "one", own[0].Text)
		assert.Equal(t, "two", own[1].Text)
		assert.Equal(t, "info", own[0].Level)
		assert.EqualValues(t, i+1, own[0].CallID)
		assert.Equal(t, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), own[0].Time)
		assert.Equal(t, etf.KindMap, own[0].Meta.Kind())
		require.Len(t, others, 2)
		assert.Equal(t, "nobody's", others[0].Text)
		assert.Zero(t, others[0].CallID)
		assert.EqualValues(t, 999, others[1].CallID)
	}
	others = nil
	_, err := c.Call(t.Context(), etf.Atom("succeed"))
	require.NoError(t, err)
	require.Len(t, others, 4)
}

func TestFinalFramesOfNoCallAreDropped(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	go func() {
		p.ready()
		p.serve(func(id, request etf.Term) {
			p.write("reply", etf.Int(0), etf.Int(1))
			p.write("reply", etf.Int(7), etf.Int(1))
			p.fail(etf.Int(1<<60), "exit", "x", "y")
			p.write("reply", id, request)
			p.write("reply", id, etf.Atom("again"))
			p.fail(id, "exit", "x", "y")
		})
	}()
	for i := range 3 {
		got, err := c.Call(t.Context(), etf.Int(int64(i)))
		require.NoError(t, err)
		require.True(t, etf.Equal(etf.Int(int64(i)), got))
	}
	eventually(t, func() bool { return c.Stats().Unknown == 15 })
	require.Equal(t, port.Stats{Calls: 3, Unknown: 15}, counts(c))
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	c, p := connectPipe(t, port.Options{MaxPacket: 100})
	go func() {
		p.ready()
		p.echo()
	}()
	_, err := c.Call(t.Context(), etf.Term{})
	require.ErrorIs(t, err, etf.ErrInvalid)
	_, err = c.Call(t.Context(), etf.Binary(make([]byte, 100)))
	tooLong, ok := errors.AsType[*port.PacketSizeError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 100, tooLong.Max)
	require.ErrorContains(t, err, "call 1:")
	require.ErrorAs(t, c.Cast(t.Context(), etf.Binary(make([]byte, 100))), &tooLong)
	// The connection is as good as before.
	_, err = c.Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	require.Equal(t, port.Stats{Calls: 2, Casts: 1}, counts(c))
}

func TestStreamEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		bytes []byte
		want  func(t *testing.T, err error)
	}{
		"between frames": {nil, func(t *testing.T, err error) { require.ErrorIs(t, err, io.EOF) }},
		"in a header":    {[]byte{0, 0}, func(t *testing.T, err error) { require.ErrorIs(t, err, io.ErrUnexpectedEOF) }},
		"in a frame":     {[]byte{0, 0, 0, 9, 131}, func(t *testing.T, err error) { require.ErrorIs(t, err, io.ErrUnexpectedEOF) }},
		"by a claim": {[]byte{0xFF, 0xFF, 0xFF, 0xFF}, func(t *testing.T, err error) {
			_, ok := errors.AsType[*port.PacketSizeError](err)
			require.True(t, ok, "%v", err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
				c, p := connect(t, near, far, port.Options{})
				go func() {
					p.ready()
					for range 10 {
						p.read()
					}
					p.rwc.Write(tt.bytes)
					p.rwc.Close()
				}()
				var wg sync.WaitGroup
				for i := range 10 {
					wg.Go(func() {
						_, err := c.Call(context.Background(), etf.Int(int64(i)))
						tt.want(t, err)
						assert.ErrorContains(t, err, "call ")
					})
				}
				wg.Wait()
				<-c.Done()
				tt.want(t, c.Err())
				_, err := c.Call(t.Context(), etf.Int(1))
				tt.want(t, err)
				tt.want(t, c.Cast(t.Context(), etf.Int(1)))
				require.Zero(t, c.Stats().InFlight)
			})
		})
	}
}

// What the other side answered before it stopped reading is still good.
func TestAnswersAfterWritesFail(t *testing.T) {
	near, far := filePairs(t)
	c, p := connect(t, near, far, port.Options{})
	require.NoError(t, p.ready())
	first := make(chan error)
	go func() {
		_, err := c.Call(context.Background(), etf.Int(1))
		first <- err
	}()
	frame, err := p.read()
	require.NoError(t, err)
	far.ReadCloser.Close()
	require.Error(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		go func() {
			p.write("reply", frame.At(1), frame.At(2))
			far.Close()
		}()
		_, err := c.Call(ctx, etf.Int(2))
		return err
	}())
	require.NoError(t, <-first)
}

func TestWritesFailAndNothingIsRead(t *testing.T) {
	near, far := filePairs(t)
	c, p := connect(t, near, far, port.Options{})
	require.NoError(t, p.ready())
	far.ReadCloser.Close()
	_, err := c.Call(t.Context(), etf.Int(2))
	require.ErrorContains(t, err, "port: writing: ")
	<-c.Done()
}

func TestClose(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		var reached sync.WaitGroup
		reached.Add(5)
		go func() {
			p.ready()
			p.serve(func(etf.Term, etf.Term) { reached.Done() })
		}()
		failures := make(chan error)
		for range 5 {
			go func() {
				_, err := c.Call(context.Background(), etf.Int(1))
				failures <- err
			}()
		}
		reached.Wait()
		require.Equal(t, 5, c.Stats().InFlight)
		c.Close()
		for range 5 {
			require.ErrorIs(t, <-failures, port.ErrClosed)
		}
		require.NoError(t, c.Close())
		<-c.Done()
		require.Equal(t, port.ErrClosed, c.Err())
		_, err := c.Do(t.Context(), port.Request{Term: etf.Int(1)})
		require.ErrorIs(t, err, port.ErrClosed)
	})
}

// Close has to free a caller whose frame is half written, too.
func TestCloseWhileWriting(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go p.ready()
		_, err := c.Ready(t.Context())
		require.NoError(t, err)
		failures := make(chan error)
		for range 3 {
			go func() {
				_, err := c.Call(context.Background(), etf.Binary(make([]byte, 4<<20)))
				failures <- err
			}()
		}
		_, err = io.ReadFull(far, make([]byte, 100))
		require.NoError(t, err)
		c.Close()
		for range 3 {
			require.ErrorIs(t, <-failures, port.ErrClosed)
		}
	})
}

// A peer that does one thing at a time, over pipes that hold 64 KiB: it stands in
// the writing of an answer while callers stand in the writing of requests.
func TestBothDirectionsFull(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		go func() {
			p.ready()
			p.echo()
		}()
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				want := etf.Binary(pattern(8<<20, i))
				got, err := c.Call(t.Context(), want)
				assert.NoError(t, err)
				assert.True(t, etf.Equal(want, got))
			})
		}
		wg.Wait()
	})
}

// Nothing but the state has to be waited for while somebody writes.
func TestStateIsFreeWhileSomebodyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		go p.ready()
		ctx, cancel := context.WithCancel(t.Context())
		go c.Call(ctx, etf.Int(1)) // stands in Write
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 1, InFlight: 1}, counts(c))
		require.NoError(t, c.Err())
		cancel()
		synctest.Wait()
		require.Equal(t, port.Stats{Calls: 1, Abandoned: 1}, counts(c))
	})
}

// eventually waits, outside a bubble, for something that is about to be so.
func eventually(t testing.TB, so func() bool) {
	t.Helper()
	require.Eventually(t, so, 10*time.Second, time.Millisecond)
}

func ExampleConn() {
	near, far := plainPairs(nil)
	// Here a goroutine plays the BEAM side.
	go func() {
		p := newPeer(far)
		p.ready()
		p.serve(func(id, request etf.Term) {
			a, _ := request.At(1).Int64()
			b, _ := request.At(2).Int64()
			p.write("reply", id, etf.Int(a+b))
		})
	}()

	c := port.NewConn(near, port.Options{})
	defer c.Close()
	sum, err := c.Call(context.Background(), etf.Tuple(etf.Atom("add"), etf.Int(40), etf.Int(2)))
	fmt.Println(sum.Int64())
	fmt.Println(err)
	// Output:
	// 42 true
	// <nil>
}
