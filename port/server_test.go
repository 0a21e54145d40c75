package port_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// testHandler does what the request's first element says with its second.
func testHandler(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
	request, err := c.Term()
	if err != nil {
		return etf.Term{}, err
	}
	what, _ := request.At(0).AtomName()
	arg := request.At(1)
	switch what {
	case "echo":
		return arg, nil
	case "fail":
		text, _ := arg.Text()
		return etf.Term{}, errors.New(text)
	case "typed":
		return etf.Term{}, typedError{}
	case "panic":
		panic(arg.String())
	case "index":
		var none []int
		return etf.Int(int64(none[arg.Len()])), nil
	case "invalid":
		return etf.Term{}, nil
	case "large":
		size, _ := arg.Int64()
		return etf.Binary(make([]byte, size)), nil
	case "block":
		<-ctx.Done()
		return etf.Term{}, ctx.Err()
	case "log":
		text, _ := arg.Text()
		c.Logger().With("a", 1).WithGroup("g").Warn(text, "b", "two", slog.Group("in", "c", 0.5), "b", true)
		return etf.Atom("ok"), nil
	case "stream":
		content, _ := arg.Bytes()
		w, err := c.Stream(etf.Int(int64(len(content))))
		if err != nil {
			return etf.Term{}, err
		}
		if _, err := c.Stream(etf.Int(0)); err == nil {
			return etf.Term{}, errors.New("a second stream")
		}
		if _, err := io.Copy(w, bytes.NewReader(content)); err != nil {
			return etf.Term{}, err
		}
		return etf.Atom("end"), nil
	case "tick":
		w, err := c.Stream(etf.Atom("head"))
		for tick := time.NewTicker(5 * time.Millisecond); err == nil; <-tick.C {
			_, err = w.Write([]byte("tick"))
		}
		return etf.Term{}, err
	case "break":
		w, err := c.Stream(etf.Atom("head"))
		if err == nil {
			_, err = w.Write([]byte("half"))
		}
		return etf.Term{}, errors.Join(err, errors.New("in the middle"))
	}
	return etf.Term{}, errors.New("no such request")
}

type typedError struct{}

func (typedError) Error() string     { return "with a type" }
func (typedError) ErrorType() string { return "Test.Typed" }

// serve connects a Conn with a Server.
func serve(t testing.TB, s *port.Server, o port.Options, near, far io.ReadWriteCloser) (*port.Conn, <-chan error) {
	t.Helper()
	if s.Handler == nil {
		s.Handler = port.HandlerFunc(testHandler)
	}
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		ended <- s.ServeConn(t.Context(), far)
	}()
	c := port.NewConn(near, o)
	t.Cleanup(func() {
		c.Close()
		<-c.Done()
		<-ended
	})
	return c, ended
}

func servePipe(t testing.TB, s *port.Server, o port.Options) (*port.Conn, <-chan error) {
	near, far := net.Pipe()
	return serve(t, s, o, near, far)
}

func TestServer(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		var lines []port.Log
		casts := make(chan etf.Term, 1)
		c, _ := serve(t, &port.Server{
			Info:   etf.Map(etf.Pair{Key: etf.Atom("name"), Value: etf.String("test")}),
			OnCast: func(_ context.Context, m etf.Term) { casts <- m },
		}, port.Options{OnLog: func(l port.Log) { lines = append(lines, l) }}, near, far)
		ready, err := c.Ready(t.Context())
		require.NoError(t, err)
		name, _ := ready.Info.GetAtom("name")
		require.True(t, etf.Equal(etf.String("test"), name))

		for _, term := range []etf.Term{etf.Int(1), etf.Binary(pattern(3<<20, 1)), etf.Map()} {
			got, err := c.Call(t.Context(), request("echo", term))
			require.NoError(t, err)
			require.True(t, etf.Equal(term, got))
		}
		require.NoError(t, c.Cast(t.Context(), etf.Int(5)))
		require.True(t, etf.Equal(etf.Int(5), <-casts))

		_, err = c.Call(t.Context(), request("log", etf.String("look")))
		require.NoError(t, err)
		require.Len(t, lines, 1)
		require.Equal(t, "look", lines[0].Text)
		require.Equal(t, "warning", lines[0].Level)
		require.EqualValues(t, 5, lines[0].CallID)
		require.True(t, etf.Equal(etf.Map(
			etf.Pair{Key: etf.String("a"), Value: etf.Int(1)},
			etf.Pair{Key: etf.String("g.b"), Value: etf.Bool(true)},
			etf.Pair{Key: etf.String("g.in.c"), Value: etf.Float(0.5)},
		), lines[0].Meta), "%v", lines[0].Meta)
		eventually(t, func() bool { return c.Stats().InFlight == 0 })
	})
}

