package port_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A streamed answer that is collected and does not fit a frame, or whose head does not,
// is too large, whatever its handler makes of that.
func TestServerStreamTooLarge(t *testing.T) {
	write := func(w *port.StreamWriter, sizes ...int) (err error) {
		for _, size := range sizes {
			if _, e := w.Write(make([]byte, size)); e != nil && err == nil {
				err = e
			}
		}
		return err
	}
	for name, handler := range map[string]port.HandlerFunc{
		"returned": func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
			w, err := c.Stream(etf.Atom("head"))
			if err == nil {
				err = write(w, 1000, 1500)
			}
			return etf.Term{}, errors.Join(errors.New("in vain"), err)
		},
		"overlooked": func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
			w, err := c.Stream(etf.Atom("head"))
			if err == nil {
				_ = write(w, 1000, 1500, 3)
			}
			return etf.Atom("done"), err
		},
		"by its head": func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
			_, err := c.Stream(etf.Binary(make([]byte, 3000)))
			return etf.Atom("done"), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := servePipe(t, &port.Server{MaxPacket: 2000, Handler: handler}, port.Options{})
			requireTooLarge := func(err error) {
				t.Helper()
				failure, ok := errors.AsType[*port.CallError](err)
				require.True(t, ok, "%v", err)
				require.Equal(t, "error", failure.Class)
				require.Equal(t, "Function.ResponseSizeTooLarge", failure.Type())
			}
			_, err := c.Call(t.Context(), etf.Int(1))
			requireTooLarge(err)
			if name == "by its head" {
				_, err = c.Stream(t.Context(), port.Request{Term: etf.Int(1)})
				requireTooLarge(err)
			}
		})
	}
}

// What is written for a call that is cancelled is not collected for nothing.
func TestServerCollectsForNobody(t *testing.T) {
	began, wrote := make(chan struct{}), make(chan error)
	c, _ := servePipe(t, &port.Server{Handler: port.HandlerFunc(func(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
		w, err := c.Stream(etf.Atom("head"))
		close(began)
		if err == nil {
			<-ctx.Done()
			_, err = w.Write([]byte("x"))
		}
		wrote <- err
		return etf.Term{}, err
	})}, port.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := c.Call(ctx, etf.Int(1))
		gaveUp <- err
	}()
	<-began
	cancel()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	require.ErrorIs(t, <-wrote, context.Canceled)
}

// Names that a handler makes up become some of the protocol's.
func TestServerNames(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, made := range []string{long, "trace", ""} {
		var lines []port.Log
		c, _ := servePipe(t, &port.Server{Handler: port.HandlerFunc(func(_ context.Context, c *port.ServerCall) (etf.Term, error) {
			c.Log(port.Log{Level: made, Text: "a line"})
			return etf.Term{}, &port.CallError{Class: made, Reason: etf.Map()}
		})}, port.Options{OnLog: func(l port.Log) { lines = append(lines, l) }})
		_, err := c.Call(t.Context(), etf.Int(1))
		failure, ok := errors.AsType[*port.CallError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "error", failure.Class)
		require.Len(t, lines, 1)
		require.Equal(t, "info", lines[0].Level)
	}
}
