package main

import (
	"context"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/layer"
)

func newPackage(c *console) *cobra.Command {
	var o layer.FunctionOptions
	var target, arch, out string
	cmd := &cobra.Command{
		Use:   "package [flags] [DIR]",
		Short: "Pack a function: its code, and a boot script made for it",
		Long: `package compiles the function in DIR, the current folder unless named, and packs what
Lambda is to unpack in the task root. DIR is a project of mix (compiled with
MIX_ENV=prod) or rebar3, a folder of Erlang's or Elixir's source, a shipment of Gleam's,
or a folder of compiled code (lib/*/ebin, ebin or *.beam).

With --handler the archive carries a boot script, beamport.boot, that loads what the
handler needs in one go, and has the configuration of config/config.exs:

  full      starts Erlang's kernel, the logger, and the function's applications
  lean      the same, but for what only distribution and hosts' names need
  function  starts nothing but the function: for handlers whose applications have no
            processes; anything else is loaded when it is called

It is made for the Erlang and the Elixir of the layer: name them with --otp and --elixir
where those are not the machine's.`,
		Example: `  beamport package --handler HelloElixir.handle -o function.zip
  beamport package --handler hello_erlang:greet --boot function -o function.zip examples/hello_erlang`,
		Args: oneDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Target, err = layer.ParseTarget(target, arch); err != nil {
				return err
			}
			o.Dir = dirOf(args)
			return packFunction(cmd.Context(), c, o, out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Handler, "handler", "", "the function, such as HelloElixir.handle: what _HANDLER will be")
	flags.StringVar(&o.Boot, "boot", beam.BootFull, "the kind of its boot script: full, lean or function")
	flags.StringVar(&o.OTP, "otp", "", "folder of the Erlang/OTP that the layer is made of (default: the machine's)")
	flags.StringVar(&o.Elixir, "elixir", "", "folder of the Elixir that the layer is made of (default: the machine's)")
	flags.StringVar(&target, "target", layer.Targets()[0], "what it is to be loaded on: "+strings.Join(layer.Targets(), ", "))
	flags.StringVar(&arch, "arch", runtime.GOARCH, "architecture of that: amd64 or arm64")
	flags.StringSliceVar(&o.Layers, "layer", nil, "archives of the layers that it runs on: what they hold counts towards Lambda's limit")
	flags.BoolVar(&o.Force, "force", false, "pack what is too large, or native code that would not load on the target, too")
	flags.StringVarP(&out, "output", "o", "function.zip", "the file to write")
	return cmd
}

func packFunction(ctx context.Context, c *console, o layer.FunctionOptions, out string) error {
	show, clear := c.progress("packing " + out)
	o.Progress = show
	var report *layer.Report
	err := writeFile(out, func(w io.Writer) (err error) {
		report, err = layer.Package(ctx, o, w)
		return err
	})
	clear()
	if err != nil {
		return forced(err)
	}
	c.printReport(out, report)
	return nil
}