func TestServerErrors(t *testing.T) {
	c, _ := servePipe(t, &port.Server{MaxPacket: 2000}, port.Options{})
	tests := map[string]struct {
		request              etf.Term
		class, kind, message string
	}{
		"returned":  {request("fail", etf.String("on purpose")), "returned", "*errors.errorString", "on purpose"},
		"typed":     {request("typed", etf.Int(0)), "returned", "Test.Typed", "with a type"},
		"panic":     {request("panic", etf.Atom("now")), "error", "panic", "now"},
		"index":     {request("index", etf.String("x")), "error", "runtime.boundsError", "index out of range"},
		"no term":   {request("invalid", etf.Int(0)), "error", "Runtime.BadAnswer", "cannot encode"},
		"too large": {request("large", etf.Int(3000)), "error", "Function.ResponseSizeTooLarge", "over the maximum of 2000"},
		"long text": {request("fail", etf.String(strings.Repeat("é", 900))), "returned", "*errors.errorString", "é"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Call(t.Context(), tt.request)
			failure, ok := errors.AsType[*port.CallError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tt.class, failure.Class)
			assert.Equal(t, tt.kind, failure.Type())
			assert.Contains(t, failure.Message(), tt.message)
			if tt.class == "error" && tt.kind != "Runtime.BadAnswer" && tt.kind != "Function.ResponseSizeTooLarge" {
				require.NotEmpty(t, failure.Stack)
				assert.Regexp(t, `server_test.go:\d+: .*testHandler`, failure.Stack[0])
			}
		})
	}
	_, err := c.Call(t.Context(), request("echo", etf.Int(1)))
	require.NoError(t, err, "the connection is as good as before")
}

func TestServerCancel(t *testing.T) {
	c, _ := servePipe(t, &port.Server{MaxConcurrent: 1}, port.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 2)
	for range 2 { // the second waits for the first's handler
		go func() {
			_, err := c.Call(ctx, request("block", etf.Int(0)))
			gaveUp <- err
		}()
	}
	eventually(t, func() bool { return c.Stats().InFlight == 2 })
	cancel()
	for range 2 {
		require.ErrorIs(t, <-gaveUp, context.Canceled)
	}
	eventually(t, func() bool { return c.Stats().Abandoned == 0 })
	stats := c.Stats()
	require.LessOrEqual(t, stats.Late, uint64(2), "each is answered once, if it was sent")
	require.Zero(t, stats.Unknown)
	require.Zero(t, stats.InFlight)
	_, err := c.Call(t.Context(), request("echo", etf.Int(1)))
	require.NoError(t, err)
}

func TestServerStreams(t *testing.T) {
	everyStream(t, func(t *testing.T, near, far io.ReadWriteCloser) {
		c, _ := serve(t, &port.Server{}, port.Options{}, near, far)
		for _, size := range []int{0, 1, 5000, 500_000} {
			content := pattern(size, 3)
			s, err := c.Stream(t.Context(), port.Request{Term: request("stream", etf.Binary(content)), Window: 4000})
			require.NoError(t, err)
			_, ok := s.Head()
			require.True(t, ok)
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, got))
			reply, err := s.Result()
			require.NoError(t, err)
			done, err := reply.Term()
			require.NoError(t, err)
			require.True(t, done.IsAtom("end"))

			whole, err := c.Call(t.Context(), request("stream", etf.Binary(content)))
			require.NoError(t, err)
			require.True(t, etf.Equal(etf.Tuple(etf.Atom("streamed"), etf.Int(int64(size)), etf.Binary(content), etf.Atom("end")), whole))
		}
		s, err := c.Stream(t.Context(), port.Request{Term: request("break", etf.Int(0))})
		require.NoError(t, err)
		got, err := io.ReadAll(s)
		require.Equal(t, "half", string(got))
		_, ok := errors.AsType[*port.CallError](err)
		require.True(t, ok, "%v", err)

		s, err = c.Stream(t.Context(), port.Request{Term: request("stream", etf.Binary(pattern(500_000, 1))), Window: 10})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		eventually(t, func() bool { return c.Stats().Abandoned == 0 })
		_, err = c.Call(t.Context(), request("echo", etf.Int(1)))
		require.NoError(t, err)
	})
}

