package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/bootstrap/layer"
)

// errUnfit says that something would not load; it has been shown.
var errUnfit = errors.New("something would not load")

func newDoctor(c *console) *cobra.Command {
	var flags layerFlags
	cmd := &cobra.Command{
		Use:   "doctor [flags] [FILE]",
		Short: "Say what would not load on Lambda, and what to do",
		Long: `doctor reads which versions of which libraries the programs and shared libraries of the
machine's Erlang need, those that beamport layer would pack, and compares them with what
the target has. With a FILE, an archive or a folder, it does so for that.

The exit status is 1 if something would not load.`,
		Example: `  beamport doctor
  beamport doctor --target image
  beamport doctor layer.zip`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o, err := flags.options()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				binaries, problems, err := layer.ExamineArchive(args[0], o.Target, nil)
				if err != nil {
					return err
				}
				return c.diagnose(o.Target, len(binaries), problems)
			}
			return c.examine(o)
		},
	}
	flags.add(cmd)
	return cmd
}

func (c *console) examine(o layer.Options) error {
	e, err := layer.Examine(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Erlang/OTP with erts %s in %s\n", e.ERTS, e.OTP)
	if e.Elixir != "" {
		fmt.Fprintf(c.out, "Elixir %s in %s\n", e.ElixirVSN, e.Elixir)
	} else {
		fmt.Fprintln(c.out, "no Elixir")
	}
	if len(e.Libraries) > 0 {
		fmt.Fprintf(c.out, "%s lacks %s: a layer gets it from this machine\n", o.Target.Name, strings.Join(e.Libraries, ", "))
	}
	if e.Incomplete != nil {
		fmt.Fprintf(c.out, "%s %s\n", c.outStyle.red("no:"), sentence(e.Incomplete))
		return errors.Join(errUnfit, c.diagnose(o.Target, len(e.Binaries), e.Problems))
	}
	return c.diagnose(o.Target, len(e.Binaries), e.Problems)
}

// diagnose prints what is wrong.
func (c *console) diagnose(t layer.Target, binaries int, problems []layer.Problem) error {
	for _, p := range problems {
		fmt.Fprintf(c.out, "%s %s\n", c.outStyle.red("no:"), p)
	}
	if len(problems) > 0 {
		return errUnfit
	}
	what := "programs and libraries load"
	if binaries == 1 {
		what = "program or library loads"
	}
	fmt.Fprintf(c.out, "%s %d %s on %s\n", c.outStyle.green("ok:"), binaries, what, t)
	return nil
}
