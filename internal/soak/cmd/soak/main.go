//go:build linux

// Soak puts package port under load while it injects faults, and prints what came of
// it. It fails if a request was lost, mixed up or answered twice, if anything
// leaked, or if a kind of fault was not injected often enough.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/beamport/beamport/internal/soak"
)

func main() {
	soak.Play()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	duration := flag.Duration("for", 2*time.Minute, "go on for so long at least")
	faults := flag.Uint64("faults", 0, "go on until so many faults are injected at least")
	kinds := flag.String("kinds", "", "inject the kinds of fault whose name this regular expression matches")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano())%1_000_000, "where random choices come from")
	makes := flag.String("makes", "light,server,beam,worker,socket", "inject faults into children of these makes")
	each := flag.Uint64("each", 1, "how often each kind of fault has to be injected into children of each make; the run goes on until then")
	least := make(map[string]uint64)
	flag.Func("least", "how often one kind of fault has to be injected, whatever the make, as in 'parent killed=1000'; may be repeated", func(text string) error {
		return parseLeast(least, text)
	})
	share := flag.Float64("beam", 0.25, "share of phases in which emulators take part")
	lanes := flag.Int("lanes", 3, "scenarios that go on at once")
	bound := flag.Duration("bound", time.Minute, "how long anything may take")
	asJSON := flag.Bool("json", false, "print the report as JSON")
	quiet := flag.Bool("quiet", false, "print no progress")
	list := flag.Bool("list", false, "list the kinds and end")
	flag.Parse()

	selected, err := soak.Select(*kinds)
	if err != nil {
		return err
	}
	if *list {
		for _, k := range selected {
			fmt.Println(k.Name)
		}
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	of, err := soak.ParseMakes(strings.Split(*makes, ","))
	if err != nil {
		return err
	}
	report, err := soak.Run(ctx, soak.Config{
		For: *duration, Faults: *faults, Kinds: selected, Makes: of, Each: *each, Least: least, Seed: *seed, Lanes: *lanes, BEAM: *share, Bound: *bound,
		Log: func(line string) {
			if !*quiet {
				fmt.Fprintln(os.Stderr, line)
			}
		},
	})
	if report == nil {
		return err
	}
	if *asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(report); err != nil {
			return err
		}
	} else if err := report.WriteText(os.Stdout); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return report.Err()
}

// parseLeast takes one -least.
func parseLeast(least map[string]uint64, text string) error {
	name, number, found := strings.Cut(text, "=")
	n, err := strconv.ParseUint(number, 10, 64)
	if !found || err != nil {
		return fmt.Errorf("soak: %q is not a kind's name, = and a number", text)
	}
	if kinds, err := soak.Select("^" + regexp.QuoteMeta(name) + "$"); err != nil || len(kinds) != 1 {
		return fmt.Errorf("soak: there is no kind %q", name)
	}
	least[name] = n
	return nil
}