func TestServerConcurrency(t *testing.T) {
	var running, most atomic.Int64
	c, _ := servePipe(t, &port.Server{
		MaxConcurrent: 3,
		Handler: port.HandlerFunc(func(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			return c.Term()
		}),
	}, port.Options{})
	var callers sync.WaitGroup
	for i := range 200 {
		callers.Go(func() {
			got, err := c.Call(t.Context(), etf.Int(int64(i)))
			assert.NoError(t, err)
			assert.True(t, etf.Equal(etf.Int(int64(i)), got))
		})
	}
	callers.Wait()
	require.LessOrEqual(t, most.Load(), int64(3))
}

func TestServerEnds(t *testing.T) {
	t.Run("the stream ends", func(t *testing.T) {
		near, far := net.Pipe()
		c, ended := serve(t, &port.Server{}, port.Options{}, near, far)
		go c.Call(t.Context(), request("block", etf.Int(0)))
		eventually(t, func() bool { return c.Stats().InFlight == 1 })
		_, err := c.Call(t.Context(), request("echo", etf.Int(0)))
		require.NoError(t, err)
		c.Close()
		err = <-ended
		require.NoError(t, err)
	})
	t.Run("stop", func(t *testing.T) {
		near, far := net.Pipe()
		stopped := make(chan string, 1)
		s := &port.Server{Handler: port.HandlerFunc(testHandler), OnStop: func(reason string) { stopped <- reason }}
		ended := make(chan error, 1)
		go func() { ended <- s.ServeConn(t.Context(), far) }()
		p := newPeer(near)
		defer near.Close()
		_, err := p.read()
		require.NoError(t, err)
		require.NoError(t, p.write("call", etf.Int(1), request("stream", etf.String("0123456789")), etf.Int(5)))
		frameIs(t, p, etf.Tuple(etf.Atom("head"), etf.Int(1), etf.Int(10)))
		frameIs(t, p, etf.Tuple(etf.Atom("chunk"), etf.Int(1), etf.String("01234")))
		require.NoError(t, p.write("stop", etf.Atom("shutdown")))
		require.Equal(t, "shutdown", <-stopped)
		require.NoError(t, p.write("call", etf.Int(2), request("echo", etf.Int(1))))
		frame, err := p.read()
		require.NoError(t, err)
		require.True(t, frame.At(0).IsAtom("error"), "%v", frame)
		require.NoError(t, p.write("credit", etf.Int(1), etf.Int(5)))
		frameIs(t, p, etf.Tuple(etf.Atom("chunk"), etf.Int(1), etf.String("56789")))
		frameIs(t, p, etf.Tuple(etf.Atom("done"), etf.Int(1), etf.Atom("end")))
		require.NoError(t, <-ended)
	})
	t.Run("the context ends", func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- (&port.Server{Handler: port.HandlerFunc(testHandler)}).ServeConn(ctx, far) }()
		_, err := newPeer(near).read()
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	t.Run("a handler that does not", func(t *testing.T) {
		near, far := net.Pipe()
		forever := make(chan struct{})
		defer close(forever)
		s := &port.Server{Grace: time.Millisecond, Handler: port.HandlerFunc(func(context.Context, *port.ServerCall) (etf.Term, error) {
			<-forever
			return etf.Term{}, nil
		})}
		c, ended := serve(t, s, port.Options{}, near, far)
		go c.Call(t.Context(), etf.Int(0))
		eventually(t, func() bool { return c.Stats().InFlight == 1 })
		c.Close()
		require.NoError(t, <-ended)
	})
	t.Run("no handler", func(t *testing.T) {
		_, far := net.Pipe()
		require.Error(t, (&port.Server{}).ServeConn(t.Context(), far))
	})
}

