package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	playEcho()
	playBare()
	playGate()
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	short := flags.Bool("short", false, "measure less, for a look")
	only := flags.String("run", "", "measure only what matches this regular `expression` of section/workload/codec")
	out := flags.String("o", "", "also write the report as Markdown to this `file`")
	starts := flags.Bool("start", false, "measure cold starts instead")
	runs := flags.Int("runs", 9, "with -start: how often each is started")
	cpus := flags.String("cpu", "all,0.29,0.072", "with -start: how much of a processor they have")
	svg := flags.String("svg", "", "with -start: also write where the time goes as a picture to this `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *starts {
		return runStarts(*runs, *cpus, *only, *out, *svg, stdout, stderr)
	}
	p := fullPlan
	if *short {
		p = shortPlan
	}
	p.log = stderr
	if *only != "" {
		if p.only, err = regexp.Compile(*only); err != nil {
			return err
		}
	}
	l, err := openLab()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	r := report{plan: p, samples: l.samples}
	if r.machine, err = thisMachine(l.beam); err != nil {
		return err
	}
	if r.results, err = p.measure(l.sections(), l.samples); err != nil {
		return err
	}
	if r.trips, err = p.measureTrips(); err != nil {
		return err
	}
	if r.functions, err = p.measureFunctions(l); err != nil {
		return err
	}
	r.hello = l.hello
	if _, err := io.WriteString(stdout, r.text()); err != nil {
		return err
	}
	if *out == "" {
		return nil
	}
	return os.WriteFile(*out, []byte(r.markdown()), 0o644)
}

// runStarts is the other mode of the program.
func runStarts(runs int, cpus, only, out, svg string, stdout, stderr io.Writer) (err error) {
	p := startPlan{rounds: max(runs, 1), out: out, svg: svg}
	for _, text := range strings.Split(cpus, ",") {
		if text == "all" {
			p.cpus = append(p.cpus, 0)
			continue
		}
		cpu, err := strconv.ParseFloat(text, 64)
		if err != nil || cpu <= 0 {
			return fmt.Errorf("bench: -cpu: %q is neither all nor a number of processors", text)
		}
		p.cpus = append(p.cpus, cpu)
	}
	if only != "" {
		if p.only, err = regexp.Compile(only); err != nil {
			return err
		}
	}
	return p.run(stdout, stderr)
}
