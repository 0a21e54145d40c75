package emulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// direct drives the handler without a network, for tests in a bubble.
func direct(s *Server, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, runtimePath+path, strings.NewReader(body)))
	return w
}

func background(t *testing.T, s *Server, inv Invocation) <-chan outcome {
	return (&api{Server: s}).call(t, inv)
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		got := background(t, s, Invocation{RequestID: "slow"})
		synctest.Wait()
		time.Sleep(time.Hour) // a runtime may take its time to start
		w := direct(s, "GET", "invocation/next", "")
		require.Equal(t, 200, w.Code)

		begin := time.Now()
		io.WriteString(s.Logs(), "working\n")
		o := <-got
		require.Equal(t, 3*time.Second, time.Since(begin))
		require.Equal(t, 3*time.Second, o.Duration)
		message := begin.Add(3*time.Second).UTC().Format("2006-01-02T15:04:05.000Z") + " slow Task timed out after 3.00 seconds"
		require.NoError(t, o.err)
		assert.Equal(t, `{"errorMessage":"`+message+`"}`, string(o.Payload))
		assert.Equal(t, FunctionErrorUnhandled, o.FunctionError)
		assert.Contains(t, string(o.Log), "working\nEND RequestId: slow\nREPORT RequestId: slow\tDuration: 3000.00 ms")
		assert.True(t, strings.HasSuffix(string(o.Log), message+"\n"), string(o.Log))

		// Late answers get 410, however late, and the next one is served.
		for _, verb := range []string{"response", "error"} {
			w = direct(s, "POST", "invocation/slow/"+verb, "1")
			require.Equal(t, 410, w.Code)
			require.JSONEq(t, `{"errorMessage":"Invoke timeout","errorType":"InvokeTimeout"}`, w.Body.String())
		}
		got = background(t, s, Invocation{RequestID: "quick"})
		synctest.Wait()
		require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
		require.Equal(t, 410, direct(s, "POST", "invocation/slow/response", "1").Code)
		require.Equal(t, 202, direct(s, "POST", "invocation/quick/response", "1").Code)
		require.Equal(t, "1", string((<-got).Payload))
		time.Sleep(time.Hour) // no timer is left that would change it
		require.Equal(t, 403, direct(s, "POST", "invocation/quick/response", "1").Code)
	})
}

func TestTimeoutWhileAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Timeout: 1500 * time.Millisecond})
		defer s.Close()
		got := background(t, s, Invocation{RequestID: "slow"})
		synctest.Wait()
		direct(s, "GET", "invocation/next", "")
		body, w := io.Pipe()
		posted := make(chan int)
		go func() {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, httptest.NewRequest("POST", runtimePath+"invocation/slow/response", body))
			posted <- rec.Code
		}()
		io.WriteString(w, "begin")
		require.Equal(t, 403, direct(s, "POST", "invocation/slow/error", "1").Code)
		require.Contains(t, (<-got).message(t).Message, "Task timed out after 1.50 seconds")
		w.Close()
		require.Equal(t, 410, <-posted)
	})
}

func TestTimedOutIDsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		for range rememberedTimeout + 5 {
			got := background(t, s, Invocation{})
			synctest.Wait()
			require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
			require.NotEmpty(t, (<-got).FunctionError)
		}
		require.LessOrEqual(t, len(s.handed), rememberedTimeout)
	})
}

