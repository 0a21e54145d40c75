// Command beamport runs Lambda functions on your own machine: it starts a BEAM
// with the function behind an emulator of the Lambda Runtime API.
//
//	beamport invoke   calls the function once for each event, and ends
//	beamport serve    keeps it running behind Lambda's invocation endpoint
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], newConsole(os.Stdin, os.Stdout, os.Stderr))
	stop()
	os.Exit(status)
}
