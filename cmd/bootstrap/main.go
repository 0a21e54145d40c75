// Command bootstrap is the program that Lambda starts: the runtime for functions
// that run in a BEAM. It takes everything from the environment; see
// [bootstrap.Config] for the variables. A handler may also be its argument, as the
// command of a container image is.
//
// It looks for Erlang in the folder erlang beside itself, as in a layer, then in
// ERLANG_HOME, then for an erl on the PATH. It carries the Erlang modules that it
// needs, and uses those of beam/ebin beside it where there are any.
//
// The exit status is 0 after SIGTERM or SIGINT, and that of [bootstrap.ExitStatus]
// after an error, which it writes to stderr.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/beamport/beamport/bootstrap"
)

func main() {
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		fmt.Println("beamport " + bootstrap.Version)
		return
	}
	// A VM that crashes would fill /tmp, which holds 512 MB. Where this is not allowed,
	// there is nothing to limit.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := bootstrap.Run(ctx, bootstrap.Config{
		Handler:    flag.Arg(0),
		Processors: cmp.Or(os.Getenv("BEAMPORT_PROCESSORS"), "auto"),
	})
	stop()
	if err != nil {
		report(os.Stderr, err)
		os.Exit(bootstrap.ExitStatus(err))
	}
}

// report writes an error, with the stack trace where code of the function's
// crashed.
func report(w io.Writer, err error) {
	fmt.Fprintln(w, err)
	var e *bootstrap.InitError
	if errors.As(err, &e) {
		for _, line := range e.StackTrace {
			fmt.Fprintln(w, "    "+line)
		}
	}
}
