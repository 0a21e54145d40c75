package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap"
)

// Exit statuses.
const (
	statusOK       = 0
	statusFunction = 1 // the function answered with an error, or something would not load
	statusUsage    = 2 // a wrong command line, or the function could not start
)

// errFunction says that an invocation failed; it has been shown.
var errFunction = errors.New("the function failed")

// run is the program: it returns the exit status. When ctx ends it stops what it
// started.
func run(ctx context.Context, args []string, c *console) int {
	root := newRoot(c)
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, errFunction), errors.Is(err, errUnfit):
		return statusFunction
	default:
		fmt.Fprintf(c.err, "%s %s\n", c.errStyle.red("beamport:"), sentence(err))
		return statusUsage
	}
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "beamport",
		Short: "Run Elixir and Erlang Lambda functions on your own machine",
		Long: `beamport runs Elixir and Erlang Lambda functions on your own machine: in a BEAM,
behind an emulator of the Lambda Runtime API, as they run on Lambda.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (%s --help tells more)", err, cmd.CommandPath())
	})
	root.AddCommand(newInvoke(c), newServe(c), newLayer(c), newPackage(c), newDoctor(c), newVersion(c))
	return root
}

func newVersion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "beamport %s (%s %s/%s)\n", bootstrap.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// oneDir takes the folder of the function, the current one when there is none.
func oneDir(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one folder, not %d (%s --help tells more)", cmd.Name(), len(args), cmd.CommandPath())
	}
	return nil
}

func dirOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// sentence is an error for a person: without the names of packages.
func sentence(err error) string {
	var failed *bootstrap.InitError
	switch {
	case errors.Is(err, beam.ErrNotInstalled):
		err = beam.ErrNotInstalled
	case errors.As(err, &failed):
		return fmt.Sprintf("the function could not start: %s (%s)", failed.Message, failed.Type)
	}
	text := err.Error()
	for _, name := range []string{"bootstrap: ", "beam: ", "port: ", "emulator: ", "layer: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}
