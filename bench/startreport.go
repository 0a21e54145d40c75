package main

import (
	"fmt"
	"html"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// startReport is what was measured.
type startReport struct {
	machine string
	rounds  int
	tables  []startTable
	targets table
	phases  []phasesOf
	notes   []string
}

// startTable is one limit's.
type startTable struct {
	title string
	rows  table
}

// startMachine says what was measured on.
func startMachine() (string, error) {
	elixir, err := exec.Command("elixir", "--short-version").Output()
	if err != nil {
		return "", err
	}
	otp, err := exec.Command("erl", "-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt().").Output()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, OTP %s, Elixir %s, %s", cpuModel(), otp, strings.TrimSpace(string(elixir)), time.Now().UTC().Format(time.DateOnly)), nil
}

// middle is the median of something of all runs but the first, which is for the memory.
func (s *starter) middle(of func(startRun) time.Duration) float64 {
	var values []float64
	for _, r := range s.runs[1:] {
		values = append(values, float64(of(r)))
	}
	return median(values)
}

func (s *starter) least(of func(startRun) time.Duration) float64 {
	var values []float64
	for _, r := range s.runs[1:] {
		values = append(values, float64(of(r)))
	}
	return slices.Min(values)
}

func firstAnswer(r startRun) time.Duration { return r.first }

// add takes the figures of a limit.
func (r *startReport) add(l *limit, starters []*starter) {
	t := startTable{title: fmt.Sprintf("start to first answer, %s (medians of %d)", l, r.rounds)}
	t.rows = table{{"", "ready", "first answer", "(least)", "÷ elixir -e", "cpu", "2nd event", "memory"}}
	base := starters[0].middle(firstAnswer)
	if r.targets == nil {
		r.targets = table{{"target", "asked for", "measured", ""}}
	}
	verdict := func(ok bool) string {
		if ok {
			return "ok"
		}
		return "missed"
	}
	for _, s := range starters {
		first := s.middle(firstAnswer)
		memory := s.runs[0].memory
		t.rows = append(t.rows, []string{
			s.name,
			duration(s.middle(func(r startRun) time.Duration { return r.ready })),
			duration(first), duration(s.least(firstAnswer)), times(first / base),
			duration(s.middle(func(r startRun) time.Duration { return r.cpu })),
			duration(s.middle(func(r startRun) time.Duration { return r.second })),
			mebibytes(memory),
		})
		if s.most > 0 && (l.cpus == 0 || l.cpus == 0.29) {
			r.targets = append(r.targets, []string{
				fmt.Sprintf("first answer, %s, %s", s.name, l), "≤ " + times(s.most), times(first / base), verdict(first/base <= s.most),
			})
		}
		if s.mostMemory > 0 && l.cpus == 0 {
			r.targets = append(r.targets, []string{
				"resident when ready, " + s.name, "≤ " + mebibytes(s.mostMemory), mebibytes(memory), verdict(memory <= s.mostMemory),
			})
		}
	}
	r.tables = append(r.tables, t)
}

func mebibytes(n int64) string { return significant(float64(n)/(1<<20)) + " MB" }

const startAbout = "From the start of the process until the answer has been read, through the Runtime API: the event, of 4 KB, waits. " +
	"Memory is that of the whole tree of processes when it is ready, what they share counted once (PSS); 1 MB has 1024 kB, as Lambda counts."

func (r *startReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.machine, startAbout)
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n%s\n\n%s", t.title, t.rows.text())
	}
	fmt.Fprintf(&b, "\n%s\nwhere the time goes, in ms\n\n%s", r.targets.text(), r.chart())
	for _, n := range r.notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	return b.String()
}

func (r *startReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Cold starts\n\n`make starts` made this. %s. %s\n", r.machine, startAbout)
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s", sentence(t.title), t.rows.markdown(figures))
	}
	fmt.Fprintf(&b, "\n## Targets\n\n%s\n## Where the time goes\n\n```\n%s```\n", r.targets.markdown(figures), r.chart())
	for _, n := range r.notes {
		fmt.Fprintf(&b, "\nNote: %s.\n", n)
	}
	return b.String()
}

// bars are the marks of phases in a chart of text.
var bars = []string{"█", "▓", "▒", "░", "·"}

const chartWidth = 60

// total is how long all phases take together.
func (p phasesOf) total() (sum float64) {
	for _, phase := range p.phases {
		if len(phase.took) > 0 {
			sum += median(phase.took)
		}
	}
	return sum
}

func (r *startReport) longest() (most float64) {
	for _, p := range r.phases {
		most = max(most, p.total())
	}
	return most
}

// chart is a bar for each start, with its phases.
func (r *startReport) chart() string {
	most := r.longest()
	var b strings.Builder
	for i, p := range startPhases {
		fmt.Fprintf(&b, "%s %s  ", bars[i], p.name)
	}
	b.WriteString("\n\n")
	for _, p := range r.phases {
		fmt.Fprintf(&b, "%-18s ", p.name)
		at, drawn := 0.0, 0
		var figures []string
		for i, phase := range p.phases {
			if len(phase.took) == 0 {
				figures = append(figures, "-")
				continue
			}
			took := median(phase.took)
			at += took
			to := int(at/most*chartWidth + 0.5)
			b.WriteString(strings.Repeat(bars[i], max(to-drawn, 0)))
			drawn = max(to, drawn)
			figures = append(figures, significant(took))
		}
		fmt.Fprintf(&b, "%s %s = %s\n", strings.Repeat(" ", chartWidth-drawn), strings.Join(figures, " + "), significant(at))
	}
	return b.String()
}

// colours are those of the phases in the picture.
var colours = []string{"#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f"}

// svg is the chart as a picture.
func (r *startReport) svg() string {
	const left, width, line = 150, 640, 26
	height := line*(len(r.phases)+2) + 20
	scale := width / max(r.longest(), 1)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", left+width+90, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, p := range startPhases {
		fmt.Fprintf(&b, `<rect x="%d" y="8" width="12" height="12" fill="%s"/><text x="%d" y="18">%s</text>`+"\n",
			10+i*165, colours[i], 27+i*165, html.EscapeString(p.name))
	}
	for n, p := range r.phases {
		y := line*(n+1) + 14
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+14, html.EscapeString(p.name))
		x := float64(left)
		for i, phase := range p.phases {
			if len(phase.took) == 0 {
				continue
			}
			took := median(phase.took)
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="18" fill="%s"><title>%s: %.1f ms</title></rect>`+"\n",
				x, y, took*scale, colours[i], html.EscapeString(phase.name), took)
			x += took * scale
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s ms</text>`+"\n", x+6, y+14, significant(p.total()))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
