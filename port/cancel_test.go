package port_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// frameIs checks a peer's next frame.
func frameIs(t *testing.T, p *peer, want etf.Term) {
	t.Helper()
	got, err := p.read()
	require.NoError(t, err)
	require.True(t, etf.Equal(want, got), "want %v, got %v", want, got)
}

// A call that is given up before its turn to be written never gets written.
func TestCancelBeforeTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		first := make(chan error)
		go func() {
			_, err := c.Call(t.Context(), etf.Atom("first"))
			first <- err
		}()
		synctest.Wait() // the first stands in Write
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Call(ctx, etf.Atom("second"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "call 2:")
		require.ErrorIs(t, c.Cast(ctx, etf.Atom("third")), context.DeadlineExceeded)

		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Atom("first")))
		require.NoError(t, p.write("reply", etf.Int(1), etf.Int(0)))
		require.NoError(t, <-first)
		go c.Call(t.Context(), etf.Atom("fourth"))
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(3), etf.Atom("fourth")))
		require.Equal(t, port.Stats{Calls: 3, InFlight: 1}, counts(c))
	})
}

// A context that has ended already sends nothing.
func TestCancelBeforeTheStart(t *testing.T) {
	c, _ := connectPipe(t, port.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Call(ctx, etf.Int(1))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Cast(ctx, etf.Int(1)), context.Canceled)
}

// A frame whose turn has come is written, and then cancelled.
func TestCancelBeforeTheFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Call(ctx, etf.Atom("first"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		go c.Call(t.Context(), etf.Atom("second"))
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Atom("first")))
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(2), etf.Atom("second")))
		require.Equal(t, port.Stats{Calls: 2, InFlight: 1, Abandoned: 1}, counts(c))
	})
}

// What did a call that was given up has ended when its final frame comes, or when it was
// never asked to begin.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		var id uint64
		giveUp := func(call func(ctx context.Context, r port.Request) error) <-chan struct{} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, call(ctx, port.Request{Term: etf.Int(1), ID: &id}), context.DeadlineExceeded)
			return c.Gone(id)
		}
		do := func(ctx context.Context, r port.Request) error {
			_, err := c.Do(ctx, r)
			return err
		}
		stream := func(ctx context.Context, r port.Request) error {
			_, err := c.Stream(ctx, r)
			return err
		}
		open := func(gone <-chan struct{}) bool {
			synctest.Wait()
			select {
			case <-gone:
				return false
			default:
				return true
			}
		}
		first := giveUp(do)
		require.EqualValues(t, 1, id)
		require.True(t, open(first))
		second := giveUp(stream)
		require.EqualValues(t, 2, id)
		require.False(t, open(second), "it was never sent, behind the first")
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Int(1)))
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))
		require.True(t, open(first))
		require.NoError(t, p.write("reply", etf.Int(1), etf.Int(1)))
		require.False(t, open(first))
		require.False(t, open(c.Gone(1)))
		require.False(t, open(c.Gone(99)))

		go p.read()
		third := giveUp(stream)
		require.True(t, open(third))
		c.Close()
		<-c.Done()
		require.False(t, open(third))
		require.Error(t, do(t.Context(), port.Request{Term: etf.Int(1), ID: &id}))
		require.Zero(t, id)
	})
}

