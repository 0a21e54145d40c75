package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// A report is one run.
type report struct {
	machine machine
	plan    plan
	samples []sample
	results []result
	trips   []trip

	functions []function
	hello     string // what Go hello is made with
}

// marks of cells
const (
	cannot    = "–"
	qualified = "*"
)

// text is the report for a terminal: one table of medians and ratios, what it
// leaves out, and the targets.
func (r report) text() string {
	sizes := []string{"bytes of the term"}
	for _, s := range r.samples {
		sizes = append(sizes, size(len(s.etf)))
	}
	t := table{r.head(), append(sizes, "")}
	for _, res := range r.results {
		if rows := r.rows(res); len(rows) > 0 {
			t = append(t, []string{fmt.Sprintf("%s (%s = 1)", strings.ToUpper(res.title), res.codecs[0].name)})
			t = append(t, rows...)
		}
	}
	text := fmt.Sprintf("%s\nMedians of %d rounds, and how many times as long as the first row of each part.\n\n%s\n%s\n\n",
		r.machine, r.plan.rounds, t.text(), strings.Join(r.remarks(), "\n"))
	if len(r.trips) > 0 {
		text += "There and back between two processes, a request and its echo:\n\n" + r.tripTable().text() + "\n"
	}
	if len(r.functions) > 0 {
		text += "Warm invocations on one Runtime API of functions of 1,769 MB (one processor), from the moment before the event is written until the answer is read; Go hello is " + r.hello + ":\n\n" +
			r.invocationTable().text() + "\n" + r.loadTable().text() + "\n"
	}
	return text + r.targetTable().text()
}

// head is the first line of the tables.
func (r report) head() []string {
	head := []string{""}
	for _, s := range r.samples {
		head = append(head, s.name)
	}
	return append(head, "geomean")
}

// rows returns the lines of a result, without those that have no figure and no
// reason.
func (r report) rows(res result) table {
	var t table
	for i, c := range res.codecs {
		if len(res.cells[c.name]) == 0 {
			continue
		}
		line := []string{c.name}
		for _, w := range r.samples {
			line = append(line, r.field(res, c.name, w.name))
		}
		mean, n := res.geomean(c.name, r.samples)
		switch {
		case n == 0 || i == 0:
			line = append(line, "")
		case n < len(r.samples):
			line = append(line, fmt.Sprintf("%s (%d)", times(mean), n))
		default:
			line = append(line, times(mean))
		}
		t = append(t, line)
	}
	return t
}

func (r report) field(res result, codecName, workloadName string) string {
	c, ok := res.cells[codecName][workloadName]
	if !ok {
		return ""
	}
	if c.err != "" {
		return cannot
	}
	field := duration(c.ns)
	if ratio, ok := res.ratio(codecName, workloadName); ok && codecName != res.codecs[0].name {
		field += " " + times(ratio)
	}
	if c.note != "" {
		field += qualified
	}
	return field
}

// remarks says of each – and each * in the tables what it stands for: once for
// the codecs and workloads that have the same reason.
func (r report) remarks() []string {
	var lines []string
	for _, res := range r.results {
		var reasons []string // in the order of the codecs
		about := map[string][]string{}
		for _, c := range res.codecs {
			for reason, workloads := range r.reasons(res, c.name) {
				key := strings.Join(workloads, ", ") + ": " + reason
				if about[key] == nil {
					reasons = append(reasons, key)
				}
				about[key] = append(about[key], c.name)
			}
		}
		for _, key := range reasons {
			workloads, reason, _ := strings.Cut(key, ": ")
			mark, what, _ := strings.Cut(reason, " ")
			lines = append(lines, fmt.Sprintf("%s %s, %s: %s %s", mark, res.name, workloads, strings.Join(about[key], ", "), what))
		}
	}
	return lines
}

// reasons returns why cells of a codec are marked, in the order of their text,
// and the workloads of each.
func (r report) reasons(res result, codecName string) iter.Seq2[string, []string] {
	workloads := map[string][]string{}
	for _, s := range r.samples {
		switch c := res.cells[codecName][s.name]; {
		case c.err != "":
			k := cannot + " cannot: " + c.err
			workloads[k] = append(workloads[k], s.name)
		case c.note != "":
			k := qualified + " " + c.note
			workloads[k] = append(workloads[k], s.name)
		}
	}
	return func(yield func(string, []string) bool) {
		for _, reason := range slices.Sorted(maps.Keys(workloads)) {
			if !yield(reason, workloads[reason]) {
				return
			}
		}
	}
}