// brokenWriter fails as a connection does whose other end is gone.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestEventThatCannotBeHandedOutWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{InvocationIDs: true})
		defer s.Close()
		first, second := background(t, s, Invocation{RequestID: "1"}), (<-chan outcome)(nil)
		synctest.Wait()
		second = background(t, s, Invocation{RequestID: "2"})
		synctest.Wait()
		broken := httptest.NewRecorder()
		s.ServeHTTP(brokenWriter{broken}, httptest.NewRequest("GET", runtimePath+"invocation/next", nil))
		require.Equal(t, "1", broken.Header().Get("Lambda-Runtime-Aws-Request-Id"))
		time.Sleep(2 * time.Second) // a timer of the first time would end it below

		w := direct(s, "GET", "invocation/next", "")
		require.Equal(t, "1", w.Header().Get("Lambda-Runtime-Aws-Request-Id"))
		require.NotEqual(t, broken.Header().Get("Lambda-Runtime-Invocation-Id"), w.Header().Get("Lambda-Runtime-Invocation-Id"))
		time.Sleep(2 * time.Second)
		require.Equal(t, 202, direct(s, "POST", "invocation/1/response", "a").Code)
		require.Equal(t, "a", string((<-first).Payload))
		require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
		require.Equal(t, 202, direct(s, "POST", "invocation/2/response", "b").Code)
		require.Equal(t, "b", string((<-second).Payload))
	})
}

func TestInitError(t *testing.T) {
	const body = `{"errorMessage":"no such module: Nope","errorType":"Runtime.NoSuchModule","stackTrace":[]}`
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		waiting := background(t, s, Invocation{})
		synctest.Wait()

		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", runtimePath+"init/error", strings.NewReader(body))
		r.Header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.NoSuchModule")
		s.ServeHTTP(w, r)
		require.Equal(t, 202, w.Code)
		require.JSONEq(t, `{"status":"OK"}`, w.Body.String())

		later := background(t, s, Invocation{})
		for _, got := range []<-chan outcome{waiting, later} {
			o := <-got
			require.NoError(t, o.err)
			assert.Equal(t, body, string(o.Payload))
			assert.Equal(t, "Runtime.NoSuchModule", o.ErrorType)
			assert.Equal(t, FunctionErrorUnhandled, o.FunctionError)
			assert.Zero(t, o.Duration)
		}
		var initErr *InitError
		require.ErrorAs(t, s.Ready(t.Context()), &initErr)
		require.EqualError(t, initErr, "emulator: the runtime could not start: Runtime.NoSuchModule: no such module: Nope")

		// The runtime ends, another one starts and works.
		s.RuntimeExited(errors.New("exit status 1"))
		got := background(t, s, Invocation{RequestID: "r"})
		synctest.Wait()
		require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
		require.NoError(t, s.Ready(t.Context()))
		require.Equal(t, 202, direct(s, "POST", "invocation/r/response", "1").Code)
		require.Equal(t, "1", string((<-got).Payload))
	})
}

func TestInitErrorOfAnyForm(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	require.Equal(t, 202, direct(s, "POST", "init/error", "boom").Code)
	require.EqualError(t, s.Ready(t.Context()), "emulator: the runtime could not start: Runtime.Unknown")
}

func TestWaitingRuntimeGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan struct{})
		w := httptest.NewRecorder()
		go func() {
			s.ServeHTTP(w, httptest.NewRequest("GET", runtimePath+"invocation/next", nil).WithContext(ctx))
			close(gone)
		}()
		require.NoError(t, s.Ready(t.Context()))
		cancel()
		<-gone
		require.Empty(t, w.Header())

		// No event is lost to it.
		got := background(t, s, Invocation{RequestID: "r"})
		synctest.Wait()
		require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
		require.Equal(t, 202, direct(s, "POST", "invocation/r/response", "1").Code)
		require.Equal(t, "1", string((<-got).Payload))
	})
}