// A started frame is finished, whatever its caller does with the memory.
func TestCancelWithinAFrame(t *testing.T) {
	for _, size := range []int{10, 5000, 200_000} {
		synctest.Test(t, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{})
			require.NoError(t, p.ready())
			content := pattern(size, 3)
			raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(content))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			gaveUp := make(chan error)
			go func() {
				_, err := c.Do(ctx, port.Request{Raw: raw})
				clear(raw)
				gaveUp <- err
			}()
			start := make([]byte, 6)
			_, err = io.ReadFull(p.rwc, start)
			require.NoError(t, err)
			cancel()
			require.ErrorIs(t, <-gaveUp, context.Canceled)
			require.Equal(t, port.Stats{Calls: 1, Abandoned: 1}, counts(c))

			p.r = port.NewReader(io.MultiReader(bytes.NewReader(start), p.rwc), port.Packet4, 0)
			frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Binary(content)))
			frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))
			require.NoError(t, p.fail(etf.Int(1), "exit", "cancelled", "nobody waits"))
			synctest.Wait()
			require.Equal(t, port.Stats{Calls: 1, Late: 1}, counts(c))
			// The id is forgotten now.
			require.NoError(t, p.write("reply", etf.Int(1), etf.Int(1)))
			synctest.Wait()
			require.Equal(t, port.Stats{Calls: 1, Late: 1, Unknown: 1}, counts(c))
		})
	}
}

// The same over streams that take a part of the frame in one system call.
func TestCancelWithinALongFrame(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		content := pattern(6<<20, 1)
		raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(content))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() {
			_, err := c.Do(ctx, port.Request{Raw: raw})
			clear(raw)
			gaveUp <- err
		}()
		start := make([]byte, 6)
		_, err = io.ReadFull(far, start)
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-gaveUp, context.Canceled)
		p.r = port.NewReader(io.MultiReader(bytes.NewReader(start), far), port.Packet4, 0)
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Binary(content)))
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))
		// The deadline that did this is gone.
		go func() {
			p.ready()
			p.echo()
		}()
		got, err := c.Call(t.Context(), etf.Binary(content))
		require.NoError(t, err)
		require.True(t, etf.Equal(etf.Binary(content), got))
	})
}

// Nobody can cancel a cast that is on its way.
func TestCastCancelledWithinAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, c.Cast(ctx, etf.Atom("tick")))
		start := make([]byte, 6)
		_, err := io.ReadFull(p.rwc, start)
		require.NoError(t, err)
		cancel()
		p.r = port.NewReader(io.MultiReader(bytes.NewReader(start), p.rwc), port.Packet4, 0)
		frameIs(t, p, etf.Tuple(etf.Atom("cast"), etf.Int(1), etf.Atom("tick")))
	})
}

// The stream ends within a frame that its caller has given up.
func TestCancelWithinAFrameThatIsNeverFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() {
			_, err := c.Call(ctx, etf.Atom("first"))
			gaveUp <- err
		}()
		_, err := io.ReadFull(p.rwc, make([]byte, 6))
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-gaveUp, context.Canceled)
		p.rwc.Close()
		<-c.Done()
		require.Error(t, c.Err())
		require.Equal(t, port.Stats{Calls: 1}, counts(c))
	})
}

func TestCancelWhileWaiting(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		var late []string
		c, p := connect(t, near, far, port.Options{OnLog: func(port.Log) { t.Error("the line has an owner") }})
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() {
			_, err := c.Do(ctx, port.Request{Term: etf.Int(1), OnLog: func(l port.Log) { late = append(late, l.Text) }})
			gaveUp <- err
		}()
		require.NoError(t, p.ready())
		frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(1), etf.Int(1)))
		cancel()
		err := <-gaveUp
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "port: call 1: context canceled")
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))

		// Its lines are its own until the final frame.
		require.NoError(t, p.log(etf.Int(1), "last words"))
		require.NoError(t, p.write("reply", etf.Int(1), etf.Int(1)))
		go func() {
			p.read()
			p.write("reply", etf.Int(2), etf.Int(1))
		}()
		_, err = c.Call(t.Context(), etf.Int(2))
		require.NoError(t, err)
		require.Equal(t, []string{"last words"}, late)
		require.Equal(t, port.Stats{Calls: 2, Late: 1}, counts(c))
	})
}

