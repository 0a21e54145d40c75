package bootstrap_test

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/beamport/beamport/bootstrap"
)

// span stands for that of a tracing library, such as OpenTelemetry's.
type span struct{ name string }

type spanKey struct{}

func (s *span) end(err error) { slog.Info("span", "name", s.name, "error", err) }

// A runtime of one's own: logs go to log/slog, and each invocation is a span, which begins
// with the event and ends with the answer.
func ExampleRun() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := bootstrap.Run(ctx, bootstrap.Config{
		Logger: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		OnReady: func(r bootstrap.Ready) {
			slog.Info("ready", "handler", r.Handler, "start", r.Start, "init", r.Init)
		},
		OnBegin: func(ctx context.Context, b bootstrap.Begun) context.Context {
			return context.WithValue(ctx, spanKey{}, &span{name: b.RequestID})
		},
		OnInvocation: func(d bootstrap.Done) {
			d.Context.Value(spanKey{}).(*span).end(d.Err)
		},
	})
	if err != nil {
		slog.Error("the function cannot go on", "error", err)
	}
	os.Exit(bootstrap.ExitStatus(err))
}
