//go:build linux

// Command soak injects faults into children and reports; see package soak.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/beamport/beamport/internal/soak"
)

func main() {
	soak.PlayChild()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var o soak.Options
	flag.DurationVar(&o.For, "for", 2*time.Minute, "how long; 0: until -faults")
	flag.Uint64Var(&o.Faults, "faults", 0, "how many faults; 0: until -for")
	flag.IntVar(&o.Workers, "workers", 4, "children at once")
	flag.IntVar(&o.BEAMs, "beams", 1, "how many of them are BEAMs")
	flag.Uint64Var(&o.Seed, "seed", 1, "of the choice of faults")
	kinds := flag.String("kinds", "", "regular `expression` of the kinds of faults; all if empty")
	asJSON := flag.Bool("json", false, "report in JSON")
	flag.Parse()
	var err error
	if o.Kinds, err = regexp.Compile(*kinds); err != nil {
		return fmt.Errorf("soak: -kinds: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := soak.Run(ctx, o)
	if err != nil {
		return err
	}
	if *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		_, err = fmt.Print(r)
	}
	if err != nil {
		return fmt.Errorf("soak: writing the report: %w", err)
	}
	if bad := r.Bad(); len(bad) > 0 {
		return fmt.Errorf("soak: failed: %s", strings.Join(bad, ", "))
	}
	return nil
}