// A caller that reads by itself notices that its context ends however many calls came
// right before, when contexts are looked at less often.
func TestCancelAfterManyCalls(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, p := connect(t, near, far, port.Options{})
		silent := make(chan struct{}, 2)
		go func() {
			_ = p.ready()
			for {
				frame, err := p.read()
				if err != nil {
					return
				}
				switch id := frame.At(1); {
				case etf.Equal(frame.At(0), etf.Atom("cancel")):
				case etf.Equal(frame.At(2), etf.Atom("silence")):
					silent <- struct{}{}
				default:
					_ = p.write("reply", id, etf.Int(0))
				}
			}
		}()
		for _, end := range []func(context.Context) (context.Context, context.CancelFunc){
			context.WithCancel,
			func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Millisecond)
			},
		} {
			for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
				_, err := c.Call(t.Context(), etf.Int(0))
				require.NoError(t, err)
			}
			ctx, cancel := end(t.Context())
			gaveUp := make(chan error, 1)
			go func() {
				_, err := c.Call(ctx, etf.Atom("silence"))
				gaveUp <- err
			}()
			if _, ok := ctx.Deadline(); !ok {
				<-silent
				cancel()
			}
			require.Error(t, <-gaveUp)
			require.Error(t, ctx.Err())
			cancel()
		}
	})
}

// The other side is not told of a call that it has answered before it could be.
func TestNoCancelForWhatIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		var contexts [2]context.Context
		var cancels [2]context.CancelFunc
		for i := range contexts {
			contexts[i], cancels[i] = context.WithCancel(t.Context())
			go c.Call(contexts[i], etf.Int(int64(i)))
			_, err := p.read()
			require.NoError(t, err)
		}
		cancels[0]()
		synctest.Wait() // the cancel of the first call stands in Write
		cancels[1]()
		synctest.Wait()
		require.NoError(t, p.write("reply", etf.Int(2), etf.Int(1)))
		synctest.Wait()
		frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(1)))
		go c.Cast(t.Context(), etf.Atom("next"))
		frameIs(t, p, etf.Tuple(etf.Atom("cast"), etf.Int(3), etf.Atom("next")))
		require.Equal(t, port.Stats{Calls: 2, Casts: 1, InFlight: 1, Abandoned: 1, Late: 1}, counts(c))
	})
}

// Each call that is given up is told of, also when the one before was long ago.
func TestCancelAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectPipe(t, port.Options{})
		require.NoError(t, p.ready())
		for id := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			go c.Call(ctx, etf.Int(0))
			frameIs(t, p, etf.Tuple(etf.Atom("call"), etf.Int(int64(id)+1), etf.Int(0)))
			cancel()
			frameIs(t, p, etf.Tuple(etf.Atom("cancel"), etf.Int(int64(id)+1)))
			synctest.Wait()
		}
		require.Equal(t, port.Stats{Calls: 3, Abandoned: 3}, counts(c))
	})
}

// A plan is what happens to one call.
type plan struct {
	start  time.Duration // when it is made
	cancel time.Duration // how long after that it is given up; 0 for never
	serve  time.Duration // how long the other side takes
	fails  bool          // the answer is an error
	twice  bool          // the answer comes twice
	size   int           // of the request
}

func drawPlan(t *rapid.T) plan {
	moment := rapid.IntRange(1, 40)
	p := plan{
		start: time.Duration(moment.Draw(t, "start")) * time.Millisecond,
		serve: time.Duration(moment.Draw(t, "serve")) * time.Millisecond,
		fails: rapid.IntRange(0, 4).Draw(t, "fails") == 0,
		twice: rapid.IntRange(0, 9).Draw(t, "twice") == 0,
		size:  rapid.SampledFrom([]int{0, 10, 300, 70_000}).Draw(t, "size"),
	}
	if rapid.Bool().Draw(t, "cancelled") {
		p.cancel = time.Duration(moment.Draw(t, "cancel")) * time.Millisecond
	}
	return p
}

// slowly reads a few bytes at a time.
type slowly struct {
	net.Conn
	bytes int
}

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.Conn.Read(b[:min(len(b), s.bytes)])
}