func TestServerViolations(t *testing.T) {
	frame := func(kind string, elements ...etf.Term) []byte {
		b, err := etf.Encode(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
		require.NoError(t, err)
		return b
	}
	id, block := etf.Int(1), request("block", etf.Int(0))
	tests := map[string][][]byte{
		"no term":                {[]byte("x")},
		"empty":                  {{}},
		"of the other side":      {frame("reply", id, id)},
		"an id twice":            {frame("call", id, block), frame("call", id, block)},
		"a cast's id twice":      {frame("call", id, block), frame("cast", id, block)},
		"no id":                  {frame("call", block, block)},
		"an id too large":        {frame("call", etf.Int(1<<59), block)},
		"arity":                  {frame("call", id)},
		"credit no number":       {frame("call", id, block, block)},
		"credit of nothing":      {frame("credit", id, etf.Int(0))},
		"negative credit":        {frame("credit", id, etf.Int(-1))},
		"cancel with more":       {frame("cancel", id, id)},
		"ping with bytes behind": {append(frame("ping", id), 106)},
		"stop without a reason":  {frame("stop", id)},
		"call cut":               {frame("call", id, block)[:15]},
		"call with credit cut":   {frame("call", id, block, id)[:15]},
		"bytes behind":           {append(frame("call", id, block), 106)},
		"bytes behind credit":    {append(frame("call", id, block, id), 106)},
	}
	for name, frames := range tests {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			ended := make(chan error, 1)
			go func() { ended <- (&port.Server{Handler: port.HandlerFunc(testHandler)}).ServeConn(t.Context(), far) }()
			p := newPeer(near)
			_, err := p.read()
			require.NoError(t, err)
			go func() {
				for _, f := range frames {
					p.writeBytes(f)
				}
			}()
			err = <-ended
			_, ok := errors.AsType[*port.ProtocolError](err)
			require.True(t, ok, "%v", err)
		})
	}
}

func TestDialAndListen(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = t.TempDir() + "/s"
			}
			l, err := port.Listen(t.Context(), network, address)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			ends := make(chan error, 2)
			served := make(chan error, 1)
			go func() {
				served <- l.Serve(ctx, &port.Server{Handler: port.HandlerFunc(testHandler)}, func(_ net.Addr, err error) { ends <- err })
			}()
			first, err := port.Dial(t.Context(), network, l.Addr().String(), port.Options{})
			require.NoError(t, err)
			second, err := port.Dial(t.Context(), network, l.Addr().String(), port.Options{})
			require.NoError(t, err)
			for _, c := range []*port.Conn{first, second} {
				got, err := c.Call(t.Context(), request("echo", etf.Int(7)))
				require.NoError(t, err)
				require.True(t, etf.Equal(etf.Int(7), got))
			}
			first.Close()
			require.NoError(t, <-ends)
			cancel()
			require.NoError(t, <-served)
			require.ErrorIs(t, <-ends, context.Canceled)
			<-second.Done()
			<-first.Done()
			_, err = port.Dial(t.Context(), network, l.Addr().String(), port.Options{})
			require.Error(t, err)
		})
		t.Run(network+" to be called", func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = t.TempDir() + "/s"
			}
			l, err := port.Listen(t.Context(), network, address)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = l.Accept(ctx, port.Options{})
			require.ErrorIs(t, err, context.Canceled)
			served := make(chan error, 1)
			go func() {
				stream, err := net.Dial(network, l.Addr().String())
				if err == nil {
					err = (&port.Server{Handler: port.HandlerFunc(testHandler)}).ServeConn(t.Context(), stream)
				}
				served <- err
			}()
			c, err := l.Accept(t.Context(), port.Options{})
			require.NoError(t, err)
			_, err = c.Call(t.Context(), request("echo", etf.Int(7)))
			require.NoError(t, err)
			c.Close()
			<-c.Done()
			require.NoError(t, <-served)
			require.NoError(t, l.Close())
			_, err = l.Accept(t.Context(), port.Options{})
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
	_, err := port.Listen(t.Context(), "udp", "127.0.0.1:0")
	require.Error(t, err)
}

// lingering is a stream at its end whose writes take until it is closed, and a while.
type lingering struct {
	closed chan struct{}
	wrote  atomic.Bool
}

func (l *lingering) Read([]byte) (int, error) { return 0, io.EOF }
func (l *lingering) Close() error             { close(l.closed); return nil }

func (l *lingering) Write([]byte) (int, error) {
	<-l.closed
	for range 100 {
		runtime.Gosched()
	}
	l.wrote.Store(true)
	return 0, io.ErrClosedPipe
}

// Nothing of a connection is used any more when it has been served.
func TestServerEndsAfterItsWrites(t *testing.T) {
	for range 100 {
		l := &lingering{closed: make(chan struct{})}
		s := &port.Server{Handler: port.HandlerFunc(testHandler)}
		require.NoError(t, s.ServeConn(t.Context(), l))
		require.True(t, l.wrote.Load())
	}
}
