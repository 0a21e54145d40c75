package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// limits says what stands in the way of the targets that are missed.
//
//go:embed limits.md
var limits string

// markdown is the report as a page.
func (r report) markdown() string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	b.WriteString("Packages `etf` and `etf/etfjson` beside other codecs of Erlang's External Term Format, and beside what Go programs use for JSON, CBOR and MessagePack, on the same data.\n\n")
	fmt.Fprintf(&b, "- Machine: %s, %d cores, %s\n", r.machine.cpu, r.machine.cores, r.machine.os)
	fmt.Fprintf(&b, "- %s; Erlang/OTP %s (erts %s, %s); gcc %s with libei of the same OTP\n", r.machine.golang, r.machine.otp, r.machine.erts, r.machine.flavor, r.machine.gcc)
	fmt.Fprintf(&b, "- Peers: %s; encoding/json of the Go release\n", strings.Join(r.machine.peers, ", "))
	fmt.Fprintf(&b, "- Date: %s\n", r.machine.date)
	b.WriteString("- To reproduce: `make bench`, or `cd bench && go run . -o ../BENCHMARKS.md`; for benchstat see `go doc` in `bench`\n\n")
	fmt.Fprintf(&b, "Codecs take turns in %d rounds of about %v each; a figure is the median of the rounds, and behind it stands how many times as long it is as the first row's. More than 1× means slower than the first row. The last column is the geometric mean of these ratios, over the number of workloads in parentheses where the codec cannot do all. Each codec's result was checked before it was timed. `etf.Append`, `etf.AppendMarshal` and etfjson write into a buffer that is used again; all other Go rows return new memory.\n\n", r.plan.rounds, r.plan.turn)

	b.WriteString("## Workloads\n\n")
	t := table{{"workload", "bytes", "terms", "what it is"}}
	for _, s := range r.samples {
		t = append(t, []string{s.name, size(len(s.etf)), s.terms(), s.about})
	}
	b.WriteString(t.markdown(words))

	if t := r.targetTable(); len(t) > 1 {
		b.WriteString("\n## Targets\n\n" + t.markdown(words) + "\n" + limits)
	}
	for _, res := range r.results {
		rows := r.rows(res)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", sentence(res.title))
		b.WriteString(append(table{r.head()}, rows...).markdown(figures))
	}
	if len(r.trips) > 0 {
		b.WriteString("\n## Round trips of package port\n\nA request and its echo between two processes, over the pipes of a child or a unix socket: `port.Conn.Do` beside the same bytes written and read by hand (a lock, a goroutine that reads, and the order of the questions; alone, write and read), with package port's framing on both sides. Both use their memory for answers again.\n\n")
		b.WriteString(r.tripTable().markdown(figures))
	}
	if len(r.functions) > 0 {
		b.WriteString("\n## Warm invocations\n\nFunctions that answer with their event, each on a Runtime API of its own, in turns, one invocation at a time, of 1,769 MB of memory, which on Lambda is one processor: from the moment before the event is written until the answer has been read. *bare loop* is a loop over one connection that sends back what it got without looking at it; *Go hello* is a function on " + r.hello + ", which decodes and encodes. CPU is that of all processes of the function, by event; memory what they hold in the end, what they share counted once.\n\n")
		b.WriteString(r.invocationTable().markdown(figures) + "\n" + r.loadTable().markdown(figures))
	}
	if remarks := r.remarks(); len(remarks) > 0 {
		fmt.Fprintf(&b, "\n## What %s and %s stand for\n\n", cannot, `\`+qualified)
		for _, line := range remarks {
			b.WriteString("- " + strings.TrimLeft(line, cannot+qualified+" ") + "\n")
		}
	}
	b.WriteString("\n## Speed and allocations\n\nThe median and the fastest round for one execution, millions of bytes per second in the codec's own format, and allocations, for the codecs in Go.\n")
	for _, res := range r.results {
		if t := r.details(res); len(t) > 1 {
			fmt.Fprintf(&b, "\n### %s\n\n%s", sentence(res.title), t.markdown(figures))
		}
	}
	return b.String()
}

// details has a line for each figure of the result.
func (r report) details(res result) table {
	t := table{{"workload, codec", "median", "fastest", "bytes", "MB/s", "allocs"}}
	for _, s := range r.samples {
		for _, c := range res.codecs {
			f, ok := res.cells[c.name][s.name]
			if !ok || f.err != "" {
				continue
			}
			allocs := ""
			if f.allocs >= 0 {
				allocs = fmt.Sprintf("%.0f", f.allocs)
			}
			t = append(t, []string{s.name + ", " + c.name, duration(f.ns), duration(f.fastest), size(f.bytes), fmt.Sprintf("%.0f", f.mbps()), allocs})
		}
	}
	return t
}

func sentence(title string) string { return strings.ToUpper(title[:1]) + title[1:] }
