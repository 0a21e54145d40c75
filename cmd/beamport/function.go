package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/bootstrap"
	"github.com/beamport/beamport/bootstrap/emulator"
)

// functionFlags are what both commands take.
type functionFlags struct {
	handler string
	timeout time.Duration
}

func (f *functionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.handler, "handler", os.Getenv("_HANDLER"),
		"the function to call: Module.function or, for Erlang, module:function")
	cmd.Flags().Lookup("handler").DefValue = "" // the environment is not part of the help
	cmd.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second,
		"how long an invocation may take; Lambda's own default is 3s")
}

// function is a function that runs: a VM behind an emulator.
type function struct {
	api   *emulator.Server
	ready bootstrap.Ready

	cancel context.CancelFunc
	ended  chan struct{} // closed when the runtime has ended
	err    error         // why, readable after that
	server *http.Server
}

// startFunction starts the code in dir and waits until its handler is ready. When
// ctx ends, so does the runtime; [function.stop] must be called all the same.
func startFunction(ctx context.Context, c *console, f functionFlags, dir string, o emulator.Options) (*function, error) {
	root, err := findCode(dir, os.Getenv("MIX_ENV"))
	if err != nil {
		return nil, err
	}
	if f.handler == "" {
		return nil, errors.New("which function? Name it with --handler, such as --handler Example.hello or --handler example:hello")
	}
	if f.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %v leaves no time for an invocation", f.timeout)
	}
	o.Timeout, o.Tracing = f.timeout, true
	o.Concurrency = max(1, o.Concurrency)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no address for the Runtime API: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	fn := &function{
		api:    emulator.New(o),
		cancel: cancel,
		ended:  make(chan struct{}),
	}
	fn.server = &http.Server{Handler: fn.api, ReadHeaderTimeout: time.Minute}
	go fn.server.Serve(listener)

	ready := make(chan bootstrap.Ready, 1)
	config := bootstrap.Config{
		RuntimeAPI:     listener.Addr().String(),
		Handler:        f.handler,
		TaskRoot:       root,
		Environ:        lambdaEnviron(os.Environ(), f.handler, root, listener.Addr().String()),
		MaxConcurrency: o.Concurrency,
		Logs:           io.MultiWriter(&logLines{c: c, ids: o.Concurrency > 1}, fn.api.Logs()),
		OnReady: func(r bootstrap.Ready) {
			select {
			case ready <- r:
			default: // another VM in place of one that died
			}
		},
	}
	go func() {
		fn.err = bootstrap.Run(ctx, config)
		fn.api.RuntimeExited(fn.err)
		close(fn.ended)
	}()
	select {
	case fn.ready = <-ready:
		return fn, nil
	case <-fn.ended:
		fn.stop()
		if fn.err == nil {
			return nil, errors.New("interrupted before the function was ready")
		}
		return nil, fn.err
	}
}

// stop ends the VM and waits for its end.
func (fn *function) stop() {
	fn.cancel()
	<-fn.ended
	fn.api.Close()
	_ = fn.server.Close() // nobody is left who would read an answer
}

// describe says what runs and what it took to start it.
func (fn *function) describe(s style) string {
	r := fn.ready
	return fmt.Sprintf("%s %s\n", s.bold(r.Handler), s.dim(fmt.Sprintf("on OTP %s, ready in %s (VM %s, handler %s)",
		r.Release, milliseconds(r.Start+r.Init), milliseconds(r.Start), milliseconds(r.Init))))
}

// lambdaEnviron is the environment of a function on Lambda, as far as it has a
// meaning here.
func lambdaEnviron(environ []string, handler, root, api string) []string {
	return append(environ[:len(environ):len(environ)],
		"_HANDLER="+handler,
		"LAMBDA_TASK_ROOT="+root,
		"AWS_LAMBDA_RUNTIME_API="+api,
		"AWS_LAMBDA_FUNCTION_NAME="+emulator.DefaultFunctionName,
		"AWS_LAMBDA_FUNCTION_VERSION="+emulator.DefaultFunctionVersion,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", emulator.DefaultMemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+emulator.DefaultFunctionName,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
	)
}
