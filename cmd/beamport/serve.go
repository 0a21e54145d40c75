package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/bootstrap/emulator"
)

func newServe(c *console) *cobra.Command {
	var flags functionFlags
	var addr string
	var concurrency int
	cmd := &cobra.Command{
		Use:   "serve [flags] [DIR]",
		Short: "Keep a function running behind Lambda's invocation endpoint",
		Long: `serve starts the function in DIR (see beamport invoke --help) and serves
Lambda's invocation endpoint for it, until Ctrl-C:

  POST /2015-03-31/functions/function/invocations

That is what curl, aws lambda invoke --endpoint-url and the AWS SDKs call.`,
		Example: `  beamport serve --handler HelloElixir.handle examples/hello_elixir
  beamport serve --handler hello_erlang:handle --addr 127.0.0.1:8080 --timeout 3s examples/hello_erlang`,
		Args: oneDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			if concurrency < 1 {
				return fmt.Errorf("--concurrency %d leaves no invocation to serve", concurrency)
			}
			listener, err := net.Listen("tcp", addr)
			if err != nil {
				return fmt.Errorf("nothing can listen on %s: %w", addr, errors.Unwrap(err))
			}
			return serve(cmd.Context(), c, flags, dirOf(args), concurrency, listener)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:9000", "address to listen on")
	cmd.Flags().IntVar(&concurrency, "concurrency", 1, "how many invocations may be under way at once")
	return cmd
}

// serve serves until ctx ends or the runtime does. It closes the listener.
func serve(ctx context.Context, c *console, flags functionFlags, dir string, concurrency int, listener net.Listener) error {
	defer listener.Close()
	fn, err := startFunction(ctx, c, flags, dir, emulator.Options{
		Concurrency: concurrency,
		OnDone: func(r emulator.Result) {
			fmt.Fprintf(c.err, "%s %s\n", c.errStyle.dim(r.RequestID), verdict(c.errStyle, r))
		},
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: fn.api.InvocationEndpoint(), ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		_ = server.Serve(listener) // ends with the server
		close(served)
	}()
	url := "http://" + listener.Addr().String()
	fmt.Fprint(c.err, fn.describe(c.errStyle))
	fmt.Fprintf(c.out, `Listening on %[1]s, VM in process %[3]d. Ctrl-C ends it. Try

  curl -d '{}' %[1]s/2015-03-31/functions/%[2]s/invocations

  aws lambda invoke --endpoint-url %[1]s --region us-east-1 --no-sign-request \
      --function-name %[2]s --cli-binary-format raw-in-base64-out --payload '{}' /dev/stdout

`, url, emulator.DefaultFunctionName, fn.ready.Pid)

	<-fn.ended // by itself, or because ctx did
	fn.stop()
	// The callers have been answered; let them read that.
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	<-served
	if fn.err != nil {
		return fmt.Errorf("the runtime ended: %w", fn.err)
	}
	return nil
}
