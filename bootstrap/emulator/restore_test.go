package emulator

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// status does what a table of calls says, and returns the statuses.
func statuses(s *Server, calls ...string) (codes []int) {
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		codes = append(codes, direct(s, method, path, "{}").Code)
	}
	return codes
}

func TestRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{SnapStart: true})
		defer s.Close()
		got := background(t, s, Invocation{RequestID: "1"})
		require.Equal(t, []int{403, 403}, statuses(s, "GET invocation/next", "POST restore/error"))
		restored := make(chan int)
		go func() { restored <- direct(s, "GET", "restore/next", "").Code }()
		require.NoError(t, s.AwaitSnapshot(t.Context()))
		synctest.Wait()
		require.Equal(t, []int{403, 403, 403, 403},
			statuses(s, "GET restore/next", "GET invocation/next", "POST init/error", "POST restore/error"))
		require.NoError(t, s.Restore(t.Context()))
		require.Equal(t, 200, <-restored)
		require.Equal(t, []int{403, 403}, statuses(s, "GET restore/next", "POST init/error"))
		require.Equal(t, []int{200, 403, 403, 202}, statuses(s, "GET invocation/next", "GET restore/next",
			"POST restore/error", "POST invocation/1/response"))
		require.Equal(t, "{}", string((<-got).Payload))
		require.NoError(t, s.Restore(t.Context()), "it is long past that")
	})
}

func TestRestoreError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{SnapStart: true})
		defer s.Close()
		go direct(s, "GET", "restore/next", "")
		require.NoError(t, s.Restore(t.Context()))
		synctest.Wait()
		r := httptest.NewRequest("POST", runtimePath+"restore/error", strings.NewReader(`{"errorMessage":"no"}`))
		r.Header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.AfterRestoreError")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, 202, w.Code)
		var e *InitError
		require.ErrorAs(t, s.Ready(t.Context()), &e)
		assert.Equal(t, "Runtime.AfterRestoreError", e.Type)
		assert.Equal(t, "no", e.Message)
		require.Equal(t, []int{403, 403}, statuses(s, "GET invocation/next", "POST restore/error"))
	})
}

// A runtime that ends while it waits is followed by another one.
func TestRestoreOfAnotherRuntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{SnapStart: true})
		defer s.Close()
		codes := make(chan int)
		for range 2 {
			go func() { codes <- direct(s, "GET", "restore/next", "").Code }()
			require.NoError(t, s.AwaitSnapshot(t.Context()))
			s.RuntimeExited(nil)
			require.Equal(t, 500, <-codes)
		}
		go func() { codes <- direct(s, "GET", "restore/next", "").Code }()
		synctest.Wait()
		s.Close()
		require.Equal(t, 500, <-codes)
		require.ErrorIs(t, s.Restore(t.Context()), ErrClosed)
	})
}

func TestNoRestoreWithoutSnapStart(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	require.Equal(t, []int{403, 403}, statuses(s, "GET restore/next", "POST restore/error"))
}