func TestRuntimeExited(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		started bool
		want    string
	}{
		{"in an invocation", errors.New("exit status 1"), true, "RequestId: r Error: Runtime exited with error: exit status 1"},
		{"by a signal", errors.New("signal: killed"), true, "RequestId: r Error: Runtime exited with error: signal: killed"},
		{"quietly", nil, true, "RequestId: r Error: Runtime exited without providing a reason"},
		{"before it was ready", errors.New("exit status 1"), false, "RequestId: r Error: Runtime exited with error: exit status 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{})
				defer s.Close()
				got := background(t, s, Invocation{RequestID: "r"})
				synctest.Wait()
				if c.started {
					direct(s, "GET", "invocation/next", "")
				}
				s.RuntimeExited(c.err)
				o := <-got
				require.Equal(t, errorBody{c.want, "Runtime.ExitError"}, o.message(t))
				require.Equal(t, "Runtime.ExitError", o.ErrorType)
				require.Contains(t, string(o.Log), c.want+"\nRuntime.ExitError\n")
				require.Equal(t, 400, direct(s, "POST", "invocation/r/response", "1").Code)

				// The same server serves the next runtime, from the start.
				require.Equal(t, 202, direct(s, "POST", "init/error", "{}").Code)
				s.RuntimeExited(nil)
				got = background(t, s, Invocation{RequestID: "r"})
				synctest.Wait()
				require.Equal(t, 200, direct(s, "GET", "invocation/next", "").Code)
				require.Equal(t, 202, direct(s, "POST", "invocation/r/response", "1").Code)
				require.Equal(t, "1", string((<-got).Payload))
			})
		})
	}
}

func TestRuntimeExitedKeepsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		first := background(t, s, Invocation{RequestID: "1"})
		synctest.Wait()
		direct(s, "GET", "invocation/next", "")
		second := background(t, s, Invocation{RequestID: "2"})
		synctest.Wait()
		s.RuntimeExited(nil)
		require.Equal(t, "Runtime.ExitError", (<-first).ErrorType)
		require.Equal(t, "2", direct(s, "GET", "invocation/next", "").Header().Get("Lambda-Runtime-Aws-Request-Id"))
		require.Equal(t, 202, direct(s, "POST", "invocation/2/response", "1").Code)
		require.Equal(t, "1", string((<-second).Payload))
	})
}

func TestRuntimeExitedEndsWaitingNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		code := make(chan int)
		go func() { code <- direct(s, "GET", "invocation/next", "").Code }()
		synctest.Wait()
		s.RuntimeExited(nil)
		require.Equal(t, 500, <-code)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		handed := background(t, s, Invocation{})
		synctest.Wait()
		direct(s, "GET", "invocation/next", "")
		waiting := background(t, s, Invocation{})
		next, readiness := make(chan int), make(chan error)
		synctest.Wait()
		other := New(Options{})
		go func() { next <- direct(other, "GET", "invocation/next", "").Code }()
		third := New(Options{})
		go func() { readiness <- third.Ready(t.Context()) }()
		synctest.Wait()

		s.Close()
		s.Close()
		other.Close()
		third.Close()
		require.ErrorIs(t, (<-handed).err, ErrClosed)
		require.ErrorIs(t, (<-waiting).err, ErrClosed)
		require.Equal(t, 500, <-next)
		require.ErrorIs(t, <-readiness, ErrClosed)
		_, err := s.Invoke(t.Context(), Invocation{})
		require.ErrorIs(t, err, ErrClosed)
		s.RuntimeExited(nil)
	})
}

func TestInvokeContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Invoke(ctx, Invocation{RequestID: "gone"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "gone")
		require.Error(t, s.Ready(ctx))

		// It is not handed out any more; one that was goes on.
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ended := make(chan error)
		go func() {
			_, err := s.Invoke(ctx, Invocation{RequestID: "running"})
			ended <- err
		}()
		synctest.Wait()
		require.Equal(t, "running", direct(s, "GET", "invocation/next", "").Header().Get("Lambda-Runtime-Aws-Request-Id"))
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
		_, err = s.Invoke(t.Context(), Invocation{RequestID: "running"})
		require.EqualError(t, err, "emulator: request id running is in use")
		require.Equal(t, 202, direct(s, "POST", "invocation/running/response", "1").Code)
	})
}

func TestOnDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done []string
		s := New(Options{OnDone: func(r Result) { done = append(done, r.RequestID+" "+string(r.Payload)) }})
		defer s.Close()
		got := background(t, s, Invocation{RequestID: "r"})
		synctest.Wait()
		direct(s, "GET", "invocation/next", "")
		direct(s, "POST", "invocation/r/response", "1")
		require.Equal(t, []string{"r 1"}, done)
		<-got
	})
}