// Calls are made, written, answered and given up at any time, in the bubble's time.
// Each has one end, the right one; nothing is garbled; the counts add up.
func TestCancelAtAnyTime(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plans := rapid.SliceOfN(rapid.Custom(drawPlan), 1, 25).Draw(r, "plans")
		pace := rapid.SampledFrom([]int{7, 500, 100_000}).Draw(r, "bytes read at a time")
		var found findings
		synctest.Test(t, func(*testing.T) {
			t := &found // rapid is to see them
			near, far := net.Pipe()
			c := port.NewConn(near, port.Options{})
			p := newPeer(slowly{far, pace})

			var mu sync.Mutex
			seen := make(map[uint64]bool) // ids of calls
			duplicates := 0
			var answers sync.WaitGroup
			served := make(chan struct{})
			go func() {
				defer close(served)
				p.ready()
				for {
					frame, err := p.read()
					if err != nil {
						return
					}
					id, ok := frame.At(1).Uint64()
					assert.True(t, ok)
					mu.Lock()
					switch {
					case frame.At(0).IsAtom("call"):
						assert.False(t, seen[id], "id %d came twice", id)
						seen[id] = true
						i, _ := frame.At(2).At(0).Int64()
						content, _ := frame.At(2).At(1).Bytes()
						assert.True(t, bytes.Equal(pattern(plans[i].size, int(i)), content))
						if plans[i].twice {
							duplicates++
						}
						answers.Go(func() {
							time.Sleep(plans[i].serve)
							for range 1 + btoi(plans[i].twice) {
								if plans[i].fails {
									p.fail(frame.At(1), "error", "planned", "")
								} else {
									p.write("reply", frame.At(1), frame.At(2))
								}
							}
						})
					case frame.At(0).IsAtom("cancel"):
						assert.True(t, seen[id], "cancelled before it was made: %d", id)
					default:
						assert.Fail(t, "another frame")
					}
					mu.Unlock()
				}
			}()

			answered := make([]bool, len(plans))
			var callers sync.WaitGroup
			for i, plan := range plans {
				callers.Go(func() {
					time.Sleep(plan.start)
					ctx, cancel := context.WithCancel(context.Background())
					if plan.cancel > 0 {
						ctx, cancel = context.WithTimeout(ctx, plan.cancel)
					}
					defer cancel()
					begun := time.Now()
					request := etf.Tuple(etf.Int(int64(i)), etf.Binary(pattern(plan.size, i)))
					got, err := c.Call(ctx, request)
					if plan.cancel > 0 {
						assert.LessOrEqual(t, time.Since(begun), plan.cancel, "call %d outlasts its context", i)
					}
					failure, failed := errors.AsType[*port.CallError](err)
					switch {
					case errors.Is(err, context.DeadlineExceeded):
						assert.NotZero(t, plan.cancel)
						return
					case plan.fails:
						assert.True(t, failed && failure.Type() == "planned", "%v", err)
					default:
						assert.NoError(t, err)
						assert.True(t, etf.Equal(request, got), "call %d has another's answer", i)
					}
					answered[i] = true
				})
			}
			callers.Wait()
			synctest.Wait()
			time.Sleep(time.Hour) // what is under way comes
			answers.Wait()
			synctest.Wait()

			want := port.Stats{Calls: uint64(len(plans)), Unknown: uint64(duplicates), Late: uint64(len(seen))}
			for _, ok := range answered {
				want.Late -= uint64(btoi(ok))
			}
			assert.Equal(t, want, counts(c))
			assert.NoError(t, c.Err())
			c.Close()
			far.Close()
			<-c.Done()
			<-served
		})
		if len(found.list) > 0 {
			r.Fatal(found.list)
		}
	})
}

// findings collects what assertions find.
type findings struct {
	mu   sync.Mutex
	list []string
}

func (f *findings) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
