package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/beamport/beamport/bootstrap/layer"
)

// layerFlags say what a layer is made of.
type layerFlags struct {
	layer.Options
	target, arch string
}

func (f *layerFlags) add(cmd *cobra.Command) {
	var about []string
	for _, p := range layer.Presets {
		about = append(about, fmt.Sprintf("%s (%s)", p.Name, p.About))
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Preset, "preset", "elixir", "what to pack: "+strings.Join(about, "; "))
	flags.StringSliceVar(&f.With, "with", nil, "further applications of Erlang or Elixir, such as ssl,inets")
	flags.StringVar(&f.OTP, "otp", "", "folder of the Erlang/OTP to take, the one that holds erts-* and lib (default: the machine's)")
	flags.StringVar(&f.Elixir, "elixir", "", "folder of the Elixir to take, the one that holds lib/elixir/ebin (default: the machine's)")
	flags.StringVar(&f.target, "target", layer.Targets()[0], "what it is to be loaded on: "+strings.Join(layer.Targets(), ", "))
	flags.StringVar(&f.arch, "arch", runtime.GOARCH, "architecture of that: amd64 or arm64")
}

// options are what the flags stand for.
func (f *layerFlags) options() (layer.Options, error) {
	o := f.Options
	var err error
	o.Target, err = layer.ParseTarget(f.target, f.arch)
	return o, err
}

func newLayer(c *console) *cobra.Command {
	var flags layerFlags
	var out string
	cmd := &cobra.Command{
		Use:   "layer [flags]",
		Short: "Pack a layer: Erlang, Elixir and the runtime",
		Long: `layer packs what Lambda is to unpack in /opt: the program bootstrap, an Erlang and an
Elixir without what only developers need, the applications asked for with all that they
depend on, the shared libraries that the target lacks, and boot scripts made for them.
What would not load on the target is not packed: beamport doctor says why in advance.

The same input makes the same file, to the byte.`,
		Example: `  beamport layer --preset elixir -o layer.zip
  beamport layer --preset elixir --with ssl,inets --target image -o layer.zip
  beamport layer --preset erlang --otp /opt/otp-27 --arch arm64 -o layer.zip`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := flags.options()
			if err != nil {
				return err
			}
			return buildLayer(cmd.Context(), c, o, out)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.Bootstrap, "bootstrap", "", "the program bootstrap, built for the architecture (default: the one beside this program, or Go builds it)")
	cmd.Flags().BoolVar(&flags.Force, "force", false, "pack what would not load on the target, or is too large, too")
	cmd.Flags().StringVarP(&out, "output", "o", "layer.zip", "the file to write")
	return cmd
}

func buildLayer(ctx context.Context, c *console, o layer.Options, out string) error {
	if err := o.Validate(); err != nil {
		return forced(err)
	}
	if o.Bootstrap == "" {
		file, remove, err := findBootstrap(ctx, o.Target.Arch)
		if err != nil {
			return err
		}
		defer remove()
		o.Bootstrap = file
	}
	show, clear := c.progress("packing " + out)
	o.Progress = show
	var report *layer.Report
	err := writeFile(out, func(w io.Writer) (err error) {
		report, err = layer.Build(ctx, o, w)
		return err
	})
	clear()
	if err != nil {
		return forced(err)
	}
	c.printReport(out, report)
	return nil
}

// forced is an error with what to do about it, if it is for Lambda alone to judge.
func forced(err error) error {
	if errors.Is(err, layer.ErrIncompatible) || errors.Is(err, layer.ErrTooLarge) {
		return fmt.Errorf("%w\n(--force packs it all the same)", err)
	}
	return err
}
